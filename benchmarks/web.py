"""Pages over a big ledger: the server's time for each, and what a phone loads first."""

from __future__ import annotations

import asyncio
import gzip
import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from statistics import quantiles

import httpx2
import numpy as np
from fastapi import FastAPI
from numpy.typing import NDArray
from sqlalchemy import Connection, insert

from api.app import create_app
from api.deps import ApiDeps, Counted, Disk, Live
from api.web.pages import PAGES
from benchmarks.rows import Row, row
from history.duck import DuckStore
from maintenance.ledger import Ledger
from maintenance.ledger.tables import alarms, proofs, tickets
from maintenance.people import Role
from maintenance.photofiles import PhotoFolder
from maintenance.ticket import State
from plant.catalogue import Text
from plant.cataloguefile import load_catalogue
from plant.reading import ReadingBatch
from plant.severity import Severity
from plant.site import Equipment, Mode, Plant, Site
from rules.engine import Engine
from rules.loader import load_pack
from rules.model import Rule
from rules.standing import Standing, standings

MACHINES = 1_000
TICKETS = 100_000
NOW = 1_795_399_200_000
MINUTE = 60_000
DAY = 24 * 60 * MINUTE
ASKED = 30
"""Times each page is asked for in one run, after one that warms it up."""

_TYPES = ("pump", "chiller", "ahu", "lv_feeder", "cooling_tower", "hot_water_tank", "dorm_room")
_ASSETS = re.compile(r'(?:href|src)="(/static/[^"]+\.(?:css|js))"')
_PROOF = (
    b'{"equipment":"m-0","frames":{"instants":[1,2],"points":{"active_power":["11.000","12.000"]}},"levels":[],'
    b'"members":[],"onset_at":1,"raised_at":2,"rule":"PU-01"}'
)


class Big:
    """A site of 1,000 machines with 100,000 tickets, and an app over it (`api.deps` views are this object)."""

    def __init__(self, ledger: Ledger, store: DuckStore, photos: PhotoFolder) -> None:
        self.ledger, self.store = ledger, store
        self.catalogue = load_catalogue()
        machines = {
            f"m-{n}": Equipment(
                f"m-{n}", f"area-{n % 12}/m-{n}", _TYPES[n % len(_TYPES)], Text(f"设备 {n}", f"Machine {n}")
            )
            for n in range(MACHINES)
        }
        self._plant = Plant(self.catalogue, Site("big", "Asia/Shanghai", Text("大厂区", "Big site"), machines))
        self._pack = load_pack(catalogue=self.catalogue)
        self._engine = Engine(self._plant, self._pack)
        self.token = self.ledger.add_user("bench", Role.ADMIN, author="bench", now=NOW)
        self.ledger.write(_fill)
        self._heard()
        self.app: FastAPI = create_app(
            ApiDeps(
                self.ledger,
                self.store,
                self,
                self,
                lambda: NOW,
                lambda: Disk(1, 1, 0, 0, 0),
                photos,
                streams_per_user=8,
            )
        )

    def _heard(self) -> None:
        """Every point of every machine was heard a minute ago, and two machines for a day."""
        table = self._plant.series
        count = len(table)
        at = np.full(count, NOW - MINUTE, np.int64)
        self.store.write(_batch(np.arange(count, dtype=np.int32), at, np.full(count, 20.0)), table, 1)
        for minute in range(0, 24 * 60, 60):
            rows = [series for series, key in enumerate(table.keys) if key.equipment in ("m-0", "m-1")]
            series = np.repeat(np.array(rows, np.int32), 60)
            ts = np.tile(NOW - DAY + (minute + np.arange(60)) * MINUTE, len(rows)).astype(np.int64)
            self.store.write(_batch(series, ts, np.sin(ts / 1e7) * 5 + 20), table, 2 + minute)

    def look(self) -> Live:
        return Live(NOW, True, True, 1, {"rules": 1, "store": 1}, {}, Counted())

    def verdicts(self) -> Sequence[Standing]:
        return standings(self._engine)

    def plant(self) -> Plant:
        return self._plant

    def rules(self) -> Sequence[Rule]:
        return self._pack


@contextmanager
def big_site(folder: Path) -> Iterator[Big]:
    """The big site in `folder`."""
    store = DuckStore(folder / "store")
    with Ledger.open(folder / "ledger.db") as ledger, closing(store):
        yield Big(ledger, store, PhotoFolder(folder / "photos"))


def _batch(series: NDArray[np.int32], ts: NDArray[np.int64], value: NDArray[np.float64]) -> ReadingBatch:
    none = np.zeros(len(series), np.uint8)
    at = np.arange(len(series), dtype=np.int64)
    return ReadingBatch(series, ts, value.astype(np.float64), none, none, ts, at)


def _fill(connection: Connection) -> None:
    """100,000 tickets of two years, all but 200 closed, each with its alarm."""
    connection.execute(insert(proofs).values(hash="0" * 64, body=_PROOF))
    every = 2 * 365 * DAY // TICKETS
    for start in range(0, TICKETS, 5_000):
        numbers = range(start, start + 5_000)
        connection.execute(insert(tickets), [_ticket(n, NOW - (TICKETS - n) * every) for n in numbers])
        connection.execute(insert(alarms), [_alarm(n, NOW - (TICKETS - n) * every) for n in numbers])


def _ticket(number: int, at: int) -> dict[str, object]:
    open_now = number >= TICKETS - 200
    return {
        "id": f"WO-BENCH-{number:06d}",
        "equipment": f"m-{number % MACHINES}",
        "rule": "PU-01" if open_now else "CH-04",
        "severity": Severity(1 + number % 3),
        "opened_at": at,
        "opened_by": "engine",
        "state": State.OPEN if open_now else State.CLOSED,
        "version": 1,
        "title": "",
        "reopened": 0,
        "counted_ms": 0,
        "needed_ms": 0,
        "arrive_late": False,
        "restore_late": False,
        "quiet": False,
    }


def _alarm(number: int, at: int) -> dict[str, object]:
    open_now = number >= TICKETS - 200
    return {
        "equipment": f"m-{number % MACHINES}",
        "rule": "PU-01" if open_now else "CH-04",
        "mode": Mode.LIVE,
        "severity": Severity(1 + number % 3),
        "highest": Severity(1 + number % 3),
        "onset_at": at,
        "raised_at": at,
        "cleared_at": None if open_now else at + 60 * MINUTE,
        "unevaluable": False,
        "members": "[]",
        "suppressed": False,
        "proof_hash": "0" * 64,
        "ticket": f"WO-BENCH-{number:06d}",
    }


FILLED = {
    "/equipment/{id}": "/equipment/m-1",
    "/tickets/{id}": f"/tickets/WO-BENCH-{TICKETS - 1:06d}",
    "/alarms/{id}": "/alarms/99990",
    "/rules/{id}": "/rules/CH-04",
    "/trends": "/trends?point=m-1/chw_supply_temp",
}
"""An address for each page with a place in its path; those not named here, and what is no page, are not timed."""


def pages_to_time() -> list[str]:
    """Every page that a signed-in person opens."""
    paths = [
        page.path
        for page in PAGES
        if page.method == "GET" and not page.path.startswith(("/static/", "/live/", "/demo"))
    ]
    return [FILLED.get(path, path) for path in paths if "{" not in path or path in FILLED]


def page_times(folder: Path, runs: int, say: Callable[[str], None]) -> list[Row]:
    """The 95th percentile of the server's time for each page; the slowest page's is the figure that has a target."""
    with big_site(folder) as site:
        return asyncio.run(_page_times(site, runs, say))


async def _page_times(site: Big, runs: int, say: Callable[[str], None]) -> list[Row]:
    rows, note = [], f"{MACHINES} machines, {TICKETS} tickets, 200 open; {ASKED} times a run"
    headers = {"Authorization": f"Bearer {site.token}", "Accept": "text/html", "Accept-Encoding": "gzip"}
    transport = httpx2.ASGITransport(site.app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://bench", headers=headers) as client:
        slowest = [0.0] * runs
        for path in pages_to_time():
            found = [await _p95(client, path) for _ in range(runs)]
            if any(value is None for value in found):
                say(f"{path}: no page")
                continue
            times = [value for value in found if value is not None]
            slowest = [max(pair) for pair in zip(slowest, times, strict=True)]
            say(f"{path}: p95 {min(times):.1f} to {max(times):.1f} ms")
            rows.append(row(f"page {path.partition('?')[0]} p95", "ms", times, note=note))
        worst = row("page_slowest_p95", "ms", slowest, note=note)
        rows.append(replace(worst, target=100.0, ok=worst.value is not None and worst.value <= 100.0))
        rows.append(await _weight(client))
    return rows


async def _p95(client: httpx2.AsyncClient, path: str) -> float | None:
    if (await client.get(path)).status_code != 200:
        return None
    times = []
    for _ in range(ASKED):
        begun = time.perf_counter()
        await client.get(path)
        times.append((time.perf_counter() - begun) * 1000)
    return quantiles(times, n=20)[-1]


async def _weight(client: httpx2.AsyncClient) -> Row:
    """What a phone loads for the board the first time: the page, its style and its scripts, gzipped."""
    page = await client.get("/")
    total = len(gzip.compress(page.content, 6))
    for address in dict.fromkeys(_ASSETS.findall(page.text)):
        total += len(gzip.compress((await client.get(address)).content, 9))
    kilobytes = total / 1000
    found = row("first_load", "kB", [kilobytes], note="the board with 200 open tickets, its style and scripts, gzipped")
    return replace(found, target=100.0, ok=kilobytes <= 100.0)

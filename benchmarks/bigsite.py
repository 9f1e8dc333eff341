"""A big site: 1,000 machines with two years of tickets behind the real app, for benchmarks of its pages."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
from fastapi import FastAPI
from numpy.typing import NDArray
from sqlalchemy import Connection, insert

from api.app import create_app
from api.deps import ApiDeps, Counted, Disk, Live
from dutyroom.binding import BindingDesk
from dutyroom.commissioning import CommissioningDesk
from dutyroom.content import Content
from history.duck import DuckStore
from history.entries import Message
from ingest.bindings import Bindings
from ingest.discovery import Discovery
from ingest.families import family_id
from maintenance.commissioning import Report, check_stored
from maintenance.ledger import Ledger, codes, commissionings, discovered, reports
from maintenance.ledger.discovered import Wanted
from maintenance.ledger.rows import Phrase
from maintenance.ledger.tables import alarms, proofs, tickets
from maintenance.ledger.tables import commissionings as commissionings_table
from maintenance.people import Actor, Role
from maintenance.photofiles import PhotoFolder
from maintenance.ticket import State
from plant.accepting import Accepted
from plant.catalogue import Text
from plant.cataloguefile import load_catalogue
from plant.reading import ReadingBatch
from plant.severity import Severity
from plant.site import Binding, Equipment, Mode, Plant, Site
from rules.engine import Engine
from rules.loader import load_pack
from rules.model import Rule
from rules.standing import Standing, standings

MACHINES = 1_000
TICKETS = 100_000
OPEN = 200
"""The newest of them, each with an active alarm."""
NOW = 1_795_399_200_000
MINUTE = 60_000
DAY = 24 * 60 * MINUTE
_TYPES = ("pump", "chiller", "ahu", "lv_feeder", "cooling_tower", "hot_water_tank", "dorm_room")
NEWEST = f"WO-BENCH-{TICKETS - 1:06d}"
HASH = "0" * 64
TOKEN = "bench".ljust(32, "x")
FAMILY = family_id("shellypro3em-*/events/rpc")
"""The topics of 200 meters of one kind that nobody has bound."""


def _proof(number: int) -> bytes:
    """What an engine freezes with an alarm: a value beyond its limit, and an hour of the rule's points."""
    at = NOW - number % 1_000
    column = [f"{11 + minute / 100:.3f}" for minute in range(60)]
    claim = {
        "text": "(active_power>11#3)",
        "value": True,
        "of": [
            {"text": "active_power", "unit": "kW", "value": column[-1], "quality": "none"},
            {"text": "11#3", "unit": "1", "value": "11.000"},
        ],
    }
    body = {
        "equipment": _machine(number),
        "frames": {
            "instants": [at - (59 - minute) * MINUTE for minute in range(60)],
            "points": dict.fromkeys(("active_power", "speed", "pump_status", "pump_flow"), column),
        },
        "levels": [{"for_ms": 600_000, "member": None, "severity": 2, "when": claim}],
        "members": [],
        "onset_at": at - 10 * MINUTE,
        "raised_at": at,
        "rule": "PU-01",
    }
    return msgspec.json.encode(body)


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
        self.code = codes.printed(self.ledger.write(codes.ensure, list(machines), NOW)["m-1"])
        self.ledger.act(NOW, reports.report, reports.Told("m-1", Phrase.NOISE_OR_SMELL, TOKEN))
        self._heard()
        self._unbound()
        self.app: FastAPI = create_app(
            ApiDeps(
                self.ledger,
                self.store,
                self,
                self,
                lambda: NOW,
                lambda: Disk(1, 1, 0, 0, 0),
                photos,
                BindingDesk(self.ledger),
                CommissioningDesk(self.ledger),
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

    def _unbound(self) -> None:
        """Meters nobody has bound, of 300 kinds and one kind of 200; one binding accepted, every machine checked."""
        content = Content.of(self._plant, self._pack).encode()
        base = self.ledger.add_config(content, "bench", NOW).revision
        discovery = Discovery(Bindings(self._plant))
        meters = [f"shellypro3em-{n:012x}/events/rpc" for n in range(200)]
        # Numbers tell devices of one family apart, so that kinds differ in their letters.
        kinds = ["".join(letters) for letters in itertools.product("ghijklmn", repeat=3)][:300]
        topics = [*(f"{kind}/meter/state" for kind in kinds), *meters]
        for offset, topic in enumerate(topics, 1):
            body = {"src": topic.partition("/")[0], "method": "NotifyStatus", "params": {"em:0": {"a_voltage": 231.2}}}
            discovery.observe(offset, Message(NOW - MINUTE + offset, topic, msgspec.json.encode(body)))
        changed, gone = discovery.take_changes()
        self.ledger.write(discovered.keep, changed, gone, site="big", offset=len(topics))
        binding = Binding(meters[-1], "voltage_l1", "em:0.a_voltage", "V")
        accepted = Accepted({"m-3": (binding,)})
        wanted = Wanted(discovery.families[FAMILY], accepted, content, base, topics[-1:], 0)
        bench = Actor("bench", Role.ADMIN)
        self.ledger.write(discovered.accept, wanted, bench, NOW, NOW)
        report = check_stored(self.store, self._plant, "m-1", NOW - DAY, NOW)
        CommissioningDesk(self.ledger).record(report, bench)
        self.ledger.write(_check_all, list(self._plant.site.equipment), report)

    def look(self) -> Live:
        return Live(NOW, True, True, 1, {"rules": 1, "store": 1}, {}, Counted())

    def verdicts(self, rule: str | None = None) -> Sequence[Standing]:
        return standings(self._engine, rule)

    def plant(self) -> Plant:
        return self._plant

    def rules(self) -> Sequence[Rule]:
        return self._pack


def _check_all(connection: Connection, machines: Sequence[str], report: Report) -> None:
    """Each machine was checked as often as checks are kept."""
    row = {"at": NOW, "author": "bench", "released": None, "reason": ""}
    bodies = {id: msgspec.json.encode(replace(report, equipment=id)) for id in machines}
    for _ in range(commissionings.KEPT):
        rows = [row | {"equipment": id, "report": body} for id, body in bodies.items()]
        connection.execute(insert(commissionings_table), rows)


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
    """100,000 tickets of two years, all but the newest closed, each with its alarm."""
    numbered = {f"{n:064d}": n for n in (0, *range(TICKETS - OPEN, TICKETS))}
    connection.execute(insert(proofs), [{"hash": hash, "body": _proof(n)} for hash, n in numbered.items()])
    every = 2 * 365 * DAY // TICKETS
    for start in range(0, TICKETS, 5_000):
        numbers = range(start, start + 5_000)
        connection.execute(insert(tickets), [_ticket(n, NOW - (TICKETS - n) * every) for n in numbers])
        connection.execute(insert(alarms), [_alarm(n, NOW - (TICKETS - n) * every) for n in numbers])


def _machine(number: int) -> str:
    """Whose ticket it is; the newest is that of m-0, a pump that is heard."""
    return f"m-{(number + 1) % MACHINES}"


def _ticket(number: int, at: int) -> dict[str, object]:
    open_now = number >= TICKETS - OPEN
    return {
        "id": f"WO-BENCH-{number:06d}",
        "equipment": _machine(number),
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
    open_now = number >= TICKETS - OPEN
    return {
        "equipment": _machine(number),
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
        "proof_hash": f"{number if open_now else 0:064d}",
        "ticket": f"WO-BENCH-{number:06d}",
    }

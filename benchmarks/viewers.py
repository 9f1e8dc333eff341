"""What a hundred people watching cost: live streams and the duty board asked for again, in shares of one core."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import httpx2

from benchmarks.child import Service, pumps
from benchmarks.rows import Row, row
from maintenance.ledger import Ledger
from maintenance.people import Role
from tests.support.programs import Mosquitto

VIEWERS = 100
AGAIN_S = 20.0
"""How often a page asks again while nothing happens (live.js)."""
WATCHED_S = 20.0
_STREAMS_EACH = 5


def live_viewers(folder: Path, runs: int, say: Callable[[str], None]) -> list[Row]:
    """CPU that 100 open duty boards add to an idle service, percent of one core."""
    shares = []
    for number in range(1, runs + 1):
        with (
            Mosquitto(folder / f"broker-{number}") as broker,
            Service(folder / f"run-{number}", broker.url, pumps("hall", "pump", 50)) as service,
        ):
            with Ledger.open(service.data / "ledger.db") as ledger:
                tokens = [
                    ledger.add_user(f"viewer {n}", Role.VIEWER, author="bench", now=0)
                    for n in range(VIEWERS // _STREAMS_EACH)
                ]
            idle = _share(service, lambda: time.sleep(WATCHED_S))
            watched = _share(service, partial(_watched, service.url, tokens))
        shares.append(max(0.0, watched - idle))
        say(f"{watched:.1f} % with {VIEWERS} viewers, {idle:.1f} % without")
    found = row("live_viewers_100", "%", shares, note=f"of one core, {WATCHED_S:g} s each; SSE and the board each 20 s")
    return [replace(found, target=20.0, ok=found.value is not None and found.value <= 20.0)]


def _share(service: Service, act: Callable[[], None]) -> float:
    before = service.look()
    act()
    after = service.look()
    return (after.cpu_seconds - before.cpu_seconds) / (after.at - before.at) * 100


def _watched(url: str, tokens: list[str]) -> None:
    asyncio.run(_watch(url, tokens))


async def _watch(url: str, tokens: list[str]) -> None:
    async with asyncio.timeout(WATCHED_S + 60), asyncio.TaskGroup() as group:
        for number, token in zip(range(VIEWERS), itertools.cycle(tokens), strict=False):
            group.create_task(_view(url, token, number / VIEWERS * AGAIN_S))


async def _view(url: str, token: str, first: float) -> None:
    """One open page: its stream, and the board `first` seconds after the start and then every 20 s."""
    headers = {"Authorization": f"Bearer {token}", "Accept": "text/html"}
    limits = httpx2.Limits(max_connections=2)
    async with (
        httpx2.AsyncClient(base_url=url, headers=headers, timeout=30, limits=limits) as client,
        client.stream("GET", "/api/v1/stream") as stream,
    ):
        stream.raise_for_status()
        await asyncio.sleep(first)
        (await client.get("/live/board")).raise_for_status()
        await asyncio.sleep(max(0.0, WATCHED_S - first))

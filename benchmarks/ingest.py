"""Stored messages a second: a backlog of ten-point frames is published at once, and the store's offset is watched."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import httpx2

from benchmarks.child import SITE, Look, Service, pumps
from benchmarks.rows import Account, Row, rounded, row, slope
from history.duck import DuckStore
from plant.reading import SeriesKey, SeriesTable
from simulators.load import POINTS, LoadPlan, LoadReport, run_load
from tests.support.programs import Influx, Mosquitto

EQUIPMENT = 200
FRAMES = 400
_SPACING_MS = 100  # a backlog of 40 s: every frame still counts as fresh
_PATIENCE_SECONDS = 120.0
_FAR = 1 << 42

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Burst:
    """What one run gave: messages a second into store and through the rules, and what they cost."""

    stored_rate: float
    judged_rate: float
    all_in_rate: float
    cpu_us: float
    memory_mb: float
    account: Account


def ingest_duckdb(folder: Path, runs: int, say: Say) -> list[Row]:
    """W1 into the embedded store."""
    with Mosquitto(folder / "broker") as broker:
        return _rows("ingest_duckdb_w1", [_duckdb(folder / f"run-{n}", broker, say) for n in range(runs)])


def ingest_influx(folder: Path, runs: int, say: Say) -> list[Row]:
    """W1 into InfluxDB 2, which takes its share of the same processors."""
    with ExitStack() as stack:
        broker = stack.enter_context(Mosquitto(folder / "broker"))
        influx = stack.enter_context(Influx(folder / "influx"))
        return _rows("ingest_influx_w1", [_influx(folder / f"run-{n}", broker, influx, say) for n in range(runs)])


@contextmanager
def loading(plan: LoadPlan, broker_url: str) -> Iterator[Callable[..., LoadReport]]:
    """The load generator in a process of its own, started; what is given waits (so many seconds) for its report."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        pool.submit(time.monotonic).result()  # starting Python is not part of the load
        future = pool.submit(run_load, plan, broker_url)
        yield lambda seconds=_PATIENCE_SECONDS: future.result(seconds)


def count_duckdb(data: Path) -> int:
    """Readings of distinct (series, time) that a stopped service has left in its embedded store."""
    table = _table()
    store = DuckStore(data / "telemetry")
    try:
        return len(store.rows(table.keys, table, 0, _FAR))
    finally:
        store.close()


def _duckdb(folder: Path, broker: Mosquitto, say: Say) -> Burst:
    service = Service(folder, broker.url, pumps("load", "pump", EQUIPMENT))
    return burst(service, broker, lambda: count_duckdb(service.data), say)


def _influx(folder: Path, broker: Mosquitto, influx: Influx, say: Say) -> Burst:
    service = Service(folder, broker.url, pumps("load", "pump", EQUIPMENT), influx=influx)
    found = burst(service, broker, lambda: count_influx(influx, service.bucket), say)
    influx.delete_bucket(service.bucket)
    return found


def burst(service: Service, broker: Mosquitto, count: Callable[[], int], say: Say) -> Burst:
    """One run: a backlog of W1 offered at once, until it is stored and judged."""
    with service:
        before = service.look()
        start = time.time_ns() // 1_000_000 - FRAMES * _SPACING_MS
        plan = LoadPlan(SITE, EQUIPMENT, FRAMES, start=start, interval_ms=_SPACING_MS)
        began = time.monotonic()
        with loading(plan, broker.url) as report:
            looks = service.watch(
                lambda look: min(look.stored, look.judged) >= before.journal + plan.total, seconds=_PATIENCE_SECONDS
            )
            sent = report()
        after = looks[-1]
    found = Burst(
        slope([(look.at, look.stored - before.journal) for look in looks], plan.total),
        slope([(look.at, look.judged - before.journal) for look in looks], plan.total),
        plan.total / (_when(looks, before.journal + plan.total) - began),
        (after.cpu_seconds - before.cpu_seconds) / plan.total * 1e6,
        after.memory_bytes / 1e6,
        Account(sent.acked, count() // len(POINTS)),
    )
    say(f"stored {found.stored_rate:,.0f} msg/s, judged {found.judged_rate:,.0f}, published {sent.rate:,.0f}")
    say(f"sent {found.account.sent}, stored {found.account.stored}, lost {found.account.lost}")
    return found


def _when(looks: list[Look], offset: int) -> float:
    return next(look.at for look in looks if look.stored >= offset)


def _rows(name: str, bursts: list[Burst]) -> list[Row]:
    accounts = [burst.account for burst in bursts]
    cpu, memory = median(b.cpu_us for b in bursts), median(b.memory_mb for b in bursts)
    all_in = median(b.all_in_rate for b in bursts)
    note = f"{rounded(all_in):g} from first publish to last stored; {cpu:.0f} µs CPU a message; {memory:.0f} MB"
    return [
        row(name, "msg/s", [b.stored_rate for b in bursts], accounts=accounts, note=note),
        row(f"{name}_judged", "msg/s", [b.judged_rate for b in bursts], accounts=accounts, note="through the rules"),
    ]


def _table() -> SeriesTable:
    return SeriesTable(
        SeriesKey(machine, point, "pump") for machine in pumps("load", "pump", EQUIPMENT) for point, _ in POINTS
    )


def count_influx(influx: Influx, bucket: str) -> int:
    """Field values of the ten points that the bucket holds."""
    answer = httpx2.get(
        f"{influx.url}/query",
        params={"db": bucket, "q": "SELECT count(*) FROM pump"},
        headers={"Authorization": f"Token {influx.token}"},
        timeout=60,
    ).raise_for_status()
    series = answer.json()["results"][0].get("series", [])
    wanted = {f"count_{point}" for point, _ in POINTS}
    return sum(
        int(number)
        for one in series
        for name, number in zip(one["columns"], one["values"][0], strict=True)
        if name in wanted
    )

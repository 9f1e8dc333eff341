"""How long a trend takes to read: a year of one point, and a day of ten, from each store through its own front door."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from random import Random

import numpy as np

from benchmarks.peer import cpu_seconds
from benchmarks.rows import Row, percentile, rounded
from dutyroom.memory import collect_rarely
from history.duck import DuckStore
from history.influx import InfluxStore
from history.influxql import InfluxAddress
from history.levels import DAY_MS, HOUR_MS, MINUTE_MS
from history.protocols import TelemetryStore
from plant.instants import NEVER
from plant.reading import ReadingBatch, SeriesKey, SeriesTable
from tests.support.programs import Influx

DAYS = 366
POINTS = 20
BUCKETS = 1_000
NOW = 20_600 * DAY_MS + 15 * HOUR_MS + 20 * MINUTE_MS
"""Plant time at the end of the data: somewhere in a day, with an hour half over."""

_READS = 40
_CALM_S, _CALM_SHARE, _PATIENCE_S = 10, 0.1, 300.0
_FOR_EVER = 10_000 * DAY_MS
_TABLE = SeriesTable(
    SeriesKey(f"ch-{machine}", f"point_{number}", "chiller") for machine in range(POINTS // 10) for number in range(10)
)

Say = Callable[[str], None]


def trend_duckdb(folder: Path, runs: int, say: Say) -> list[Row]:
    """From the embedded store: targets 30 ms for the year, 15 ms for the day."""
    store = DuckStore(folder / "store")
    try:
        return _rows("trend_duckdb", store, runs, say, targets=(30.0, 15.0))
    finally:
        store.close()


def trend_influx(folder: Path, runs: int, say: Say) -> list[Row]:
    """From a real InfluxDB 2, which takes its share of the same processors: targets 150 ms and 60 ms.

    It compacts for a minute after a year was written in three, which no service does; the reads wait for that.
    """
    with Influx(folder / "influx") as influx:
        address = InfluxAddress(influx.url, influx.token, influx.org, influx.bucket)
        store = InfluxStore(address, site="bench", folder=folder)
        try:
            return _rows("trend_influx", store, runs, say, targets=(150.0, 60.0), settle=lambda: _settled(influx, say))
        finally:
            store.close()


def _settled(influx: Influx, say: Say) -> None:
    """Wait until the server has used less than a tenth of a processor for ten seconds; at most five minutes."""
    began = time.monotonic()
    calm, used = 0, cpu_seconds(influx.process.pid)
    while calm < _CALM_S and time.monotonic() - began < _PATIENCE_S:
        time.sleep(1)
        now = cpu_seconds(influx.process.pid)
        calm, used = (calm + 1 if now - used < _CALM_SHARE else 0), now
    say(f"InfluxDB {'calm' if calm == _CALM_S else 'not yet calm'} after {time.monotonic() - began:.0f} s")


def _rows(
    name: str,
    store: TelemetryStore,
    runs: int,
    say: Say,
    *,
    targets: tuple[float, float],
    settle: Callable[[], None] = lambda: None,
) -> list[Row]:
    collect_rarely()  # as `dutyroom run` does
    began = time.perf_counter()
    count = _fill(store)
    say(f"{count:,} readings written and rolled up in {time.perf_counter() - began:.0f} s")
    settle()
    what = f"{count:,} readings: {POINTS} points, {DAYS} days at one minute; {BUCKETS} buckets"
    year = [(_key(n), NOW - 365 * DAY_MS - n * 61_003, NOW - n * 61_003) for n in range(runs * _READS)]
    one = [_timed(store, [key], start, end) for key, start, end in year]
    days = [NOW - DAY_MS * (n % 3) - n * 61_003 for n in range(runs * _READS)]
    ten = [_timed(store, _ten(end), end - DAY_MS, end) for end in days]
    return [
        _row(f"{name}_year", one, targets[0], f"1 point × 365 d; {what}"),
        _row(f"{name}_day", ten, targets[1], f"10 points × 24 h; {what}"),
    ]


def _row(name: str, seconds: list[float], target: float, what: str) -> Row:
    p50, p95, p99 = (rounded(percentile(seconds, share) * 1000) for share in (0.5, 0.95, 0.99))
    note = f"p95 of {len(seconds)} reads, p50 {p50:g}, p99 {p99:g}; {what}"
    return Row(name, p95, "ms", note, target, p95 <= target)


def _timed(store: TelemetryStore, keys: Sequence[SeriesKey], start: int, end: int) -> float:
    began = time.perf_counter()
    store.trends(keys, start, end, BUCKETS)
    return time.perf_counter() - began


def _key(number: int) -> SeriesKey:
    return _TABLE.keys[number * 7 % len(_TABLE)]


def _ten(seed: int) -> list[SeriesKey]:
    """Ten points of several machines."""
    return Random(seed).sample(_TABLE.keys, 10)


def _fill(store: TelemetryStore) -> int:
    """A year of every point, written a day at a time with upkeep after each, as a service would have; the last hours
    hour by hour."""
    written = 0
    first = NOW - DAYS * DAY_MS
    bounds = [*range(first, NOW - DAY_MS, DAY_MS), *range(NOW - DAY_MS, NOW + 1, HOUR_MS)]
    for offset, (start, end) in enumerate(pairwise(bounds), 1):
        batch = _readings(start, end)
        store.write(batch, _TABLE, offset)
        written += len(batch)
        while store.tend(end, _FOR_EVER):
            pass
    return written


def _readings(start: int, end: int) -> ReadingBatch:
    ts = np.repeat(np.arange(start, end, MINUTE_MS, dtype=np.int64), len(_TABLE))
    series = np.tile(np.arange(len(_TABLE), dtype=np.int32), len(ts) // len(_TABLE))
    value = np.round(20 + 5 * np.sin(ts / DAY_MS * 2 * np.pi) + series * 0.1 + (ts // MINUTE_MS * 37 % 101) * 0.01, 3)
    zeros = np.zeros(len(ts), np.uint8)
    return ReadingBatch(series, ts, value, zeros, zeros, np.full(len(ts), NEVER), np.zeros(len(ts), np.int64))

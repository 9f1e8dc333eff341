"""A telemetry store that is a dict: what every real one must agree with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import fsum, isfinite, nan
from random import Random

from history.protocols import Buckets
from plant.instants import NEVER
from plant.quality import Quality
from plant.reading import ReadingBatch, SeriesKey, SeriesTable

Row = tuple[int, float, int, int, int]
"""(ts, value, quality, reason, seen), with `seen` NEVER where it decides nothing."""


@dataclass(slots=True)
class StoreModel:
    """(equipment, point) → ts → row, and the offset."""

    held: dict[tuple[str, str], dict[int, Row]]
    offset: int = 0

    def write(self, batch: ReadingBatch, table: SeriesTable, offset: int) -> None:
        """The later reading of a series and ts wins."""
        for number, ts, value, quality, reason, seen, _ in rows_of(batch):
            key = table.keys[number]
            row = (ts, value, quality, reason, seen if seen >= ts else NEVER)
            self.held.setdefault((key.equipment, key.point), {})[ts] = row
        self.offset = offset

    def rows(self, key: SeriesKey, start: int, end: int) -> list[Row]:
        """Rows with start ≤ ts < end in time order."""
        series = self.held.get((key.equipment, key.point), {})
        return [series[ts] for ts in sorted(series) if start <= ts < end]

    def latest(self, equipment: str) -> dict[str, tuple[int, float, int, int]]:
        """Point → newest reading."""
        return {point: series[max(series)][:4] for (owner, point), series in self.held.items() if owner == equipment}


def rows_of(batch: ReadingBatch) -> list[tuple[int, int, float, int, int, int, int]]:
    """A batch as plain rows (series, ts, value, quality, reason, seen, offset)."""
    columns = (batch.series, batch.ts, batch.value, batch.quality, batch.reason, batch.seen, batch.offset)
    return list(zip(*(column.tolist() for column in columns), strict=True))


def bucket_rows(found: Buckets) -> list[list[float]]:
    """Buckets as rows [start, min, mean, max, count, good, bad]."""
    columns = (found.start, found.minimum, found.mean, found.maximum, found.count, found.good, found.bad)
    return [list(row) for row in zip(*(column.tolist() for column in columns), strict=True)]


def expected_buckets(rows: Sequence[tuple[int, float, int, int]], starts: Sequence[int], end: int) -> list[list[float]]:
    """The same by a loop over readings (ts, value, quality, …) in time order."""
    out: list[list[float]] = []
    for first, last in pairwise([*starts, end]):
        inside = [row for row in rows if first <= row[0] < last]
        usable = [row for row in inside if row[2] != Quality.BAD and isfinite(row[1])]
        values = [row[1] for row in usable] or [nan]
        good = sum(1 for row in usable if row[2] == Quality.GOOD)
        mean = fsum(values) / len(values)
        out.append([first, min(values), mean, max(values), len(usable), good, len(inside) - len(usable)])
    return out


def random_batch(random: Random, table: SeriesTable, times: Sequence[int], size: int) -> ReadingBatch:
    """Readings of every quality, with and without `seen`, some with no number, many at the same ts."""
    rows = []
    for offset in range(size):
        ts = random.choice(times)
        quality, reason = random.choice([(0, 0)] * 4 + [(1, 6), (2, 4), (2, 1), (2, 3)])
        value = (
            float("nan")
            if reason == 3
            else random.choice([0.0, 1.0, -12.5, 1e-9, 6.02e23, round(random.uniform(0, 99), 3)])
        )
        seen = random.choice([NEVER, ts - 60_000, ts, ts + 5_000])
        rows.append((random.randrange(len(table)), ts, value, quality, reason, seen, offset))
    return ReadingBatch.of(rows)

"""Readings: what ingest produces and history stores, one by one and in columns."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from plant.instants import NEVER
from plant.quality import Quality, Reason


@dataclass(frozen=True, slots=True, order=True)
class SeriesKey:
    """One point of one equipment; `type` is the equipment's type (InfluxDB's measurement)."""

    equipment: str
    point: str
    type: str


@dataclass(frozen=True, slots=True)
class Reading:
    """One value of one point at one time. `ts` is ms UTC; a boolean point's value is 0.0 or 1.0."""

    equipment: str
    point: str
    ts: int
    value: float
    quality: Quality = Quality.GOOD
    reason: Reason = Reason.NONE


@dataclass(frozen=True, slots=True)
class ReadingBatch:
    """Readings in columns, in journal order; every array has shape (n,).

    `series` indexes the SeriesTable of the configuration in force. `seen` is the plant time of the last tick
    before the reading in the journal (NEVER when there was none): with `ts` it decides at which instant the
    reading takes effect (SEMANTICS §1). `offset` is the journal offset of the message it came in.
    """

    series: NDArray[np.int32]
    ts: NDArray[np.int64]
    value: NDArray[np.float64]
    quality: NDArray[np.uint8]
    reason: NDArray[np.uint8]
    seen: NDArray[np.int64]
    offset: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.ts)

    def take(self, index: NDArray[np.int64] | NDArray[np.bool_] | slice) -> ReadingBatch:
        """The readings selected by a numpy index, mask or slice, in that order."""
        return ReadingBatch(
            self.series[index],
            self.ts[index],
            self.value[index],
            self.quality[index],
            self.reason[index],
            self.seen[index],
            self.offset[index],
        )

    @staticmethod
    def empty() -> ReadingBatch:
        """A batch of no readings."""
        return ReadingBatch.of(())

    @staticmethod
    def of(rows: Iterable[tuple[int, int, float, int, int, int, int]]) -> ReadingBatch:
        """From rows (series, ts, value, quality, reason, seen, offset)."""
        columns = list(zip(*rows, strict=True)) or [()] * 7
        return ReadingBatch(
            np.array(columns[0], np.int32),
            np.array(columns[1], np.int64),
            np.array(columns[2], np.float64),
            np.array(columns[3], np.uint8),
            np.array(columns[4], np.uint8),
            np.array(columns[5], np.int64),
            np.array(columns[6], np.int64),
        )

    @staticmethod
    def concat(batches: Sequence[ReadingBatch]) -> ReadingBatch:
        """All batches one after another."""
        if not batches:
            return ReadingBatch.empty()
        return ReadingBatch(
            np.concatenate([b.series for b in batches]),
            np.concatenate([b.ts for b in batches]),
            np.concatenate([b.value for b in batches]),
            np.concatenate([b.quality for b in batches]),
            np.concatenate([b.reason for b in batches]),
            np.concatenate([b.seen for b in batches]),
            np.concatenate([b.offset for b in batches]),
        )


class SeriesTable:
    """Every series of a site, numbered in the order of (equipment, point); immutable."""

    __slots__ = ("_index", "keys")

    def __init__(self, keys: Iterable[SeriesKey]) -> None:
        self.keys: tuple[SeriesKey, ...] = tuple(sorted(keys))
        self._index = {(key.equipment, key.point): number for number, key in enumerate(self.keys)}

    def __len__(self) -> int:
        return len(self.keys)

    def find(self, equipment: str, point: str) -> int | None:
        """Number of a series, or None when the site has no such point."""
        return self._index.get((equipment, point))

    def batch(self, readings: Iterable[Reading], *, seen: int = NEVER, offset: int = 0) -> ReadingBatch:
        """Readings as columns; raises KeyError for a point the site does not have."""
        return ReadingBatch.of(
            (self._index[r.equipment, r.point], r.ts, r.value, int(r.quality), int(r.reason), seen, offset)
            for r in readings
        )

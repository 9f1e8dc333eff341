"""Readings reduced to cells, cells to greater cells or to buckets: the one meaning of a rollup in both stores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from history.protocols import Buckets, Samples
from plant.quality import Quality

_Floats = NDArray[np.float64]
_Counts = NDArray[np.int64]
_Columns = tuple[_Floats, _Floats, _Floats, _Counts, _Counts, _Counts]


@dataclass(frozen=True, slots=True)
class Cells:
    """Stretches of time of several series; shape (n,) each, in any order.

    `ts` is a cell's first ms. `minimum`, `mean` and `maximum` are NaN where `count` is 0. `count` counts usable
    readings (not BAD, and a number), `good` those of them with quality GOOD, `bad` the readings that are not usable.
    """

    series: NDArray[np.int32]
    ts: NDArray[np.int64]
    minimum: NDArray[np.float64]
    mean: NDArray[np.float64]
    maximum: NDArray[np.float64]
    count: NDArray[np.int64]
    good: NDArray[np.int64]
    bad: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.ts)

    def take(self, index: NDArray[np.bool_] | NDArray[np.int64]) -> Cells:
        """The cells a mask or index selects."""
        return Cells(*(getattr(self, field.name)[index] for field in fields(self)))

    @staticmethod
    def concat(parts: Sequence[Cells]) -> Cells:
        """All of them one after another."""
        if not parts:
            ts, quality = np.empty(0, np.int64), np.empty(0, np.uint8)
            return cells_of(0, Samples(ts, np.empty(0), quality, quality))
        return Cells(*(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(Cells)))


def cells_of(series: int | NDArray[np.int32], samples: Samples) -> Cells:
    """Each reading as a cell of its own."""
    usable = (samples.quality != Quality.BAD) & np.isfinite(samples.value)
    value = np.where(usable, samples.value, np.nan)
    number = np.broadcast_to(np.asarray(series, np.int32), samples.ts.shape)
    count = usable.astype(np.int64)
    good = count * (samples.quality == Quality.GOOD)
    return Cells(number, samples.ts, value, value, value, count, good, 1 - count)


def rolled(cells: Cells, step: int) -> Cells:
    """Cells joined to those of `step` ms (which their own must divide), ordered by (series, ts)."""
    if not len(cells):
        return cells
    ts = cells.ts // step * step
    order = np.lexsort((ts, cells.series))
    sorted_cells, ts = cells.take(order), ts[order]
    new = (np.diff(ts, prepend=ts[0]) != 0) | (np.diff(sorted_cells.series, prepend=sorted_cells.series[0]) != 0)
    new[0] = True
    first = np.flatnonzero(new)
    return Cells(sorted_cells.series[first], ts[first], *_joined(sorted_cells, first))


def bucketed(cells: Cells, edges: NDArray[np.int64], step: int = 0) -> Buckets:
    """The cells of one series in the buckets between the edges; every cell must lie inside one."""
    n = len(edges) - 1
    placed = cells.take(np.argsort(cells.ts, kind="stable"))
    where = np.searchsorted(edges, placed.ts, "right") - 1
    minimum, mean, maximum = (np.full(n, np.nan) for _ in range(3))
    count, good, bad = (np.zeros(n, np.int64) for _ in range(3))
    if len(placed):
        first = np.flatnonzero(np.diff(where, prepend=-1))
        for whole, part in zip((minimum, mean, maximum, count, good, bad), _joined(placed, first), strict=True):
            whole[where[first]] = part
    return Buckets(edges[:-1], minimum, mean, maximum, count, good, bad, step)


def _joined(cells: Cells, first: NDArray[np.int64]) -> _Columns:
    """Minimum, mean, maximum, count, good and bad of runs of cells that begin at `first`."""
    count = np.add.reduceat(cells.count, first)
    total = np.add.reduceat(np.where(cells.count > 0, cells.mean * cells.count, 0.0), first)
    return (
        np.fmin.reduceat(cells.minimum, first),
        np.divide(total, count, out=np.full(len(first), np.nan), where=count > 0),
        np.fmax.reduceat(cells.maximum, first),
        count,
        np.add.reduceat(cells.good, first),
        np.add.reduceat(cells.bad, first),
    )

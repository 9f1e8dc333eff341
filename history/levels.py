"""Which rollup answers a question: the four steps, the edges of buckets on their grid, and a range in whole cells."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from plant.errors import BadInput

MINUTE_MS = 60_000
QUARTER_MS = 15 * MINUTE_MS
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS

READINGS = 0
"""The step of what is not rolled up."""

STEPS = (MINUTE_MS, QUARTER_MS, HOUR_MS, DAY_MS)
NAMES = {MINUTE_MS: "1m", QUARTER_MS: "15m", HOUR_MS: "1h", DAY_MS: "1d"}

Range = tuple[int, int]
"""First ms, and the first ms after."""


def step_for(width: int) -> int:
    """The coarsest step that a bucket of `width` ms may be made of; READINGS below a minute.

    Never coarser than the bucket, and either a divisor of it or at most its half, so that buckets whose edges move to
    the step's grid stay of nearly one width. Only a minute is taken earlier: readings are the dearest to read.
    """
    fitting = [step for step in STEPS if width >= 2 * step or (width and width % step == 0)]
    return fitting[-1] if fitting else MINUTE_MS if width >= MINUTE_MS else READINGS


def bucket_edges(start: int, end: int, count: int) -> tuple[NDArray[np.int64], int]:
    """The `count` + 1 edges of buckets over [start, end), and the step they are made of.

    The first and the last edge are as asked. Those between lie at equal distances (rounded up to 1 ms) and then move
    down to the step's grid, so no cell of a rollup is ever cut. Raises BadInput when there is no range or no bucket.
    """
    if count < 1 or end <= start:
        raise BadInput(f"buckets need a range and a count: got {start} to {end} in {count}; the end is exclusive")
    width = -(-(end - start) // count)
    step = step_for(width)
    inner = start + width * np.arange(1, count, dtype=np.int64)
    if step:
        inner = inner // step * step
    edges = np.concatenate([[start], inner, [end]]).astype(np.int64)
    return np.minimum(edges, end), step


def in_cells(start: int, end: int, step: int) -> Iterator[tuple[int, int, int]]:
    """[start, end) as (step, from, to) of whole cells, the coarsest in the middle, finer ones towards the edges.

    What is less than a minute at an edge is left to readings (step READINGS). In no particular order; none is empty.
    """
    if start >= end:
        return
    if not step:
        yield READINGS, start, end
        return
    first, last = -(-start // step) * step, end // step * step
    finer = max((other for other in STEPS if other < step), default=READINGS)
    if first >= last:
        yield from in_cells(start, end, finer)
        return
    yield step, first, last
    yield from in_cells(start, first, finer)
    yield from in_cells(last, end, finer)


def runs(numbers: Iterable[int], width: int) -> list[Range]:
    """Numbered stretches of `width` ms as ranges, neighbours joined, in order."""
    return joined((number * width, (number + 1) * width) for number in numbers)


def joined(ranges: Iterable[Range]) -> list[Range]:
    """The ranges in order and without overlap."""
    found: list[Range] = []
    for first, last in sorted(ranges):
        if found and first <= found[-1][1]:
            found[-1] = (found[-1][0], max(last, found[-1][1]))
        else:
            found.append((first, last))
    return found


def within(ranges: Sequence[Range], start: int, end: int) -> list[Range]:
    """The parts of the ranges inside [start, end)."""
    cut = [(max(first, start), min(last, end)) for first, last in ranges]
    return [(first, last) for first, last in cut if first < last]


def without(start: int, end: int, holes: Sequence[Range]) -> list[Range]:
    """[start, end) without the holes, which are in order and do not overlap."""
    left: list[Range] = []
    for first, last in within(holes, start, end):
        if start < first:
            left.append((start, first))
        start = last
    return [*left, (start, end)] if start < end else left


def inside(ts: NDArray[np.int64], ranges: Sequence[Range]) -> NDArray[np.bool_]:
    """Which times, shape (n,), lie in one of the ranges, which are in order and do not overlap."""
    bounds = np.array([bound for pair in ranges for bound in pair], np.int64)
    found: NDArray[np.bool_] = np.searchsorted(bounds, ts, "right") % 2 == 1
    return found

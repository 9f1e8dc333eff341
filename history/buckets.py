"""Readings of one series reduced to equal buckets, and the same series-and-time cleared of overwritten readings."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from history.protocols import Buckets, Samples
from plant.errors import BadInput
from plant.quality import Quality


def bucket_starts(start: int, end: int, count: int) -> tuple[NDArray[np.int64], int]:
    """First ms of each of `count` buckets over [start, end), and their width (rounded up to 1 ms).

    Raises BadInput when there is no range or no bucket.
    """
    if count < 1 or end <= start:
        raise BadInput(f"buckets need a range and a count: got {start} to {end} in {count}; the end is exclusive")
    width = -(-(end - start) // count)
    return start + width * np.arange(count, dtype=np.int64), width


def usable(samples: Samples) -> NDArray[np.bool_]:
    """Which readings count in a bucket: not BAD, and a number."""
    found: NDArray[np.bool_] = (samples.quality != Quality.BAD) & np.isfinite(samples.value)
    return found


def bucketise(samples: Samples, start: int, end: int, count: int) -> Buckets:
    """The readings (in time order, all inside [start, end)) in `count` buckets; NaN where a bucket has none usable."""
    starts, width = bucket_starts(start, end, count)
    counts = usable(samples)
    where = (samples.ts[counts] - start) // width
    value = samples.value[counts]
    n = np.bincount(where, minlength=count)
    low, high, total = np.full(count, np.inf), np.full(count, -np.inf), np.zeros(count)
    np.minimum.at(low, where, value)
    np.maximum.at(high, where, value)
    np.add.at(total, where, value)
    empty = n == 0
    good = np.bincount(where[samples.quality[counts] == Quality.GOOD], minlength=count)
    return Buckets(
        starts,
        np.where(empty, np.nan, low),
        np.where(empty, np.nan, total / np.maximum(n, 1)),
        np.where(empty, np.nan, high),
        n.astype(np.int64),
        good.astype(np.int64),
    )


def last_of_each(first: NDArray[np.int64], *more: NDArray[np.int64] | NDArray[np.int32]) -> NDArray[np.bool_]:
    """In columns sorted so that equal keys are neighbours: true at the last row of each key."""
    differs = np.zeros(max(0, len(first) - 1), np.bool_)
    for column in (first, *more):
        differs |= column[1:] != column[:-1]
    return np.append(differs, np.ones(min(1, len(first)), np.bool_))

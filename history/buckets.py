"""Readings of one series reduced to buckets, and the same series-and-time cleared of overwritten readings."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from history.cells import bucketed, cells_of
from history.levels import bucket_edges
from history.protocols import Buckets, Samples


def bucketise(samples: Samples, start: int, end: int, count: int) -> Buckets:
    """The readings, all inside [start, end), in `count` buckets; NaN where a bucket has none usable."""
    return bucketed(cells_of(0, samples), *bucket_edges(start, end, count))


def last_of_each(first: NDArray[np.int64], *more: NDArray[np.int64] | NDArray[np.int32]) -> NDArray[np.bool_]:
    """In columns sorted so that equal keys are neighbours: true at the last row of each key."""
    differs = np.zeros(max(0, len(first) - 1), np.bool_)
    for column in (first, *more):
        differs |= column[1:] != column[:-1]
    return np.append(differs, np.ones(min(1, len(first)), np.bool_))

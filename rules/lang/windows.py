"""Window arithmetic over rows: every function maps (series, carry + n) to (series, n), exact and cut-invariant.

Input arrays have shape (m, w - 1 + n): the w - 1 rows before the block, then its n rows. Row i of the result covers
input rows i … i + w - 1, that is the w instants ending at instant i of the block.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from rules.lang.fixed import Bools, Ints

LOWEST = np.int64(-(2**63))
HIGHEST = np.int64(2**63 - 1)
_MEDIAN_ROWS = 4_096


def window_sum(rows: NDArray[np.int64], width: int) -> Ints:
    """Sum over each window; differences of running sums stay exact even where these wrap."""
    if rows.shape[1] == width:
        whole: Ints = rows.sum(axis=1, keepdims=True)
        return whole
    running = np.cumsum(rows, axis=1, dtype=np.int64)
    total = running[:, width - 1 :].copy()
    total[:, 1:] -= running[:, :-width]
    return total


def window_count(flags: Bools, width: int) -> Ints:
    """How many of each window's rows are true."""
    return window_sum(flags.astype(np.int64), width)


def _extreme(rows: Ints, width: int, pick: Callable[[Ints, Ints], Ints]) -> Ints:
    """Running extreme by doubling: spans of 1, 2, 4 … rows, then two overlapping spans make the window."""
    span = 1
    while 2 * span <= width:
        rows = pick(rows[:, :-span], rows[:, span:])
        span *= 2
    rest = width - span
    return pick(rows[:, : rows.shape[1] - rest], rows[:, rest:]) if rest else rows


def window_min(rows: Ints, known: Bools, width: int) -> Ints:
    """Least known value of each window (the highest integer where none is known)."""
    return _extreme(np.where(known, rows, HIGHEST), width, np.minimum)


def window_max(rows: Ints, known: Bools, width: int) -> Ints:
    """Greatest known value of each window (the lowest integer where none is known)."""
    return _extreme(np.where(known, rows, LOWEST), width, np.maximum)


def window_median_twice(rows: Ints, known: Bools, width: int) -> Ints:
    """Twice the median of the known values of each window: the sum of the two middle ones, so that it stays whole."""
    parts = []
    windows = sliding_window_view(np.where(known, rows, HIGHEST), width, axis=1)
    counts = window_count(known, width)
    for start in range(0, windows.shape[1], _MEDIAN_ROWS):
        ordered = np.sort(windows[:, start : start + _MEDIAN_ROWS], axis=2)
        count = np.maximum(counts[:, start : start + _MEDIAN_ROWS], 1)
        low = np.take_along_axis(ordered, ((count - 1) // 2)[:, :, None], axis=2)[:, :, 0]
        high = np.take_along_axis(ordered, (count // 2)[:, :, None], axis=2)[:, :, 0]
        empty = counts[:, start : start + _MEDIAN_ROWS] == 0
        parts.append(np.where(empty, 0, low + high))
    return np.concatenate(parts, axis=1)


def run_length(flags: Bools, carried: Ints) -> Ints:
    """Rows of the current run of true, counting `carried` (m,) rows before the block; shape (m, n)."""
    rows = np.arange(1, flags.shape[1] + 1, dtype=np.int64)
    last_false = np.maximum.accumulate(np.where(flags, 0, rows), axis=1)
    return np.where(last_false == 0, rows + carried[:, None], rows - last_false)

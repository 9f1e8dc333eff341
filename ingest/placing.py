"""Which time and which trust each value gets, by itself: SEMANTICS §6, ranges, scales (DQ-01, 05, 07, 13)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ingest.columns import DELAYED_MS, Columns
from ingest.limits import Limits
from ingest.scales import in_another_scale
from plant.instants import NEVER
from plant.quality import Quality, Reason

FUTURE_MS = 5_000
HISTORICAL_MS = 86_400_000

OUT_OF_FORCE = (Reason.HISTORICAL, Reason.NO_TIME_IN_BACKLOG, Reason.RETAINED)
"""A value with one of these says nothing about now: it is compared with nothing and nothing with it."""

_Bytes = NDArray[np.uint8]


def place(columns: Columns) -> tuple[NDArray[np.int64], _Bytes]:
    """The time each value gets and what that time has against it (a Reason; NONE where nothing); shape (n,) each."""
    untimed = columns.own == NEVER
    age = columns.received - columns.own
    future = ~untimed & (age < -FUTURE_MS)
    no_time = untimed | future
    ts = np.where(no_time, columns.received, columns.own)
    doubts: list[tuple[NDArray[np.bool_], Reason]] = [
        (columns.historical, Reason.HISTORICAL),
        (columns.retain, Reason.RETAINED),
        (no_time & columns.draining, Reason.NO_TIME_IN_BACKLOG),
        (future, Reason.CLOCK_FAULT),
        (~untimed & (age > HISTORICAL_MS), Reason.HISTORICAL),
        (~untimed & (age > DELAYED_MS), Reason.DELAYED),
    ]
    return ts, _first(doubts, np.zeros(len(columns), np.uint8))


def judge_values(columns: Columns, limits: Limits) -> tuple[NDArray[np.float64], _Bytes, _Bytes]:
    """Value (infinite becomes NaN), quality and reason of each value by itself; shape (n,) each."""
    series = columns.series
    value = np.where(np.isfinite(columns.value), columns.value, np.nan)
    broken = np.isnan(value)
    sentinel = (value[:, None] == limits.sentinels[series]).any(axis=1)
    outside = (value < limits.low[series]) | (value > limits.high[series])
    said_bad = columns.quality == Quality.BAD
    bad = said_bad | broken | sentinel | outside
    faults = [(broken, Reason.NOT_A_NUMBER), (sentinel, Reason.SENTINEL), (outside, Reason.OUT_OF_RANGE)]
    if outside.any():
        faults.insert(2, (_misscaled(value, series, outside, limits), Reason.UNIT_OR_SCALE))
    found = _first(faults, columns.reason)
    reason = np.where(said_bad, columns.reason, found)
    return value, np.where(bad, np.uint8(Quality.BAD), columns.quality), reason


def _misscaled(
    value: NDArray[np.float64], series: NDArray[np.int32], outside: NDArray[np.bool_], limits: Limits
) -> NDArray[np.bool_]:
    """Values that cannot be, but would be usual ones in another unit or scale (DQ-13); looked for only among those."""
    found = np.zeros(len(value), np.bool_)
    low, high = limits.typical
    rows = np.flatnonzero(outside)
    at = series[rows]
    found[rows] = in_another_scale(value[rows], (low[at], high[at]), limits.temperature[at])
    return found


def merge(quality: _Bytes, reason: _Bytes, doubt: _Bytes) -> tuple[_Bytes, _Bytes]:
    """Quality and reason of the value joined with the doubt its time casts on it.

    Quality is the worse of the two. The reason is the value's own, but where the time puts the reading out of force
    the reason must say so, or it would be evaluated.
    """
    doubtful = doubt != Reason.NONE
    worse = np.maximum(quality, np.where(doubtful, np.uint8(Quality.UNCERTAIN), np.uint8(Quality.GOOD)))
    overrides = np.isin(doubt, np.array(OUT_OF_FORCE, np.uint8)) | (doubtful & (reason == Reason.NONE))
    return worse, np.where(overrides, doubt, reason)


def _first(cases: list[tuple[NDArray[np.bool_], Reason]], otherwise: _Bytes) -> _Bytes:
    result: _Bytes = np.select([mask for mask, _ in cases], [np.uint8(reason) for _, reason in cases], otherwise)
    return result

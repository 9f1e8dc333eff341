"""Fields of one equipment and ms as InfluxDB holds them, made readings again."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from history.influxql import Table
from history.lineprotocol import quality_of
from history.protocols import Samples
from plant.instants import NEVER


def readings(table: Table, point: str) -> tuple[Samples, NDArray[np.int64]]:
    """The readings of one point in an answer, with their `seen`."""
    nothing = np.full(len(table.ts), np.nan)
    value = table.columns.get(point, nothing)
    code = table.columns.get(f"{point}__q", nothing)
    seen = table.columns.get(f"{point}__seen", nothing)
    seen = np.where(np.isfinite(seen), seen, table.columns.get("__seen", nothing))
    there = np.isfinite(value) | np.isfinite(code)
    ts = table.ts[there]
    quality, reason, number = quality_of(np.nan_to_num(code[there]).astype(np.int64))
    seen_at = np.nan_to_num(seen[there], nan=-1.0).astype(np.int64)
    samples = Samples(ts, np.where(number, value[there], np.nan), quality, reason)
    return samples, np.where(seen_at >= ts, seen_at, NEVER)

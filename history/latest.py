"""The newest reading of every point in memory, so that a page of live values asks no store."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from plant.reading import ReadingBatch, SeriesTable

Newest = tuple[int, float, int, int]
"""(ts, value, quality, reason)."""


def only_numbers(batch: ReadingBatch) -> ReadingBatch:
    """The batch as a store keeps it: a value that is no finite number becomes NaN."""
    if np.isfinite(batch.value).all():
        return batch
    return replace(batch, value=np.where(np.isfinite(batch.value), batch.value, np.nan))


class LatestValues:
    """Equipment → point → newest reading. Thread-safe."""

    def __init__(self, known: Iterable[tuple[str, str, Newest]] = ()) -> None:
        self._lock = threading.Lock()
        self._values: dict[str, dict[str, Newest]] = {}
        for equipment, point, newest in known:
            self._keep(equipment, point, newest)

    def of(self, equipment: str) -> dict[str, Newest]:
        """Point → newest reading, a copy; empty for an equipment that has none."""
        with self._lock:
            return dict(self._values.get(equipment, ()))

    def update(self, batch: ReadingBatch, table: SeriesTable) -> None:
        """Take over what is newer; of equal times the later in the batch, and the batch over what was known."""
        if not len(batch):
            return
        order = np.lexsort((batch.ts, batch.series))  # stable: of equal times the later reading stays last
        series = batch.series[order]
        newest = order[np.append(series[1:] != series[:-1], np.True_)]
        rows = zip(
            batch.series[newest].tolist(),
            batch.ts[newest].tolist(),
            batch.value[newest].tolist(),
            batch.quality[newest].tolist(),
            batch.reason[newest].tolist(),
            strict=True,
        )
        with self._lock:
            for number, *reading in rows:
                key = table.keys[number]
                ts, value, quality, reason = reading
                self._keep(key.equipment, key.point, (ts, value, quality, reason))

    def add_older(self, equipment: str, point: str, newest: Newest) -> None:
        """Take over a reading found in the store, unless one as new is known already."""
        with self._lock:
            known = self._values.get(equipment, {}).get(point)
            if known is None or newest[0] > known[0]:
                self._keep(equipment, point, newest)

    def _keep(self, equipment: str, point: str, newest: Newest) -> None:
        points = self._values.setdefault(equipment, {})
        known = points.get(point)
        if known is None or newest[0] >= known[0]:
            points[point] = newest

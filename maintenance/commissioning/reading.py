"""A check over what the telemetry store holds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from maintenance.commissioning.check import check
from maintenance.commissioning.report import Report
from maintenance.commissioning.window import Window, wanted
from plant.errors import NotFound
from plant.reading import ReadingBatch, SeriesKey, SeriesTable
from plant.site import Plant

HOUR_MS = 3_600_000
HOURS = 6
"""What is usually looked at: long enough for most machines to run, short enough to wait for."""

MOST_HOURS = 48

_FAR_BEHIND_MS = 26 * HOUR_MS
"""How far behind a device may be that takes one zone for another."""


class Rows(Protocol):
    """What a check needs of a telemetry store."""

    def rows(self, keys: Sequence[SeriesKey], table: SeriesTable, start: int, end: int) -> ReadingBatch:
        """All readings of the series with start ≤ ts < end."""


def check_stored(store: Rows, plant: Plant, equipment: str, start: int, end: int) -> Report:
    """Check one machine over stored readings with start ≤ ts < end, ms UTC; raises NotFound, Unavailable."""
    machine = plant.site.equipment.get(equipment)
    if machine is None or machine.retired:
        raise NotFound(f"there is no equipment {equipment!r}")
    batch = store.rows(wanted(plant, machine), plant.series, start, end)
    own = [number for number, key in enumerate(plant.series.keys) if key.equipment == equipment]
    if not np.isin(batch.series, own).any():
        # What came now but says it is of long ago was heard: its clock or its zone is wrong, not its binding.
        keys = [plant.series.keys[number] for number in own]
        before = store.rows(keys, plant.series, start - _FAR_BEHIND_MS, start)
        batch = before.take(before.seen >= start)
    return check(Window.of(plant, batch, plant.series, start, end), equipment)

"""A check over what the telemetry store holds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

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
    return check(Window.of(plant, batch, plant.series, start, end), equipment)

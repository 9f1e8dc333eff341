"""Finding a series in the numbering a caller reads by."""

from __future__ import annotations

from plant.errors import NotFound
from plant.reading import SeriesKey, SeriesTable


def number_in(table: SeriesTable, key: SeriesKey) -> int:
    """Number of a series in the table; raises NotFound when the site has no such point."""
    number = table.find(key.equipment, key.point)
    if number is None:
        raise NotFound(f"{key.equipment} has no point {key.point}; ask for a point of the registry")
    return number

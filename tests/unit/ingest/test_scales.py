"""Values that cannot be, but would be usual in another unit or scale (DOMAIN §1.5 DQ-13)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from plant.quality import Quality, Reason
from plant.site import Plant
from tests.unit.ingest.plants import GOOD, frame, message, plant, take

BAD_SCALE = (Quality.BAD, Reason.UNIT_OR_SCALE)
OUTSIDE = (Quality.BAD, Reason.OUT_OF_RANGE)


def usual(low: float, high: float) -> Plant:
    """A tank whose top temperature usually lies in this band, of 0 to 100 Cel, and whose level has none."""
    base = plant()
    kind = base.catalogue.types["hot_water_tank"]
    top = replace(kind.points["tank_temp_top"], typical=(low, high))
    points = {**kind.points, "tank_temp_top": top}
    catalogue = replace(base.catalogue, types={kind.name: replace(kind, points=points)})
    return replace(base, catalogue=catalogue)


@pytest.mark.parametrize(
    ("value", "verdict"),
    [
        (140.0, BAD_SCALE),  # 60 Cel in degF
        (333.15, BAD_SCALE),  # 60 Cel in K
        (600.0, BAD_SCALE),
        (6_000.0, BAD_SCALE),
        (60_000.0, BAD_SCALE),
        (101.0, OUTSIDE),  # 38.3 Cel if it were degF, which is not usual
        (-5.0, OUTSIDE),
        (60.0, GOOD),
        (0.06, GOOD),  # a thousandth, but possible: for the commissioning check
    ],
)
def test_only_what_cannot_be_and_would_be_usual_otherwise(value: float, verdict: tuple[Quality, Reason]) -> None:
    assert take(message(frame(tank_temp_top=value)), on=usual(50, 70))[0][3:] == verdict


def test_without_a_normal_band_nothing_is_guessed() -> None:
    assert take(message(frame(tank_level=500.0)), on=usual(50, 70))[0][3:] == OUTSIDE


def test_the_units_of_temperature_are_tried_on_temperatures_alone() -> None:
    base = usual(50, 70)
    kind = base.catalogue.types["hot_water_tank"]
    points = {**kind.points, "tank_level": replace(kind.points["tank_level"], typical=(50.0, 70.0))}
    on = replace(base, catalogue=replace(base.catalogue, types={kind.name: replace(kind, points=points)}))
    assert take(message(frame(tank_level=140.0)), on=on)[0][3:] == OUTSIDE
    assert take(message(frame(tank_level=600.0)), on=on)[0][3:] == BAD_SCALE

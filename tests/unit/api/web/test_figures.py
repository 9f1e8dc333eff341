"""Numbers with units and sensible digits."""

from __future__ import annotations

import math

import pytest

from api.web.figures import number, quantity


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (34.26, "Cel", "34.3 ℃"),
        (-0.04, "Cel", "0.0 ℃"),
        (-3.25, "K", "−3.2 K"),
        (32.4, "m3/h", "32.4 m³/h"),
        (2.1, "1", "2.10"),
        (49.987, "Hz", "49.99 Hz"),
        (12345.6, "kW.h", "12346 kWh"),
        (None, "kW", "–"),
        (math.nan, "kW", "–"),
    ],
)
def test_quantity(value: float | None, unit: str, text: str) -> None:
    assert quantity(value, unit) == text


def test_a_point_without_decimals_shows_none() -> None:
    assert number(3.0, "1", 0) == "3"

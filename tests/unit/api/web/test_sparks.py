"""Small lines: gaps stay gaps, the limit is in the picture, a steady value looks steady."""

from __future__ import annotations

from api.web.sparks import spark


def test_a_gap_lifts_the_pen() -> None:
    line = spark([0, 1, 2, 3], [1.0, None, 2.0, 3.0])
    assert line is not None
    assert line.path == "M0.0 28.0M66.7 15.0L100.0 2.0"


def test_the_limit_widens_the_scale() -> None:
    line = spark([0, 10], [0.0, 5.0], limit=10.0)
    assert line is not None
    assert line.limit == 2.0
    assert line.path == "M0.0 28.0L100.0 15.0"


def test_noise_below_the_least_height_stays_flat() -> None:
    line = spark([0, 10], [20.0, 20.1], least=10.0)
    assert line is not None
    assert line.path == "M0.0 15.1L100.0 14.9"


def test_one_value_is_no_line() -> None:
    assert spark([0, 1], [1.0, None]) is None

"""The series notation of the cases."""

from __future__ import annotations

import pytest

from plant.errors import BadInput
from plant.quality import Quality, Reason
from rules.series import Sample, parse_series


def test_counts_steps_and_gaps() -> None:
    assert parse_series("7x2 0+0.1x3 _x2 5-1x2 9") == [
        Sample(7.0),
        Sample(7.0),
        Sample(0.0),
        Sample(0.1),
        Sample(0.2),
        None,
        None,
        Sample(5.0),
        Sample(4.0),
        Sample(9.0),
    ]


def test_a_reason_makes_a_reading_bad_or_uncertain() -> None:
    assert parse_series("-127!sentinel 7!delayedx1") == [
        Sample(-127.0, Quality.BAD, Reason.SENTINEL),
        Sample(7.0, Quality.UNCERTAIN, Reason.DELAYED),
    ]


@pytest.mark.parametrize("text", ["", "7x", "x3", "7*3", "7!brokenx3", "1x999999", "7 x3"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(BadInput):
        parse_series(text)

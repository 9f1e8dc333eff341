"""How long a disk lasts: worked out by hand."""

from __future__ import annotations

import pytest

from dutyroom.doctor.disk import grade_of
from dutyroom.doctor.findings import Grade
from dutyroom.doctor.growth import Growing, days_left, rate

DAY = 86_400_000
GB = 1 << 30


@pytest.mark.parametrize(
    ("parts", "free", "expected"),
    [
        # 10 a day from 100 free: full during the 11th day
        ([Growing("ledger", 0, 10.0)], 100, 10),
        # the journal stops at 50, 20 from now; then 80 are left for 10 a day: 8 days
        ([Growing("journal", 30, 5.0, 50.0), Growing("ledger", 0, 10.0)], 100, 8),
        # over its limit already, so it will not grow
        ([Growing("journal", 70, 5.0, 50.0), Growing("ledger", 0, 10.0)], 100, 10),
        # both stop before it is full
        ([Growing("journal", 0, 5.0, 50.0), Growing("history", 0, 7.0, 49.0)], 100, None),
        ([Growing("ledger", 0, 0.01)], 100, None),
        ([Growing("journal", 1, None)], 100, None),
        ([Growing("ledger", 0, 200.0)], 100, 0),
    ],
    ids=["one", "one stops", "over its limit", "both stop", "slowly", "unknown", "today"],
)
def test_days_left(parts: list[Growing], free: int, expected: int | None) -> None:
    assert days_left(parts, free) == expected


@pytest.mark.parametrize(
    ("left", "free", "grade"),
    [
        (None, 2 * GB, Grade.OK),
        (30, 2 * GB, Grade.OK),
        (29, 2 * GB, Grade.WARN),
        (3, 2 * GB, Grade.WARN),
        (2, 2 * GB, Grade.BAD),
        (None, GB - 1, Grade.WARN),
        (None, 0, Grade.BAD),
    ],
)
def test_a_disk_is_graded_by_days_and_by_what_is_free(left: int | None, free: int, grade: Grade) -> None:
    assert grade_of(left, free) is grade


def test_a_rate_needs_an_hour() -> None:
    assert rate(1_000, DAY // 2) == 2_000.0
    assert rate(1_000, DAY // 24) == 24_000.0
    assert rate(1_000, DAY // 24 - 1) is None

"""Times and durations as people read them."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from api.web.language import Language
from api.web.times import ago, day, duration, moment
from plant.instants import parse_instant

SHANGHAI = ZoneInfo("Asia/Shanghai")
NOW = parse_instant("2026-11-22T06:05:00Z")


@pytest.mark.parametrize(
    ("ms", "zh", "en"),
    [
        (0, "0 秒", "0 s"),
        (45_000, "45 秒", "45 s"),
        (59_999, "59 秒", "59 s"),
        (12 * 60_000, "12 分钟", "12 min"),
        (95 * 60_000, "1小时35分", "1 h 35 min"),
        (2 * 3_600_000, "2 小时", "2 h"),
        (76 * 3_600_000, "3天4小时", "3 d 4 h"),
        (-5, "0 秒", "0 s"),
    ],
)
def test_duration_has_at_most_two_units_and_is_never_rounded_up(ms: int, zh: str, en: str) -> None:
    assert duration(ms, Language.ZH) == zh
    assert duration(ms, Language.EN) == en


def test_moment_of_today_is_the_time_alone() -> None:
    assert moment(parse_instant("2026-11-21T16:30:00Z"), NOW, SHANGHAI, Language.ZH) == "00:30"


def test_moment_of_another_day_has_its_date() -> None:
    before = parse_instant("2026-11-21T15:59:00Z")
    assert moment(before, NOW, SHANGHAI, Language.ZH) == "11月21日 周六 23:59"
    assert moment(before, NOW, SHANGHAI, Language.EN) == "Sat 21 Nov 23:59"


def test_day_of_another_year_says_so() -> None:
    then = parse_instant("2025-03-01T04:00:00Z")
    assert day(then, NOW, SHANGHAI, Language.ZH) == "2025年3月1日 周六"
    assert day(then, NOW, SHANGHAI, Language.EN) == "Sat 1 Mar 2025"


def test_ago_of_what_lies_ahead_is_just_now() -> None:
    assert ago(NOW + 3_000, NOW, Language.ZH) == "刚刚"
    assert ago(NOW - 12 * 60_000, NOW, Language.EN) == "12 min ago"

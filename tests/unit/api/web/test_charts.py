"""Charts drawn on the server: places worked out by hand."""

from __future__ import annotations

from math import nan
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from api.web.charts import Curve, Event, Frame, Line, chart, lane, time_ticks
from api.web.language import Language
from history.protocols import Buckets
from plant.severity import Severity

MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR
SHANGHAI = ZoneInfo("Asia/Shanghai")


def buckets(*rows: tuple[int, float, float, float], bad: int = 0) -> Buckets:
    """Rows (start, min, mean, max); NaN is an empty bucket, or one of `bad` readings."""
    start, low, mean, high = (np.array(column, np.float64) for column in zip(*rows, strict=True))
    count = np.isfinite(mean).astype(np.int64)
    return Buckets(start.astype(np.int64), low, mean, high, count, count, np.where(count, 0, bad), MINUTE)


def steady(*values: float) -> Buckets:
    return buckets(*((n * MINUTE, value, value, value) for n, value in enumerate(values)))


def test_a_line_runs_from_edge_to_edge_and_high_is_up() -> None:
    drawn = chart([Curve(steady(0.0, 2.0, 4.0), 90_000)], Frame(0, 3 * MINUTE, "Cel"), height=100)
    assert drawn.strokes[0].line == "M0.0 100.0L333.3 50.0L666.7 0.0"
    assert drawn.strokes[0].area == ""
    assert drawn.ticks == [(100.0, "0"), (75.0, "1"), (50.0, "2"), (25.0, "3"), (0.0, "4")]


def test_least_and_greatest_make_an_area_round_the_means() -> None:
    rows = ((0, 0.0, 1.0, 4.0), (MINUTE, 1.0, 2.0, 3.0))
    drawn = chart([Curve(buckets(*rows), 90_000)], Frame(0, 2 * MINUTE, "Cel"), height=100)
    assert drawn.strokes[0].line == "M0.0 75.0L500.0 50.0"
    assert drawn.strokes[0].area == "M0.0 0.0L500.0 25.0L500.0 75.0L0.0 100.0Z"


def test_a_silence_cuts_the_line_and_is_hatched() -> None:
    values = [1.0, 2.0, nan, nan, nan, nan, nan, 3.0, 4.0, 5.0]
    drawn = chart([Curve(steady(*values), 2 * MINUTE)], Frame(0, 10 * MINUTE, "Cel"), height=100)
    assert drawn.strokes[0].line.count("M") == 2
    assert [(box.x, box.width, box.kind) for box in drawn.boxes] == [(20.0, 50.0, "none")]


def test_an_interval_longer_than_a_bucket_is_no_gap() -> None:
    values = [1.0, nan, nan, nan, nan, 2.0, nan, nan, nan, nan]
    drawn = chart([Curve(steady(*values), 15 * MINUTE)], Frame(0, 10 * MINUTE, "Cel"), height=100)
    assert drawn.strokes[0].line.count("M") == 1
    assert drawn.boxes == []


def test_nothing_heard_is_hatched_from_edge_to_edge() -> None:
    drawn = chart([Curve(steady(nan, nan), 90_000)], Frame(0, 2 * MINUTE, "Cel"), height=100)
    assert [(box.x, box.width, box.kind) for box in drawn.boxes] == [(0.0, 100.0, "none")]
    assert drawn.strokes[0].line == ""


def test_readings_in_doubt_are_told_from_none() -> None:
    found = buckets((0, 1.0, 1.0, 1.0), (MINUTE, nan, nan, nan), (2 * MINUTE, 1.0, 1.0, 1.0), bad=3)
    drawn = chart([Curve(found, 10 * MINUTE)], Frame(0, 4 * MINUTE, "Cel"), height=100)
    assert [(box.x, box.width, box.kind) for box in drawn.boxes] == [(25.0, 25.0, "doubt")]


def test_what_holds_goes_in_steps_to_the_end_and_has_no_gaps() -> None:
    drawn = chart([Curve(steady(0.0, nan, nan, 1.0, nan), None)], Frame(0, 5 * MINUTE, "Cel"), height=100)
    assert drawn.strokes[0].line == "M0.0 100.0H600.0V0.0H1000.0"
    assert drawn.boxes == []


def test_a_near_limit_widens_the_scale_and_a_far_one_is_only_named() -> None:
    near, far = Line(6.0, "near", Severity.P3), Line(90.0, "far", Severity.P1)
    drawn = chart([Curve(steady(0.0, 4.0), 90_000)], Frame(0, 2 * MINUTE, "Cel", [near, far]), height=120)
    assert drawn.limits == [(0.0, near, False)]
    assert drawn.beyond == [far]
    assert [text for _, text in drawn.ticks] == ["0", "2", "4", "6"]


def test_the_normal_band_is_cut_to_the_scale() -> None:
    drawn = chart([Curve(steady(0.0, 4.0), 90_000)], Frame(0, 2 * MINUTE, "Cel", band=(2.0, 9.0)), height=100)
    assert drawn.band == (0.0, 50.0)
    assert chart([Curve(steady(0.0, 4.0), 90_000)], Frame(0, 2 * MINUTE, "Cel", band=(20.0, 30.0))).band is None


def test_a_steady_value_looks_steady() -> None:
    drawn = chart([Curve(steady(20.0, 20.01), 90_000)], Frame(0, 2 * MINUTE, "Cel", least=4.0), height=100)
    assert [text for _, text in drawn.ticks] == ["18", "19", "20", "21", "22", "23"]


def test_yesterday_lies_beside_today() -> None:
    before = buckets((-DAY, 1.0, 1.0, 1.0), (-DAY + MINUTE, 2.0, 2.0, 2.0))
    curves = [Curve(steady(1.0, 2.0), 90_000), Curve(before, 90_000, style=2, shift_ms=DAY)]
    today, yesterday = chart(curves, Frame(0, 2 * MINUTE, "Cel")).strokes
    assert today.line == yesterday.line
    assert (today.style, yesterday.style) == (1, 2)


def test_events_are_cut_to_the_frame_and_what_lasts_reaches_its_end() -> None:
    events = [Event(-5, 25, "a"), Event(50, None, "b", Severity.P2, "/tickets/1"), Event(200, 300, "later")]
    assert [(box.x, box.width, box.label, box.href) for box in lane(events, 0, 100)] == [
        (0.0, 25.0, "a", ""),
        (50.0, 50.0, "b", "/tickets/1"),
    ]


@pytest.mark.parametrize(
    ("hours", "expected"),
    [
        (1, ["10:15", "10:30", "10:45"]),
        (24, ["12:00", "18:00", "11月24日", "06:00"]),
        (7 * 24, ["11月24日", "11月26日", "11月28日", "11月30日"]),
    ],
)
def test_times_stand_at_whole_steps_of_the_sites_day(hours: int, expected: list[str]) -> None:
    start = 1_795_399_200_000  # 2026-11-23 10:00 in Shanghai
    found = time_ticks(start, start + hours * HOUR, SHANGHAI, Language.ZH)
    assert [text for _, text in found] == expected


def test_dates_in_english() -> None:
    start = 1_795_399_200_000
    assert [text for _, text in time_ticks(start, start + DAY, SHANGHAI, Language.EN)][2] == "24 Nov"

"""Readings as line protocol, checked against the text InfluxDB's documentation asks for."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from history.lineprotocol import Names, code_of, in_line_order, line_starts, lines, quality_of
from history.linewise import Manner
from plant.instants import NEVER
from plant.reading import ReadingBatch, SeriesKey, SeriesTable

TABLE = SeriesTable([
    SeriesKey("ch 1", "a", "chiller"),
    SeriesKey("ch 1", "b,=", "chiller"),
    SeriesKey("泵", "flow", "pump, cold"),
])  # fmt: skip
NAMES = Names.of(TABLE, "north east")
NAN = float("nan")


def text(*rows: tuple[int, int, float, int, int, int], explicit: bool = False) -> list[str]:
    batch, _ = in_line_order(ReadingBatch.of((*row, 0) for row in rows), NAMES)
    return lines(batch, NAMES, Manner.alone(np.full(len(batch), explicit))).split("\n")


def test_points_of_one_equipment_and_ts_share_a_line_and_names_are_escaped() -> None:
    assert text((2, 5, 1.0, 0, 0, NEVER), (1, 5, 2.5, 0, 0, NEVER), (0, 5, -1e-9, 0, 0, NEVER)) == [
        r"chiller,site=north\ east,equipment=ch\ 1 a=-1e-9,b\,\==2.5 5",
        r"pump\,\ cold,site=north\ east,equipment=泵 flow=1.0 5",
    ]


def test_lines_of_one_equipment_come_in_time_order() -> None:
    assert text((0, 9, 1.0, 0, 0, NEVER), (0, 5, 2.0, 0, 0, NEVER)) == [
        r"chiller,site=north\ east,equipment=ch\ 1 a=2.0 5",
        r"chiller,site=north\ east,equipment=ch\ 1 a=1.0 9",
    ]


@pytest.mark.parametrize(
    ("row", "explicit", "fields"),
    [
        ((0, 5, 1.5, 0, 0, 4), False, "a=1.5"),
        ((0, 5, 1.5, 0, 0, 5), False, "a=1.5,a__seen=5i"),
        ((0, 5, 1.5, 1, 6, NEVER), False, "a=1.5,a__q=1006i"),
        ((0, 5, NAN, 2, 3, 9), False, "a__q=12003i,a__seen=9i"),
        ((0, 5, 1.5, 0, 0, NEVER), True, "a=1.5,a__q=0i,a__seen=-1i"),
        ((0, 5, NAN, 2, 3, NEVER), True, "a__q=12003i,a__seen=-1i"),
    ],
    ids=["seen before ts", "seen", "uncertain", "no number", "replacing", "replacing with no number"],
)
def test_fields_say_what_is_not_plain(row: tuple[int, int, float, int, int, int], explicit: bool, fields: str) -> None:
    assert text(row, explicit=explicit) == [rf"chiller,site=north\ east,equipment=ch\ 1 {fields} 5"]


def test_the_later_of_two_readings_stays_and_is_marked_as_replacing() -> None:
    batch = ReadingBatch.of([(0, 5, 1.0, 0, 0, 0, 0), (1, 5, 2.0, 0, 0, 0, 0), (0, 5, 3.0, 0, 0, 0, 0)])
    placed, replaces = in_line_order(batch, NAMES)
    assert (placed.series.tolist(), placed.value.tolist(), replaces.tolist()) == ([0, 1], [3.0, 2.0], [True, False])


def test_nothing_makes_no_lines() -> None:
    batch, replaces = in_line_order(ReadingBatch.empty(), NAMES)
    assert (len(batch), len(replaces), line_starts(batch, NAMES).tolist()) == (0, 0, [])


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 4), st.integers(0, 9)), max_size=30))
def test_lines_begin_where_equipment_or_time_changes(rows: list[tuple[int, int, int]]) -> None:
    batch = ReadingBatch.of((series, ts, float(value), 0, 0, NEVER, 0) for series, ts, value in rows)
    placed, _ = in_line_order(batch, NAMES)
    written = [line for line in lines(placed, NAMES, Manner.alone(np.zeros(len(placed), np.bool_))).split("\n") if line]
    assert len(line_starts(placed, NAMES)) == len(written) == len({(series == 2, ts) for series, ts, _ in rows})


@given(st.integers(0, 2), st.integers(0, 255), st.booleans())
def test_a_code_holds_quality_reason_and_whether_there_is_a_number(quality: int, reason: int, number: bool) -> None:
    found = quality_of(np.array([code_of(quality, reason, number=number)]))
    assert [column.tolist() for column in found] == [[quality], [reason], [number]]


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=20))
def test_a_number_is_written_so_that_it_reads_back_the_same(values: list[float]) -> None:
    batch = ReadingBatch.of((2, ts, value, 0, 0, NEVER, 0) for ts, value in enumerate(values))
    written = lines(batch, NAMES, Manner.alone(np.zeros(len(batch), np.bool_))).split("\n")
    assert [float(line.rpartition("=")[2].split(" ")[0]) for line in written] == values

"""Steps, edges and ranges of rollups, by hand and against a walk over every minute."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from history.levels import (
    DAY_MS,
    HOUR_MS,
    MINUTE_MS,
    QUARTER_MS,
    READINGS,
    bucket_edges,
    in_cells,
    inside,
    joined,
    runs,
    step_for,
    within,
    without,
)
from plant.errors import BadInput

YEAR_MS = 365 * DAY_MS


@pytest.mark.parametrize(
    ("width", "step"),
    [
        (1, READINGS),
        (MINUTE_MS - 1, READINGS),
        (MINUTE_MS, MINUTE_MS),
        (MINUTE_MS + 1, MINUTE_MS),
        (QUARTER_MS - 1, MINUTE_MS),
        (QUARTER_MS, QUARTER_MS),
        (QUARTER_MS + 1, MINUTE_MS),
        (2 * QUARTER_MS, QUARTER_MS),
        (HOUR_MS, HOUR_MS),
        (YEAR_MS // 1000, HOUR_MS),
        (DAY_MS, DAY_MS),
        (DAY_MS + HOUR_MS, HOUR_MS),
        (2 * DAY_MS, DAY_MS),
    ],
)
def test_a_step_is_never_greater_than_the_bucket_and_divides_it_or_is_at_most_its_half(width: int, step: int) -> None:
    assert step_for(width) == step


def test_edges_of_narrow_buckets_are_equal_and_end_as_asked() -> None:
    edges, step = bucket_edges(0, 10, 3)
    assert (edges.tolist(), step) == ([0, 4, 8, 10], READINGS)


def test_edges_between_move_down_to_the_grid_and_the_ends_stay() -> None:
    start = 7 * MINUTE_MS + 1
    edges, step = bucket_edges(start, start + 10 * MINUTE_MS, 4)
    assert step == MINUTE_MS
    assert edges.tolist() == [start, 9 * MINUTE_MS, 12 * MINUTE_MS, 14 * MINUTE_MS, start + 10 * MINUTE_MS]


@pytest.mark.parametrize(("start", "end", "count"), [(0, 0, 1), (5, 4, 1), (0, 9, 0)])
def test_no_range_or_no_bucket_is_refused(start: int, end: int, count: int) -> None:
    with pytest.raises(BadInput, match="buckets need a range"):
        bucket_edges(start, end, count)


@given(st.integers(-(10**13), 10**13), st.integers(1, 3 * YEAR_MS), st.integers(1, 2_000))
def test_edges_rise_from_start_to_end(start: int, length: int, count: int) -> None:
    edges, step = bucket_edges(start, start + length, count)
    assert (edges[0], edges[-1], len(edges)) == (start, start + length, count + 1)
    assert (np.diff(edges) >= (1 if step else 0)).all()
    assert step == 0 or not (edges[1:-1] % step).any()


@given(st.integers(-(10**9), 10**9), st.integers(0, 5 * DAY_MS), st.sampled_from([0, MINUTE_MS, HOUR_MS, DAY_MS]))
def test_a_range_in_cells_is_covered_once_and_cut_nowhere(start: int, length: int, step: int) -> None:
    pieces = sorted(in_cells(start, start + length, step), key=lambda piece: piece[1])
    assert [last for _, _, last in pieces[:-1]] == [first for _, first, _ in pieces[1:]]
    assert not length or (pieces[0][1], pieces[-1][2]) == (start, start + length)
    assert all(first < last for _, first, last in pieces)
    assert all(first % size == 0 and last % size == 0 for size, first, last in pieces if size)
    assert all(size <= step for size, _, _ in pieces)
    assert not step or all(last - first < 2 * MINUTE_MS for size, first, last in pieces if not size)


def test_runs_join_neighbours() -> None:
    assert runs([5, 1, 2, 3, 9], 10) == [(10, 40), (50, 60), (90, 100)]
    assert runs([], 10) == []


def test_ranges_are_joined_cut_and_left_out() -> None:
    assert joined([(5, 9), (0, 2), (2, 3), (6, 7)]) == [(0, 3), (5, 9)]
    assert within([(0, 3), (5, 9)], 2, 6) == [(2, 3), (5, 6)]
    assert without(0, 10, [(2, 3), (5, 9)]) == [(0, 2), (3, 5), (9, 10)]
    assert without(0, 10, [(0, 10)]) == []
    assert inside(np.array([-1, 0, 2, 3, 8, 9]), [(0, 3), (5, 9)]).tolist() == [False, True, True, False, True, False]

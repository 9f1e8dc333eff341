"""Buckets and the newest values, by hand."""

from __future__ import annotations

import numpy as np

from history.buckets import bucketise, last_of_each
from history.latest import LatestValues, only_numbers
from history.protocols import Samples
from plant.instants import NEVER
from plant.reading import ReadingBatch, SeriesKey, SeriesTable

NAN = float("nan")


def samples(*rows: tuple[int, float, int]) -> Samples:
    ts, value, quality = zip(*rows, strict=True)
    return Samples(np.array(ts, np.int64), np.array(value), np.array(quality, np.uint8), np.zeros(len(rows), np.uint8))


def test_each_bucket_holds_its_usable_readings_and_an_empty_one_is_nan() -> None:
    found = bucketise(
        samples((100, 1.0, 0), (109, 3.0, 1), (110, 99.0, 2), (120, NAN, 1), (121, 5.0, 0)), start=100, end=140, count=4
    )
    assert found.start.tolist() == [100, 110, 120, 130]
    assert repr(found.minimum.tolist()) == "[1.0, nan, 5.0, nan]"
    assert repr(found.mean.tolist()) == "[2.0, nan, 5.0, nan]"
    assert repr(found.maximum.tolist()) == "[3.0, nan, 5.0, nan]"
    assert found.count.tolist() == [2, 0, 1, 0]
    assert found.good.tolist() == [1, 0, 1, 0]
    assert found.bad.tolist() == [0, 1, 1, 0]
    assert found.step == 0


def test_the_last_of_equal_neighbours_is_marked() -> None:
    first, second = np.array([1, 1, 1, 2]), np.array([7, 7, 8, 8], np.int32)
    assert last_of_each(first, second).tolist() == [False, True, True, True]
    assert last_of_each(np.empty(0, np.int64)).tolist() == []


def test_newest_wins_and_of_equal_times_the_later_one_but_not_an_older_from_the_store() -> None:
    table = SeriesTable([SeriesKey("a", "p", "t"), SeriesKey("a", "q", "t")])
    latest = LatestValues([("a", "p", (5, 1.0, 0, 0))])
    latest.update(
        ReadingBatch.of([(0, 5, 2.0, 0, 0, NEVER, 0), (1, 9, 3.0, 0, 0, NEVER, 0), (1, 9, 4.0, 1, 6, NEVER, 0)]), table
    )
    latest.update(ReadingBatch.of([(1, 8, 9.0, 0, 0, NEVER, 0)]), table)
    latest.add_older("a", "p", (5, 7.0, 0, 0))
    latest.add_older("a", "r", (1, 8.0, 0, 0))
    assert latest.of("a") == {"p": (5, 2.0, 0, 0), "q": (9, 4.0, 1, 6), "r": (1, 8.0, 0, 0)}
    assert latest.of("b") == {}


def test_what_a_caller_does_with_the_answer_changes_nothing() -> None:
    latest = LatestValues([("a", "p", (5, 1.0, 0, 0))])
    latest.of("a").clear()
    assert latest.of("a") == {"p": (5, 1.0, 0, 0)}


def test_infinite_values_become_nan_and_a_clean_batch_stays_itself() -> None:
    clean = ReadingBatch.of([(0, 5, 2.0, 0, 0, NEVER, 0)])
    assert only_numbers(clean) is clean
    dirty = ReadingBatch.of([(0, 5, float("inf"), 2, 3, NEVER, 0), (0, 6, 2.0, 0, 0, NEVER, 0)])
    assert repr(only_numbers(dirty).value.tolist()) == "[nan, 2.0]"

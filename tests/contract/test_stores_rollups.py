"""Rollups of every telemetry store: whatever is written, rolled and asked, a trend says what the readings say."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest

from history.levels import DAY_MS, HOUR_MS, MINUTE_MS, QUARTER_MS
from history.protocols import TelemetryStore
from plant.quality import Quality, Reason
from plant.reading import Reading, ReadingBatch, SeriesKey, SeriesTable
from tests.contract.conftest import Open
from tests.support.storemodel import StoreModel, bucket_rows, expected_buckets, random_batch

MIDNIGHT = 20_600 * DAY_MS
FOR_EVER = 10_000 * DAY_MS
KEY = SeriesKey("ch-1", "t_chws", "chiller")
TABLE = SeriesTable([KEY, SeriesKey("ch-1", "power", "chiller"), SeriesKey("泵 1,a=b", 'flow "x"', "pump")])


def tend_all(store: TelemetryStore, now: int, keep_ms: int = FOR_EVER) -> int:
    """Upkeep until nothing is left; how many steps it took."""
    steps = 1
    while store.tend(now, keep_ms):
        steps += 1
        assert steps < 3_000
    return steps


def ramp(start: int, end: int, every: int = 5 * MINUTE_MS) -> ReadingBatch:
    """A reading of KEY every few minutes, its value the minutes since MIDNIGHT."""
    return TABLE.batch([Reading("ch-1", "t_chws", ts, (ts - MIDNIGHT) / MINUTE_MS) for ts in range(start, end, every)])


def agree(store: TelemetryStore, model: StoreModel, start: int, end: int, count: int) -> None:
    """The trends of all series equal what a loop over the model's readings gives."""
    for key, found in zip(TABLE.keys, store.trends(TABLE.keys, start, end, count), strict=True):
        rows = [row[:4] for row in model.rows(key, start, end)]
        expected = expected_buckets(rows, found.start.tolist(), end)
        assert len(found.start) == count
        np.testing.assert_allclose(bucket_rows(found), expected, rtol=1e-9)


@pytest.mark.parametrize("seed", range(8))
def test_trends_equal_the_readings_after_any_history_of_writes_upkeep_and_restarts(opens: Open, seed: int) -> None:
    random = Random(seed)
    model = StoreModel({})
    store = opens()
    times = [MIDNIGHT - random.randrange(40 * DAY_MS) for _ in range(80)]
    times += [MIDNIGHT - random.randrange(6 * HOUR_MS) for _ in range(60)]
    now = MIDNIGHT - 5 * DAY_MS
    for step in range(1, 16):
        batch = random_batch(random, TABLE, times, random.choice([0, 1, 5, 60]))
        store.write(batch, TABLE, step)
        model.write(batch, TABLE, step)
        now += random.randrange(DAY_MS)
        for _ in range(random.choice([0, 1, 30])):
            store.tend(now, FOR_EVER)
        if random.random() < 0.2:
            store.close()
            store = opens()
        width = random.choice([1_000, MINUTE_MS, 3 * MINUTE_MS, QUARTER_MS, HOUR_MS, 5 * HOUR_MS, DAY_MS])
        start = random.choice(times) + random.choice([0, 1, -7 * MINUTE_MS])
        agree(store, model, start // MINUTE_MS * MINUTE_MS, start + width * 20, 20)
        agree(store, model, start, start + width * 20 + random.randrange(width), 20)
    tend_all(store, MIDNIGHT + 3 * DAY_MS)
    for width in (MINUTE_MS, QUARTER_MS, HOUR_MS, DAY_MS):
        agree(store, model, MIDNIGHT - 41 * DAY_MS, MIDNIGHT - 41 * DAY_MS + 1_000 * width, 1_000)
    store.close()
    agree(opens(), model, MIDNIGHT - 41 * DAY_MS + 1, MIDNIGHT + DAY_MS, 300)


@pytest.mark.parametrize(
    ("length", "count", "step"),
    [
        (HOUR_MS, 61, 0),
        (DAY_MS, 1_440, MINUTE_MS),
        (DAY_MS, 96, QUARTER_MS),
        (30 * DAY_MS, 720, HOUR_MS),
        (365 * DAY_MS, 1_000, HOUR_MS),
        (365 * DAY_MS, 180, DAY_MS),
    ],
)
def test_the_store_chooses_the_resolution_and_says_which(
    store: TelemetryStore, length: int, count: int, step: int
) -> None:
    found = store.buckets(KEY, MIDNIGHT, MIDNIGHT + length, count)
    assert (found.step, len(found.start)) == (step, count)
    assert found.step <= length // count


def test_a_spike_survives_every_step(store: TelemetryStore) -> None:
    start = MIDNIGHT - 30 * DAY_MS
    store.write(ramp(start, MIDNIGHT), TABLE, 1)
    store.write(TABLE.batch([Reading("ch-1", "t_chws", start + 777_777, 1e6)]), TABLE, 2)
    tend_all(store, MIDNIGHT + 2 * DAY_MS)
    for count in (720, 360, 30, 1):
        found = store.buckets(KEY, start, MIDNIGHT, count)
        assert (float(found.maximum.max()), int(found.maximum.argmax())) == (1e6, 0)


def test_a_gap_stays_a_gap_and_bad_readings_are_told_from_none(store: TelemetryStore) -> None:
    start = MIDNIGHT - 10 * DAY_MS
    store.write(ramp(start, start + 2 * DAY_MS), TABLE, 1)
    bad = [
        Reading("ch-1", "t_chws", start + 3 * DAY_MS + k * HOUR_MS, 1.0, Quality.BAD, Reason.OUT_OF_RANGE)
        for k in range(5)
    ]
    store.write(TABLE.batch(bad), TABLE, 2)
    tend_all(store, MIDNIGHT)
    found = store.buckets(KEY, start, start + 5 * DAY_MS, 5)
    assert found.step == DAY_MS
    assert found.count.tolist() == [288, 288, 0, 0, 0]
    assert found.bad.tolist() == [0, 0, 0, 5, 0]
    assert np.isnan(found.mean).tolist() == [False, False, True, True, True]


def test_a_late_reading_and_an_overwrite_are_in_the_trend_at_once_and_after_upkeep(store: TelemetryStore) -> None:
    start = MIDNIGHT - 20 * DAY_MS
    store.write(ramp(start, MIDNIGHT), TABLE, 1)
    tend_all(store, MIDNIGHT + 2 * DAY_MS)
    late = [Reading("ch-1", "t_chws", start + 90_001, -5e4), Reading("ch-1", "t_chws", start, 2e6)]
    store.write(TABLE.batch(late), TABLE, 2)
    for _ in range(2):
        found = store.buckets(KEY, start, MIDNIGHT, 20)
        assert found.step == DAY_MS
        assert (found.count[0], found.minimum[0], found.maximum[0]) == (289, -5e4, 2e6)
        tend_all(store, MIDNIGHT + 2 * DAY_MS)


def test_a_cell_whose_readings_all_turn_bad_is_empty(store: TelemetryStore) -> None:
    start = MIDNIGHT - 10 * DAY_MS
    store.write(TABLE.batch([Reading("ch-1", "t_chws", start, 5.0)]), TABLE, 1)
    tend_all(store, MIDNIGHT)
    store.write(TABLE.batch([Reading("ch-1", "t_chws", start, 5.0, Quality.BAD, Reason.SENTINEL)]), TABLE, 2)
    tend_all(store, MIDNIGHT)
    found = store.buckets(KEY, start, start + 2 * DAY_MS, 2)
    assert (found.count.tolist(), found.bad.tolist(), bool(np.isnan(found.maximum).all())) == ([0, 0], [1, 0], True)


def test_upkeep_leaves_the_hour_that_is_not_over(store: TelemetryStore) -> None:
    store.write(ramp(MIDNIGHT, MIDNIGHT + 3 * HOUR_MS), TABLE, 1)
    assert store.tend(MIDNIGHT + HOUR_MS - 1, FOR_EVER) is False
    tend_all(store, MIDNIGHT + 2 * HOUR_MS)
    store.write(ramp(MIDNIGHT + 30_000, MIDNIGHT + HOUR_MS), TABLE, 2)
    found = store.buckets(KEY, MIDNIGHT, MIDNIGHT + 3 * HOUR_MS, 3)
    assert found.count.tolist() == [24, 12, 12]

"""One suite for every telemetry store: DuckDB and a real InfluxDB answer as the dict in tests/support does."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest

from history.duck import DuckStore
from history.protocols import Samples, TelemetryStore
from plant.errors import BadInput, NotFound
from plant.instants import NEVER
from plant.quality import Quality, Reason
from plant.reading import Reading, ReadingBatch, SeriesKey, SeriesTable
from tests.contract.conftest import Open
from tests.support.storemodel import StoreModel, bucket_rows, expected_buckets, random_batch, rows_of

T0 = 1_790_000_000_000
MINUTE = 60_000
NAN = float("nan")

SUPPLY = SeriesKey("ch-1", "t_chws", "chiller")
POWER = SeriesKey("ch-1", "power", "chiller")
PUMP = SeriesKey("泵 1,a=b", 'flow "x"', "pump")
RUN = SeriesKey("ch-2", "run", "chiller")
TABLE = SeriesTable([SUPPLY, POWER, PUMP, RUN])


def batch(*rows: tuple[SeriesKey, int, float], seen: int = NEVER) -> ReadingBatch:
    return TABLE.batch([Reading(key.equipment, key.point, ts, value) for key, ts, value in rows], seen=seen)


def listed(samples: Samples) -> list[tuple[int, float, int, int]]:
    columns = (samples.ts, samples.value, samples.quality, samples.reason)
    return list(zip(*(column.tolist() for column in columns), strict=True))


def same(found: object, expected: object) -> bool:
    """Equal, with NaN equal to NaN."""
    return repr(found) == repr(expected)


def test_an_empty_store_has_nothing(store: TelemetryStore) -> None:
    assert store.offset() == 0
    assert store.latest("ch-1") == {}
    assert listed(store.raw(SUPPLY, 0, T0)) == []
    assert rows_of(store.rows([SUPPLY, PUMP], TABLE, 0, T0)) == []
    assert store.span([SUPPLY, PUMP]) is None
    assert store.span([]) is None
    assert store.buckets(SUPPLY, 0, T0, 3).count.tolist() == [0, 0, 0]


def test_a_range_begins_with_its_start_and_stops_before_its_end(store: TelemetryStore) -> None:
    store.write(batch(*((SUPPLY, T0 + k, float(k)) for k in range(5))), TABLE, 1)
    assert [value for _, value, _, _ in listed(store.raw(SUPPLY, T0 + 1, T0 + 4))] == [1.0, 2.0, 3.0]
    assert [row[2] for row in rows_of(store.rows([SUPPLY], TABLE, T0 + 1, T0 + 4))] == [1.0, 2.0, 3.0]


def test_names_that_need_quoting_come_back(store: TelemetryStore) -> None:
    store.write(batch((PUMP, T0, 1.5)), TABLE, 1)
    assert listed(store.raw(PUMP, 0, 2 * T0)) == [(T0, 1.5, 0, 0)]
    assert store.latest(PUMP.equipment) == {PUMP.point: (T0, 1.5, 0, 0)}
    assert store.span([PUMP]) == (T0, T0)


def test_the_later_reading_of_a_series_and_ts_wins(store: TelemetryStore) -> None:
    store.write(batch((SUPPLY, T0, 1.0), (SUPPLY, T0, 2.0)), TABLE, 1)
    assert listed(store.raw(SUPPLY, 0, 2 * T0)) == [(T0, 2.0, 0, 0)]
    store.write(batch((SUPPLY, T0, 3.0)), TABLE, 2)
    assert listed(store.raw(SUPPLY, 0, 2 * T0)) == [(T0, 3.0, 0, 0)]
    assert store.latest("ch-1") == {"t_chws": (T0, 3.0, 0, 0)}


@pytest.mark.parametrize("how", ["in two batches", "in one batch", "over a restart"])
def test_nothing_of_a_replaced_reading_stays(opens: Open, how: str) -> None:
    bad = TABLE.batch([Reading("ch-1", "t_chws", T0, NAN, Quality.BAD, Reason.NOT_A_NUMBER)], seen=T0 + MINUTE)
    good = batch((SUPPLY, T0, 7.0))
    store = opens()
    if how == "in one batch":
        store.write(ReadingBatch.concat([bad, good]), TABLE, 1)
    else:
        store.write(bad, TABLE, 1)
        if how == "over a restart":
            store.close()
            store = opens()
        store.write(good, TABLE, 2)
    assert listed(store.raw(SUPPLY, 0, 2 * T0)) == [(T0, 7.0, 0, 0)]
    assert rows_of(store.rows([SUPPLY], TABLE, 0, 2 * T0)) == [(TABLE.keys.index(SUPPLY), T0, 7.0, 0, 0, NEVER, 0)]
    store.write(bad, TABLE, 3)
    assert same(listed(store.raw(SUPPLY, 0, 2 * T0)), [(T0, NAN, 2, 3)])


@pytest.mark.parametrize("value", [NAN, float("inf"), -float("inf")], ids=str)
def test_what_is_no_number_comes_back_as_nan_with_its_quality(store: TelemetryStore, value: float) -> None:
    reading = Reading("ch-1", "t_chws", T0, value, Quality.BAD, Reason.NOT_A_NUMBER)
    store.write(TABLE.batch([reading]), TABLE, 1)
    assert same(listed(store.raw(SUPPLY, 0, 2 * T0)), [(T0, NAN, 2, 3)])
    assert same(store.latest("ch-1"), {"t_chws": (T0, NAN, 2, 3)})
    assert store.span([SUPPLY]) == (T0, T0)


def test_seen_is_kept_only_where_it_decides_something(store: TelemetryStore) -> None:
    one = TABLE.batch([Reading("ch-1", "t_chws", T0, 1.0)], seen=T0)
    two = TABLE.batch([Reading("ch-1", "t_chws", T0 + 1, 2.0)], seen=T0 + 90_000)
    three = TABLE.batch([Reading("ch-1", "t_chws", T0 + 2, 3.0)], seen=T0 + 1)
    store.write(ReadingBatch.concat([one, two, three]), TABLE, 1)
    assert store.rows([SUPPLY], TABLE, 0, 2 * T0).seen.tolist() == [T0, T0 + 90_000, NEVER]


def test_rows_come_by_time_then_series_with_their_position(store: TelemetryStore) -> None:
    store.write(batch((RUN, T0, 1.0), (SUPPLY, T0 + 1, 2.0), (POWER, T0, 3.0), (PUMP, T0, 4.0)), TABLE, 1)
    found = rows_of(store.rows([RUN, SUPPLY, POWER], TABLE, 0, 2 * T0))
    power, supply, run = (TABLE.keys.index(key) for key in (POWER, SUPPLY, RUN))
    assert [(series, ts, value, offset) for series, ts, value, _, _, _, offset in found] == [
        (power, T0, 3.0, 0),
        (run, T0, 1.0, 1),
        (supply, T0 + 1, 2.0, 2),
    ]


def test_rows_of_a_point_the_site_does_not_have_are_refused(store: TelemetryStore) -> None:
    with pytest.raises(NotFound, match="ch-9 has no point t"):
        store.rows([SeriesKey("ch-9", "t", "chiller")], TABLE, 0, T0)


def test_another_numbering_of_the_series_finds_the_same_readings(store: TelemetryStore) -> None:
    store.write(batch((SUPPLY, T0, 1.0), (RUN, T0, 2.0)), TABLE, 1)
    added = SeriesKey("ah-1", "t_sup", "ahu")
    table = SeriesTable([added, RUN, SUPPLY])
    store.write(table.batch([Reading("ah-1", "t_sup", T0, 3.0), Reading("ch-2", "run", T0 + 1, 4.0)]), table, 2)
    found = rows_of(store.rows(table.keys, table, 0, 2 * T0))
    assert [(table.keys[row[0]], row[1], row[2]) for row in found] == [
        (added, T0, 3.0),
        (SUPPLY, T0, 1.0),
        (RUN, T0, 2.0),
        (RUN, T0 + 1, 4.0),
    ]


def test_an_older_reading_does_not_become_the_latest(store: TelemetryStore) -> None:
    store.write(batch((SUPPLY, T0, 1.0), (POWER, T0, 2.0)), TABLE, 1)
    store.write(batch((SUPPLY, T0 - 1, 9.0), (POWER, T0 + 1, 3.0)), TABLE, 2)
    assert store.latest("ch-1") == {"t_chws": (T0, 1.0, 0, 0), "power": (T0 + 1, 3.0, 0, 0)}


def test_an_empty_batch_moves_the_offset(opens: Open) -> None:
    store = opens()
    store.write(batch((SUPPLY, T0, 1.0)), TABLE, 5)
    store.write(ReadingBatch.empty(), TABLE, 9)
    assert store.offset() == 9
    store.close()
    again = opens()
    assert again.offset() == 9
    assert listed(again.raw(SUPPLY, 0, 2 * T0)) == [(T0, 1.0, 0, 0)]


def test_latest_is_known_after_a_restart(opens: Open) -> None:
    store = opens()
    bad = TABLE.batch([Reading("ch-1", "power", T0 + 3, 4.0, Quality.BAD, Reason.OUT_OF_RANGE)])
    store.write(ReadingBatch.concat([batch((SUPPLY, T0, 1.0), (SUPPLY, T0 + 5, 2.0), (POWER, T0, 3.0)), bad]), TABLE, 1)
    store.close()
    again = opens()
    again.write(batch((RUN, T0, 1.0)), TABLE, 2)
    assert again.latest("ch-1") == {"t_chws": (T0 + 5, 2.0, 0, 0), "power": (T0 + 3, 4.0, 2, 1)}
    assert again.latest("ch-2") == {"run": (T0, 1.0, 0, 0)}
    assert again.latest("nobody") == {}


def test_span_is_the_first_and_last_over_all_asked_series(store: TelemetryStore) -> None:
    store.write(batch((SUPPLY, T0, 1.0), (SUPPLY, T0 + 9, 1.0), (PUMP, T0 - 5, 1.0), (RUN, T0 + 99, 1.0)), TABLE, 1)
    assert store.span([SUPPLY, PUMP]) == (T0 - 5, T0 + 9)


@pytest.mark.parametrize("seed", range(4))
def test_buckets_equal_a_loop_over_the_readings_and_gaps_stay_gaps(store: TelemetryStore, seed: int) -> None:
    random = Random(seed)
    times = [T0 + random.randrange(0, 100 * MINUTE) for _ in range(300)]
    times = [ts for ts in times if not 40 * MINUTE <= ts - T0 < 60 * MINUTE]  # a silence in the middle
    readings = random_batch(random, TABLE, times, 600)
    store.write(readings, TABLE, 1)
    for count in (1, 7, 100):
        start, end = T0 + random.randrange(20 * MINUTE), T0 + 70 * MINUTE + random.randrange(40 * MINUTE)
        found = store.buckets(SUPPLY, start, end, count)
        expected = expected_buckets(listed(store.raw(SUPPLY, start, end)), found.start.tolist(), end)
        np.testing.assert_allclose(bucket_rows(found), expected, rtol=1e-12)
        assert count < 100 or np.isnan(found.mean).sum() > 10


def test_buckets_without_a_range_are_refused(store: TelemetryStore) -> None:
    with pytest.raises(BadInput, match="buckets need a range"):
        store.buckets(SUPPLY, T0, T0, 5)
    with pytest.raises(BadInput, match="buckets need a range"):
        store.buckets(SUPPLY, T0, T0 + 1, 0)


@pytest.mark.parametrize("seed", range(6))
def test_any_history_of_writes_and_restarts_reads_like_the_model(opens: Open, seed: int) -> None:
    random = Random(seed)
    model = StoreModel({})
    store = opens()
    day = 86_400_000
    times = [T0 - random.randrange(6 * day) for _ in range(60)]
    for step in range(1, 13):
        size = random.choice([0, 1, 5, 80])
        readings = random_batch(random, TABLE, times, size)
        store.write(readings, TABLE, step * 10)
        model.write(readings, TABLE, step * 10)
        if isinstance(store, DuckStore) and random.random() < 0.3:
            store.roll(T0 - random.randrange(4 * day))
        if random.random() < 0.3:
            store.close()
            store = opens()
        assert store.offset() == model.offset
        start, end = sorted(random.choice(times) + random.choice([0, 1]) for _ in range(2))
        for key in TABLE.keys:
            expected = model.rows(key, start, end)
            assert same(listed(store.raw(key, start, end)), [row[:4] for row in expected])
        found = rows_of(store.rows(TABLE.keys, TABLE, start, end))
        wanted = sorted((row[0], n, row) for n, key in enumerate(TABLE.keys) for row in model.rows(key, start, end))
        assert same(found, [(n, *row, position) for position, (_, n, row) in enumerate(wanted)])
    for equipment in {key.equipment for key in TABLE.keys}:
        assert same(sorted(store.latest(equipment).items()), sorted(model.latest(equipment).items()))
    held = [ts for series in model.held.values() for ts in series]
    assert store.span(TABLE.keys) == (min(held), max(held))

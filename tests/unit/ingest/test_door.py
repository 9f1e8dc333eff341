"""The one door: times, ranges, sentinels, jumps, counters and duplicates, worked out from DOMAIN §1.5."""

from __future__ import annotations

import math

import pytest

from ingest.intake import Intake
from plant.quality import Quality, Reason
from tests.unit.ingest.plants import GOOD, T0, frame, message, plant, take, verdicts


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (100.1, Reason.OUT_OF_RANGE),
        (-0.1, Reason.OUT_OF_RANGE),
        (-127, Reason.SENTINEL),
        (85.0, Reason.SENTINEL),
        ("ERR", Reason.NOT_A_NUMBER),
        ({"value": 50, "quality": "bad"}, Reason.DEVICE_FAILURE),
        ({"value": None, "quality": "bad"}, Reason.DEVICE_FAILURE),
    ],
)
def test_what_is_not_physical_is_bad(value: object, reason: Reason) -> None:
    assert verdicts(message(frame(tank_temp_top=value))) == [(Quality.BAD, reason)]


@pytest.mark.parametrize("value", [0.0, 100.0, 84.9])
def test_limits_themselves_are_good(value: float) -> None:
    assert verdicts(message(frame(tank_temp_top=value))) == [GOOD]


@pytest.mark.parametrize("number", [b"NaN", b"Infinity", b"-Infinity", b"1e999"])
def test_numbers_that_are_none_are_stored_as_nan(number: bytes) -> None:
    ((_, _, value, *verdict),) = take(message(b'{"points": {"tank_level": %s}}' % number))
    assert math.isnan(value)
    assert verdict == [Quality.BAD, Reason.NOT_A_NUMBER]


def test_device_says_uncertain() -> None:
    body = frame(tank_level={"value": 50, "quality": "uncertain"})
    assert verdicts(message(body)) == [(Quality.UNCERTAIN, Reason.OUT_OF_SPECIFICATION)]


@pytest.mark.parametrize(
    ("age", "ts", "verdict"),
    [
        (-5_000, T0 + 5_000, GOOD),
        (-5_001, T0, (Quality.UNCERTAIN, Reason.CLOCK_FAULT)),
        (60_000, T0 - 60_000, GOOD),
        (60_001, T0 - 60_001, (Quality.UNCERTAIN, Reason.DELAYED)),
        (86_400_000, T0 - 86_400_000, (Quality.UNCERTAIN, Reason.DELAYED)),
        (86_400_001, T0 - 86_400_001, (Quality.UNCERTAIN, Reason.HISTORICAL)),
    ],
)
def test_time_of_a_reading_by_its_age(age: int, ts: int, verdict: tuple[Quality, Reason]) -> None:
    assert take(message(frame(T0 - age, tank_level=50))) == [("tank_level", ts, 50.0, *verdict)]


def test_no_own_time_takes_the_time_of_receipt() -> None:
    assert take(message(frame(None, tank_level=50))) == [("tank_level", T0, 50.0, *GOOD)]


def test_no_own_time_in_a_backlog_is_uncertain() -> None:
    assert verdicts(message(frame(None, tank_level=50), draining=True)) == [
        (Quality.UNCERTAIN, Reason.NO_TIME_IN_BACKLOG)
    ]


def test_a_backlog_with_own_time_is_only_delayed() -> None:
    assert take(message(frame(T0 - 90_000, tank_level=50), draining=True)) == [
        ("tank_level", T0 - 90_000, 50.0, Quality.UNCERTAIN, Reason.DELAYED)
    ]


def test_retained_is_uncertain_however_old() -> None:
    assert verdicts(message(frame(T0 - 10**9, tank_level=50), retain=True)) == [(Quality.UNCERTAIN, Reason.RETAINED)]


def test_device_marks_historical() -> None:
    body = frame(T0, tank_level={"value": 50, "historical": True})
    assert verdicts(message(body)) == [(Quality.UNCERTAIN, Reason.HISTORICAL)]


def test_bad_stays_bad_but_out_of_force_shows() -> None:
    assert verdicts(message(frame(T0 - 10**9, tank_level=500))) == [(Quality.BAD, Reason.HISTORICAL)]


def test_bad_value_that_is_late_keeps_its_own_reason() -> None:
    assert verdicts(message(frame(T0 - 90_000, tank_level=500))) == [(Quality.BAD, Reason.OUT_OF_RANGE)]


def test_jump_is_held_back_and_a_return_denies_it() -> None:
    # 50 → 70 within a minute is more than 10 K/min; 50.5 lies near the value before.
    steps = [(0, 50.0), (60_000, 70.0), (120_000, 50.5)]
    assert verdicts(*(message(frame(T0 + at, tank_temp_top=value), received_at=T0 + at) for at, value in steps)) == [
        GOOD,
        (Quality.BAD, Reason.JUMP),
        GOOD,
    ]


def test_jump_is_confirmed_by_the_next_reading_near_it() -> None:
    steps = [(0, 50.0), (60_000, 70.0), (120_000, 71.0), (180_000, 72.0)]
    assert verdicts(*(message(frame(T0 + at, tank_temp_top=value), received_at=T0 + at) for at, value in steps)) == [
        GOOD,
        (Quality.BAD, Reason.JUMP),
        GOOD,
        GOOD,
    ]


def test_a_slow_change_over_a_long_gap_is_no_jump() -> None:
    # 30 K in 3 minutes is exactly 10 K/min, which is not above the limit.
    steps = [(0, 50.0), (180_000, 80.0)]
    assert verdicts(*(message(frame(T0 + at, tank_temp_top=value), received_at=T0 + at) for at, value in steps)) == [
        GOOD,
        GOOD,
    ]


def test_noise_of_a_fast_sensor_is_no_jump() -> None:
    steps = [(second * 1000, 50.0 + second % 2) for second in range(5)]
    assert (
        verdicts(*(message(frame(T0 + at, tank_temp_top=value), received_at=T0 + at) for at, value in steps))
        == [GOOD] * 5
    )


def test_meter_that_runs_backwards_is_a_fault_once() -> None:
    steps = [(0, 500.0), (60_000, 3.0), (120_000, 5.0)]
    assert verdicts(*(message(frame(T0 + at, heat_total=value), received_at=T0 + at) for at, value in steps)) == [
        GOOD,
        (Quality.BAD, Reason.COUNTER_FAULT),
        GOOD,
    ]


def test_meter_that_rolls_over_is_good() -> None:
    # The range is 10,000 kWh: 9,990 is within its last hundredth, 5 within its first.
    steps = [(0, 9_990.0), (60_000, 5.0)]
    assert verdicts(*(message(frame(T0 + at, heat_total=value), received_at=T0 + at) for at, value in steps)) == [
        GOOD,
        GOOD,
    ]


def test_meter_that_runs_faster_than_its_machine_can_is_a_fault() -> None:
    # At most 20 kWh a minute.
    steps = [(0, 500.0), (60_000, 520.0), (120_000, 541.0)]
    assert verdicts(*(message(frame(T0 + at, heat_total=value), received_at=T0 + at) for at, value in steps)) == [
        GOOD,
        GOOD,
        (Quality.BAD, Reason.COUNTER_FAULT),
    ]


def test_same_time_same_value_is_dropped_and_counted() -> None:
    intake = Intake(plant())
    first = intake.feed(1, message(frame(tank_level=50, tank_temp_top=50)))
    again = intake.feed(2, message(frame(tank_level=50, tank_temp_top=50)))
    assert (len(first.batch), first.duplicates) == (2, 0)
    assert (len(again.batch), again.duplicates, again.repeated) == (0, 2, 1)


def test_redelivered_run_is_dropped_whole() -> None:
    run = [message(frame(T0 - 5000 + 1000 * i, tank_level=50 + i)) for i in range(5)]
    taken = Intake(plant()).feed_many(list(enumerate(run + run, 1)))
    assert (len(taken.batch), taken.duplicates, taken.repeated) == (5, 5, 5)


def test_redelivered_backlog_is_dropped_however_long_it_is_and_however_it_was_restarted() -> None:
    run = [message(frame(T0 - 50_000 + 1000 * i, tank_level=i)) for i in range(40)]
    before = Intake(plant())
    before.feed_many(list(enumerate(run, 1)))
    restarted = Intake.restore(plant(), before.state())
    taken = restarted.feed_many(list(enumerate(run, 41)))
    assert (len(taken.batch), taken.duplicates, taken.repeated) == (0, 40, 40)


def test_late_reading_that_never_came_before_is_kept() -> None:
    run = [message(frame(T0 - 50_000 + 1000 * i, tank_level=i)) for i in range(40)]
    late = message(frame(T0 - 49_500, tank_level=0))
    taken = Intake(plant()).feed_many(list(enumerate([*run, late], 1)))
    assert (len(taken.batch), taken.duplicates) == (41, 0)


def test_equal_messages_without_a_time_of_their_own_are_two_readings() -> None:
    ahead = message(frame(T0 + 4000, tank_level=51))
    plain = [message(frame(None, tank_level=50), received_at=T0 + 100 * i) for i in range(12)]
    taken = Intake(plant()).feed_many(list(enumerate([ahead, *plain], 1)))
    assert (len(taken.batch), taken.duplicates) == (13, 0)


def test_same_time_other_value_is_kept_and_counted() -> None:
    intake = Intake(plant())
    intake.feed(1, message(frame(tank_level=50)))
    corrected = intake.feed(2, message(frame(tank_level=51)))
    assert (len(corrected.batch), corrected.conflicts, corrected.duplicates) == (1, 1, 0)


def test_the_reading_that_overrules_another_of_its_time_says_so() -> None:
    corrected = message(frame(tank_level=51))
    later = message(frame(T0 + 1000, tank_level=52), received_at=T0 + 1000)
    assert verdicts(message(frame(tank_level=50)), corrected, later) == [
        GOOD,
        (Quality.UNCERTAIN, Reason.CONFLICT),
        GOOD,
    ]


def test_what_a_conflicting_reading_has_against_it_already_goes_before() -> None:
    outside = message(frame(tank_level=150))
    failed = message(frame(tank_level={"value": 50, "quality": "bad"}))
    assert verdicts(message(frame(tank_level=50)), outside, failed) == [
        GOOD,
        (Quality.BAD, Reason.OUT_OF_RANGE),
        (Quality.BAD, Reason.DEVICE_FAILURE),
    ]


def test_retained_copy_does_not_hide_the_live_reading() -> None:
    assert verdicts(message(frame(tank_level=50), retain=True), message(frame(tank_level=50))) == [
        (Quality.UNCERTAIN, Reason.RETAINED),
        GOOD,
    ]

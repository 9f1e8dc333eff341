"""Messages in, readings out: the whole way through decoding and the door."""

from __future__ import annotations

import math

import pytest

from history.entries import ClockEpoch, Message, Tick
from ingest.intake import EXCERPT, Intake, Intaken
from ingest.reasons import RejectReason
from plant.errors import BadInput, Corrupt
from plant.instants import NEVER
from plant.quality import Quality, Reason
from plant.site import Binding, Clock, Plant, PlantClock
from tests.unit.ingest.plants import T0, TANK, TANK_STATUS, frame, message, plant

GOOD = (Quality.GOOD, Reason.NONE)


def rows(plant: Plant, taken: Intaken) -> list[tuple[str, int, float, Quality, Reason]]:
    """(point, ts, value, quality, reason) of each reading."""
    batch = taken.batch
    return [
        (
            plant.series.keys[batch.series[i]].point,
            int(batch.ts[i]),
            float(batch.value[i]),
            Quality(batch.quality[i]),
            Reason(batch.reason[i]),
        )
        for i in range(len(batch))
    ]


def take(*messages: Message, on: Plant | None = None) -> list[tuple[str, int, float, Quality, Reason]]:
    on = on or plant()
    return rows(on, Intake(on).feed_many(list(enumerate(messages, 1))))


def verdicts(*messages: Message) -> list[tuple[Quality, Reason]]:
    return [row[3:] for row in take(*messages)]


def test_native_frame_becomes_one_reading_a_point() -> None:
    body = frame(T0 - 1000, tank_temp_top=58.5, circ_pump_status=True, tank_level=None)
    assert take(message(body)) == [
        ("tank_temp_top", T0 - 1000, 58.5, *GOOD),
        ("circ_pump_status", T0 - 1000, 1.0, *GOOD),
    ]


def test_unit_named_by_the_message_is_converted() -> None:
    ((_, _, value, *_),) = take(message(frame(tank_temp_top={"value": 140, "unit": "degF"})))
    assert value == pytest.approx(60.0)


@pytest.mark.parametrize(("unit", "detail"), [("kW", "kW"), ("furlong", "furlong")])
def test_unit_of_something_else_is_rejected(unit: str, detail: str) -> None:
    taken = Intake(plant()).feed(1, message(frame(tank_temp_top={"value": 1, "unit": unit}, tank_level=50)))
    assert len(taken.batch) == 1
    assert [(r.reason, detail in r.detail) for r in taken.rejected] == [(RejectReason.WRONG_UNIT, True)]


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


def test_same_time_other_value_is_kept_and_counted() -> None:
    intake = Intake(plant())
    intake.feed(1, message(frame(tank_level=50)))
    corrected = intake.feed(2, message(frame(tank_level=51)))
    assert (len(corrected.batch), corrected.conflicts, corrected.duplicates) == (1, 1, 0)


def test_retained_copy_does_not_hide_the_live_reading() -> None:
    assert verdicts(message(frame(tank_level=50), retain=True), message(frame(tank_level=50))) == [
        (Quality.UNCERTAIN, Reason.RETAINED),
        GOOD,
    ]


def test_unknown_point_is_rejected_beside_the_good_ones() -> None:
    taken = Intake(plant()).feed(7, message(frame(tank_level=50, tank_tmp=1, other=2)))
    assert len(taken.batch) == 1
    assert [(r.offset, r.reason) for r in taken.rejected] == [(7, RejectReason.UNKNOWN_POINT)] * 2
    assert "tank_tmp" in taken.rejected[0].detail


@pytest.mark.parametrize(
    ("topic", "body", "reason"),
    [
        (TANK, b"\xff\xfe", RejectReason.NOT_UTF8),
        (TANK, b"{'points'", RejectReason.NOT_JSON),
        (TANK, b"[1]", RejectReason.NOT_A_FRAME),
        (TANK, b"{}", RejectReason.NOT_A_FRAME),
        (TANK, b'{"points": {"tank_level": [1]}}', RejectReason.NOT_A_VALUE),
        (TANK, b'{"points": {"tank_level": {"quality": "good"}}}', RejectReason.NOT_A_VALUE),
        (TANK, b'{"points": {"tank_level": {"value": 1, "quality": "fine"}}}', RejectReason.BAD_QUALITY),
        (TANK, b'{"ts": "yesterday", "points": {"tank_level": 1}}', RejectReason.BAD_TIME),
        (TANK, b'{"ts": -1, "points": {"tank_level": 1}}', RejectReason.BAD_TIME),
        (TANK, b'{"id": "tank-9", "points": {"tank_level": 1}}', RejectReason.UNKNOWN_EQUIPMENT),
        (TANK_STATUS, b'{"online": "maybe"}', RejectReason.NOT_A_FRAME),
        (TANK, b" " * 300_000, RejectReason.TOO_LARGE),
        ("dutyroom/v1/demo/bath/tank-9/telemetry", b"{}", RejectReason.UNKNOWN_EQUIPMENT),
        ("dutyroom/v1/other/bath/tank-1/telemetry", b"{}", RejectReason.UNKNOWN_TOPIC),
        ("elsewhere", b"1", RejectReason.UNKNOWN_TOPIC),
    ],
    ids=lambda value: value if isinstance(value, RejectReason) else "",
)
def test_each_way_to_be_rejected(topic: str, body: bytes, reason: RejectReason) -> None:
    taken = Intake(plant()).feed(1, message(body, topic=topic))
    assert [r.reason for r in taken.rejected] == [reason]
    assert len(taken.batch) == 0
    assert len(taken.rejected[0].payload) <= EXCERPT


@pytest.mark.parametrize(
    ("topic", "body"),
    [
        (TANK, b""),
        (TANK, b'{"points": {}}'),
        (TANK, b'{"points": {"tank_level": null}}'),
        ("dutyroom/v1/demo/clock", b'{"ts": 1}'),
        ("dutyroom/v1/demo/collector/marker", b"1-1"),
    ],
)
def test_messages_that_rightly_hold_nothing(topic: str, body: bytes) -> None:
    taken = Intake(plant()).feed(1, message(body, topic=topic))
    assert (taken.messages, taken.empty, len(taken.rejected), len(taken.batch)) == (1, 1, 0, 0)


def test_id_in_the_message_goes_before_the_path() -> None:
    intake = Intake(plant())
    taken = intake.feed(1, message({"id": "tank-2", **frame(tank_level=50)}))
    assert plant().series.keys[taken.batch.series[0]].equipment == "tank-2"


def test_status_is_a_reading_of_online_status() -> None:
    assert take(message({"online": True, "ts": T0}, topic=TANK_STATUS)) == [("online_status", T0, 1.0, *GOOD)]


def test_last_will_counts_from_its_arrival() -> None:
    body = {"online": False, "ts": T0 - 3_600_000}
    assert take(message(body, topic=TANK_STATUS)) == [("online_status", T0, 0.0, *GOOD)]


def test_bound_topic_feeds_its_point_with_unit_and_scale() -> None:
    on = plant(
        bindings=(
            Binding("boiler/+/t", "tank_temp_top", unit="degF", scale=0.1),
            Binding("gw/data", "tank_level", key="a.level", decoder="plain"),
            Binding("gw/data", "tank_temp_bottom", key="a.t", decoder="plain", clock=Clock.ARRIVAL),
        )
    )
    taken = take(
        message(b"1400", topic="boiler/7/t"),
        message({"ts": T0 - 2000, "a": {"level": 40, "t": 50, "other": 3}}, topic="gw/data"),
        on=on,
    )
    assert [row[:2] for row in taken] == [
        ("tank_temp_top", T0),
        ("tank_level", T0 - 2000),
        ("tank_temp_bottom", T0),
    ]
    assert [row[2] for row in taken] == pytest.approx([60.0, 40.0, 50.0])


def test_unit_in_a_bare_value_goes_before_the_bindings() -> None:
    on = plant(bindings=(Binding("t", "tank_temp_top", unit="degF"),))
    assert take(message("60 ℃".encode(), topic="t"), on=on)[0][2] == 60.0


def test_bound_topic_without_any_bound_key_is_rejected() -> None:
    on = plant(bindings=(Binding("gw", "tank_level", key="level", decoder="plain"),))
    taken = Intake(on).feed(1, message({"t": 1}, topic="gw"))
    assert [r.reason for r in taken.rejected] == [RejectReason.UNKNOWN_POINT]


@pytest.mark.parametrize(
    ("binding", "word"),
    [(Binding("t", "tank_tmp"), "tank_tmp"), (Binding("t", "tank_level", decoder="morse"), "morse")],
)
def test_binding_to_nothing_is_refused_at_once(binding: Binding, word: str) -> None:
    with pytest.raises(BadInput, match=word):
        Intake(plant(bindings=(binding,)))


def test_seen_is_the_tick_before() -> None:
    intake = Intake(plant())
    taken = intake.feed_many(
        [
            (1, message(frame(T0, tank_level=1))),
            (2, Tick(T0 + 1000)),
            (3, message(frame(T0 + 900, tank_level=2), received_at=T0 + 1500)),
        ]
    )
    assert taken.batch.seen.tolist() == [NEVER, T0 + 1000]
    assert taken.batch.offset.tolist() == [1, 3]


def test_published_clock_holds_messages_for_its_next_tick() -> None:
    intake = Intake(plant(clock=PlantClock.TOPIC))
    intake.tick(T0)
    held = intake.feed(2, message(frame(T0 + 59_000, tank_level=50), received_at=T0))
    late = intake.feed(3, message(frame(None, tank_temp_top=50), received_at=T0, draining=True))
    assert (held.messages, late.messages) == (0, 0)
    taken = intake.tick(T0 + 60_000)
    # Without own time it is received at the tick: a backlog of this clock brings its own ticks, in order.
    assert taken.batch.ts.tolist() == [T0 + 59_000, T0 + 60_000]
    assert taken.batch.reason.tolist() == [Reason.NONE, Reason.NONE]
    assert taken.batch.seen.tolist() == [T0, T0]


def test_published_clock_still_finds_a_time_far_ahead() -> None:
    intake = Intake(plant(clock=PlantClock.TOPIC))
    intake.tick(T0)
    intake.feed(2, message(frame(T0 + 10**8, tank_level=50)))
    taken = intake.tick(T0 + 1000)
    assert taken.batch.reason.tolist() == [Reason.CLOCK_FAULT]
    assert taken.batch.ts.tolist() == [T0 + 1000]


def test_clock_epoch_forgets_what_came_before() -> None:
    taken = Intake(plant()).feed_many(
        [
            (1, message(frame(T0, tank_temp_top=20), received_at=T0)),
            (2, ClockEpoch(T0 - 3_600_000, T0)),
            (3, message(frame(T0 - 3_600_000, tank_temp_top=90), received_at=T0 - 3_600_000)),
        ]
    )
    assert taken.batch.quality.tolist() == [Quality.GOOD, Quality.GOOD]


def test_changed_configuration_keeps_the_memory_of_a_series() -> None:
    intake = Intake(plant())
    intake.feed(1, message(frame(T0, tank_temp_top=50)))
    moved = intake.with_plant(plant(path="bath/tank-A"))
    body = frame(T0 + 60_000, tank_temp_top=70)
    taken = moved.feed(2, message(body, topic=TANK.replace("tank-1", "tank-A"), received_at=T0 + 60_000))
    assert taken.batch.reason.tolist() == [Reason.JUMP]


def test_unreadable_snapshot_says_so() -> None:
    with pytest.raises(Corrupt, match="journal"):
        Intake.restore(plant(), b"\x00nonsense")

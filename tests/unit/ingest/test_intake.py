"""Messages in, readings out: the whole way through decoding and bindings, every message accounted for."""

from __future__ import annotations

import pytest

from history.entries import ClockEpoch, Message, Tick
from ingest.intake import EXCERPT, MOST_HELD, MOST_HELD_BYTES, Intake
from ingest.reasons import RejectReason
from plant.errors import BadInput, Corrupt
from plant.instants import NEVER
from plant.quality import Quality, Reason
from plant.site import Binding, Clock, PlantClock
from tests.unit.ingest.plants import GOOD, T0, TANK, TANK_STATUS, frame, message, plant, take


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


@pytest.mark.parametrize(("count", "size"), [(MOST_HELD, 0), (MOST_HELD_BYTES // 200_001 + 1, 200_000)])
def test_what_is_held_for_a_published_clock_is_bounded_in_messages_and_bytes(count: int, size: int) -> None:
    body = b" " * size + b"1"
    run = [(offset, Message(T0, "elsewhere", body)) for offset in range(1, count + 1)]
    intake = Intake(plant(clock=PlantClock.TOPIC))
    assert intake.feed_many(run[:-1]).messages == 0
    intake = Intake.restore(plant(clock=PlantClock.TOPIC), intake.state())
    assert intake.feed_many(run[-1:]).messages == count


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


def test_a_sentinel_of_a_binding_is_a_bad_reading_of_its_own_reason() -> None:
    on = plant(bindings=(Binding("gw", "tank_level", key="l", decoder="plain", scale=0.1, sentinels=(32767.0,)),))
    taken = take(message({"l": 32767}, topic="gw"), message({"l": 400}, topic="gw", received_at=T0 + 1000), on=on)
    assert [row[3:] for row in taken] == [(Quality.BAD, Reason.SENTINEL), GOOD]
    assert taken[1][2] == 40.0

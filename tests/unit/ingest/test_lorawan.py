"""LoRaWAN through the intake: bound values, messages that rightly hold none of them, and what the codec left raw."""

from __future__ import annotations

import pytest

from ingest.intake import Intake
from ingest.reasons import RejectReason
from plant.site import Binding, Plant
from tests.unit.ingest.plants import GOOD, T0, message, plant, rows

UP = "application/a/device/0101010101010101/event/up"
STATUS = UP.replace("/up", "/status")
TTN = "v3/app1@tenant1/devices/dev1/up"
INFO = {"deviceInfo": {"devEui": "0101010101010101"}, "time": "2023-11-14T22:13:20.000000001+00:00"}


def site() -> Plant:
    return plant(
        bindings=(
            Binding("application/+/device/0101010101010101/event/+", "tank_temp_top", key="t", decoder="chirpstack"),
            Binding(TTN, "tank_level", key="level", decoder="ttn"),
        )
    )


def uplink(**more: object) -> dict[str, object]:
    return {
        "end_device_ids": {"device_id": "dev1", "dev_eui": "0004A30B001C0530"},
        "received_at": "2023-11-14T22:13:25Z",
        "uplink_message": {"frm_payload": "gkHe", "received_at": "2023-11-14T22:13:20Z", **more},
    }


def test_values_of_the_codec_feed_the_points_bound_to_them() -> None:
    on = site()
    taken = Intake(on).feed_many(
        [
            (1, message({**INFO, "object": {"t": 55.5, "other": 1}, "data": "qg=="}, topic=UP)),
            (2, message(uplink(decoded_payload={"level": 40, "relay": None}), topic=TTN)),
        ]
    )
    assert rows(on, taken) == [("tank_temp_top", T0, 55.5, *GOOD), ("tank_level", T0, 40.0, *GOOD)]


@pytest.mark.parametrize(
    ("topic", "body"),
    [
        (UP, {**INFO, "object": {"battery": 3.6}, "data": "qg=="}),
        (STATUS, {**INFO, "margin": 7, "batteryLevel": 75.3}),
        (UP.replace("/up", "/join"), {**INFO, "devAddr": "00189440"}),
        (TTN, uplink(decoded_payload={"battery": 3.6})),
    ],
    ids=["another port", "status", "join", "another port of The Things Stack"],
)
def test_device_that_spreads_its_values_over_messages_is_no_fault(topic: str, body: object) -> None:
    taken = Intake(site()).feed(1, message(body, topic=topic))
    assert (taken.rejected, taken.empty) == ((), 1)


@pytest.mark.parametrize(
    ("topic", "body", "reason"),
    [
        (UP, {**INFO, "data": "qg=="}, RejectReason.CODEC_MISSING),
        (TTN, uplink(), RejectReason.CODEC_MISSING),
        (TTN, {**uplink(decoded_payload={"level": 40}), "simulated": True}, RejectReason.SIMULATED),
    ],
    ids=["raw", "raw of The Things Stack", "simulated"],
)
def test_what_nobody_has_measured_or_taken_apart_is_refused(topic: str, body: object, reason: RejectReason) -> None:
    taken = Intake(site()).feed(1, message(body, topic=topic))
    assert ([refused.reason for refused in taken.rejected], len(taken.batch)) == ([reason], 0)

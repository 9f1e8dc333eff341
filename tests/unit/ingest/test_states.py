"""States feed points bound to them by key; partial messages leave no reject; a missing meter is offline."""

from __future__ import annotations

import json

import pytest

from ingest.decoders import Decoded, Kind, by_device
from ingest.intake import Intake
from plant.site import Binding, Plant
from plant.units import is_unit
from tests.support.messages import CASES
from tests.unit.ingest.plants import T0, message, plant, rows

IMPLIED = {
    line["unit"]
    for case in CASES.iterdir()
    for line in json.loads((case / "expected.json").read_text("utf-8"))
    if line.get("unit")
}
"""Units in the cases of all formats."""


def bound(topic: str, *keys: tuple[str, str], decoder: str) -> Plant:
    return plant(bindings=tuple(Binding(topic, point, key=key, decoder=decoder) for key, point in keys))


def fed(where: Plant, *messages: tuple[str, object]) -> tuple[list[tuple[str, float]], list[str], int]:
    """(point, value) of each reading, the reasons of what was refused, and how many messages rightly held nothing."""
    taken = Intake(where).feed_many(
        [(number, message(body, topic=topic)) for number, (topic, body) in enumerate(messages, 1)]
    )
    return [(row[0], row[2]) for row in rows(where, taken)], [one.reason.value for one in taken.rejected], taken.empty


def test_a_last_will_feeds_the_point_bound_to_online() -> None:
    where = bound("tele/plug/LWT", ("online", "online_status"), decoder="tasmota")
    assert fed(where, ("tele/plug/LWT", b"Online"), ("tele/plug/LWT", b"Offline"))[0] == [
        ("online_status", 1.0),
        ("online_status", 0.0),
    ]


def test_a_missing_meter_is_offline_and_has_no_values() -> None:
    where = bound("gw/1", ("online", "online_status"), ("thd", "tank_level"), decoder="modbus_gateway")
    normal = {"time": T0, "meterSN": "210", "meterStatus": "normal", "thd": 42}
    missing = {"time": T0 + 60_000, "meterSN": "210", "meterStatus": "missing", "thd": 0}
    assert fed(where, ("gw/1", normal), ("gw/1", missing)) == (
        [("tank_level", 42.0), ("online_status", 1.0), ("online_status", 0.0)],
        [],
        0,
    )


def test_a_relay_feeds_a_status_point() -> None:
    where = bound("x/events/rpc", ("switch:0.output", "circ_pump_status"), decoder="shelly")
    body = {"src": "x", "method": "NotifyStatus", "params": {"ts": T0 / 1000, "switch:0": {"output": True}}}
    assert fed(where, ("x/events/rpc", body))[0] == [("circ_pump_status", 1.0)]


def test_what_a_device_says_in_other_messages_is_no_fault_of_this_one() -> None:
    where = bound("x/events/rpc", ("em:0.total_current", "tank_level"), decoder="shelly")
    body = {"src": "x", "method": "NotifyStatus", "params": {"ts": T0 / 1000, "temperature:0": {"tC": 30.5}}}
    assert fed(where, ("x/events/rpc", json.dumps(body).encode())) == ([], [], 1)


def test_a_whole_message_without_a_bound_value_is_refused() -> None:
    where = bound("tele/plug/SENSOR", ("ENERGY.Powr", "tank_level"), decoder="tasmota")
    assert fed(where, ("tele/plug/SENSOR", {"ENERGY": {"Power": 5}})) == ([], ["unknown_point"], 0)


def test_several_meters_in_one_message_feed_the_points_bound_to_each() -> None:
    where = plant(
        bindings=(
            Binding("gw/1", "tank_level", key="thd", decoder="modbus_gateway", device="210"),
            Binding("gw/1", "online_status", key="online", decoder="modbus_gateway", device="211"),
        )
    )
    body = {"time": T0, "data": [{"meterSN": "210", "thd": 42}, {"meterSN": "211", "meterStatus": "missing"}]}
    assert fed(where, ("gw/1", body)) == ([("tank_level", 42.0), ("online_status", 0.0)], [], 0)


def test_a_message_of_other_meters_alone_is_told() -> None:
    where = plant(bindings=(Binding("gw/1", "tank_level", key="thd", decoder="modbus_gateway", device="210"),))
    body = {"time": T0, "data": [{"meterSN": "300", "thd": 42}]}
    assert fed(where, ("gw/1", body)) == ([], ["unknown_equipment"], 0)


def test_the_key_with_the_device_before_it_needs_no_device_in_the_binding() -> None:
    where = bound("v1/gateway/telemetry", ("Boiler 1.flow", "tank_level"), decoder="thingsboard")
    body = {"Boiler 1": [{"ts": T0, "values": {"flow": 42}}], "Boiler 2": [{"ts": T0, "values": {"flow": 1}}]}
    assert fed(where, ("v1/gateway/telemetry", body)) == ([("tank_level", 42.0)], [], 0)


def test_the_longest_name_of_a_device_owns_the_key() -> None:
    decoded = Decoded(kind=Kind.READING, values={"a.b.x": 1.0, "a.y": 2.0, "z": 3.0}, devices=("a", "a.b"))
    parts = by_device(decoded)
    assert {device: dict(part.values) for device, part in parts.items()} == {
        None: {"z": 3.0},
        "a": {"y": 2.0},
        "a.b": {"x": 1.0},
    }


@pytest.mark.parametrize(
    ("said", "unit", "value"),
    [("%", None, 42.0), ("1", "%", 4200.0), ("U", "%", 42.0), ("", "%", 42.0)],
    ids=["the message's", "the message's before the binding's", "one nobody knows", "none"],
)
def test_whose_unit_holds(said: str, unit: str | None, value: float) -> None:
    where = plant(bindings=(Binding("p4d", "tank_level", key="level.value", unit=unit, decoder="json"),))
    assert fed(where, ("p4d", {"level": {"value": "42", "unit": said}}))[0] == [("tank_level", value)]


def test_every_unit_that_a_format_gives_is_known() -> None:
    assert {unit for unit in IMPLIED if not is_unit(unit)} <= {"dB"}, "no point measures how well a radio is heard"

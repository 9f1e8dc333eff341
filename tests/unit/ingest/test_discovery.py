"""Unbound messages become families: bounded, cut anywhere, forgotten once bound."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from history.entries import Message
from ingest import discovery
from ingest.bindings import Bindings
from ingest.discovery import Discovery, Family
from ingest.families import family_of
from ingest.naming import values_of
from ingest.topics import covers
from plant.site import Binding
from tests.unit.ingest.plants import T0, plant

FREE = Bindings(plant())


def said(topic: str, body: object, at: int = T0) -> Message:
    payload = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Message(at, topic, payload)


def seen(*messages: Message, bindings: Bindings = FREE) -> Discovery:
    found = Discovery(bindings)
    for offset, message in enumerate(messages, 1):
        found.observe(offset, message)
    return found


def only(found: Discovery) -> Family:
    (family,) = found.families.values()
    return family


@pytest.mark.parametrize(
    ("topic", "pattern"),
    [
        ("tele/plug-101/SENSOR", "tele/plug-*/SENSOR"),
        ("shellypro3em-ac0bfbaf1c24/events/rpc", "shellypro3em-*/events/rpc"),
        ("application/1/device/a84041000181c061/event/up", "application/*/device/*/event/up"),
        ("zigbee2mqtt/0x00158d0001a2b3c4", "zigbee2mqtt/*"),
        ("a/00:1B:44:11:3A:B7/x", "a/*/x"),
        ("zigbee2mqtt/kitchen", "zigbee2mqtt/kitchen"),
        ("site/v1/facade/decade", "site/v1/facade/decade"),
    ],
)
def test_what_tells_devices_apart_is_left_out_of_the_pattern(topic: str, pattern: str) -> None:
    assert family_of(topic) == pattern


def test_twenty_plugs_are_one_family_with_their_keys_units_and_rate() -> None:
    messages = [
        said(f"tele/plug-{n}/SENSOR", {"ENERGY": {"Power": 40 + n, "Voltage": 231}}, T0 + 1000 * (20 * turn + n))
        for turn in range(3)
        for n in range(20)
    ]
    family = only(seen(*messages))
    assert family.pattern == "tele/plug-*/SENSOR"
    assert (family.count, len(family.sources), family.sources[7].count) == (60, 20, 3)
    assert family.per_minute == pytest.approx(60.0)
    power = next(one for one in family.found if one.key == "ENERGY.Power")
    assert (power.low, power.high, power.value) == (40.0, 59.0, 59.0)
    assert (family.first_offset, family.first_at, family.last_at) == (1, T0, T0 + 59_000)
    assert json.loads(family.payload)["ENERGY"]["Power"] == 59


def test_what_is_bound_or_ours_or_empty_is_no_discovery() -> None:
    bound = Bindings(plant(bindings=(Binding("gw/+/t", "tank_level", key="l", decoder="plain"),)))
    native = "dutyroom/v1/demo/bath/tank-1/telemetry"
    found = seen(said("gw/7/t", {"l": 1}), said(native, {"points": {}}), said("x", b""), bindings=bound)
    assert found.families == {}


def test_a_native_message_of_a_machine_that_is_not_there_is_one_by_itself() -> None:
    topic = "dutyroom/v1/demo/bath/tank-77/telemetry"
    assert only(seen(said(topic, {"points": {"tank_level": 5}}))).pattern == topic


def test_what_no_format_can_read_is_listed_with_what_is_wrong() -> None:
    family = only(seen(said("modbus/3/raw", b"\xff\xfe\x01")))
    assert (family.pattern, family.found) == ("modbus/*/raw", ())
    assert "UTF-8" in family.trouble


def test_binding_a_topic_takes_it_out_and_the_last_one_takes_the_family() -> None:
    found = seen(said("gw/1/t", {"l": 1}), said("gw/2/t", {"l": 2}))
    found.take_changes()
    found.rebind(Bindings(plant(bindings=(Binding("gw/1/t", "tank_level", key="l", decoder="plain"),))))
    assert [source.topic for source in only(found).sources] == ["gw/2/t"]
    assert [len(part) for part in found.take_changes()] == [1, 0]
    found.rebind(Bindings(plant(bindings=(Binding("gw/#", "tank_level", key="l", decoder="plain"),))))
    assert found.families == {}
    assert [len(part) for part in found.take_changes()] == [0, 1]


def test_families_are_bounded_and_the_longest_silent_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(discovery, "MOST_FAMILIES", 3)
    found = seen(*(said(f"{name}/t", {"l": 1}, T0 + at) for at, name in enumerate("abacd")))
    assert sorted(family.pattern for family in found.families.values()) == ["a/t", "c/t", "d/t"]
    assert found.evicted == 1


def test_sources_and_keys_are_bounded_and_what_is_beyond_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(discovery, "MOST_SOURCES", 2)
    monkeypatch.setattr(discovery, "MOST_KEYS", 2)
    family = only(seen(*(said(f"gw/{n}/t", {"a": 1, "b": 2, "c": 3}) for n in range(4))))
    assert (len(family.sources), family.more_sources, family.count) == (2, 2, 4)
    assert ([one.key for one in family.found], family.more_keys) == (["a", "b"], 1)


def test_a_flood_on_one_topic_is_counted_and_seldom_taken_apart() -> None:
    family = only(seen(*(said("gw/1/t", {"l": n}, T0 + n) for n in range(5_000))))
    assert family.count == 5_000
    assert family.read < 25


_TOPICS = st.sampled_from(["gw/1/t", "gw/2/t", "tele/p1/SENSOR", "x", "raw/7"])
_BODIES = st.sampled_from([b"12.5", b'{"a": 1}', b'{"a": 2, "b": {"c": 3}}', b"\xff", b"ON", b""])


@given(st.lists(st.tuples(_TOPICS, _BODIES, st.integers(0, 20_000)), max_size=40), st.integers(0, 40))
def test_cutting_anywhere_changes_nothing(run: list[tuple[str, bytes, int]], cut: int) -> None:
    at, messages = T0, []
    for topic, body, wait in run:
        at += wait
        messages.append(Message(at, topic, body))
    whole = seen(*messages)
    first = seen(*messages[:cut])
    second = Discovery(FREE, list(first.families.values()))
    for offset, message in enumerate(messages[cut:], min(cut, len(messages)) + 1):
        second.observe(offset, message)
    assert second.families == whole.families


def test_what_a_device_announces_gives_its_values_words_and_units_wherever_it_comes_first() -> None:
    config = {
        "name": "Hot water top",
        "state_topic": "boiler/7/data",
        "unit_of_measurement": "°C",
        "value_template": "{{ value_json.t1 }}",
        "unique_id": "b7_t1",
        "device": {"identifiers": ["b7"], "name": "Boiler 7"},
    }
    announced = said("homeassistant/sensor/b7/t1/config", config)
    measured = said("boiler/7/data", {"t1": 55.5})
    for run in ((announced, measured), (measured, announced)):
        family = only(seen(*run))
        assert (family.pattern, family.count) == ("boiler/*/data", 1)
        (value,) = values_of(family)
        assert (value.name, value.unit, value.label) == ("t1", "°C", "Hot water top")


def test_an_announcement_of_what_is_bound_or_broken_is_no_discovery() -> None:
    bound = Bindings(plant(bindings=(Binding("gw/7/t", "tank_level", key="l", decoder="plain"),)))
    config = {"state_topic": "gw/7/t", "unique_id": "x", "value_template": "{{ value_json.l }}"}
    found = seen(
        said("homeassistant/sensor/x/config", config), said("homeassistant/sensor/y/config", b"{"), bindings=bound
    )
    assert found.families == {}


@pytest.mark.parametrize(
    ("wide", "narrow", "expected"),
    [
        ("#", "a/b", True),
        ("#", "$SYS/x", False),
        ("tele/#", "tele/+/SENSOR", True),
        ("tele/#", "tele", True),
        ("tele/+/SENSOR", "tele/p1/SENSOR", True),
        ("tele/+/SENSOR", "tele/#", False),
        ("tele/p1/SENSOR", "tele/+/SENSOR", False),
        ("a/+", "a/b/c", False),
        ("a/b", "a", False),
    ],
)
def test_a_filter_covers_another(wide: str, narrow: str, expected: bool) -> None:
    assert covers(wide, narrow) is expected

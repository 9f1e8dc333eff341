"""What Home Assistant's discovery announces: units, names and where a value comes, never a value."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.decoders import FORMATS, Kind, decode
from ingest.decoders.ha_discovery import Announcement, announcements, path_of
from ingest.reasons import Refused, RejectReason

TOPIC = "homeassistant/sensor/0x00158d/temperature/config"


def announced(message: object, topic: str = TOPIC) -> tuple[Announcement, ...]:
    return announcements(topic, json.dumps(message).encode())


def test_entity_says_where_its_value_comes_and_in_which_unit() -> None:
    (found,) = announced(
        {
            "unit_of_measurement": "°C",
            "device_class": "temperature",
            "state_class": "measurement",
            "value_template": "{{ value_json.temperature }}",
            "state_topic": "zigbee2mqtt/bath",
            "name": "Bath temperature",
            "unique_id": "0x00158d_temperature",
            "availability_topic": "zigbee2mqtt/bridge/state",
            "device": {
                "identifiers": ["zigbee2mqtt_0x00158d"],
                "name": "Bath",
                "model": "WSDCGQ11LM",
                "manufacturer": "Aqara",
            },
        }
    )
    assert found == Announcement(
        identity=TOPIC,
        component="sensor",
        topic="zigbee2mqtt/bath",
        key="temperature",
        name="Bath temperature",
        unit="°C",
        device_class="temperature",
        state_class="measurement",
        device="zigbee2mqtt_0x00158d",
        device_name="Bath",
        manufacturer="Aqara",
        model="WSDCGQ11LM",
        availability_topic="zigbee2mqtt/bridge/state",
    )


def test_abbreviations_and_base_topic() -> None:
    (found,) = announced(
        {
            "~": "tele/plug",
            "name": "Power",
            "stat_t": "~/SENSOR",
            "avty_t": "~/LWT",
            "unit_of_meas": "W",
            "dev_cla": "power",
            "val_tpl": "{{value_json['ENERGY'].Power}}",
            "dev": {"ids": "218FF9", "mdl": "Pow", "mf": "Sonoff"},
        }
    )
    assert (found.topic, found.availability_topic) == ("tele/plug/SENSOR", "tele/plug/LWT")
    assert (found.key, found.unit, found.device_class) == ("ENERGY.Power", "W", "power")
    assert (found.device, found.model, found.manufacturer) == ("218FF9", "Pow", "Sonoff")


def test_whole_device_announces_each_of_its_components() -> None:
    found = announced(
        {
            "dev": {"ids": "ea334450945afc", "name": "Kitchen", "sn": "12AE3010545"},
            "o": {"name": "bla2mqtt"},
            "cmps": {
                "t1": {"p": "sensor", "dev_cla": "temperature", "unit_of_meas": "°C", "val_tpl": "{{ value_json.t }}"},
                "h1": {"p": "sensor", "unit_of_meas": "%", "val_tpl": "{{ value_json.h }}", "stat_t": "other/h"},
                "gone": {"p": "sensor"},
                "press": {"p": "button", "command_topic": "x"},
            },
            "stat_t": "sensorBedroom/state",
        },
        "homeassistant/device/ea334450945afc/config",
    )
    base = "homeassistant/device/ea334450945afc/config"
    assert [(one.identity, one.topic, one.key, one.unit, one.removed) for one in found] == [
        (f"{base}#t1", "sensorBedroom/state", "t", "°C", False),
        (f"{base}#h1", "other/h", "h", "%", False),
        (f"{base}#gone", "", None, None, True),
    ]
    assert {one.device for one in found if not one.removed} == {"ea334450945afc"}


def test_entity_without_a_state_announces_nothing() -> None:
    assert announced({"name": "Restart", "command_topic": "x/cmd"}, "homeassistant/button/x/config") == ()


def test_empty_message_removes() -> None:
    assert announcements(TOPIC, b"") == (Announcement(TOPIC, removed=True),)


@pytest.mark.parametrize(
    ("template", "key"),
    [
        ("{{ value_json.temperature }}", "temperature"),
        ("{{value_json.ENERGY.Power}}", "ENERGY.Power"),
        ("{{ value_json['em:0'].a_voltage | float }}", "em:0.a_voltage"),
        ('{{ value_json["a"]["b"] | is_defined }}', "a.b"),
        ("{{ value_json.Power[1] }}", "Power.1"),
        ("{{ value_json.t * 0.1 }}", None),
        ("{{ value_json.t | round(1) }}", None),
        ("{% if value_json.on %}ON{% endif %}", None),
        ("{{ value_json['a' + 'b'] }}", None),
        ("{{ value_json[''] }}", None),
        ("{{ states('sensor.x') }}", None),
        ("{{ value }}", None),
    ],
)
def test_templates_that_only_point_are_read_and_none_is_run(template: str, key: str | None) -> None:
    assert path_of(template) == key
    (found,) = announced({"state_topic": "t", "value_template": template})
    assert found.key == key
    assert (found.template is None) == (key is not None or template == "{{ value }}")


@pytest.mark.parametrize(
    ("topic", "payload", "reason"),
    [
        ("homeassistant/sensor/config", b"{}", RejectReason.NOT_A_FRAME),
        (TOPIC, b"[1]", RejectReason.NOT_A_FRAME),
        (TOPIC, b"{", RejectReason.NOT_JSON),
        (
            "homeassistant/device/x/config",
            json.dumps({"cmps": {str(n): {"p": "sensor"} for n in range(513)}}).encode(),
            RejectReason.TOO_LARGE,
        ),
    ],
    ids=["topic", "list", "broken", "endless"],
)
def test_what_is_no_announcement_says_so(topic: str, payload: bytes, reason: RejectReason) -> None:
    with pytest.raises(Refused) as refused:
        announcements(topic, payload)
    assert refused.value.rejected.reason is reason


json_like = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(["~", "stat_t", "state_topic", "val_tpl", "dev", "device", "ids", "cmps", "p", "name"]),
            inner,
        ),
    ),
    max_leaves=14,
)


@given(
    st.sampled_from([TOPIC, "homeassistant/device/x/config", "homeassistant/status"]),
    st.one_of(st.binary(max_size=60), json_like.map(lambda v: json.dumps(v).encode())),
)
def test_it_is_never_a_measurement(topic: str, payload: bytes) -> None:
    decoded = decode(FORMATS["ha_discovery"].decode, topic, payload)
    assert (decoded.samples, decoded.values, decoded.states) == ((), {}, {})
    assert decoded.kind is not Kind.READING or decoded.rejected

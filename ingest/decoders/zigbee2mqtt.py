"""Zigbee2MQTT: https://www.zigbee2mqtt.io/guide/usage/mqtt_topics_and_messages.html."""

from __future__ import annotations

from collections.abc import Mapping

from ingest.decoders.decoded import Decoded, Kind
from ingest.decoders.findings import Findings, availability, json_object, leaves, peek_object
from ingest.decoders.format import Format
from ingest.decoders.loose import parse_json, parse_number, shown, text
from ingest.decoders.moments import parse_moment
from ingest.reasons import Refused, RejectReason

_ROOT = "zigbee2mqtt"
_ASIDE = frozenset({"last_seen", "elapsed", "device", "update", "update_available", "color", "color_mode"})
"""Members that are no measurement: times, the description of the device, its firmware."""
_ANNOUNCE = frozenset({"devices", "groups", "info", "config", "definitions", "extensions", "converters"})
_UNITS: Mapping[str, str] = {
    "temperature": "Cel", "local_temperature": "Cel", "device_temperature": "Cel", "soil_temperature": "Cel",
    "humidity": "%", "soil_moisture": "%", "battery": "%", "pressure": "hPa", "co2": "ppm", "power": "W",
    "current": "A", "energy": "kW.h", "produced_energy": "kW.h", "ac_frequency": "Hz",
}  # fmt: skip
"""As the pages of the devices say. `voltage` has none: mains devices send V, battery devices mV."""


def decode(topic: str, payload: bytes) -> Decoded:
    """Every number, true/false and ON/OFF by its path; `last_seen` is the time. Availability in both forms is a state,
    the bridge's own topics are status or configuration. With `output: attribute` the last level is the key.

    Raises Refused where the message cannot be understood.
    """
    levels = topic.split("/")
    names = levels[1:] if levels[0] == _ROOT and len(levels) > 1 else levels
    if names[:1] == ["bridge"]:
        return _bridge(names[1:], payload)
    if names[-1] == "availability":
        return availability(payload, "/".join(names[:-1]))
    if names[-1] in ("set", "get"):
        return Decoded(kind=Kind.STATUS, device="/".join(names[:-1]))
    source = text(payload)
    if source[:1] != "{" and len(names) > 1:
        return _attribute(names, source)
    message = json_object(payload)
    findings = Findings(parse_moment(message.get("last_seen")))
    for name, raw in message.items():
        if name not in _ASIDE:
            for path, last, value in leaves(raw, name):
                findings.add(path, value, _UNITS.get(last))
    return findings.decoded("/".join(names))


def _bridge(names: list[str], payload: bytes) -> Decoded:
    if names == ["state"]:
        return availability(payload, f"{_ROOT}/bridge")
    return Decoded(kind=Kind.CONFIG if names[:1] and names[0] in _ANNOUNCE else Kind.STATUS)


def _attribute(names: list[str], source: str) -> Decoded:
    number = parse_number(parse_json(source)) if source[:1] in '["' else parse_number(source)
    if number is None:
        raise Refused(RejectReason.NOT_A_VALUE, f"{shown(source)} is no value; expected a number, ON/OFF or JSON")
    findings = Findings()
    findings.add(names[-1], number, _UNITS.get(names[-1]))
    return findings.decoded("/".join(names[:-1]), partial=True)


def _claims(topic: str, payload: bytes) -> bool:
    return topic.startswith(f"{_ROOT}/") or "linkquality" in peek_object(payload)


FORMAT = Format("zigbee2mqtt", decode, _claims)

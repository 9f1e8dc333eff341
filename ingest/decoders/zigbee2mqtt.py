"""Zigbee2MQTT: https://www.zigbee2mqtt.io/guide/usage/mqtt_topics_and_messages.html."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ingest.decoders.decoded import Decoded, Kind
from ingest.decoders.findings import Findings, availability, json_object, leaves, peek_object, without_reading
from ingest.decoders.format import Format
from ingest.decoders.loose import parse_json, parse_number, shown, text
from ingest.decoders.moments import parse_moment
from ingest.reasons import Refused, RejectReason

_PHASE = re.compile(r"(power|current|energy|produced_energy)_(?:[abc]|phase_[abc]|l[123])", re.ASCII)
_VOLTAGE_OF_PHASE = re.compile(r"voltage_(?:[abc]|phase_[abc])", re.ASCII)
_CELSIUS = re.compile(r"(?:.+_)?temperature|(?:.+_)?(?:heating|cooling)_setpoint(?:_.+)?", re.ASCII)
_CHANNEL = re.compile(r"(temperature|humidity)_(?:l?\d|probe)", re.ASCII)

_ROOT = "zigbee2mqtt"
_ASIDE = frozenset({"last_seen", "elapsed", "device", "update", "update_available", "color", "color_mode"})
"""Members that are no measurement: times, the description of the device, its firmware."""
_ANNOUNCE = frozenset({"devices", "groups", "info", "config", "definitions", "extensions", "converters"})
_BRIDGE = _ANNOUNCE | {"state", "logging", "log", "health", "event", "request", "response", "networkmap"}
_UNITS: Mapping[str, str] = {
    "humidity": "%", "soil_moisture": "%", "battery": "%", "pressure": "hPa", "co2": "ppm", "power": "W",
    "current": "A", "energy": "kW.h", "produced_energy": "kW.h", "ac_frequency": "Hz",
    "power_reactive": "var", "power_apparent": "V.A", "pm25": "ug/m3",
    "pi_heating_demand": "%", "valve_position": "%", "temperature": "Cel",
}  # fmt: skip
"""As the pages of the devices say. `voltage` has none: mains devices send V, battery devices mV."""


def decode(topic: str, payload: bytes) -> Decoded:
    """Every number, true/false and ON/OFF by its path; `last_seen` is the time. Availability in both forms is a state,
    the bridge's own topics are status or configuration. With `output: attribute` the last level is the key.

    Raises Refused where the message cannot be understood.
    """
    levels = topic.split("/")
    names = levels[1:] if levels[0] == _ROOT and len(levels) > 1 else levels
    bridge = _bridges(names)
    if bridge is not None:
        return _bridge(names[: -len(bridge) - 1], bridge, payload)
    if names[-1] == "availability":
        return availability(payload, "/".join(names[:-1]))
    asked = next((at for at in (-1, -2) if len(names) > -at and names[at] in ("set", "get")), None)
    if asked is not None:
        return Decoded(kind=Kind.STATUS, device="/".join(names[:asked]))
    source = text(payload)
    if source == "null":
        return Decoded(kind=Kind.EMPTY)
    if names[-1] == "last_seen":
        return Decoded(kind=Kind.STATUS, device="/".join(names[:-1]))
    if source[:1] != "{" and len(names) > 1:
        return _attribute(names, source)
    message = json_object(payload)
    findings = Findings(parse_moment(message.get("last_seen")))
    for name, raw in message.items():
        if name not in _ASIDE:
            for path, last, value in leaves(raw, name):
                findings.add(path, value, _unit(last))
    return findings.decoded("/".join(names), otherwise=without_reading(message, *_ASIDE))


def _unit(name: str) -> str | None:
    if _VOLTAGE_OF_PHASE.fullmatch(name):
        return "V"
    if _CELSIUS.fullmatch(name):
        return "Cel"
    phase = _PHASE.fullmatch(name) or _CHANNEL.fullmatch(name)
    return _UNITS.get(phase[1] if phase else name)


def _bridges(names: list[str]) -> list[str] | None:
    """What is behind `bridge` in a topic of the bridge's own, below whatever base it was given; None for devices."""
    if names[:1] == ["bridge"]:
        return names[1:]
    at = next((at for at, name in enumerate(names[:-1]) if name == "bridge" and names[at + 1] in _BRIDGE), None)
    return None if at is None else names[at + 1 :]


def _bridge(base: list[str], names: list[str], payload: bytes) -> Decoded:
    if names == ["state"]:
        return availability(payload, "/".join((*(base or (_ROOT,)), "bridge")))
    return Decoded(kind=Kind.CONFIG if names[:1] and names[0] in _ANNOUNCE else Kind.STATUS)


def _attribute(names: list[str], source: str) -> Decoded:
    number = parse_number(parse_json(source)) if source[:1] in '["' else parse_number(source)
    if number is None:
        raise Refused(RejectReason.NOT_A_VALUE, f"{shown(source)} is no value; expected a number, ON/OFF or JSON")
    findings = Findings()
    findings.add(names[-1], number, _unit(names[-1]))
    return findings.decoded("/".join(names[:-1]), partial=True)


def _claims(topic: str, payload: bytes) -> bool:
    levels = topic.split("/")
    if levels[0] == _ROOT and len(levels) > 1:
        return True
    if levels[-2:] == ["bridge", "state"] and payload.strip() in (b"online", b"offline"):
        return True
    message = peek_object(payload)
    if "linkquality" in message:
        return True
    # The base topic is the user's to choose: below another one only these two forms tell the bridge.
    states = message.keys() == {"state"} and message["state"] in ("online", "offline")
    return (levels[-1] == "availability" and states) or _is_bridges(levels, message)


def _is_bridges(levels: list[str], message: Mapping[str, object]) -> bool:
    if levels[-2:-1] != ["bridge"] or len(levels) < 3:
        return False
    told = {"state": {"state"}, "logging": {"level", "message"}, "info": {"coordinator"}, "health": {"process"}}
    return told.get(levels[-1], {""}) <= message.keys()


FORMAT = Format("zigbee2mqtt", decode, _claims)

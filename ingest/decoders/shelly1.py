"""Shelly Gen1, one value a topic below `shellies/<device>/`: https://shelly-api-docs.shelly.cloud/gen1/#mqtt-support."""

from __future__ import annotations

from collections.abc import Mapping

from ingest.decoders.decoded import Decoded, Kind
from ingest.decoders.findings import Findings, availability, leaves, node, nodes
from ingest.decoders.loose import parse_json, shown, split_quantity, text
from ingest.reasons import Refused, RejectReason
from plant.quality import Reason

_SWITCHED = frozenset({"relay", "light", "white", "color", "roller"})
_UNITS: Mapping[str, str] = {
    "power": "W", "voltage": "V", "current": "A", "pf": "1", "reactive_power": "var",
    "total": "W.h", "total_returned": "W.h", "temperature": "Cel", "temperature_f": "degF", "humidity": "%",
    "battery": "%", "overpower_value": "W",
}  # fmt: skip
"""`energy` counts watt-minutes and has no unit here; `sensor/temperature` is in the unit set on the device."""

_STATES = frozenset({"ison", "output", "has_timer", "is_valid", "timer_started", "transition", "event_cnt"})

_UNSET = frozenset({"roller.0.pos", "roller.1.pos", "sensor.tilt", "sensor.lux"})
"""What is -1 where it is not calibrated or not known."""

_BROKEN_PROBE = 999
"""What an external probe reports that does not answer."""


def decode(levels: list[str], payload: bytes) -> Decoded:
    """The key is the topic below the device, dotted (`emeter.0.power`); raises Refused where it is no value."""
    if len(levels) < 2 or levels[-1] in ("announce", "command"):
        return Decoded(kind=Kind.CONFIG if levels[-1:] == ["announce"] else Kind.STATUS)
    device, key = levels[0], ".".join(levels[1:])
    if key == "online":
        return availability(payload, device)
    if key in ("info", "settings"):
        return Decoded(kind=Kind.STATUS, device=device)
    source = text(payload)
    findings = Findings()
    if source[:1] in ("{", "["):
        _json(key, parse_json(source), findings)
        return findings.decoded(device, partial=True)
    found = split_quantity(source)
    if found is None:
        if (
            levels[1] in ("sensor", "roller", "input_event")
            or source.lower() == "overpower"
            or levels[-1].endswith("status")
        ):
            return Decoded(kind=Kind.STATUS, device=device)
        raise Refused(RejectReason.NOT_A_VALUE, f"{shown(source)} is no value; expected a number or on/off")
    number = found[0]
    if key == "sensor.error" or (levels[1] in _SWITCHED and len(levels) == 3 and levels[2].isdigit()):
        findings.state(key, number)
    elif (number == _BROKEN_PROBE and "temperature" in key) or (number == -1 and key in _UNSET):
        findings.doubt(key, number, Reason.SENTINEL)
    else:
        unit = None if key in ("sensor.temperature", "sensor.ext_power") else _UNITS.get(_measure(levels))
        findings.add(key, number, unit)
    return findings.decoded(device, partial=True)


def _measure(levels: list[str]) -> str:
    """The last level that is no number: of `ext_temperature/0` the measure is a temperature."""
    named = next((level for level in reversed(levels[1:]) if not level.isdigit()), "")
    return named.removeprefix("ext_")


def _json(key: str, message: object, findings: Findings) -> None:
    """Probes by their hardware id, in °C; of anything else each number by its path."""
    probes = [*node(message).values()] if isinstance(message, dict) else message
    for probe in nodes(probes):
        named, celsius = probe.get("hwID"), probe.get("tC")
        if isinstance(named, str):
            base = f"{key}.{named}"
            if celsius == _BROKEN_PROBE:
                findings.doubt(f"{base}.tC", celsius, Reason.SENTINEL)
            else:
                findings.add(f"{base}.tC", celsius, "Cel")
            findings.add(f"{base}.hum", probe.get("hum"), "%")
    if any(isinstance(probe.get("hwID"), str) for probe in nodes(probes)):
        return
    for path, last, raw in leaves(message, key):
        if last == "tF" and node(message).get("tC") is not None:
            continue
        if last in _STATES:
            findings.state(path, raw)
        else:
            findings.add(path, raw, {"tC": "Cel", "tF": "degF", "power": "W"}.get(last))

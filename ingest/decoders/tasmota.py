"""Tasmota (SENSOR, STATE, STATUS8/10, LWT, SML): https://tasmota.github.io/docs/MQTT/ and JSON-Status-Responses."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ingest.decoders.decoded import Decoded, Kind
from ingest.decoders.findings import (
    PROBE_FAULTS,
    Findings,
    Node,
    availability,
    first_moment,
    json_object,
    leaves,
    node,
    peek_object,
    without_reading,
)
from ingest.decoders.format import Format
from ingest.decoders.loose import parse_number, shown, split_quantity, text
from ingest.reasons import Refused, RejectReason
from plant.quality import Reason

_DISCOVERY = "tasmota/discovery/"
_PREFIXES = frozenset({"tele", "stat", "cmnd"})
_SENSORS = frozenset({"SENSOR", "STATUS8", "STATUS10"})
_STATES = frozenset({"STATE", "STATUS11", "RESULT", "HASS_STATE"})
_ABOUT = re.compile(r"STATUS\d*|INFO\d|UPTIME|MARGINS|LOGGING|WAKEUP|UPGRADE|(?:SWITCH|BUTTON)\d+T?")
_RELAY = re.compile(r"POWER\d*")
_ORDINAL = re.compile(r"(.+?)-\d+")
_ZIGBEE_BRIDGE = re.compile(r"Zb(?!Received).*")
"""What a Zigbee bridge says of itself and its network (`ZbState`, `ZbInfo`); measured is only what it received."""
_WRAPPERS = ("StatusSNS", "StatusSTS", "sn")
_IDENTITIES = frozenset({"id", "meter_number", "meter_id", "server_id", "serial", "mac", "address", "key",
                         "device", "endpoint"})  # fmt: skip

_TEMPERATURES = frozenset({"Temperature", "DewPoint", "HeatIndex", "ObjTMP", "AmbTMP", "ProbeTemperature",
                           "ReferenceTemperature"})  # fmt: skip
_PRESSURES = frozenset({"Pressure", "SeaPressure"})
_TEMP_UNITS = {"C": "Cel", "F": "degF"}
_PROBE_FAULTS_F = (-196.6, 185.0)

_ENERGY_UNITS: Mapping[str, str] = {
    "Total": "kW.h", "Yesterday": "kW.h", "Today": "kW.h", "Energy": "kW.h", "ExportActive": "kW.h",
    "ImportActive": "kW.h", "TotalTariff": "kW.h", "Period": "W.h", "Power": "W", "ApparentPower": "V.A",
    "ReactivePower": "var", "Factor": "1", "Voltage": "V", "Current": "A", "Frequency": "Hz",
    "ImportReactive": "kvar.h", "ExportReactive": "kvar.h",
}  # fmt: skip
"""Of ENERGY and of CT clamps on ANALOG (docs: Energy sensors)."""
_METER = re.compile(
    r"(?P<kWh>(?:total|e)_(?:in|out))|(?P<W>power_(?:curr|p[123]))|(?P<V>volt_p[123])|(?P<A>amp(?:erage)?_p[123])",
    re.IGNORECASE,
)
_METER_UNITS: Mapping[str, str] = {"kWh": "kW.h", "W": "W", "V": "V", "A": "A"}
"""Names that the scripts for meters of SML and OBIS give (docs: Smart Meter Interface); they print no units."""
_UNITS: Mapping[str, str] = {
    "Humidity": "%", "CarbonDioxide": "ppm", "eCO2": "ppm", "BatteryPercentage": "%", "BatteryVoltage": "V",
    "Battery": "%", "RMSVoltage": "V", "RMSCurrent": "A", "ActivePower": "W", "Freq": "Hz",
}  # fmt: skip


def decode(topic: str, payload: bytes) -> Decoded:
    """Sensors by dotted path (`ENERGY.Power.0`); a probe that has an Id by it (`DS18B20.01183379C9FF.Temperature`).

    `Time` is the device's local time unless it names a zone; `Epoch`, where there is one, is UTC. Relays, Wi-Fi and the
    like are states. Raises Refused where the message cannot be understood.
    """
    if topic.startswith(_DISCOVERY):
        return Decoded(kind=Kind.CONFIG)
    device, last = _device(topic)
    if "cmnd" in topic.split("/")[:-1]:
        return Decoded(kind=Kind.STATUS, device=device)
    if last == "LWT":
        return availability(payload, device)
    if _RELAY.fullmatch(last):
        return _relay(last, payload, device)
    if _ABOUT.fullmatch(last) and text(payload)[:1] != "{":
        return Decoded(kind=Kind.STATUS, device=device)
    message = json_object(payload)
    about = last if last in _STATES or (_ABOUT.fullmatch(last) and last not in _SENSORS) else ""
    body = next((node(message[name]) for name in _WRAPPERS if name in message), message)
    findings = Findings(first_moment(body, "Epoch", "Time"))
    if (about or "StatusSTS" in message) and "StatusSNS" not in message:
        for path, _, raw in leaves(body):
            if path not in ("Time", "Epoch"):
                findings.state(path, raw)
        return findings.decoded(device)
    _sensors(body, findings)
    for path, _, raw in leaves(node(message.get("StatusSTS"))):
        findings.state(path, raw)
    return findings.decoded(device, otherwise=without_reading(body, "Time", "Epoch", "TempUnit", "PressureUnit"))


def _relay(last: str, payload: bytes, device: str | None) -> Decoded:
    word = split_quantity(text(payload))
    if word is None or word[0] not in (0.0, 1.0):
        raise Refused(RejectReason.NOT_A_VALUE, f"{shown(text(payload))} is no state of a relay; expected ON or OFF")
    return Decoded(kind=Kind.STATUS, device=device, states={last: word[0]})


def _sensors(body: Node, findings: Findings) -> None:
    said = body.get("TempUnit")
    temperature = _TEMP_UNITS.get(said) if isinstance(said, str) else None
    faults = _PROBE_FAULTS_F if temperature == "degF" else PROBE_FAULTS
    pressure = body.get("PressureUnit")
    for name, raw in body.items():
        if name in ("Time", "Epoch") or name.endswith("Unit"):
            continue
        if _ZIGBEE_BRIDGE.fullmatch(name):
            for path, _, value in leaves(raw, name):
                findings.state(path, value)
            continue
        failed = name.startswith("MAX31") and parse_number(node(raw).get("Error")) not in (None, 0.0)
        for path, last, value in leaves(raw, _named(name, raw)):
            if last.lower() in _IDENTITIES or (last == "Error" and name.startswith("MAX31")):
                continue
            leaf = _measure(path)
            if failed:
                findings.doubt(path, None, Reason.DEVICE_FAILURE, unit=temperature if leaf in _TEMPERATURES else None)
                continue
            if path.startswith("DS18") and leaf == "Temperature" and parse_number(value) in faults:
                findings.doubt(path, value, Reason.SENTINEL, unit=temperature)
            elif leaf in _TEMPERATURES:
                findings.add(path, value, temperature, stated=True)
            elif leaf in _PRESSURES and isinstance(beside := _beside(raw, path, "PressureUnit") or pressure, str):
                findings.add(path, value, beside, stated=True)
            elif name == "ENERGY" or ".CTEnergy" in path:
                findings.add(path, value, _ENERGY_UNITS.get(leaf))
            else:
                findings.add(path, value, _UNITS.get(leaf) or _of_meter(leaf))


def _beside(raw: object, path: str, name: str) -> object:
    """A member beside the value at `path`: what a Zigbee device sends has its units with it."""
    inner = path.split(".")[1:-1]
    for step in inner:
        raw = node(raw).get(step)
    return node(raw).get(name)


def _of_meter(leaf: str) -> str | None:
    named = _METER.fullmatch(leaf)
    return None if named is None else _METER_UNITS[named.lastgroup or ""]


def _measure(path: str) -> str:
    """What is measured: `Power` of `ENERGY.Power.0`, `Temperature` of `ANALOG.Temperature1` too."""
    last = next((part for part in reversed(path.split(".")) if not part.isdigit()), path)
    return last.rstrip("0123456789") if last.startswith(("Temperature", "Humidity")) else last


def _named(name: str, raw: object) -> str:
    """`DS18B20-2` with an Id is the probe of that Id: another probe on the bus may change the number."""
    found = node(raw).get("Id")
    if not isinstance(found, str) or not found:
        return name
    ordinal = _ORDINAL.fullmatch(name)
    return f"{ordinal[1] if ordinal else name}.{found}"


def _device(topic: str) -> tuple[str | None, str]:
    """The device a topic names, whatever order its levels are in (FullTopic), and its last level."""
    levels = [level for level in topic.split("/") if level]
    rest = [level for level in levels[:-1] if level not in _PREFIXES]
    return "/".join(rest) or None, levels[-1] if levels else ""


def _claims(topic: str, payload: bytes) -> bool:
    levels = topic.split("/")
    last = levels[-1]
    known = last in _SENSORS or last in _STATES or last == "LWT" or _RELAY.fullmatch(last) or _ABOUT.fullmatch(last)
    if topic.startswith(_DISCOVERY) or "cmnd" in levels[:-1] or (known and not _PREFIXES.isdisjoint(levels[:-1])):
        return True
    if last == "LWT" and payload in (b"Online", b"Offline"):
        return True
    message = peek_object(payload)
    if "StatusSNS" in message or "StatusSTS" in message:
        return True
    return "Time" in message and (
        last == "SENSOR" or any(name in message for name in ("ENERGY", "TempUnit", "Wifi", "SML"))
    )


FORMAT = Format("tasmota", decode, _claims)

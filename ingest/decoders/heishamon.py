"""HeishaMon (Panasonic heat pumps), a bare value a topic: https://github.com/Egyras/HeishaMon/blob/master/MQTT-Topics.md."""

from __future__ import annotations

import re

from ingest.decoders.decoded import Decoded, Kind
from ingest.decoders.findings import PROBE_FAULTS, Findings, availability
from ingest.decoders.format import Format
from ingest.decoders.loose import shown, split_quantity, text
from ingest.reasons import Refused, RejectReason
from plant.quality import Reason

_ROOT = "panasonic_heat_pump"
_BRANCHES = frozenset({"main", "extra", "optional", "s0", "1wire", "opentherm"})
_WORDS = re.compile(r"Error_State|Heat_Pump_Model|.*_Model|.*_State_Text", re.IGNORECASE)
_UNITS = (
    (re.compile(r".*_Temp|.*_Temperature"), "Cel"),
    (re.compile(r".*_(Power_)?(Production|Consumption)(_Extra)?|Watt\.\d+"), "W"),
    (re.compile(r"Watthour(Total)?\.\d+"), "W.h"),
    (re.compile(r"Compressor_Freq"), "Hz"),
    (re.compile(r"Water_Pressure"), "bar"),
    (re.compile(r"(High|Low)_Pressure"), "kgf/cm2"),
    (re.compile(r"Pump_Flow"), "L/min"),
    (re.compile(r".*_Current"), "A"),
    (re.compile(r".*_Hours"), "h"),
    (re.compile(r".*_Delta"), "K"),
)

_ABSENT = (
    (re.compile(r".*_Temp"), frozenset({-78.0, -128.0})),
    (re.compile(r".*_(Power|Energy)_(Production|Consumption)"), frozenset({-200.0})),
)
"""What the heat pump says of a probe that is not connected, and what its frame says where a byte is 0: the temperature
is the byte less 128, the power (byte - 1) x 200 W (HeishaMon's ProtocolByteDecrypt)."""


def decode(topic: str, payload: bytes) -> Decoded:
    """The name is in the topic alone: below `main` it is the key (`DHW_Temp`), below others it is the path
    (`s0.Watt.1`). Words (`Error_State`) are status, never a value; raises Refused for a word where a number belongs.
    """
    levels = [level for level in topic.split("/") if level]
    at = next((number for number, level in enumerate(levels) if level in _BRANCHES), max(len(levels) - 1, 0))
    device, names = "/".join(levels[:at]) or None, levels[at:]
    if names == ["LWT"]:
        return availability(payload, device)
    if not names or names[0] not in _BRANCHES:
        return Decoded(kind=Kind.STATUS, device=device)
    branch, key = names[0], ".".join(names[1:] if names[0] == "main" else names)
    if not names[1:] or _WORDS.fullmatch(names[-1]):
        return Decoded(kind=Kind.STATUS, device=device)
    found = split_quantity(text(payload))
    if found is None:
        raise Refused(RejectReason.NOT_A_VALUE, f"{shown(text(payload))} is no value; expected a number or ON/OFF")
    measure = ".".join(names[1:])
    unit = "Cel" if branch == "1wire" else next((unit for form, unit in _UNITS if form.fullmatch(measure)), None)
    findings = Findings()
    faults = PROBE_FAULTS if branch == "1wire" else _faults(measure)
    if found[0] in faults:
        findings.doubt(key, found[0], Reason.SENTINEL, unit=unit)
    else:
        findings.add(key, found[0], found[1] or unit, stated=found[1] is not None)
    return findings.decoded(device, partial=True)


def _faults(measure: str) -> frozenset[float]:
    return next((values for form, values in _ABSENT if form.fullmatch(measure)), frozenset())


def _claims(topic: str, _payload: bytes) -> bool:
    levels = topic.split("/")
    named = any("heishamon" in level.lower() for level in levels[:-2])
    return levels[0] == _ROOT or (named and levels[-2] in _BRANCHES)


FORMAT = Format("heishamon", decode, _claims)

"""EMS-ESP (boilers and thermostats of the EMS bus): https://emsesp.org/MQTT."""

from __future__ import annotations

import re

from ingest.decoders.decoded import Decoded, Kind
from ingest.decoders.findings import (
    PROBE_FAULTS,
    Findings,
    availability,
    first_moment,
    json_object,
    leaves,
    node,
    without_reading,
)
from ingest.decoders.format import Format
from ingest.decoders.loose import parse_number, text
from plant.quality import Reason

_DATA = re.compile(r"(boiler|thermostat|mixer|solar|heatpump|switch|controller|water|ventilation|pool|extension"
                   r"|(temperature|dallas|analog|shower)_?(sensor)?)_data(_\w+)?")  # fmt: skip
_UNITS = ("unit", "uom")
"""An analogue sensor names its unit beside the value."""
_COMMAND = frozenset({"cmd", "entity"})
"""Members of what is said to the boiler, on the same topics: `{"cmd": "seltemp", "data": 60}`."""


def decode(topic: str, payload: bytes) -> Decoded:
    """Numbers and on/off by path; a probe that has an id by it. `datetime`, the thermostat's clock, is the time: local,
    to the minute (a binding with `clock: arrival` does without). Raises Refused where the message is no JSON object.
    """
    levels = topic.split("/")
    device, last = "/".join(levels[:-1]) or None, levels[-1]
    if last == "status":
        return availability(payload, device, "status")
    if len(levels) > 2 and levels[-2] != "ems-esp" and payload.lstrip()[:1] != b"{":
        return _single(levels, payload)
    message = json_object(payload)
    if last in ("info", "heartbeat") or last.startswith("system") or not _COMMAND.isdisjoint(message):
        return Decoded(kind=Kind.STATUS, device=device)
    clock = {name: raw for name, raw in message.items() if any(sign.isdigit() for sign in str(raw))}
    findings = Findings(first_moment(clock, "datetime", "dateTime", "timestamp"))
    probes = last.startswith(("temperaturesensor", "dallassensor"))
    for name, raw in message.items():
        named = node(raw).get("id")
        path = named if isinstance(named, str) and named else name
        if name.lower() in ("datetime", "timestamp"):
            continue
        unit = next((said for word in _UNITS if isinstance(said := node(raw).get(word), str) and said), None)
        for leaf, key, value in leaves(raw, path):
            if probes and key == "temp" and parse_number(value) in PROBE_FAULTS:
                findings.doubt(leaf, value, Reason.SENTINEL)
            elif key not in ("id", "name", *_UNITS):
                findings.add(leaf, value, unit if key == "value" else None, stated=True)
    return findings.decoded(device, otherwise=without_reading(message))


def _single(levels: list[str], payload: bytes) -> Decoded:
    """One value a topic (`ems-esp/boiler/curflowtemp`): the key is what stands behind the base, dotted."""
    base = levels.index("ems-esp") + 1 if "ems-esp" in levels else 1
    findings = Findings()
    findings.add(".".join(levels[base:]), text(payload))
    return findings.decoded("/".join(levels[:base]), partial=True)


def _claims(topic: str, _payload: bytes) -> bool:
    levels = topic.split("/")
    return "ems-esp" in levels[:-1] or _DATA.fullmatch(levels[-1]) is not None


FORMAT = Format("ems_esp", decode, _claims)

"""Shelly Gen2 and later, and by topic Gen1: https://shelly-api-docs.shelly.cloud."""

from __future__ import annotations

import re
from functools import lru_cache

from ingest.decoders import shelly1
from ingest.decoders.decoded import Decoded, Envelope, Kind
from ingest.decoders.findings import (
    Findings,
    Node,
    availability,
    first_moment,
    json_object,
    later,
    leaves,
    node,
    nodes,
    peek_object,
    seconds,
)  # fmt: skip
from ingest.decoders.format import Format
from ingest.decoders.loose import shown
from ingest.decoders.moments import Moment, parse_moment
from ingest.reasons import Refused, RejectReason
from plant.quality import Quality, Reason

_COMPONENT = re.compile(r"[a-z][a-z0-9_]*:\d+", re.ASCII)
_RELAYS = frozenset({"switch", "light", "rgb", "rgbw", "cct", "cover", "script", "boolean"})
_ASIDE = frozenset({"id", "minute_ts", "by_minute", "timer_started_at", "timer_duration", "move_started_at"})
_ASIDE |= {"move_timeout", "last_known_pos", "packet_id", "xby_minute"}
_STATES = frozenset({"output", "present", "rssi", "paired", "mute"})
_NOT_MEASURED = frozenset({"power_meter_failure", "read", "ct_type_not_set", "cable_unplugged"})
"""Faults with which a component's values, an alarm too, say nothing."""
_SYSTEM = frozenset({"sys", "wifi", "cloud", "mqtt", "ble", "eth", "ws", "matter", "bthome", "knx", "ui"})
_TELLING = (
    ("a_act_power", "em"), ("a_total_act_energy", "emdata"), ("total_act_energy", "em1data"), ("act_power", "em1"),
    ("brightness", "light"), ("output", "switch"), ("current_pos", "cover"), ("apower", "pm1"), ("tC", "temperature"),
    ("rh", "humidity"), ("xvoltage", "voltmeter"),
)  # fmt: skip
_UNITS = (
    (re.compile(r"(.+_)?voltage|xvoltage|V"), "V"),
    (re.compile(r"(.+_)?current"), "A"),
    (re.compile(r"(.+_)?act_power|apower"), "W"),
    (re.compile(r"(.+_)?aprt_?power"), "V.A"),
    (re.compile(r"(.+_)?pf"), "1"),
    (re.compile(r"(.+_)?freq"), "Hz"),
    (re.compile(r"(.+_)?act(_ret)?_energy|total_act(_ret)?"), "W.h"),
    (re.compile(r"tC|(current|target)_C"), "Cel"),
    (re.compile(r"tF|(current|target)_F"), "degF"),
    (re.compile(r"rh|percent|battery"), "%"),
)


def decode(topic: str, payload: bytes) -> Decoded:
    """Readings by component and field (`em:0.a_voltage`), the same in every envelope: `status/<component>`,
    `events/rpc` (NotifyStatus, NotifyFullStatus), `events`, answers on `rpc`. A probe's °F beside its °C is left out;
    relays, network and system are states. Raises Refused where the message cannot be understood.
    """
    levels = topic.split("/")
    if levels[0] == "shellies" and not _is_later_generations(levels):
        return shelly1.decode(levels[1:], payload)
    if levels[-1] in ("online", "LWT"):
        return availability(payload, "/".join(levels[:-1]))
    if "debug" in levels[1:] or "command" in levels[1:]:
        return Decoded(kind=Kind.STATUS, device=levels[0])
    message = json_object(payload)
    if len(levels) > 2 and levels[-2] == "status":
        return _components({levels[-1]: message}, Findings(), "/".join(levels[:-2]), Envelope.STATUS)
    if levels[-1] == "status" and "status" not in message:
        return _components(message, Findings(), "/".join(levels[:-1]), Envelope.STATUS)
    return _enveloped(levels, message)


def _is_later_generations(levels: list[str]) -> bool:
    """A device of a later generation may have been given a Gen1 device's topics to live under."""
    component = _COMPONENT.fullmatch(levels[-1]) is not None
    return levels[-2:] == ["events", "rpc"] or (levels[-2:-1] == ["status"] and component)


def _enveloped(levels: list[str], message: Node) -> Decoded:
    """What carries the components inside: a notification, a device's event, or the answer to a call."""
    device = "/".join(levels[:-2] if levels[-2:] == ["events", "rpc"] else levels[:-1]) or None
    if "method" in message:
        params = node(message.get("params"))
        if message["method"] == "NotifyEvent":
            return _events(nodes(params.get("events")), device)
        if message["method"] not in ("NotifyStatus", "NotifyFullStatus"):
            return Decoded(kind=Kind.STATUS, device=device)
        return _components(params, Findings(parse_moment(params.get("ts"))), device, Envelope.NOTIFICATION)
    if isinstance(message.get("status"), dict):
        found = Findings(parse_moment(message.get("ts")))
        return _components(node(message["status"]), found, device, Envelope.EVENT)
    source = message.get("src")
    device = source if isinstance(source, str) else device
    answer = node(message["result"]) if "result" in message else message
    if isinstance(answer.get("data"), list):
        return _history(answer, device)
    single = _component_of(answer)
    if "result" in message and single is not None:
        return _components({single: answer}, Findings(), device, Envelope.NOTIFICATION)
    if "result" in message or any(_COMPONENT.fullmatch(name) for name in answer):
        return _components(answer, Findings(first_moment(answer, "ts")), device, Envelope.NOTIFICATION)
    if "error" in message:
        return Decoded(kind=Kind.STATUS, device=device)
    raise Refused(RejectReason.NOT_A_FRAME, f"the message is {shown(message)}; expected components such as em:0")


def _component_of(answer: Node) -> str | None:
    """Which component an answer to `<Component>.GetStatus` is of, which does not say it: by what only such have."""
    number = answer.get("id")
    if not isinstance(number, int) or isinstance(number, bool):
        return None
    kind = next((kind for field, kind in _TELLING if field in answer), None)
    return None if kind is None else f"{kind}:{number}"


def _components(parts: Node, findings: Findings, device: str | None, envelope: Envelope) -> Decoded:
    for name, raw in parts.items():
        if _COMPONENT.fullmatch(name):
            _component(name, node(raw), findings)
        elif name != "ts":
            for path, _, value in leaves(raw, name):
                findings.state(path, value)
    return findings.decoded(device, envelope=envelope, partial=True)


def _component(name: str, part: Node, findings: Findings) -> None:
    kind = name.split(":")[0]
    broken, beyond = _faults(part)
    empty, celsius = _is_empty_battery(part), _probes(name, part)
    for path, last, value in leaves({key: raw for key, raw in part.items() if not key.endswith("errors")}, name):
        if _ASIDE.intersection(path.split(".")[1:]) or last.endswith("_ts"):
            continue
        if last.endswith("F") and f"{path[:-1]}C" in celsius:
            continue
        unit = "W.h" if last == "total" and "aenergy." in path else unit_of(last)
        if last in _STATES or (kind in _RELAYS and last in ("state", "brightness", "value")):
            findings.state(path, value)
        elif isinstance(value, str) and unit is None:
            continue
        elif any(last.startswith(scope) for scope in broken):
            findings.doubt(path, value, Reason.DEVICE_FAILURE, unit=unit)
        elif last in beyond or ("" in beyond and unit is not None):
            findings.doubt(path, value, Reason.OUT_OF_SPECIFICATION, Quality.UNCERTAIN, unit=unit)
        elif empty and ".battery." in path:
            findings.doubt(path, value, Reason.SENTINEL, unit=unit)
        else:
            findings.add(path, value, unit)


def _faults(part: Node) -> tuple[frozenset[str], frozenset[str]]:
    """From `errors`, and of one phase `a_errors`: beginnings of the fields that are not measured, and fields beyond
    their range (`""`: all that is measured). Those of a phase are named with it (`out_of_range:a_current`) or without.
    """
    broken: set[str] = set()
    beyond: set[str] = set()
    for name, raw in part.items():
        if not name.endswith("errors") or not isinstance(raw, list):
            continue
        scope = name.removesuffix("errors")
        for word in raw:
            fault, _, field = str(word).partition(":")
            if fault in _NOT_MEASURED:
                broken.add(scope)
            elif fault == "out_of_range" and not field:
                beyond.add("")
            elif fault == "out_of_range":
                known = field.replace("active_power", "act_power").replace("apparent_power", "aprt_power")
                beyond.add(known if known.startswith(scope) else scope + known)
    return frozenset(broken), frozenset(beyond)


def _probes(name: str, part: Node) -> frozenset[str]:
    """Paths of temperatures in °C: what is there in °F too is the same reading once more."""
    return frozenset(path for path, last, _ in leaves(part, name) if last == "tC" or last.endswith("_C"))


def _is_empty_battery(part: Node) -> bool:
    """On external power without a battery in it a device reports 0 %: that is no low battery."""
    return node(part.get("external")).get("present") is True and node(part.get("battery")).get("percent") == 0


@lru_cache(maxsize=1024)
def unit_of(field: str) -> str | None:
    """The unit the documentation gives a field, None where it gives none that we know."""
    return next((unit for pattern, unit in _UNITS if pattern.fullmatch(field)), None)


def _history(answer: Node, device: str | None) -> Decoded:
    """EMData.GetData, EM1Data.GetData: records of `period` s from `ts`, as objects or as rows under `keys`."""
    findings = Findings()
    keys = answer.get("keys")
    names = [str(key) for key in keys] if isinstance(keys, list) else []
    for block in nodes(answer.get("data")):
        start, period = parse_moment(block.get("ts")), seconds(block.get("period"))
        rows = block.get("values")
        unnamed = not names and isinstance(rows, list) and any(isinstance(row, list) for row in rows)
        if start is None or period is None or not isinstance(rows, list) or unnamed:
            detail = f"a block is {shown(block)}; expected ts, period in s and values, of rows also their keys"
            findings.refuse(RejectReason.NOT_A_FRAME, detail)
            continue
        for number, row in enumerate(rows):
            record = dict(zip(names, row, strict=False)) if isinstance(row, list) else node(row)
            _record(record, later(start, number * period), findings)
    return findings.decoded(device, otherwise=Kind.EMPTY)


def _events(events: list[Node], device: str | None) -> Decoded:
    """The records that an `emdata` hands out as an event; buttons and the like are status."""
    records = [node(event.get("data")) for event in events if event.get("event") == "data"]
    blocks = [block for block in records if isinstance(block.get("values"), list)]
    keyed = next((block["keys"] for block in blocks if "keys" in block), None)
    return _history({"data": blocks, "keys": keyed}, device) if blocks else Decoded(kind=Kind.STATUS, device=device)


def _record(record: Node, at: Moment, findings: Findings) -> None:
    three = any(key.startswith("a_") for key in record)
    for key, value in record.items():
        findings.add_at(f"{'emdata' if three else 'em1data'}:0.{key}", value, at, unit_of(key))


def _claims(topic: str, payload: bytes) -> bool:
    levels = topic.split("/")
    if levels[0] == "shellies":
        return True
    if len(levels) > 2 and levels[-2] == "status" and (_COMPONENT.fullmatch(levels[-1]) or levels[-1] in _SYSTEM):
        return True
    if levels[-2:] == ["events", "rpc"] or levels[-1].endswith("Data.GetData"):
        return True
    if levels[-1] == "online" and payload.strip().lower() in (b"true", b"false"):
        return True
    told = levels[-1] in ("online", "events", "rpc", "status") or not {"command", "debug"}.isdisjoint(levels[1:])
    if told and any(level.startswith("shelly") for level in levels[:-1]):
        return True
    message = peek_object(payload)
    method = message.get("method")
    if isinstance(method, str) and method.startswith("Notify"):
        return True
    if levels[-1] == "rpc" and {"id", "src", "method"} <= message.keys():
        return True
    answer = "src" in message and "id" in message and not message.keys().isdisjoint({"result", "error"})
    return answer or any(map(_COMPONENT.fullmatch, message))


FORMAT = Format("shelly", decode, _claims)

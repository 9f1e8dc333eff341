"""Modbus gateways of Acrel's kind: flat JSON of a meter, time as yyyymmddHHMMSS, transformers' ratios beside."""

from __future__ import annotations

import re

from ingest.decoders.decoded import ONLINE, Decoded
from ingest.decoders.findings import Findings, Node, first_moment, json_object, leaves, node, nodes, peek_object
from ingest.decoders.format import Format
from ingest.decoders.loose import number_with_unit, parse_number, shown
from ingest.reasons import RejectReason
from plant.quality import Reason

ZONE = "Asia/Shanghai"
"""These gateways keep Chinese time; a binding may say otherwise."""

_METER = ("meterSN", "metersn", "meterSn", "meter_sn", "meterNo", "meterId", "deviceSN", "sn")
_TIMES = ("time", "Time", "ts", "timestamp", "datetime", "dataTime", "collectTime")
_LISTS = ("data", "meters", "devices", "list")
_ABSENT = frozenset({"missing", "offline", "lost", "timeout", "disconnected", "fault", "error", "abnormal", "离线"})
_PRESENT = frozenset({"normal", "online", "ok", "connected", "正常", "在线"})
_ASIDE = frozenset(
    {
        "type",
        "ch",
        "ct",
        "pt",
        "ctratio",
        "ptratio",
        "ct_ratio",
        "pt_ratio",
        "ctr",
        "ptr",
        "addr",
        "address",
        "port",
        "id",
        "seq",
        "msgid",
        "version",
    }
)
_NAMES, _VALUES = ("name", "tag", "key", "code", "id"), ("value", "val", "v")
_RATIOS = frozenset({"ct", "pt", "ctratio", "ptratio", "ct_ratio", "pt_ratio", "ctr", "ptr"})
_VOLTAGE = re.compile(r"(u|v|volt(age)?_?)(a|b|c|ab|bc|ca|ac|[123]|l[123]|avg|n)?", re.IGNORECASE)
_CURRENT = re.compile(r"(i|curr(ent)?_?)(a|b|c|[123]|l[123]|avg|n|0)?", re.IGNORECASE)
_POWER = re.compile(
    r"(p|q|s|active_?power|reactive_?power|apparent_?power)_?(a|b|c|[123]|l[123]|t|sum|total)?", re.IGNORECASE
)


def decode(_topic: str, payload: bytes) -> Decoded:
    """Registers by name (`ua`, `regs.0`), behind the serial number where one message holds several meters.

    Voltages are multiplied by `pt`, currents by `ct`, powers by both, so that they are the primary ones; energies stay
    as the meter counts them. `meterStatus` is the state `online`; a meter that is missing has no values. Raises Refused
    where the message cannot be understood.
    """
    message = json_object(payload)
    findings = Findings(first_moment(message, *_TIMES))
    lists = [name for name in _LISTS if isinstance(message.get(name), list)]
    meters = nodes(message.get(lists[0])) if lists else []
    if any(_serial(meter) for meter in meters):
        for meter in meters:
            _meter(meter, f"{_serial(meter) or '?'}.", findings)
        serials = dict.fromkeys(serial for meter in meters if (serial := _serial(meter)))
        return findings.decoded(_gateway(message), wall=ZONE, partial=True, devices=tuple(serials))
    _meter(message, "", findings)
    inner = next((message[name] for name in _LISTS if isinstance(message.get(name), dict)), None) or _by_name(meters)
    if inner:
        _meter({**{key: message[key] for key in message if key.lower() in _RATIOS}, **node(inner)}, "", findings)
    return findings.decoded(_serial(message) or _serial(node(inner)) or _gateway(message), wall=ZONE)


def _by_name(items: list[Node]) -> dict[str, object]:
    """Registers of a list that name themselves: `[{"name": "ua", "value": 220}]`; empty where they do not."""
    found: dict[str, object] = {}
    for item in items:
        name = next((item[word] for word in _NAMES if isinstance(item.get(word), str)), None)
        value = next((item[word] for word in _VALUES if word in item), None)
        if isinstance(name, str) and not isinstance(value, dict | list):
            found[name] = value
    return found


def _meter(meter: Node, prefix: str, findings: Findings) -> None:
    status = meter.get("meterStatus", meter.get("status"))
    word = str(status).lower()
    if word in _ABSENT:
        findings.state(f"{prefix}{ONLINE}", False)
        return
    if word in _PRESENT:
        findings.state(f"{prefix}{ONLINE}", True)
    ratios = _ratio(meter, "pt", findings), _ratio(meter, "ct", findings)
    for name, raw in meter.items():
        if name.lower() in _ASIDE or name in (*_METER, *_TIMES, "gwSN", "meterName", "meterStatus", "status"):
            continue
        if name in _LISTS and (isinstance(raw, dict) or _by_name(nodes(raw))):
            continue
        unit, factor = _measure(name, ratios)
        for path, _, value in leaves(raw, f"{prefix}{name}"):
            plain, said = number_with_unit(value) if isinstance(value, str) else (value, None)
            number = parse_number(plain)
            if number is None:
                continue
            if factor is None:
                findings.doubt(path, number, Reason.UNIT_OR_SCALE)
            else:
                findings.add(path, number * factor, said or unit, stated=said is not None)


def _ratio(meter: Node, name: str, findings: Findings) -> float | None:
    """The ratio of the transformers; 1 where none is said, None where what is said is no ratio."""
    raw = next(
        (meter[word] for word in (name, name.upper(), f"{name}Ratio", f"{name}_ratio", f"{name}r") if word in meter),
        None,
    )
    if raw is None:
        return 1.0
    number = parse_number(raw)
    if number is None or not 0 < number < 1e6:
        findings.refuse(RejectReason.NOT_A_VALUE, f"{name} is {shown(raw)}; expected the ratio of a transformer", name)
        return None
    return number


def _measure(name: str, ratios: tuple[float | None, float | None]) -> tuple[str | None, float | None]:
    """Unit and factor of a register; what a power is counted in differs from meter to meter."""
    pt, ct = ratios
    if _VOLTAGE.fullmatch(name):
        return "V", pt
    if _CURRENT.fullmatch(name):
        return "A", ct
    if _POWER.fullmatch(name):
        return None, None if pt is None or ct is None else pt * ct
    return None, 1.0


def _serial(meter: Node) -> str | None:
    return next((str(meter[name])[:64] for name in _METER if isinstance(meter.get(name), str | int)), None)


def _gateway(message: Node) -> str | None:
    named = message.get("gwSN", message.get("gwsn"))
    return str(named)[:64] if isinstance(named, str | int) else None


def _claims(_topic: str, payload: bytes) -> bool:
    message = peek_object(payload)
    inner = [one for name in _LISTS for one in nodes(message.get(name))]
    serials = {"meterSN", "metersn", "meterSn", "meter_sn"}
    return any(not one.keys().isdisjoint(serials) for one in (message, *inner)) or "gwSN" in message


FORMAT = Format("modbus_gateway", decode, _claims)

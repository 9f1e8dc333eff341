"""Modbus gateways of Acrel's kind: flat JSON of a meter, time as yyyymmddHHMMSS, transformers' ratios beside."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from ingest.decoders.decoded import ONLINE, Decoded, Kind
from ingest.decoders.findings import Findings, Node, first_moment, json_object, leaves, nodes, peek_object
from ingest.decoders.format import Format
from ingest.decoders.generic import trust_beside, unit_beside
from ingest.decoders.loose import number_with_unit, parse_number, shown
from ingest.decoders.moments import Moment
from ingest.reasons import Refused, RejectReason
from plant.quality import Reason

ZONE = "Asia/Shanghai"
"""These gateways keep Chinese time; a binding may say otherwise."""

_METER = ("meterSN", "metersn", "meterSn", "meter_sn", "meterNo", "meterId", "deviceSN", "sn", "dev")
_TIMES = ("time", "Time", "ts", "timestamp", "datetime", "dataTime", "collectTime")
_LISTS = ("data", "meters", "devices", "list", "devs")
_HOLDERS = (*_LISTS, "values", "params", "d")
_TALK = frozenset({"login", "logon", "logout", "register", "heartbeat", "heart", "keepalive", "ping", "alive", "hb"})
"""What a gateway says of itself, its SIM and its firmware."""
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
        "iccid",
        "imei",
        "imsi",
        "phone",
        "firmware",
        "slave",
        "slaveid",
    }
)
_NAMES, _VALUES = ("name", "tag", "key", "code", "id", "m"), ("value", "val", "v")
_RATIOS = frozenset({"ct", "pt", "ctratio", "ptratio", "ct_ratio", "pt_ratio", "ctr", "ptr"})
_NO_VALUE = frozenset({32767.0, 65535.0, 2147483647.0, 4294967295.0})
"""Registers full of ones: a voltage or a current a meter does not have. Told before the ratios hide them."""
_RATED = re.compile(r"(\d{1,7}(?:\.\d{1,4})?)\s*[AV]?\s*[/:]\s*(\d{1,4}(?:\.\d{1,4})?)\s*[AV]?", re.ASCII)
"""A transformer as its plate has it: `200/5`."""
_VOLTAGE = re.compile(r"(u|v|volt(age)?_?)(a|b|c|ab|bc|ca|ac|[123]|l[123]|avg|n)?", re.IGNORECASE)
_CURRENT = re.compile(r"(i|curr(ent)?_?)(a|b|c|[123]|l[123]|avg|n|0)?", re.IGNORECASE)
_POWER = re.compile(
    r"(p|q|s|active_?power|reactive_?power|apparent_?power)_?(a|b|c|[123]|l[123]|t|sum|total)?", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class _Register:
    """A register that names itself: its value, and all that stands beside it."""

    value: object
    owner: Node


def decode(_topic: str, payload: bytes) -> Decoded:
    """Registers by name (`ua`, `regs.0`), behind the serial number where one message holds several meters.

    Voltages are multiplied by `pt`, currents by `ct`, powers by both, so that they are the primary ones; energies stay
    as the meter counts them. `meterStatus` is the state `online`; a meter that is missing has no values. Raises Refused
    where the message cannot be understood.
    """
    message = json_object(payload)
    if str(message.get("type")).lower() in _TALK:
        return Decoded(kind=Kind.STATUS, device=_serial(message) or _gateway(message))
    lists = [name for name in _LISTS if isinstance(message.get(name), list)]
    meters = nodes(message.get(lists[0])) if lists else []
    if any(_serial(meter) for meter in meters):
        findings = Findings(first_moment(message, *_TIMES))
        for meter in meters:
            _meter_of_many(meter, findings)
        serials = dict.fromkeys(serial for meter in meters if (serial := _serial(meter)))
        return findings.decoded(_gateway(message), wall=ZONE, partial=True, devices=tuple(serials))
    flat = _flat(message)
    findings = Findings(first_moment(message, *_TIMES) or first_moment(flat, *_TIMES))
    _meter(flat, "", None, findings)
    return findings.decoded(_serial(flat) or _gateway(message), wall=ZONE)


def _meter_of_many(meter: Node, findings: Findings) -> None:
    """One element of a gateway's list, with a time of its own where it has one."""
    serial = _serial(meter) or "?"
    flat = _flat(meter)
    try:
        at = first_moment(flat, *_TIMES)
    except Refused as refused:
        findings.refuse(RejectReason.BAD_TIME, f"{serial}: {refused.rejected.detail}")
        return
    _meter(flat, f"{serial}.", at, findings)


def _flat(meter: Node) -> Node:
    """A meter's registers by name wherever it has put them: as members, in an object, in a list of named ones, or as
    the one register that is all it is.
    """
    # A meter that has a name and says `v` and `i` is no register of that name.
    measured = any(_measure(name, (1.0, 1.0))[0] for name in meter if name != "v") or {"v", "p"} <= meter.keys()
    alone = _by_name([meter]) if _serial(meter) and not measured else {}
    if alone:
        told = {name: raw for name, raw in meter.items() if name.lower() in _RATIOS or name in (*_TIMES, *_METER)}
        return told | alone
    flat: dict[str, object] = {}
    for name, raw in meter.items():
        inner = raw if isinstance(raw, dict) else _by_name(nodes(raw))
        flat |= inner if name in _HOLDERS and inner else {name: raw}
    return flat


def _by_name(items: list[Node]) -> dict[str, _Register]:
    """Registers of a list that name themselves: `[{"name": "ua", "value": 220}]`; empty where they do not."""
    found: dict[str, _Register] = {}
    for item in items:
        name = next((item[word] for word in _NAMES if isinstance(item.get(word), str)), None)
        value = next((item[word] for word in _VALUES if word in item), None)
        if isinstance(name, str) and any(word in item for word in _VALUES) and not isinstance(value, dict | list):
            found[name] = _Register(value, item)
    return found


def _meter(meter: Node, prefix: str, at: Moment | None, findings: Findings) -> None:
    word = str(meter.get("meterStatus", meter.get("status"))).lower()
    if word in _ABSENT:
        findings.state(f"{prefix}{ONLINE}", False)
        return
    if word in _PRESENT:
        findings.state(f"{prefix}{ONLINE}", True)
    ratios = _ratio(meter, "pt", findings), _ratio(meter, "ct", findings)
    for name, raw in meter.items():
        aside = name.lower() in _ASIDE and not _is_total(name, meter)
        if aside or name in (*_METER, *_TIMES, "gwSN", "meterName", "meterStatus", "status"):
            continue
        _register(f"{prefix}{name}", raw, _measure(name, ratios), at, findings)


def _register(
    name: str, raw: object, measure: tuple[str | None, float | None], at: Moment | None, findings: Findings
) -> None:
    """Add what is below one name; a register's own unit and its word about itself count."""
    unit, factor = measure
    beside = raw.owner if isinstance(raw, _Register) else {}
    trust = trust_beside(beside)
    for path, _, value in leaves(raw.value if isinstance(raw, _Register) else raw, name):
        plain, said = number_with_unit(value) if isinstance(value, str) else (value, None)
        said = said or unit_beside(beside)
        number = parse_number(plain)
        if trust is not None:
            findings.doubt(path, number, trust[1], trust[0], unit=said or unit, at=at)
        elif number is None:
            continue
        elif number in _NO_VALUE and unit is not None:
            findings.doubt(path, number, Reason.SENTINEL, unit=unit, at=at)
        elif factor is None:
            findings.doubt(path, number, Reason.UNIT_OR_SCALE, at=at)
        else:
            findings.add_at(path, number * factor, at, said or unit, stated=said is not None)


def _is_total(name: str, meter: Node) -> bool:
    """`Pt` is the total power where the powers stand beside it, else it is a ratio written so."""
    return name == "Pt" and ("Pa" in meter or "Qt" in meter)


def _ratio(meter: Node, name: str, findings: Findings) -> float | None:
    """The ratio of the transformers; 1 where none is said, None where what is said is no ratio."""
    folded = {word.lower(): raw for word, raw in meter.items() if not _is_total(word, meter)}
    raw = next((folded[word] for word in (name, f"{name}ratio", f"{name}_ratio", f"{name}r") if word in folded), None)
    if raw is None:
        return 1.0
    rated = _RATED.fullmatch(raw.strip()) if isinstance(raw, str) else None
    number = parse_number(raw) if rated is None else float(rated[1]) / (float(rated[2]) or math.nan)
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
    if any(not one.keys().isdisjoint(serials) for one in (message, *inner)) or "gwSN" in message:
        return True
    # Others have only a serial number: then a ratio beside a voltage or a current tells a meter.
    measures = any(_VOLTAGE.fullmatch(name) or _CURRENT.fullmatch(name) for name in message)
    metered = _serial(message) is not None and measures and not _RATIOS.isdisjoint(name.lower() for name in message)
    return metered or any({"dev", "d"} <= one.keys() for one in nodes(message.get("devs")))


FORMAT = Format("modbus_gateway", decode, _claims)

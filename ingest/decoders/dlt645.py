"""DL/T 645 meters behind a gateway: JSON of data identifiers (`02010100`) with the digits of the meter's BCD.

DL/T 645-2007 annex A gives each identifier's form (XXX.X V) and unit; B6xx and 90xx of the 1997 edition are read too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from ingest.decoders.decoded import Decoded, Kind
from ingest.decoders.findings import Findings, Node, json_object, node, nodes, peek_object
from ingest.decoders.format import Format
from ingest.decoders.generic import message_time, trust_beside, unit_beside
from ingest.decoders.loose import number_with_unit, parse_number, shown
from ingest.decoders.moments import Moment
from ingest.reasons import Refused, RejectReason
from plant.quality import Reason

ZONE = "Asia/Shanghai"
"""Meters of this standard keep Chinese time; a binding may say otherwise."""

_ADDRESS = (
    "addr",
    "address",
    "meterAddr",
    "meter_addr",
    "meterAddress",
    "meterNo",
    "meter",
    "meterSN",
    "deviceId",
    "id",
    "sn",
)
_METER = tuple(name for name in _ADDRESS if name not in ("id", "meter"))
"""What names the meter of one element of a list; `id` may only number it there."""
_HOLDERS = ("data", "values", "items", "list", "params", "points", "meters", "regs")
_NAMES = ("di", "DI", "dataId", "data_id", "dataIdentifier", "code", "identifier", "key", "id", "name")
_VALUES = ("value", "val", "data", "v", "dataValue", "data_value")
_IDENTIFIER = re.compile(
    r"(?:0x)?([0-9A-F]{2})[ .:-]?([0-9A-F]{2})[ .:-]?([0-9A-F]{2})[ .:-]?([0-9A-F]{2})", re.IGNORECASE
)
_METER_ADDRESS = re.compile(r"\d{12}", re.ASCII)
_OLD_IDENTIFIER = re.compile(r"(?:0x)?([9B][0-9A-F]{3})", re.IGNORECASE)
_MOST_TARIFFS, _MOST_PERIODS, _MOST_KINDS, _MOST_HARMONICS, _ALL = 63, 12, 10, 21, 0xFF
"""What parts of an identifier go up to: tariffs or phases, settlement periods, kinds of energy; FF is all of them."""

_INVALID = re.compile(r"[Ff]+|[Ee]+")


@dataclass(frozen=True, slots=True)
class _Form:
    """Digits of a value, how many of them are behind the point, its unit, and whether the first bit is its sign."""

    digits: int
    decimals: int
    unit: str | None
    signed: bool = False


@dataclass(frozen=True, slots=True)
class _Place:
    """What goes before the identifier (the meter, where there are several); the unit and time that stand beside."""

    prefix: str
    unit: str | None
    at: Moment | None


_VARIABLES: dict[str, _Form] = {
    "0201": _Form(4, 1, "V"),
    "0202": _Form(6, 3, "A", signed=True),
    "0203": _Form(6, 4, "kW", signed=True),
    "0204": _Form(6, 4, "kvar", signed=True),
    "0205": _Form(6, 4, "kV.A", signed=True),
    "0206": _Form(4, 3, "1", signed=True),
    "0207": _Form(4, 1, None),
    "0208": _Form(4, 2, "%"),
    "0209": _Form(4, 2, "%"),
    "020A": _Form(4, 2, "%"),
    "020B": _Form(4, 2, "%"),
}
_SPECIALS: dict[str, _Form] = {
    "02800001": _Form(6, 3, "A", signed=True),
    "02800002": _Form(4, 2, "Hz"),
    "02800003": _Form(6, 4, "kW"),
    "02800004": _Form(6, 4, "kW"),
    "02800005": _Form(6, 4, "kvar"),
    "02800006": _Form(6, 4, "kV.A"),
    "02800007": _Form(4, 1, "Cel", signed=True),
    "02800008": _Form(4, 2, "V"),
    "02800009": _Form(4, 2, "V"),
    "0280000A": _Form(8, 0, "min"),
}
_OLD: dict[str, _Form] = {
    "B61": _Form(4, 0, "V"),
    "B62": _Form(4, 2, "A"),
    "B63": _Form(6, 4, "kW"),
    "B64": _Form(4, 2, "kvar"),
    "B65": _Form(4, 3, "1"),
}


def decode(_topic: str, payload: bytes) -> Decoded:
    """Values by data identifier, eight capital hex digits; a block (`0201FF00`) becomes its members.

    Text of digits alone is the meter's BCD and is scaled by the standard; text with a point, and numbers, are scaled
    already. FF… is the meter's word for no value: a bad reading. The device is the meter's address. Raises Refused
    where the message cannot be understood.
    """
    message = json_object(payload)
    findings = Findings(message_time(message))
    meters = _by_address(message) or [
        (one, name) for holder in _HOLDERS for one in nodes(message.get(holder)) if (name := _address(one, _METER))
    ]
    if meters:
        found = [_values(meter, f"{name}.", findings) for meter, name in meters]
    else:
        found = [_values(message, "", findings)]
    if not any(found):
        findings.refuse(RejectReason.NOT_A_FRAME, f"no data identifier in {shown(message)}; expected such as 02010100")
    if meters:
        devices = tuple(dict.fromkeys(name for _, name in meters))
        return findings.decoded(_address(message), otherwise=Kind.EMPTY, wall=ZONE, partial=True, devices=devices)
    inner = next((node(message[name]) for name in _HOLDERS if isinstance(message.get(name), dict)), message)
    return findings.decoded(_address(message) or _address(inner), otherwise=Kind.EMPTY, wall=ZONE)


def _by_address(message: Node) -> list[tuple[Node, str]]:
    """Meters that are members under their address: `{"000000000001": {"02010100": …}}`."""
    holders = [message, *(node(message.get(name)) for name in _HOLDERS)]
    return [
        (node(child), name.strip())
        for holder in holders
        for name, child in holder.items()
        if _METER_ADDRESS.fullmatch(name.strip()) and next(_pairs(child), None) is not None
    ]


def _values(raw: Node, prefix: str, findings: Findings) -> bool:
    """Add all there is of one meter, with its own time where several have one; whether there was anything."""
    found = False
    for identifier, value, owner in _pairs(raw):
        found = True
        trust = trust_beside(owner)
        try:
            own = message_time(owner) or (message_time(raw) if prefix else None)
        except Refused as refused:
            findings.refuse(RejectReason.BAD_TIME, f"{prefix}{identifier}: {refused.rejected.detail}", identifier)
            continue
        if trust is None:
            _value(identifier, value, findings, _Place(prefix, unit_beside(owner), own))
        else:
            findings.doubt(f"{prefix}{identifier}", value, trust[1], trust[0], at=own)
    return found


def _pairs(raw: object, depth: int = 4) -> Iterator[tuple[str, object, Node]]:
    """(identifier, value, the object about it) wherever they are: as members, or as objects that name both."""
    if isinstance(raw, list):
        for item in raw:
            yield from _pairs(item, depth - 1) if depth else ()
    if not isinstance(raw, dict):
        return
    named = next((known for word in _NAMES if (known := _identifier(raw.get(word)))), None)
    valued = [word for word in _VALUES if word in raw]
    if named is not None and valued:
        yield named, raw[valued[0]], raw
        return
    for key, child in raw.items():
        identifier = _identifier(key)
        if identifier is not None:
            yield identifier, child, node(child)
        elif depth and isinstance(child, dict | list):
            yield from _pairs(child, depth - 1)


def _identifier(word: object) -> str | None:
    """A data identifier in any spelling as the standard writes it; None for what is none we know."""
    if not isinstance(word, str):
        return None
    found = _IDENTIFIER.fullmatch(word.strip())
    name = "".join(found.groups()).upper() if found else ""
    if not found:
        old = _OLD_IDENTIFIER.fullmatch(word.strip())
        name = old[1].upper() if old else ""
    return name if name and _form(name) is not None else None


def _form(identifier: str) -> _Form | None:
    if len(identifier) == 4:
        old = {"90": "kW.h", "91": "kvar.h"}.get(identifier[:2])
        return _Form(8, 2, old) if old else _OLD.get(identifier[:3])
    if identifier in _SPECIALS:
        return _SPECIALS[identifier]
    kind, third, fourth = (int(identifier[at : at + 2], 16) for at in (2, 4, 6))
    most = _MOST_HARMONICS if identifier[:4] in ("020A", "020B") else _MOST_PERIODS
    if (third > _MOST_TARIFFS and third != _ALL) or (fourth > most and fourth != _ALL):
        return None
    if identifier[:2] in ("00", "01"):
        # Phases A, B and C have the ten kinds of energy again, from 15, 29 and 3D on.
        kind = next((kind - base for base in (0x14, 0x28, 0x3C) if 0 < kind - base <= _MOST_KINDS), kind)
        if kind > _MOST_KINDS:
            return None
    if identifier[:2] == "00":
        unit = "kW.h" if kind in (0, 1, 2) else "kvar.h" if kind <= 8 else None
        return _Form(8, 2, unit, signed=kind in (0, 3, 4))
    if identifier[:2] == "01":
        return _Form(6, 4, "kW" if kind in (1, 2) else "kvar")
    return _VARIABLES.get(identifier[:4])


def _value(identifier: str, raw: object, findings: Findings, place: _Place) -> None:
    form = _form(identifier)
    if form is None or raw is None or (isinstance(raw, str) and not raw.strip()):
        return
    members = list(_members(identifier, raw, form))
    for name, part in members:
        _single(name, part, form, findings, place)
    if not members:
        detail = f"{identifier} is {shown(raw)}; expected {form.digits} digits of BCD, or a number"
        findings.refuse(RejectReason.NOT_A_VALUE, detail, identifier)


def _members(identifier: str, raw: object, form: _Form) -> Iterator[tuple[str, object]]:
    """A block's values, in a list or digit after digit, under their own identifiers; a single value as it is."""
    parts: list[object] | None = None
    if isinstance(raw, list):
        parts = raw
    elif isinstance(raw, dict):
        yield from ((identifier, raw[word]) for word in _VALUES if word in raw)
        return
    elif "FF" in (identifier[4:6], identifier[6:8]) and isinstance(raw, str) and raw.strip().isalnum():
        digits = raw.strip()
        if len(digits) % form.digits == 0:
            parts = [digits[at : at + form.digits] for at in range(0, len(digits), form.digits)]
    if parts is None:
        if isinstance(raw, str | int | float):
            yield identifier, raw
        return
    # Energies count tariffs in the third byte from 00 (total); variables count phases in it from 01.
    first = 0 if identifier[:2] in ("00", "01") or identifier[:4] in ("0203", "0204", "0205", "0206") else 1
    for number, part in enumerate(parts, first):
        whole = len(identifier) == 8 and identifier[4:6] == "FF" and number < 0xFF
        yield f"{identifier[:4]}{number:02X}{identifier[6:]}" if whole else f"{identifier}.{number}", part


def _single(identifier: str, said: object, form: _Form, findings: Findings, place: _Place) -> None:
    raw, name = said, f"{place.prefix}{identifier}"
    if raw is None:
        return
    if isinstance(raw, str):
        word = raw.strip()
        if _INVALID.fullmatch(word) and len(word) >= 2:
            findings.doubt(name, None, Reason.SENTINEL, at=place.at)
            return
        if word.isascii() and word.isdigit():
            raw = _scaled(word, form)
    said_unit = place.unit
    if isinstance(raw, str):
        raw, written = number_with_unit(raw)
        said_unit = written or said_unit
    number = parse_number(raw)
    if number is None:
        detail = f"{name} is {shown(said)}; expected {form.digits} digits of BCD, or a number"
        findings.refuse(RejectReason.NOT_A_VALUE, detail, name)
        return
    findings.add_at(name, number, place.at, said_unit or form.unit, stated=said_unit is not None)


def _scaled(digits: str, form: _Form) -> float | None:
    """BCD as the meter holds it; of signed values the highest bit is the sign. None where there are too many digits."""
    if len(digits) > form.digits:
        return None
    full = digits.rjust(form.digits, "0")
    negative = form.signed and full[0] in "89"
    whole = int(f"{int(full[0]) - 8}{full[1:]}" if negative else full)
    return (-whole if negative else whole) / 10.0**form.decimals


def _address(message: Node, names: tuple[str, ...] = _ADDRESS) -> str | None:
    for name in names:
        raw = message.get(name)
        if isinstance(raw, str | int) and not isinstance(raw, bool) and _identifier(raw) is None:
            return str(raw)[:64]
    return None


def _claims(_topic: str, payload: bytes) -> bool:
    return next(iter(_pairs(peek_object(payload))), None) is not None


FORMAT = Format("dlt645", decode, _claims)

"""SenML in JSON: https://www.rfc-editor.org/rfc/rfc8428, and the units of https://www.rfc-editor.org/rfc/rfc8798."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from ingest.decoders.decoded import Decoded, Kind, Sample
from ingest.decoders.findings import Node, nodes, peek
from ingest.decoders.format import Format
from ingest.decoders.loose import MAX_TS, parse_json, shown, text
from ingest.decoders.moments import UNSET
from ingest.reasons import Refused, Rejected, RejectReason

_BASE = frozenset({"bn", "bt", "bu", "bv", "bs", "bver"})
_VALUES = ("v", "vb", "vs", "vd", "s")
_LABELS = _BASE | {"n", "u", "t", "ut", *_VALUES}
_VERSIONS = (*range(1, 11), 26)
"""5 and below are drafts of what became 10; 26 is 10 with secondary units."""

_RELATIVE_S = 2**28
"""A time below counts from now, which is when the message is made, not when it comes."""

_UNITS: Mapping[str, str] = {"%RH": "%", "%EL": "%", "/": "1", "kVAh": "kV.A.h", "NTU": "1"}
_ENDS = ":/.-_"
"""What stands between the base name, which is the device's, and the name."""

_LONGEST_NAME = 256


def decode(_topic: str, payload: bytes) -> Decoded:
    """Records with their base fields resolved. The device is the base name, the key the record's own name; where a
    pack has several base names each key begins with its device and a dot, and without a base name it is the name.

    A sum (`s`) has the key `<name>.sum` and no unit. Text and data are no readings. Raises Refused where the message
    is no pack, or says that it takes more than RFC 8428 to understand it.
    """
    records = parse_json(text(payload))
    if not isinstance(records, list) or len(nodes(records)) != len(records):
        raise Refused(RejectReason.NOT_A_FRAME, f"the message is {shown(records)}; expected a list of SenML records")
    base, pack = _Base(), _Pack()
    for record in nodes(records):
        base.take(record)
        pack.add(base, record)
    return pack.decoded()


@dataclass(slots=True)
class _Base:
    """The base fields in force: each holds from its record on until another replaces it."""

    name: str = ""
    unit: str | None = None
    time: float = 0.0
    value: float = 0.0
    sum: float = 0.0

    def take(self, record: Node) -> None:
        """Raises Refused (not_a_frame) for a base field that is none: all records after it would be wrong."""
        strange = next((label for label in record if label.endswith("_")), None)
        version = record.get("bver", 10)
        if strange is not None or version not in _VERSIONS:
            what = (
                f"bver {shown(version)}" if strange is None else f"the label {strange[:60]!r}, which must be understood"
            )
            raise Refused(RejectReason.NOT_A_FRAME, f"the pack has {what}; expected SenML of RFC 8428, version 10")
        self.name = _word(record, "bn", self.name)
        self.unit = _word(record, "bu", self.unit or "") or None
        self.time = _base_number(record, "bt", self.time)
        self.value = _base_number(record, "bv", self.value)
        self.sum = _base_number(record, "bs", self.sum)


@dataclass(slots=True)
class _Pack:
    """What the records of one message say, by device."""

    found: list[tuple[str, str, Sample]] = field(default_factory=list)
    rejected: list[tuple[str, str, Rejected]] = field(default_factory=list)

    def add(self, base: _Base, record: Node) -> None:
        """Raises Refused as `_word`."""
        name, device = _word(record, "n", ""), base.name.rstrip(_ENDS)
        key = name or base.name
        raw, total = record.get("v", record.get("vb")), record.get("s")
        if raw is None and total is None:
            return
        if not key:
            self._refuse("", "", RejectReason.NOT_A_FRAME, "a record has neither a name nor a base name")
            return
        try:
            ts = _time(base.time, record.get("t", 0))
        except Refused as refused:
            self._refuse(device, key, refused.rejected.reason, f"{key}: {refused.rejected.detail}")
            return
        unit = _word(record, "u", base.unit or "") or None
        self._value(
            device, key, raw, base.value, Sample(key, 0.0, ts, None if unit is None else _UNITS.get(unit, unit))
        )
        self._value(device, f"{key}.sum", total, base.sum, Sample(f"{key}.sum", 0.0, ts))

    def decoded(self) -> Decoded:
        """All of it."""
        devices = tuple(dict.fromkeys(device for device, _, _ in (*self.found, *self.rejected)))
        several = len(devices) > 1
        samples = tuple(
            Sample(_key(device, key) if several else key, one.value, one.ts, one.unit)
            for device, key, one in self.found
        )
        rejected = tuple(
            Rejected(one.reason, one.detail, _key(device, key) if several else key)
            for device, key, one in self.rejected
        )
        return Decoded(
            kind=Kind.READING if samples or rejected else Kind.EMPTY,
            samples=samples,
            rejected=rejected,
            device=devices[0] or None if len(devices) == 1 else None,
            devices=tuple(device for device in devices if device) if several else (),
            partial=True,
        )

    def _value(self, device: str, key: str, raw: object, base: float, like: Sample) -> None:
        if raw is None:
            return
        number = _number(raw)
        if isinstance(raw, bool):
            number, base = float(raw), 0.0
        if number is None:
            self._refuse(device, key, RejectReason.NOT_A_VALUE, f"{key} is {shown(raw)}; expected a number")
            return
        self.found.append((device, key, Sample(key, base + number, like.ts, like.unit)))

    def _refuse(self, device: str, key: str, reason: RejectReason, detail: str) -> None:
        self.rejected.append((device, key, Rejected(reason, detail)))


def _key(device: str, key: str) -> str:
    return f"{device}.{key}" if device else key


def _time(base: float, raw: object) -> int | None:
    """ms UTC; None where it is that of receipt, or a clock that was never set. Raises Refused (bad_time)."""
    offset = _number(raw)
    at = base + offset if offset is not None else math.nan
    if not abs(at) < MAX_TS / 1000:
        raise Refused(RejectReason.BAD_TIME, f"the time is {shown(raw)}; expected s since 1970, or since bt")
    if at < _RELATIVE_S and at != 0:
        detail = (
            f"the time is {at:g} s from when the message was made, which it does not say; expected bt, s since 1970"
        )
        raise Refused(RejectReason.BAD_TIME, detail)
    ms = round(at * 1000)
    return ms if ms >= UNSET else None


def _number(raw: object) -> float | None:
    if isinstance(raw, bool) or not isinstance(raw, int | float):
        return None
    try:
        return float(raw)
    except OverflowError:
        return math.inf if raw > 0 else -math.inf


def _base_number(record: Node, label: str, before: float) -> float:
    if label not in record:
        return before
    found = _number(record[label])
    if found is None or not math.isfinite(found):
        raise Refused(RejectReason.NOT_A_FRAME, f"{label} is {shown(record[label])}; expected a number")
    return found


def _word(record: Node, label: str, before: str) -> str:
    found = record.get(label, before)
    if not isinstance(found, str) or len(found) > _LONGEST_NAME:
        detail = f"{label} is {shown(found)}; expected text of at most {_LONGEST_NAME} characters"
        raise Refused(RejectReason.NOT_A_FRAME, detail)
    return found


def _claims(_topic: str, payload: bytes) -> bool:
    found = peek(payload)
    records = nodes(found)
    if not records or not isinstance(found, list) or len(records) != len(found):
        return False
    known = all(label in _LABELS or label.endswith("_") for record in records for label in record)
    named = isinstance(records[0].get("bn", records[0].get("n")), str)
    return known and named and any(not record.keys().isdisjoint(_VALUES) for record in records)


FORMAT = Format("senml", decode, _claims)

"""One metric of a Sparkplug payload: what its birth defines, and its value as a sample."""

from __future__ import annotations

import math
from collections.abc import Mapping
from enum import IntEnum

import msgspec
from google.protobuf.message import DecodeError

from ingest.decoders.decoded import Sample
from ingest.decoders.loose import MAX_TS, parse_number, shown
from ingest.decoders.sparkplug.payload_pb2 import Metric, Payload
from ingest.reasons import Refused, Rejected, RejectReason
from plant.quality import Quality, Reason


class DataType(IntEnum):
    """The data types a reading can be made of (Sparkplug 3.0, chapter 6.4.16)."""

    INT8 = 1
    INT16 = 2
    INT32 = 3
    INT64 = 4
    UINT8 = 5
    UINT16 = 6
    UINT32 = 7
    UINT64 = 8
    FLOAT = 9
    DOUBLE = 10
    BOOLEAN = 11
    STRING = 12
    DATE_TIME = 13
    TEXT = 14
    UUID = 15


STRUCTURES = frozenset({16, 19})
"""Data sets and templates: made of values, none themselves."""

_SIGNED: Mapping[int, int] = {DataType.INT8: 8, DataType.INT16: 16, DataType.INT32: 32, DataType.INT64: 64}
_UNSIGNED: Mapping[int, int] = {
    DataType.UINT8: 8,
    DataType.UINT16: 16,
    DataType.UINT32: 32,
    DataType.UINT64: 64,
    DataType.DATE_TIME: 64,
}
_WIDTHS = {"int_value": 32, "long_value": 64}
_UNIT = "engUnit"
_QUALITY = "Quality"
_QUALITIES = {
    192: (Quality.GOOD, Reason.NONE),
    0: (Quality.BAD, Reason.DEVICE_FAILURE),
    500: (Quality.BAD, Reason.DEVICE_OFFLINE),
}
"""The three codes of the specification: good, bad, stale."""


class Definition(msgspec.Struct, frozen=True, array_like=True):
    """What a birth says of a metric once for all data after it."""

    name: str
    datatype: int
    alias: int | None = None
    unit: str | None = None


def parse_payload(payload: bytes) -> Payload:
    """Raises Refused (not_protobuf)."""
    try:
        return Payload.FromString(payload)
    except DecodeError:
        raise Refused(
            RejectReason.NOT_PROTOBUF, "the bytes are no Sparkplug B payload; expected protobuf as of Sparkplug 3.0"
        ) from None


def definition(metric: Metric) -> Definition:
    """Of a metric in a birth."""
    unit = _property(metric, _UNIT)
    alias = metric.alias if metric.HasField("alias") else None
    return Definition(metric.name, metric.datatype, alias, unit if isinstance(unit, str) and unit else None)


def sample(metric: Metric, known: Definition) -> Sample | Rejected | None:
    """The value as a sample; None for a null without quality, which is no reading."""
    name = known.name
    code = _property(metric, _QUALITY)
    trust = _QUALITIES.get(code) if isinstance(code, int) else (Quality.GOOD, Reason.NONE)
    if trust is None:
        return Rejected(
            RejectReason.BAD_QUALITY, f"Quality of {name} is {code}; expected 192 (good), 0 (bad) or 500 (stale)", name
        )
    quality, reason = trust
    number = math.nan if metric.is_null else _number(metric, known)
    if isinstance(number, Rejected):
        return number
    if metric.is_null and quality is Quality.GOOD:
        return None
    if math.isnan(number) and quality is Quality.GOOD:
        quality, reason = Quality.BAD, Reason.NOT_A_NUMBER
    ts = min(metric.timestamp, MAX_TS) if metric.HasField("timestamp") else None
    return Sample(name, number, ts, _unit(metric) or known.unit, quality, reason, metric.is_historical)


def whole_number(metric: Metric) -> int | None:
    """The value of an unsigned metric such as bdSeq; None where it holds none."""
    field = metric.WhichOneof("value")
    return int(getattr(metric, field)) if field in _WIDTHS else None


def _number(metric: Metric, known: Definition) -> float | Rejected:
    """The value by its data type; NaN for a word where a number belongs."""
    field = metric.WhichOneof("value")
    name = known.name
    if field is None:
        return Rejected(RejectReason.NOT_A_VALUE, f"{name} has no value and does not say that it is null", name)
    raw = getattr(metric, field)
    match field:
        case "float_value" | "double_value" | "boolean_value":
            return float(raw)
        case "string_value":
            number = parse_number(raw)
            return math.nan if number is None else number
        case "int_value" | "long_value":
            whole = _whole(raw, _WIDTHS[field], known.datatype)
            if whole is not None:
                return float(whole)
            expected = DataType(known.datatype).name if known.datatype in set(DataType) else "a data type"
            return Rejected(RejectReason.NOT_A_VALUE, f"{name} is {shown(raw)}; expected {expected}", name)
    kind = field.removesuffix("_value")
    return Rejected(RejectReason.NOT_A_VALUE, f"{name} is a {kind}; only numbers, booleans and text are read", name)


def _whole(raw: int, width: int, datatype: int) -> int | None:
    """A whole number of its type; negative ones stand as two's complement, of their own width or of the field's."""
    bits = _SIGNED.get(datatype)
    if bits is not None:
        wide = raw - (1 << width) if raw >> (width - 1) else raw
        low = 1 << (bits - 1)
        if -low <= wide < low:
            return wide
        return raw - (1 << bits) if low <= raw < 1 << bits else None
    bits = _UNSIGNED.get(datatype)
    if bits is not None:
        return raw if raw < 1 << bits else None
    if datatype == DataType.BOOLEAN:
        return raw if raw in (0, 1) else None
    if datatype in (DataType.FLOAT, DataType.DOUBLE):
        return raw
    return None


def _unit(metric: Metric) -> str | None:
    found = _property(metric, _UNIT)
    return found if isinstance(found, str) and found else None


def _property(metric: Metric, key: str) -> str | int | None:
    """A property's text or whole number, None where the metric has none of that name."""
    if not metric.HasField("properties"):
        return None
    for name, value in zip(metric.properties.keys, metric.properties.values, strict=False):
        if name == key and not value.is_null:
            field = value.WhichOneof("value")
            if field in ("string_value", "int_value", "long_value"):
                found: str | int = getattr(value, field)
                return found
    return None

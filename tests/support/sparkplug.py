"""Sparkplug B as an edge node writes it: an encoder of its own, byte by byte from the specification's field numbers.

It shares nothing with the service's decoder, so that a wrong field number in one of them shows.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5

INT8, INT16, INT32, INT64, UINT8, UINT16, UINT32, UINT64 = range(1, 9)
FLOAT, DOUBLE, BOOLEAN, STRING, DATE_TIME, TEXT, UUID, DATA_SET = range(9, 17)
TEMPLATE = 19

_INTS = {INT8: 32, INT16: 32, INT32: 32, UINT8: 32, UINT16: 32, UINT32: 32, INT64: 64, UINT64: 64, DATE_TIME: 64}


def varint(number: int) -> bytes:
    """Base 128, the lowest seven bits first."""
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def entry(number: int, wire: int, body: bytes) -> bytes:
    """One field: its key, its length where it has one, its body."""
    length = varint(len(body)) if wire == BYTES else b""
    return varint(number << 3 | wire) + length + body


def value(datatype: int, given: object, first: int = 10) -> bytes:
    """The field of the oneof that a data type is written into; `first` is the number of `int_value`."""
    match given:
        case bool():
            return entry(first + 4, VARINT, varint(int(given)))
        case str():
            return entry(first + 5, BYTES, given.encode())
        case bytes():
            return entry({DATA_SET: first + 7, TEMPLATE: first + 8}.get(datatype, first + 6), BYTES, given)
        case int() if datatype in _INTS:
            width = _INTS[datatype]
            return entry(first + (width == 64), VARINT, varint(given % (1 << width)))
        case float() | int() if datatype == FLOAT:
            return entry(first + 2, FIXED32, struct.pack("<f", given))
        case float() | int() if datatype == DOUBLE:
            return entry(first + 3, FIXED64, struct.pack("<d", given))
    raise AssertionError(f"no field for {given!r} as {datatype}")


@dataclass(frozen=True)
class M:
    """One metric; what is None is left out. `raw` goes in as it stands, after everything else."""

    name: str | None = None
    datatype: int = DOUBLE
    value: object = None
    alias: int | None = None
    ts: int | None = None
    typed: bool = True
    historical: bool = False
    null: bool = False
    properties: Mapping[str, object] = field(default_factory=dict)
    raw: bytes = b""

    def encode(self) -> bytes:
        out = b""
        if self.name is not None:
            out += entry(1, BYTES, self.name.encode())
        if self.alias is not None:
            out += entry(2, VARINT, varint(self.alias))
        if self.ts is not None:
            out += entry(3, VARINT, varint(self.ts))
        if self.typed:
            out += entry(4, VARINT, varint(self.datatype))
        if self.historical:
            out += entry(5, VARINT, b"\x01")
        if self.null:
            out += entry(7, VARINT, b"\x01")
        if self.properties:
            out += entry(9, BYTES, _properties(self.properties))
        if self.value is not None:
            out += value(self.datatype, self.value)
        return out + self.raw


def payload(*metrics: M, ts: int | None = None, seq: int | None = None) -> bytes:
    """A whole payload."""
    out = b"" if ts is None else entry(1, VARINT, varint(ts))
    out += b"".join(entry(2, BYTES, metric.encode()) for metric in metrics)
    return out if seq is None else out + entry(3, VARINT, varint(seq))


def template(*members: M, definition: bool = False) -> bytes:
    """The value of a template: its members, or (`definition`) what all of its kind have."""
    out = b"".join(entry(2, BYTES, member.encode()) for member in members)
    return out + entry(4, BYTES, b"Pump") + (entry(5, VARINT, b"\x01") if definition else b"")


def data_set(columns: Sequence[tuple[str, int]], *rows: Sequence[object]) -> bytes:
    """The value of a data set: (name, data type) of each column, and its rows; None is a cell without a value."""
    out = entry(1, VARINT, varint(len(columns)))
    out += b"".join(entry(2, BYTES, name.encode()) for name, _ in columns)
    out += entry(3, BYTES, b"".join(varint(kind) for _, kind in columns))
    kinds = [kind for _, kind in columns]
    for row in rows:
        cells = [value(kinds[n % len(kinds)], cell, first=1) if cell is not None else b"" for n, cell in enumerate(row)]
        out += entry(4, BYTES, b"".join(entry(1, BYTES, cell) for cell in cells))
    return out


def _properties(given: Mapping[str, object]) -> bytes:
    keys = b"".join(entry(1, BYTES, key.encode()) for key in given)
    values = b""
    for one in given.values():
        datatype = STRING if isinstance(one, str) else INT32
        values += entry(2, BYTES, entry(1, VARINT, varint(datatype)) + value(datatype, one, first=3))
    return keys + values


@dataclass
class EdgeNode:
    """A simulated edge node: keeps its running number and its session's number, and says what it would publish.

    `points` are the metrics of each device (the empty name is the node itself) by name:
    (alias, data type, value, unit).
    """

    group: str
    name: str
    points: Mapping[str, dict[str, tuple[int, int, object, str | None]]]
    seq: int = 0
    bd_seq: int = 0

    def topic(self, kind: str, device: str = "") -> str:
        return f"spBv1.0/{self.group}/{kind}/{self.name}" + (f"/{device}" if device else "")

    def births(self, ts: int) -> list[tuple[str, bytes]]:
        """NBIRTH and a DBIRTH for each device: everything there is, with its alias."""
        self.seq = -1
        return [self.birth(ts, device) for device in sorted(self.points)]

    def birth(self, ts: int, device: str) -> tuple[str, bytes]:
        """That of the node, with which its running number begins anew, or of one device."""
        metrics = [
            M(name, kind, now, alias, ts, properties={} if unit is None else {"engUnit": unit})
            for name, (alias, kind, now, unit) in self.points[device].items()
        ]
        if not device:
            self.seq = -1
            metrics = [M("bdSeq", UINT64, self.bd_seq), M("Node Control/Rebirth", BOOLEAN, False), *metrics]
        return self.topic("DBIRTH" if device else "NBIRTH", device), self._next(ts, *metrics)

    def data(self, ts: int, device: str, **values: object) -> tuple[str, bytes]:
        """By alias and without data types, as nodes do to save bytes."""
        points = self.points[device]
        metrics = [M(None, points[name][1], new, points[name][0], ts, typed=False) for name, new in values.items()]
        return self.topic("DDATA" if device else "NDATA", device), self._next(ts, *metrics)

    def death(self) -> tuple[str, bytes]:
        """The last will of the present session: only its number."""
        return self.topic("NDEATH"), payload(M("bdSeq", UINT64, self.bd_seq))

    def _next(self, ts: int, *metrics: M) -> bytes:
        self.seq = (self.seq + 1) % 256
        return payload(*metrics, ts=ts, seq=self.seq)

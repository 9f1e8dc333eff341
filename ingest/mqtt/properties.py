"""Properties of MQTT 5 packets (section 2.2.2 of the standard): walked over, kept where they say a number."""

from __future__ import annotations

from ingest.mqtt.faults import Malformed

SESSION_EXPIRY = 0x11
SERVER_KEEP_ALIVE = 0x13
REASON = 0x1F
RECEIVE_MAXIMUM = 0x21
TOPIC_ALIAS = 0x23
MAXIMUM_QOS = 0x24
RETAIN_AVAILABLE = 0x25
MAXIMUM_PACKET_SIZE = 0x27
WILDCARDS_AVAILABLE = 0x28

_INTEGER = -1
_STRING = -2
_PAIR = -3

_SHAPES = {
    **dict.fromkeys((0x01, 0x17, 0x19, 0x24, 0x25, 0x28, 0x29, 0x2A), 1),
    **dict.fromkeys((0x13, 0x21, 0x22, 0x23), 2),
    **dict.fromkeys((0x02, 0x11, 0x18, 0x27), 4),
    **dict.fromkeys((0x03, 0x08, 0x09, 0x12, 0x15, 0x16, 0x1A, 0x1C, 0x1F), _STRING),
    0x0B: _INTEGER,
    0x26: _PAIR,
}
"""Bytes of a property's value, or what kind of a length it brings itself."""


def variable(buffer: bytes, at: int, stop: int) -> tuple[int, int]:
    """A variable byte integer at `at`, and the place behind it; raises Malformed where it does not end in time."""
    value = shift = 0
    for place in range(at, min(at + 4, stop)):
        byte = buffer[place]
        value |= (byte & 127) << shift
        if byte < 128:
            return value, place + 1
        shift += 7
    raise Malformed("a variable byte integer does not end")


def encode_variable(value: int) -> bytes:
    """The inverse of `variable`, for 0 ≤ value < 2^28."""
    out = bytearray()
    while True:
        value, byte = value >> 7, value & 127
        out.append(byte | (128 if value else 0))
        if not value:
            return bytes(out)


def read_properties(buffer: bytes, at: int, stop: int) -> tuple[dict[int, int | bytes], int]:
    """The properties at `at` by identifier (of one that comes several times the last), and the place behind them.

    Raises Malformed where they do not fit into the packet or are unknown: what follows could not be found then.
    """
    length, at = variable(buffer, at, stop)
    end = at + length
    if end > stop:
        raise Malformed("properties are longer than their packet")
    found: dict[int, int | bytes] = {}
    while at < end:
        name, at = buffer[at], at + 1
        shape = _SHAPES.get(name)
        if shape is None:
            raise Malformed(f"property 0x{name:02x} is unknown to MQTT 5")
        found[name], at = _value(shape, buffer, at, end)
    return found, at


def _value(shape: int, buffer: bytes, at: int, end: int) -> tuple[int | bytes, int]:
    if shape == _INTEGER:
        return variable(buffer, at, end)
    if shape == _PAIR:
        _, at = _value(_STRING, buffer, at, end)
        return _value(_STRING, buffer, at, end)
    begin = at + 2 if shape == _STRING else at
    if begin > end:
        raise Malformed("a property is cut off")
    stop = begin + (buffer[at] << 8 | buffer[at + 1]) if shape == _STRING else at + shape
    if stop > end:
        raise Malformed("a property is cut off")
    value = buffer[begin:stop]
    return value if shape == _STRING else int.from_bytes(value, "big"), stop

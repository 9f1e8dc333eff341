"""The packets a collector sends, as bytes, and the answers it gets, taken apart. MQTT 3.1.1 and 5, nothing of I/O."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum

import msgspec
from paho.mqtt.client import connack_string
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.reasoncodes import ReasonCode

from ingest.mqtt.faults import Malformed
from ingest.mqtt.properties import SESSION_EXPIRY, encode_variable, read_properties

CONNACK, PUBLISH, PUBACK, PUBREC, PUBREL, PUBCOMP, SUBACK, UNSUBACK, PINGRESP, DISCONNECT = (
    0x20, 0x30, 0x40, 0x50, 0x60, 0x70, 0x90, 0xB0, 0xD0, 0xE0,
)  # fmt: skip
"""The first byte of a packet without its flags."""

PINGREQ = b"\xc0\x00"
QOS = 1
_ACKNOWLEDGED = (0, 0x40020000, 0x50020000)
_KEEP_RETAINED = 0x10
"""Subscription option of MQTT 5: retained messages are sent where the subscription is new, not each time."""


class Protocol(IntEnum):
    """The protocol level of a CONNECT."""

    V311 = 4
    V5 = 5


class Publish(msgspec.Struct, frozen=True, gc=False):
    """A message as it came. `mid` is 0 at QoS 0."""

    topic: str
    payload: bytes
    qos: int = QOS
    retain: bool = False
    dup: bool = False
    mid: int = 0


@dataclass(frozen=True, slots=True)
class Will:
    """A retained message at QoS 1 that the broker publishes for us when we are lost."""

    topic: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class Login:
    """What a CONNECT says. `session_expiry_s` (MQTT 5) is how long the broker keeps our session while we are away."""

    client_id: str
    protocol: Protocol
    keepalive_s: int
    username: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)
    will: Will | None = None
    session_expiry_s: int = 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class Connack:
    """The answer to a CONNECT; `refusal` None where we are let in. `properties` are those of MQTT 5."""

    session_present: bool
    refusal: str | None
    properties: dict[int, int | bytes]


def connect(login: Login) -> bytes:
    """CONNECT to a session that outlives the connection."""
    will = login.will
    five = login.protocol is Protocol.V5
    flags = 0x04 | QOS << 3 | 0x20 if will else 0
    flags |= (0x80 if login.username is not None else 0) | (0x40 if login.password is not None else 0)
    body = _text("MQTT") + bytes([login.protocol, flags]) + login.keepalive_s.to_bytes(2, "big")
    if five:
        body += _properties(bytes([SESSION_EXPIRY]) + login.session_expiry_s.to_bytes(4, "big"))
    body += _text(login.client_id)
    if will is not None:
        body += (_properties(b"") if five else b"") + _text(will.topic) + _binary(will.payload)
    for secret in (login.username, login.password):
        if secret is not None:
            body += _text(secret)
    return _packet(0x10, body)


def subscribe(protocol: Protocol, mid: int, filters: Sequence[str]) -> bytes:
    """SUBSCRIBE at QoS 1."""
    options = bytes([QOS | _KEEP_RETAINED if protocol is Protocol.V5 else QOS])
    return _packet(0x82, _head(protocol, mid) + b"".join([_text(topic) + options for topic in filters]))


def unsubscribe(protocol: Protocol, mid: int, filters: Sequence[str]) -> bytes:
    """UNSUBSCRIBE."""
    return _packet(0xA2, _head(protocol, mid) + b"".join(map(_text, filters)))


def publish(protocol: Protocol, mid: int, topic: str, payload: bytes, *, retain: bool = False) -> bytes:
    """PUBLISH at QoS 1, or at QoS 0 with `mid` 0."""
    number = mid.to_bytes(2, "big") if mid else b""
    extra = _properties(b"") if protocol is Protocol.V5 else b""
    return _packet(PUBLISH | (QOS << 1 if mid else 0) | retain, _text(topic) + number + extra + payload)


def acknowledge(messages: Sequence[Publish]) -> bytes:
    """A PUBACK for each message at QoS 1, a PUBREC for each at QoS 2, in order."""
    words = [_ACKNOWLEDGED[message.qos] | message.mid for message in messages if message.qos]
    return struct.pack(f">{len(words)}I", *words)


def complete(mid: int) -> bytes:
    """PUBCOMP: the end of a message at QoS 2."""
    return bytes([PUBCOMP, 2]) + mid.to_bytes(2, "big")


def disconnect(protocol: Protocol, code: int = 0) -> bytes:
    """DISCONNECT: our will is not published; `code` is told where the protocol has room for it."""
    return bytes([DISCONNECT, 1, code]) if protocol is Protocol.V5 and code else bytes([DISCONNECT, 0])


def read_connack(protocol: Protocol, body: bytes) -> Connack:
    """Raises Malformed."""
    if len(body) < 2:
        raise Malformed("a CONNACK is cut off")
    code = body[1]
    five = protocol is Protocol.V5
    properties = read_properties(body, 2, len(body))[0] if five and len(body) > 2 else {}
    refusal = (meaning(CONNACK, code) if code > 5 or five else connack_string(code)) if code else None
    return Connack(bool(body[0] & 1), refusal, properties)


def read_codes(protocol: Protocol, body: bytes) -> tuple[int, bytes]:
    """Packet id and the code of each filter, of a SUBACK or UNSUBACK; raises Malformed."""
    if len(body) < 2:
        raise Malformed("a SUBACK is cut off")
    at = read_properties(body, 2, len(body))[1] if protocol is Protocol.V5 else 2
    return int.from_bytes(body[:2], "big"), body[at:]


def read_mid(body: bytes) -> int:
    """The packet id a PUBACK, PUBREL or the like begins with; raises Malformed."""
    if len(body) < 2:
        raise Malformed("an acknowledgement is cut off")
    return int.from_bytes(body[:2], "big")


def meaning(kind: int, code: int) -> str:
    """The standard's words for a reason code of MQTT 5."""
    packet = {CONNACK: PacketTypes.CONNACK, DISCONNECT: PacketTypes.DISCONNECT, SUBACK: PacketTypes.SUBACK}[kind]
    try:
        return str(ReasonCode(packet, identifier=code))
    except (KeyError, ValueError, AssertionError):
        return f"reason 0x{code:02x}"


def _packet(first: int, body: bytes) -> bytes:
    return bytes([first]) + encode_variable(len(body)) + body


def _head(protocol: Protocol, mid: int) -> bytes:
    return mid.to_bytes(2, "big") + (_properties(b"") if protocol is Protocol.V5 else b"")


def _properties(encoded: bytes) -> bytes:
    return encode_variable(len(encoded)) + encoded


def _text(text: str) -> bytes:
    return _binary(text.encode())


def _binary(data: bytes) -> bytes:
    return len(data).to_bytes(2, "big") + data

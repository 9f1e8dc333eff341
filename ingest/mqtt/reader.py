"""Bytes from the broker, cut anywhere, become messages and other packets: one pass, nothing copied twice.

This is the hot end of the whole way in: some 1 µs a message, where a general client takes 19.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ingest.mqtt.faults import Malformed
from ingest.mqtt.packets import (
    CONNACK,
    DISCONNECT,
    PINGRESP,
    PUBACK,
    PUBCOMP,
    PUBLISH,
    PUBREC,
    PUBREL,
    SUBACK,
    UNSUBACK,
    Protocol,
    Publish,
)
from ingest.mqtt.properties import TOPIC_ALIAS, read_properties, variable

UNREADABLE_TOPIC = "\N{REPLACEMENT CHARACTER}"
"""Stands for a topic that is no UTF-8."""

_FLAGS = {kind: 2 if kind == PUBREL else 0 for kind in (
    CONNACK, PUBACK, PUBREC, PUBREL, PUBCOMP, SUBACK, UNSUBACK, PINGRESP, DISCONNECT,
)}  # fmt: skip
"""What a broker may send besides PUBLISH, and the flags each must have."""

_MOST_CONTROL = 1 << 20
"""Bytes of a packet that is no PUBLISH; no honest one is near."""

_MOST_OVERHEAD = 1 << 17
"""Bytes of a PUBLISH beside its payload that are kept: a topic has up to 65,535, properties seldom any."""

_CACHED_TOPICS, _CACHED_BYTES = 65_536, 8 * 2**20


@dataclass(slots=True)
class Arrived:
    """What a read has completed, each kind in order. `fault`: why nothing behind it can be read."""

    messages: list[Publish] = field(default_factory=list)
    control: list[tuple[int, bytes]] = field(default_factory=list)
    fault: str | None = None


class Reader:
    """One connection's bytes, as they come, become packets; cutting them anywhere changes nothing.

    A payload longer than `most_payload` bytes is cut off there and the rest is thrown away as it comes: closing the
    connection would only bring the same message again.
    """

    def __init__(self, protocol: Protocol, most_payload: int) -> None:
        self._five = protocol is Protocol.V5
        self._most = most_payload
        self._topics: dict[bytes, str] = {}
        self._topic_bytes = 0
        self._parts: list[bytes] = []
        self._have = 0
        self._need = 2
        self._skip = 0
        self._cut: Publish | None = None

    def feed(self, data: bytes) -> Arrived:
        """Take what one read of the socket gave."""
        arrived = Arrived()
        if self._skip:
            data = self._skipped(data, arrived)
        self._parts.append(data)
        self._have += len(data)
        if self._have >= self._need:
            buffer = self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)
            try:
                at = self._scan(buffer, arrived)
            except Malformed as error:
                arrived.fault = str(error)
                at = len(buffer)
            rest = buffer[at:]
            self._parts, self._have = [rest], len(rest)
        return arrived

    def _scan(self, buffer: bytes, arrived: Arrived) -> int:
        """Every whole packet; gives the place of the first that is not, and notes how many bytes that needs."""
        at, end, most = 0, len(buffer), self._most
        whole_publish, messages = self._publish, arrived.messages
        while end - at >= 2:
            first, length, body = buffer[at], buffer[at + 1], at + 2
            if length > 127:
                if body < end and buffer[body] < 128:
                    length += (buffer[body] - 1) << 7
                    body += 1
                else:
                    found = self._long(buffer, at, end)
                    if found is None:
                        self._need = end - at + 1
                        return at
                    length, body = found
            stop = body + length
            if first & 0xF0 == PUBLISH:
                if stop <= end:
                    messages.append(whole_publish(buffer, first, body, stop))
                elif length > most + _MOST_OVERHEAD:
                    return self._too_long(buffer, (at, body, stop))
                else:
                    self._need = stop - at
                    return at
            elif not self._control(buffer, (at, body, stop), arrived):
                return at
            at = stop
        self._need = 2
        return at

    def _long(self, buffer: bytes, at: int, end: int) -> tuple[int, int] | None:
        """A length of three or four bytes and where the body begins; None when it has not come whole."""
        if end - at < 5 and all(byte > 127 for byte in buffer[at + 1 : end]):
            return None
        return variable(buffer, at + 1, end)

    def _publish(self, buffer: bytes, first: int, at: int, stop: int) -> Publish:
        name = at + 2
        behind = name + (buffer[at] << 8 | buffer[at + 1]) if name <= stop else stop + 1
        qos = first >> 1 & 3
        start = behind + 2 if qos else behind
        if start > stop or qos == 3:
            raise Malformed("a PUBLISH is cut off" if qos != 3 else "a PUBLISH has QoS 3")
        mid = buffer[behind] << 8 | buffer[behind + 1] if qos else 0
        if qos and not mid:
            raise Malformed("a PUBLISH has the packet id 0")
        if self._five:
            start = _behind_properties(buffer, start, stop)
        if stop - start > self._most:
            stop = start + self._most
        topic = self._topics.get(buffer[name:behind]) or self._topic(buffer[name:behind])
        return Publish(topic, buffer[start:stop], qos, first & 1 == 1, first & 8 == 8, mid)

    def _topic(self, raw: bytes) -> str:
        if not raw:
            raise Malformed("a PUBLISH has no topic")
        try:
            topic = raw.decode()
        except UnicodeDecodeError:
            topic = UNREADABLE_TOPIC
        if len(self._topics) >= _CACHED_TOPICS or self._topic_bytes > _CACHED_BYTES:
            self._topics.clear()
            self._topic_bytes = 0
        self._topics[raw] = topic
        self._topic_bytes += len(raw)
        return topic

    def _control(self, buffer: bytes, place: tuple[int, int, int], arrived: Arrived) -> bool:
        """Whether the packet has come whole; raises Malformed for what no broker may send."""
        at, body, stop = place
        first = buffer[at]
        if _FLAGS.get(first & 0xF0) != first & 0x0F:
            raise Malformed(f"a packet begins with 0x{first:02x}, which no broker sends")
        if stop - body < 2 and first & 0xF0 not in (PINGRESP, DISCONNECT):
            raise Malformed(f"a packet that begins with 0x{first:02x} is cut off")
        if stop - body > _MOST_CONTROL:
            raise Malformed(f"a packet that begins with 0x{first:02x} has {stop - body} bytes")
        if stop > len(buffer):
            self._need = stop - at
            return False
        arrived.control.append((first & 0xF0, buffer[body:stop]))
        return True

    def _too_long(self, buffer: bytes, place: tuple[int, int, int]) -> int:
        """A message longer than any that is kept whole: note its beginning once that has come, then skip."""
        at, body, stop = place
        enough = body + self._most + _MOST_OVERHEAD
        if len(buffer) < enough:
            self._need = enough - at
            return at
        self._cut = self._publish(buffer, buffer[at], body, enough)
        self._skip, self._need = stop - len(buffer), 2
        return len(buffer)

    def _skipped(self, data: bytes, arrived: Arrived) -> bytes:
        """What is left of the bytes behind those to be thrown away; the message is there once all of it has come."""
        gone = min(self._skip, len(data))
        self._skip -= gone
        if not self._skip and self._cut is not None:
            arrived.messages.append(self._cut)
            self._cut = None
        return data[gone:]


def _behind_properties(buffer: bytes, at: int, stop: int) -> int:
    if at < stop and not buffer[at]:
        return at + 1
    found, behind = read_properties(buffer, at, stop)
    if TOPIC_ALIAS in found:
        raise Malformed("a PUBLISH uses a topic alias, which we did not allow")
    return behind

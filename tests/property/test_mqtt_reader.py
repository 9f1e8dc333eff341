"""The bulk reader: cutting the stream anywhere changes nothing, any bytes give packets or a reason."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from ingest.mqtt.packets import Protocol, Publish
from ingest.mqtt.properties import encode_variable
from ingest.mqtt.reader import Arrived, Reader

MOST = 300
"""The longest payload these readers keep."""

protocols = st.sampled_from(list(Protocol))
sizes = st.integers(0, 40) | st.sampled_from([100, 127, 128, 129, 299, 300, 301, 900, 16_400, 200_000])


@st.composite
def messages(draw: st.DrawFn) -> Publish:
    """Any message a broker can send."""
    qos = draw(st.integers(0, 2))
    payload = (draw(st.binary(max_size=8)) * 50_000)[: draw(sizes)]
    topic = draw(st.text(min_size=1, max_size=12))
    return Publish(
        topic, payload, qos, draw(st.booleans()), draw(st.booleans()), draw(st.integers(1, 65_535)) if qos else 0
    )


def encode(protocol: Protocol, message: Publish) -> bytes:
    """A PUBLISH as a broker sends it, with two properties where the protocol has them."""
    topic = message.topic.encode()
    extra = b"\x08\x02\x00\x00\x00\x05\x03\x00\x00" if protocol is Protocol.V5 and message.dup else b"\x00"
    body = len(topic).to_bytes(2, "big") + topic + (message.mid.to_bytes(2, "big") if message.qos else b"")
    body += (extra if protocol is Protocol.V5 else b"") + message.payload
    return bytes([0x30 | message.dup << 3 | message.qos << 1 | message.retain]) + encode_variable(len(body)) + body


others = st.sampled_from([b"\xd0\x00", b"\x40\x02\x00\x07", b"\x90\x03\x00\x01\x01", b"\x62\x02\x00\x09"])


def cut(stream: bytes, places: list[int]) -> list[bytes]:
    """The stream in pieces."""
    edges = [0, *sorted(place % (len(stream) + 1) for place in places), len(stream)]
    return [stream[begin:end] for begin, end in pairwise(edges)]


def fed(reader: Reader, pieces: list[bytes]) -> Arrived:
    """All that the pieces gave, up to the first fault."""
    total = Arrived()
    for piece in pieces:
        arrived = reader.feed(piece)
        total.messages += arrived.messages
        total.control += arrived.control
        if arrived.fault is not None:
            total.fault = arrived.fault
            break
    return total


@given(protocols, st.lists(messages() | others, max_size=8), st.lists(st.integers(0, 2**20), max_size=12))
def test_what_was_said_is_what_is_read_however_it_is_cut(
    protocol: Protocol, said: list[Publish | bytes], places: list[int]
) -> None:
    stream = b"".join(encode(protocol, item) if isinstance(item, Publish) else item for item in said)
    arrived = fed(Reader(protocol, MOST), cut(stream, places))
    expected = [item for item in said if isinstance(item, Publish)]
    assert arrived.fault is None
    assert arrived.messages == [Publish(m.topic, m.payload[:MOST], m.qos, m.retain, m.dup, m.mid) for m in expected]
    assert [bytes([kind]) for kind, _ in arrived.control] == [
        bytes([item[0] & 0xF0]) for item in said if isinstance(item, bytes)
    ]


@given(protocols, st.binary(max_size=400), st.lists(st.integers(0, 400), max_size=6))
def test_any_bytes_give_the_same_packets_or_the_same_reason_however_cut(
    protocol: Protocol, stream: bytes, places: list[int]
) -> None:
    whole, pieces = fed(Reader(protocol, MOST), [stream]), fed(Reader(protocol, MOST), cut(stream, places))
    assert (whole.messages, whole.control) == (pieces.messages, pieces.control)
    assert (whole.fault is None) == (pieces.fault is None)

"""What a connection does with bytes that no healthy broker sends, told by a broker made of a socket."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from ingest.mqtt.connection import Connection
from ingest.mqtt.packets import Protocol, publish
from tests.contract.sessions import FILTERS, KINDS, Kind, Peer, Remembering, Subject, ran, until

BULK = KINDS["bulk"]
V311, V5 = Protocol.V311, Protocol.V5


@pytest.fixture
def peer() -> Iterator[Peer]:
    made = Peer()
    yield made
    made.close()


@pytest.fixture(params=list(KINDS))
def kind(request: pytest.FixtureRequest) -> Kind:
    return KINDS[request.param]


@contextmanager
def talking(
    kind: Kind, peer: Peer, listener: Remembering, protocol: Protocol = V311, *, keepalive_s: int = 20
) -> Iterator[Subject]:
    """A connection that waits for what the peer says."""
    subject = kind(peer.broker(protocol, keepalive_s=keepalive_s), 1, FILTERS, listener, None)
    thread = threading.Thread(target=subject.run)
    thread.start()
    try:
        yield subject
    finally:
        subject.end("the test is over")
        peer.close()
        thread.join(15)
        assert not thread.is_alive()


def ended(subject: Subject) -> str:
    """Why it ended."""
    until(lambda: subject.reason is not None, "the end")
    return str(subject.reason)


def refusing(peer: Peer, answer: bytes) -> threading.Thread:
    """The peer answers the CONNECT with these bytes, beside the test."""

    def answering() -> None:
        peer.accept()
        peer.say(answer)

    thread = threading.Thread(target=answering)
    thread.start()
    return thread


def test_a_refused_login_says_why(kind: Kind, peer: Peer) -> None:
    answering = refusing(peer, b"\x20\x02\x00\x05")
    subject = ran(kind, peer.broker(), Remembering())
    answering.join()
    assert "refuses us" in str(subject.reason)
    assert "authori" in str(subject.reason)


def test_a_refused_subscription_names_the_topic(kind: Kind, peer: Peer) -> None:
    with talking(kind, peer, Remembering()) as subject:
        peer.accept()
        peer.say(b"\x20\x02\x00\x00")
        asked = peer.packet()
        peer.say(bytes([0x90, 3, *asked[2:4], 0x80]))
        assert f"refuses the subscription to {FILTERS[0]}" in ended(subject)
        assert not subject.subscribed


def test_a_broker_that_answers_nothing_is_left(peer: Peer) -> None:
    with talking(BULK, peer, Remembering()) as subject:
        peer.accept()
        assert "does not answer" in ended(subject)


@pytest.mark.parametrize("cut", [0, 1, 5])
def test_a_line_cut_within_a_packet_ends_the_connection(kind: Kind, peer: Peer, cut: int) -> None:
    listener = Remembering()
    with talking(kind, peer, listener) as subject:
        peer.let_in()
        peer.say(publish(V311, 1, "plant/a", b"whole") + publish(V311, 2, "plant/a", b"cut off")[:cut])
        until(lambda: listener.payloads == [b"whole"], "the whole one")
        peer.close()
        assert "lost" in ended(subject)
        assert listener.over.wait(10)
    assert listener.payloads == [b"whole"]


def test_packets_of_all_kinds_between_messages_byte_by_byte(kind: Kind, peer: Peer) -> None:
    listener = Remembering()
    with talking(kind, peer, listener) as subject:
        peer.let_in()
        stream = (
            publish(V311, 1, "plant/a", b"1") + b"\xd0\x00" + publish(V311, 0, "plant/b", b"2") + b"\x40\x02\x00\x09"
        )
        peer.say(stream + publish(V311, 65_535, "plant/a", b"x" * 200), one_by_one=True)
        until(lambda: len(listener.messages) == 3, "all three")
        assert peer.packet() == b"\x40\x02\x00\x01"
        assert peer.packet() == b"\x40\x02\xff\xff"
        assert subject.reason is None
    assert [(m.topic, m.qos, m.mid) for m in listener.messages] == [
        ("plant/a", 1, 1),
        ("plant/b", 0, 0),
        ("plant/a", 1, 65_535),
    ]


def test_a_message_at_qos_2_from_an_older_session_is_taken_to_its_end(kind: Kind, peer: Peer) -> None:
    listener = Remembering(acknowledging=False)
    with talking(kind, peer, listener) as subject:
        peer.let_in()
        peer.say(b"\x34\x0c\x00\x07plant/a\x00\x055")
        if kind is BULK:
            # paho hands it over only after the PUBREL; we make it durable first, then say PUBREC.
            until(lambda: listener.payloads == [b"5"], "the message")
            subject.ack(listener.messages)
        assert peer.packet() == b"\x50\x02\x00\x05"
        peer.say(b"\x62\x02\x00\x05")
        if kind is not BULK:
            until(lambda: listener.payloads == [b"5"], "the message")
            subject.ack(listener.messages)
        assert peer.packet() == b"\x70\x02\x00\x05"
    assert (listener.messages[0].qos, listener.messages[0].mid) == (2, 5)


MALFORMED = {
    "QoS 3": (V311, b"\x36\x05\x00\x01a\x00\x01", "QoS 3"),
    "packet id 0": (V311, b"\x32\x05\x00\x01a\x00\x00", "packet id 0"),
    "topic beyond the packet": (V311, b"\x30\x03\x00\x09a", "cut off"),
    "no room for a topic": (V311, b"\x30\x01\x00", "cut off"),
    "no room for a packet id": (V311, b"\x32\x04\x00\x01a\x00", "cut off"),
    "no topic": (V311, b"\x30\x02\x00\x00", "no topic"),
    "endless length": (V311, b"\x30\xff\xff\xff\xff\x01", "does not end"),
    "a packet only clients send": (V311, b"\x82\x05\x00\x01\x00\x01a", "0x82"),
    "reserved kind": (V311, b"\xf0\x00", "0xf0"),
    "reserved flags": (V311, b"\xd1\x00", "0xd1"),
    "a PUBREL without id": (V311, b"\x62\x00", "cut off"),
    "a huge PINGRESP": (V311, b"\xd0\xff\xff\xff\x7f", "268435455 bytes"),
    "properties beyond the packet": (V5, b"\x30\x05\x00\x01a\x7f\x01", "longer than their packet"),
    "unknown property": (V5, b"\x30\x06\x00\x01a\x02\x7e\x00", "0x7e"),
    "property cut off": (V5, b"\x30\x06\x00\x01a\x02\x23\x00", "cut off"),
    "topic alias": (V5, b"\x30\x07\x00\x01a\x03\x23\x00\x01", "topic alias"),
}


@pytest.mark.parametrize("name", list(MALFORMED))
def test_what_is_no_mqtt_ends_the_connection_and_says_why(peer: Peer, name: str) -> None:
    protocol, wrong, said = MALFORMED[name]
    listener = Remembering()
    with talking(BULK, peer, listener, protocol) as subject:
        peer.let_in(five=protocol is V5)
        peer.say(publish(protocol, 1, "plant/a", b"good") + wrong + publish(protocol, 2, "plant/a", b"unseen"))
        reason = ended(subject)
        assert listener.over.wait(10)
    assert said in reason
    assert "no MQTT" in reason
    assert listener.payloads == [b"good"]
    assert isinstance(subject, Connection)
    assert subject.malformed


def test_a_topic_that_is_no_text_is_taken_and_acknowledged(peer: Peer) -> None:
    listener = Remembering()
    with talking(BULK, peer, listener):
        peer.let_in()
        peer.say(b"\x32\x06\x00\x01\xff\x00\x031")
        assert peer.packet() == b"\x40\x02\x00\x03"
    assert listener.messages[0].topic == "\N{REPLACEMENT CHARACTER}"


def test_mqtt_5_asks_for_a_lasting_session_and_allows_no_topic_alias(peer: Peer) -> None:
    with talking(BULK, peer, Remembering(), V5):
        asked = peer.accept()
    # protocol level 5, flags 0 (no clean start), keep alive 20 s, and one property: session expiry "never"
    assert asked[2:] == b"\x00\x04MQTT\x05\x00\x00\x14\x05\x11\xff\xff\xff\xff\x00\x08dutyroom"


def test_properties_of_messages_are_passed_over(peer: Peer) -> None:
    listener = Remembering()
    # message expiry 60 s, a user property, a content type, a subscription id of two bytes
    properties = b"\x02\x00\x00\x00\x3c" + b"\x26\x00\x01k\x00\x01v" + b"\x03\x00\x04json" + b"\x0b\x81\x01"
    body = b"\x00\x07plant/a" + b"\x00\x01" + bytes([len(properties)]) + properties + b"42"
    with talking(BULK, peer, listener, V5):
        peer.let_in(five=True)
        peer.say(bytes([0x32, len(body)]) + body)
        until(lambda: listener.payloads == [b"42"], "the message")


def test_the_servers_own_keep_alive_is_kept(peer: Peer) -> None:
    listener = Remembering()
    with talking(BULK, peer, listener, V5, keepalive_s=600):
        peer.let_in(five=True, properties=b"\x13\x00\x01")
        assert peer.packet() == b"\xc0\x00"
        peer.say(b"\xd0\x00")
        assert peer.packet() == b"\xc0\x00"


def test_a_broker_that_answers_no_ping_is_left(peer: Peer) -> None:
    listener = Remembering()
    with talking(BULK, peer, listener, keepalive_s=1) as subject:
        peer.let_in()
        assert "answers no ping" in ended(subject)
        assert listener.over.wait(10)


def test_a_server_that_ends_the_connection_says_why(kind: Kind, peer: Peer) -> None:
    listener = Remembering()
    with talking(kind, peer, listener, V5) as subject:
        peer.let_in(five=True)
        until(lambda: subject.subscribed, "subscribed")
        peer.say(b"\xe0\x02\x8b\x00")
        assert "Server shutting down" in ended(subject)


def test_a_server_without_retained_messages_gets_none(peer: Peer) -> None:
    with talking(BULK, peer, Remembering(), V5) as subject:
        peer.let_in(five=True, properties=b"\x25\x00\x24\x00")
        until(lambda: subject.subscribed, "subscribed")
        subject.publish("s", b"1", retain=True)
        # QoS 0 (it knows no other) and not retained
        assert peer.packet() == b"\x30\x05\x00\x01s\x001"


def test_acknowledgements_are_written_together_in_order(peer: Peer) -> None:
    listener = Remembering(acknowledging=False)
    with talking(BULK, peer, listener) as subject:
        peer.let_in()
        peer.say(b"".join(publish(V311, mid, "plant/a", b"v") for mid in range(1, 501)))
        until(lambda: len(listener.messages) == 500, "all")
        subject.ack(listener.messages)
        assert [int.from_bytes(peer.packet()[2:], "big") for _ in range(500)] == list(range(1, 501))


@pytest.mark.parametrize("roomy", [True, False], ids=["read", "no room for a while"])
def test_a_backlog_that_comes_before_the_subscription_is_answered_may_take_its_time(peer: Peer, roomy: bool) -> None:
    listener = Remembering(acknowledging=False)
    with talking(BULK, peer, listener) as subject:
        peer.accept()
        peer.say(b"\x20\x02\x01\x00")
        asked = peer.packet()
        listener.roomy = roomy
        began, sent = time.monotonic(), 0
        while time.monotonic() - began < 3:  # a broker has two seconds to answer
            sent += 1
            peer.say(publish(V311, sent, "plant/a", b"v"))
            assert not listener.begun.wait(0.1)
        listener.roomy = True
        peer.say(bytes([0x90, 3, *asked[2:4], 1]))
        assert listener.begun.wait(10)
        until(lambda: len(listener.messages) == sent, "all of it")
        assert subject.reason is None


def test_without_room_the_bytes_stay_with_the_broker_and_come_when_there_is(peer: Peer) -> None:
    listener = Remembering()
    with talking(BULK, peer, listener, keepalive_s=1) as subject:
        peer.let_in()
        peer.say(publish(V311, 1, "plant/a", b"1"))
        until(lambda: listener.payloads == [b"1"], "the first")
        assert peer.packet() == b"\x40\x02\x00\x01"
        listener.roomy = False
        began = time.monotonic()
        # What is in the socket may have been under way before; of the rest nothing is taken.
        sent, rest = peer.fill(publish(V311, 2, "plant/a", b"x" * 10_000))
        held = len(listener.messages)
        until(lambda: time.monotonic() - began > 3, "longer than a broker may be silent")
        assert (len(listener.messages), subject.reason) == (held, None)
        assert held < sent < 10_000
        listener.acknowledging, listener.roomy = False, True
        peer.say(rest)
        until(lambda: len(listener.messages) == 1 + sent, "all of it")


def test_who_hangs_up_while_there_is_no_room_is_noticed_by_the_next_ping(peer: Peer) -> None:
    listener = Remembering()
    with talking(BULK, peer, listener, keepalive_s=1) as subject:
        peer.let_in()
        until(lambda: subject.subscribed, "subscribed")
        listener.roomy = False
        peer.close()
        assert "lost" in ended(subject)

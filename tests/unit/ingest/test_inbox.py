"""The queue between network and journal: bounded, in order, never blocking the network."""

from __future__ import annotations

import tracemalloc

from history.entries import Message, Tick
from ingest.inbox import MOST_BYTES, MOST_MESSAGES, Inbox, Parcel, size_of
from ingest.mqtt.packets import Publish
from tests.unit.ingest.plants import T0


def test_taken_in_order_and_in_pieces() -> None:
    inbox = Inbox()
    for i in range(5):
        inbox.put(Parcel((Tick(i),), size=10))
    assert [parcel.entries for parcel in inbox.take(2, 1000)] == [(Tick(0),), (Tick(1),)]
    assert [parcel.entries for parcel in inbox.take(10, 25)] == [(Tick(2),), (Tick(3),)]
    assert [parcel.entries for parcel in inbox.take(10, 5)] == [(Tick(4),)]


def test_full_in_bytes_refuses() -> None:
    inbox = Inbox()
    assert inbox.put(Parcel(size=MOST_BYTES))
    assert not inbox.put(Parcel(size=1))
    assert not inbox.roomy
    inbox.take(1, MOST_BYTES)
    assert inbox.put(Parcel(size=1))


def test_small_messages_count_what_they_take_in_memory() -> None:
    def made() -> tuple[list[Publish], list[Message]]:
        came = [Publish("t", b"%d" % n, mid=1_000 + n) for n in range(20_000)]
        return came, [Message(T0 + n, one.topic, one.payload, "b", mid=one.mid) for n, one in enumerate(came)]

    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        kept = made()
        held = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert held <= size_of(kept[0]) <= 1.5 * held


def test_full_in_messages_refuses_and_a_second_broker_has_room_of_its_own() -> None:
    many = Parcel(messages=[Publish("t", b"")] * MOST_MESSAGES)
    inbox, two = Inbox(), Inbox(brokers=2)
    assert inbox.put(many)
    assert not inbox.put(Parcel())
    assert len(inbox) == MOST_MESSAGES
    assert two.put(many)
    assert two.put(many)
    assert not two.put(Parcel())


def test_a_parcel_takes_the_room_of_its_messages_also_where_none_is_journalled() -> None:
    inbox = Inbox()
    inbox.put(Parcel(messages=[Publish("t", b"")] * 3))
    inbox.put(Parcel((Tick(1),)))
    assert len(inbox) == 4
    assert len(inbox.take(3, MOST_BYTES)) == 1
    assert len(inbox) == 1


def test_closed_gives_what_is_left_then_nothing() -> None:
    inbox = Inbox()
    inbox.put(Parcel((Tick(1),)))
    inbox.close()
    assert not inbox.put(Parcel((Tick(2),)))
    assert len(inbox.take(10, 10)) == 1
    assert inbox.take(10, 10) == []


def test_idle_only_when_all_is_finished() -> None:
    inbox = Inbox()
    inbox.put(Parcel((Tick(1),)))
    inbox.take(10, 10)
    assert not inbox.wait_idle(0)
    inbox.finished(1)
    assert inbox.wait_idle(0)

"""The queue between network and journal: bounded, in order, never blocking the network."""

from __future__ import annotations

from history.entries import Tick
from ingest.inbox import MOST_BYTES, MOST_ITEMS, Inbox, Item


def test_taken_in_order_and_in_pieces() -> None:
    inbox = Inbox()
    for i in range(5):
        inbox.put(Item(Tick(i), size=10))
    assert [item.entry for item in inbox.take(2, 1000)] == [Tick(0), Tick(1)]
    assert [item.entry for item in inbox.take(10, 25)] == [Tick(2), Tick(3)]
    assert [item.entry for item in inbox.take(10, 5)] == [Tick(4)]


def test_full_in_bytes_refuses() -> None:
    inbox = Inbox()
    assert inbox.put(Item(None, size=MOST_BYTES))
    assert not inbox.put(Item(None, size=1))
    assert not inbox.roomy
    inbox.take(1, MOST_BYTES)
    assert inbox.put(Item(None, size=1))


def test_full_in_items_refuses() -> None:
    inbox = Inbox()
    assert all(inbox.put(Item(None)) for _ in range(MOST_ITEMS))
    assert not inbox.put(Item(None))


def test_closed_gives_what_is_left_then_nothing() -> None:
    inbox = Inbox()
    inbox.put(Item(Tick(1)))
    inbox.close()
    assert not inbox.put(Item(Tick(2)))
    assert len(inbox.take(10, 10)) == 1
    assert inbox.take(10, 10) == []


def test_idle_only_when_all_is_finished() -> None:
    inbox = Inbox()
    inbox.put(Item(Tick(1)))
    inbox.take(10, 10)
    assert not inbox.wait_idle(0)
    inbox.finished(1)
    assert inbox.wait_idle(0)

"""The bounded queue between the network thread, which never waits, and the journal thread, which does nothing else."""

from __future__ import annotations

import threading
from collections import deque
from concurrent.futures import Future
from dataclasses import dataclass

from history.entries import Entry
from ingest.session import Connection

MOST_ITEMS = 131_072
"""Twice the number of messages a broker can have unacknowledged: those of a lost connection and those of its heir."""

MOST_BYTES = 256 * 2**20


@dataclass(slots=True)
class Item:
    """An entry to be journalled, and to whom that is then told. `entry` None: only to be acknowledged, in its turn."""

    entry: Entry | None
    size: int = 0
    connection: Connection | None = None
    mid: int = 0
    qos: int = 0
    done: Future[int] | None = None


class Inbox:
    """First in, first out; thread-safe; bounded in items and bytes."""

    def __init__(self) -> None:
        self._items: deque[Item] = deque()
        self._bytes = 0
        self._unfinished = 0
        self._closed = False
        self._changed = threading.Condition()

    def __len__(self) -> int:
        return len(self._items)

    @property
    def roomy(self) -> bool:
        """Less than half full: a new connection may bring its own."""
        return len(self._items) < MOST_ITEMS // 2 and self._bytes < MOST_BYTES // 2

    def put(self, item: Item) -> bool:
        """Add at the end; False, and nothing added, when it is full or closed."""
        with self._changed:
            if self._closed or len(self._items) >= MOST_ITEMS or self._bytes + item.size > MOST_BYTES:
                return False
            self._items.append(item)
            self._bytes += item.size
            self._unfinished += 1
            self._changed.notify_all()
            return True

    def take(self, most_items: int, most_bytes: int) -> list[Item]:
        """Everything that waits, up to these sizes (at least one item); waits for some. Empty: closed and all taken."""
        with self._changed:
            while not self._items and not self._closed:
                self._changed.wait()
            taken: list[Item] = []
            size = 0
            while self._items and len(taken) < most_items and (not taken or size + self._items[0].size <= most_bytes):
                item = self._items.popleft()
                size += item.size
                taken.append(item)
            self._bytes -= size
            self._changed.notify_all()
            return taken

    def finished(self, count: int) -> None:
        """So many of the items taken have been dealt with."""
        with self._changed:
            self._unfinished -= count
            self._changed.notify_all()

    def close(self) -> None:
        """Take no more; `take` gives what is left, then nothing."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def wait_idle(self, seconds: float) -> bool:
        """Wait until all that was put in is finished, at most so long; whether it is."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._unfinished, seconds)

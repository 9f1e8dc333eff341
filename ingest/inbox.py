"""The bounded queue between the network threads, which never wait, and the journal thread, which does nothing else."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Protocol

from history.entries import HELD_BYTES, Entry
from ingest.mqtt.packets import Publish

MOST_MESSAGES = 131_072
"""For each broker: twice what it can have unacknowledged, for a lost connection and for its heir."""

MOST_BYTES = 64 * 2**20
"""In memory, of all brokers: half is for what comes while connections are read, the rest for what was under way."""


class Acknowledger(Protocol):
    """Where messages came from."""

    def ack(self, messages: Sequence[Publish]) -> None:
        """They are durable."""


@dataclass(slots=True)
class Parcel:
    """Entries to be journalled together, and to whom that is then told: `messages` are owed an acknowledgement.

    Messages that are not to be journalled have no entry and are only acknowledged, in their turn. `size` is what it
    takes in memory (`size_of`).
    """

    entries: Sequence[Entry] = ()
    size: int = 0
    messages: Sequence[Publish] = ()
    source: Acknowledger | None = None
    done: Future[int] | None = None

    @property
    def count(self) -> int:
        """How much room it takes, in messages."""
        return max(len(self.entries), len(self.messages), 1)


def size_of(messages: Sequence[Publish]) -> int:
    """Bytes in memory of messages that become entries."""
    return sum([len(message.payload) + len(message.topic) for message in messages]) + HELD_BYTES * len(messages)


class Inbox:
    """First in, first out; thread-safe; bounded in messages and bytes."""

    def __init__(self, brokers: int = 1) -> None:
        self._most = MOST_MESSAGES * brokers
        self._parcels: deque[Parcel] = deque()
        self._count = 0
        self._bytes = 0
        self._unfinished = 0
        self._closed = False
        self._changed = threading.Condition()

    def __len__(self) -> int:
        return self._count

    @property
    def roomy(self) -> bool:
        """Less than half full: a connection may bring more."""
        return self._count < self._most // 2 and self._bytes < MOST_BYTES // 2

    def put(self, parcel: Parcel) -> bool:
        """Add at the end; False, and nothing added, when it is full or closed."""
        with self._changed:
            if self._closed or self._count + parcel.count > self._most or self._bytes + parcel.size > MOST_BYTES:
                return False
            self._parcels.append(parcel)
            self._count += parcel.count
            self._bytes += parcel.size
            self._unfinished += 1
            self._changed.notify_all()
            return True

    def take(self, most_messages: int, most_bytes: int) -> list[Parcel]:
        """Everything that waits, up to these sizes (at least one parcel); waits for some. Empty: closed, all taken."""
        with self._changed:
            while not self._parcels and not self._closed:
                self._changed.wait()
            taken: list[Parcel] = []
            count = size = 0
            while self._parcels:
                first = self._parcels[0]
                if taken and (count + first.count > most_messages or size + first.size > most_bytes):
                    break
                taken.append(self._parcels.popleft())
                count += first.count
                size += first.size
            self._count -= count
            self._bytes -= size
            return taken

    def finished(self, parcels: int) -> None:
        """So many of the parcels taken have been dealt with."""
        with self._changed:
            self._unfinished -= parcels
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

"""The newest journal batches in memory, so that a consumer that is level need not read the file."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from history.entries import HELD_BYTES, Entry

MOST_BYTES = 16 * 2**20
"""In memory, where an entry of a few bytes takes many times its packed size."""

_MAX_BATCHES = 4_096


class RecentBatches:
    """A bounded run of consecutive batches. Not thread-safe: the journal guards it."""

    def __init__(self) -> None:
        self._batches: deque[tuple[int, Sequence[Entry], int]] = deque()
        self._bytes = 0

    def add(self, first: int, entries: Sequence[Entry], size: int) -> None:
        """Remember a batch of `size` packed bytes; the oldest ones go when there are too many."""
        self._batches.append((first, entries, size))
        self._bytes += _held(entries, size)
        while self._bytes > MOST_BYTES or len(self._batches) > _MAX_BATCHES:
            _, oldest, packed = self._batches.popleft()
            self._bytes -= _held(oldest, packed)

    def read(self, after: int, limit: int, most_bytes: int) -> list[tuple[int, Entry]] | None:
        """As JournalReader.read; None where the first entry asked for is no longer (or never was) held."""
        if not self._batches or after + 1 < self._batches[0][0]:
            return None
        found: list[tuple[int, Entry]] = []
        size = 0
        for first, entries, packed in self._wanted(after):
            if len(found) >= limit or size >= most_bytes:
                break
            skip = max(0, after + 1 - first)
            found.extend(enumerate(entries[skip:], first + skip))
            size += packed
        return found

    def _wanted(self, after: int) -> list[tuple[int, Sequence[Entry], int]]:
        """Batches with an entry beyond `after`, looked up from the new end, where a level consumer reads."""
        wanted = []
        for batch in reversed(self._batches):
            if batch[0] + len(batch[1]) - 1 <= after:
                break
            wanted.append(batch)
        wanted.reverse()
        return wanted


def _held(entries: Sequence[Entry], packed: int) -> int:
    """Bytes that a batch takes in memory, at most."""
    return packed + len(entries) * HELD_BYTES

"""Reading the journal's file: what the writer and a follower in another process share."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Self

from history.batches import Readers
from history.codec import checksum, decompress, unpack, unpack_config
from history.entries import Config, Entry
from plant.errors import Corrupt

BOUNDS = """SELECT (SELECT first FROM batches ORDER BY first LIMIT 1),
                    (SELECT first + n - 1 FROM batches ORDER BY first DESC LIMIT 1)"""
# From the batch that holds the offset, or where that is gone from the oldest there is (the caller notices).
_FROM = """SELECT first, n, crc, body FROM batches
           WHERE first >= coalesce((SELECT max(first) FROM batches WHERE first <= ?1), 0) ORDER BY first"""
_CONFIG_AT = "SELECT at_offset, crc, body FROM config_entries WHERE at_offset <= ? ORDER BY at_offset DESC LIMIT 1"


class StoredJournal:
    """What writer and follower share: reading the file. Thread-safe."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._readers = Readers(path)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        self._readers.close()

    def config_at(self, offset: int) -> Config | None:
        """The configuration in force at an offset (its own included), even when its batch was removed."""
        with self._readers.lend() as db:
            row = db.execute(_CONFIG_AT, (offset,)).fetchone()
        if row is None:
            return None
        at, crc, body = row
        check_batch(self.path, at, crc, body)
        return unpack_config(decompress(body))

    def _bounds(self) -> tuple[int, int]:
        """First and last offset held; (1, 0) when there is none."""
        with self._readers.lend() as db:
            first, last = db.execute(BOUNDS).fetchone()
        return (1, 0) if first is None else (first, last)

    def _read_stored(self, after: int, limit: int, most_bytes: int) -> list[tuple[int, Entry]]:
        found: list[tuple[int, Entry]] = []
        expected, size = after + 1, 0
        with self._readers.lend() as db:
            cursor = db.execute(_FROM, (expected,))
            try:
                for first, n, crc, body in cursor:
                    if first > expected:
                        raise Corrupt(_gone(self.path, expected, first))
                    check_batch(self.path, first, crc, body)
                    packed = decompress(body)
                    found.extend(pair for pair in enumerate(unpack(packed), first) if pair[0] >= expected)
                    expected = max(expected, first + n)
                    size += len(packed)
                    if len(found) >= limit or size >= most_bytes:
                        break
            finally:
                cursor.close()  # an open cursor would hold back the checkpoint
        return found


def check_batch(path: Path, first: int, crc: int, body: bytes) -> None:
    """Raises Corrupt when a stored batch is not what was written."""
    if checksum(first, body) != crc:
        raise Corrupt(f"{path}: the batch at offset {first} fails its checksum; restore the journal from a backup")


def _gone(path: Path, expected: int, first: int) -> str:
    return (
        f"{path}: offset {expected} is no longer held, the next one is {first}; the reader has been away for longer "
        "than the journal's retention: start it anew from there or restore a backup"
    )

"""The journal on disk: one writer that makes entries durable, any number of readers here or in another process."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from history.batches import WriterLock, failure, open_writer, translated
from history.codec import checksum, compress, newest_time, pack, pack_config
from history.entries import Config, Entry
from history.protocols import READ_BYTES
from history.recent import RecentBatches
from history.retention import Keep, Removed, step
from history.stored import StoredJournal, check_batch
from plant.errors import Corrupt, Unavailable
from plant.instants import NEVER

_POLL_SECONDS = 0.02


class JournalFile(StoredJournal):
    """Writer and reader of the journal at `path`. One for each file: a second one raises Conflict.

    Any thread may read while one appends. `max_bytes` is a ceiling on the file, beyond which `append` raises
    StorageFull as it does on a full disk.
    """

    def __init__(self, path: Path, *, max_bytes: int | None = None) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = WriterLock(path)
        try:
            self._db = open_writer(path, max_bytes)
        except BaseException:
            self._lock.release()
            raise
        super().__init__(path)
        self._writing = threading.Lock()
        self._grown = threading.Condition()
        self._recent = RecentBatches()
        self._closed = False
        try:
            self._first, self._last, self._newest = self._load()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Let go of the file; waiting readers wake."""
        with self._grown:
            self._closed = True
            self._grown.notify_all()
        super().close()
        with self._writing:
            self._db.close()
        self._lock.release()

    @property
    def first_offset(self) -> int:
        """Offset of the oldest entry still held; last_offset + 1 when there is none."""
        with self._grown:
            return self._first

    @property
    def last_offset(self) -> int:
        """Offset of the newest durable entry; 0 when none was ever written."""
        with self._grown:
            return self._last

    def append(self, entries: Sequence[Entry]) -> int:
        """Write the entries as one batch and fsync; returns the offset of the last.

        All are durable on return, or none is written: StorageFull when there is no room (the journal stays usable),
        Unavailable on any other failure of the disk.
        """
        if not entries:
            return self.last_offset
        packed = pack(entries)
        body = compress(packed)
        with self._writing:
            if self._closed:
                raise Unavailable(f"the journal {self.path} is closed")
            first = self._last + 1
            newest = newest_time(entries)
            at = self._newest if newest == NEVER else newest
            self._write(first, len(entries), at, body, _configs(first, entries))
            with self._grown:
                self._last, self._newest = first + len(entries) - 1, at
                self._recent.add(first, tuple(entries), len(packed))
                self._grown.notify_all()
            return self._last

    def read(self, after: int, limit: int = 10_000, most_bytes: int = READ_BYTES) -> Sequence[tuple[int, Entry]]:
        """Up to about `limit` entries with offset > `after`, in order, whole stored batches at a time.

        It ends with the batch that reaches `limit` entries or `most_bytes` packed bytes.
        Raises Corrupt when `after` + 1 has been removed by retention, when the journal ends before `after`
        (it is older than its consumer), or when a batch fails its checksum.
        """
        with self._grown:
            _check_not_ahead(self.path, after, self._last)
            if after == self._last:
                return []
            recent = self._recent.read(after, limit, most_bytes)
        return self._read_stored(after, limit, most_bytes) if recent is None else recent

    def wait(self, after: int, timeout: float) -> bool:
        """Block until an entry beyond `after` is durable (True) or `timeout` seconds have passed (False)."""
        with self._grown:
            self._grown.wait_for(lambda: self._closed or self._last > after, timeout)
            return self._last > after

    def trim(self, keep: Keep, now: int) -> Removed:
        """Remove what retention allows, in steps short enough for `append` to go on between them."""
        total = Removed()
        while True:
            with self._writing, translated(self.path):
                removed = step(self._db, keep, now)
                with self._grown:
                    self._first += removed.entries
            if not removed.batches:
                return total
            total = total.plus(removed)

    def _load(self) -> tuple[int, int, int]:
        """First and last offset and newest time; raises Corrupt when the last batch fails its checksum."""
        with translated(self.path):
            row = self._db.execute("SELECT first, n, at, crc, body FROM batches ORDER BY first DESC LIMIT 1").fetchone()
        if row is None:
            return 1, 0, NEVER
        first, n, at, crc, body = row
        check_batch(self.path, first, crc, body)
        return self._bounds()[0], first + n - 1, at

    def _write(self, first: int, n: int, at: int, body: bytes, configs: list[tuple[int, int, bytes]]) -> None:
        try:
            self._db.execute("BEGIN IMMEDIATE")
            self._db.execute("INSERT INTO batches VALUES (?, ?, ?, ?, ?)", (first, n, at, checksum(first, body), body))
            self._db.executemany("INSERT INTO config_entries VALUES (?, ?, ?)", configs)
            self._db.execute("COMMIT")
        except sqlite3.Error as error:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise failure(error, self.path) from error


class JournalFollower(StoredJournal):
    """Reader of a journal that another process writes. Raises Unavailable when there is no file yet."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._closing = threading.Event()
        self._bounds()

    def close(self) -> None:
        """Let go of the file; waiting readers wake."""
        self._closing.set()
        super().close()

    @property
    def first_offset(self) -> int:
        """Offset of the oldest entry still held; last_offset + 1 when there is none."""
        return self._bounds()[0]

    @property
    def last_offset(self) -> int:
        """Offset of the newest durable entry; 0 when none was ever written."""
        return self._bounds()[1]

    def read(self, after: int, limit: int = 10_000, most_bytes: int = READ_BYTES) -> Sequence[tuple[int, Entry]]:
        """As JournalFile.read."""
        last = self.last_offset
        _check_not_ahead(self.path, after, last)
        return [] if after == last else self._read_stored(after, limit, most_bytes)

    def wait(self, after: int, timeout: float) -> bool:
        """As JournalFile.wait; looks into the file every 20 ms, which costs some 20 µs a look."""
        deadline = time.monotonic() + timeout
        while self.last_offset <= after:
            left = deadline - time.monotonic()
            if left <= 0 or self._closing.wait(min(left, _POLL_SECONDS)):
                return False
        return True


def _configs(first: int, entries: Sequence[Entry]) -> list[tuple[int, int, bytes]]:
    rows = []
    for offset, entry in enumerate(entries, first):
        if isinstance(entry, Config):
            body = compress(pack_config(entry))
            rows.append((offset, checksum(offset, body), body))
    return rows


def _check_not_ahead(path: Path, after: int, last: int) -> None:
    if after > last:
        raise Corrupt(
            f"{path} ends at offset {last} but a consumer has already read up to {after}: the journal is older than "
            "its consumer; restore journal, store and ledger from the same backup"
        )

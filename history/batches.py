"""The journal's SQLite file: its tables, how it is opened, and what each failure of it means."""

from __future__ import annotations

import fcntl
import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from plant.errors import Conflict, Corrupt, DutyroomError, StorageFull, Unavailable

_APPLICATION = 0x44555459  # "DUTY", so that `file` and we know the file as a journal
_FORMAT = 1
_WAL_KEPT = 64 << 20

# One row is one appended batch of `n` entries with offsets first … first + n - 1. `at` is the newest plant time in
# it. Configurations are in their batch and, so that they outlive it, in a table of their own.
_SCHEMA = """
CREATE TABLE IF NOT EXISTS batches (
    first INTEGER PRIMARY KEY, n INTEGER NOT NULL, at INTEGER NOT NULL, crc INTEGER NOT NULL, body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS config_entries (
    at_offset INTEGER PRIMARY KEY, crc INTEGER NOT NULL, body BLOB NOT NULL);
"""


def failure(error: sqlite3.Error, path: Path) -> DutyroomError:
    """What an error of SQLite means to the caller."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code == sqlite3.SQLITE_FULL:
        return StorageFull(
            f"no room to write the journal {path}: nothing was written; free space on its disk or shorten its retention"
        )
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return Corrupt(f"{path} is damaged or no journal ({error}); run `journal verify`, then restore a backup")
    return Unavailable(f"the journal {path} cannot be used now ({error}); look at its disk and permissions")


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Turn errors of SQLite into ours."""
    try:
        yield
    except sqlite3.Error as error:
        raise failure(error, path) from error


def open_writer(path: Path, max_bytes: int | None = None) -> sqlite3.Connection:
    """The one writing connection; creates the file and its tables where missing.

    `max_bytes` is a ceiling on the file: beyond it SQLite reports a full disk.
    """
    with translated(path):
        db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=10)
        try:
            _set_up(db, path, max_bytes)
        except BaseException:
            db.close()
            raise
    return db


def _set_up(db: sqlite3.Connection, path: Path, max_bytes: int | None) -> None:
    db.execute("PRAGMA auto_vacuum=INCREMENTAL")  # counts only before the first table is made
    db.execute("PRAGMA journal_mode=WAL")
    db.execute("PRAGMA synchronous=FULL")
    # A WAL that keeps its size leaves room for deleting when the disk is full.
    db.execute(f"PRAGMA journal_size_limit={_WAL_KEPT}")
    if not pragma(db, "application_id") and not pragma(db, "schema_version"):
        db.execute(f"PRAGMA application_id={_APPLICATION}")
        db.execute(f"PRAGMA user_version={_FORMAT}")
    check_format(db, path)
    db.executescript(_SCHEMA)
    if max_bytes is not None:
        db.execute(f"PRAGMA max_page_count={max(1, max_bytes // pragma(db, 'page_size'))}")


def check_format(db: sqlite3.Connection, path: Path) -> None:
    """Raises Corrupt when the file is no journal, or one of a format this version does not know."""
    if pragma(db, "application_id") != _APPLICATION:
        raise Corrupt(f"{path} is an SQLite file but no journal; name the folder that holds journal.db")
    found = pragma(db, "user_version")
    if found != _FORMAT:
        raise Corrupt(
            f"{path} is a journal of format {found}, this version reads format {_FORMAT}; use the other version"
        )


def pragma(db: sqlite3.Connection, name: str) -> int:
    """The integer value of a pragma."""
    return int(db.execute(f"PRAGMA {name}").fetchone()[0])


class Readers:
    """Reading connections, lent to one thread at a time and kept for the next."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._idle: list[sqlite3.Connection] = []
        self._closed = False
        self._lock = threading.Lock()

    @contextmanager
    def lend(self) -> Iterator[sqlite3.Connection]:
        """A connection of one's own while the block runs; errors of SQLite in it become ours."""
        with translated(self.path):
            db = self._take()
            try:
                yield db
            finally:
                with self._lock:
                    if self._closed:
                        db.close()
                    else:
                        self._idle.append(db)

    def _take(self) -> sqlite3.Connection:
        with self._lock:
            if self._closed:
                raise Unavailable(f"the journal {self.path} is closed")
            if self._idle:
                return self._idle.pop()
        return open_reader(self.path)

    def close(self) -> None:
        """Close what is idle now and what is lent when it comes back."""
        with self._lock:
            self._closed = True
            for db in self._idle:
                db.close()
            self._idle.clear()


def open_reader(path: Path) -> sqlite3.Connection:
    """A connection that cannot write. Raises Unavailable when there is no file, Corrupt when it is no journal."""
    if not path.exists():
        raise Unavailable(f"there is no journal at {path}; start the collector, or name the folder that holds it")
    with translated(path):
        # Not mode=ro: a reader of a WAL file must be able to make its shared-memory file.
        db = sqlite3.connect(
            f"{path.resolve().as_uri()}?mode=rw", uri=True, isolation_level=None, check_same_thread=False, timeout=10
        )
        try:
            db.execute("PRAGMA query_only=1")
            check_format(db, path)
        except BaseException:
            db.close()
            raise
    return db


def writer_of(path: Path) -> str | None:
    """The process that writes a journal, as it gave its number; None when nobody does."""
    lock = path.with_name(path.name + ".lock")
    if not lock.exists():
        return None
    with lock.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return file.read().strip() or "unknown"
    return None


class WriterLock:
    """At most one process (and one JournalFile in it) writes a journal; the kernel drops the lock on any death."""

    def __init__(self, path: Path) -> None:
        self._file = path.with_name(path.name + ".lock").open("a+")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._file.seek(0)
            holder = self._file.read().strip() or "unknown"
            self._file.close()
            raise Conflict(
                f"{path} is already being written by process {holder}; stop it or use another data folder"
            ) from None
        self._file.truncate(0)
        self._file.write(str(os.getpid()))
        self._file.flush()

    def release(self) -> None:
        """Let another writer in."""
        self._file.close()

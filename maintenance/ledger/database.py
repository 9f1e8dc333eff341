"""The SQLite file under the ledger: how it is opened, one thread that writes, and what its errors mean."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import BoundedSemaphore
from typing import Concatenate, ParamSpec, TypeVar

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import ConnectionPoolEntry

from plant.errors import Corrupt, DutyroomError, StorageFull, Unavailable

P = ParamSpec("P")
T = TypeVar("T")

_QUEUE = 1_000
_BUSY_TIMEOUT_S = 10.0
_CORRUPT = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def make_engine(path: Path, *, writes: bool, foreign_keys: bool = True) -> Engine:
    """An engine over the file whose transactions begin as SQLite needs them to.

    A deferred transaction that reads and then writes fails at once when somebody else has written, whatever
    busy_timeout says; so writers begin IMMEDIATE, and readers may not write at all.
    """
    engine = create_engine(
        URL.create("sqlite", database=str(path)), connect_args={"timeout": _BUSY_TIMEOUT_S}, pool_size=4
    )

    def connected(connection: sqlite3.Connection, _: ConnectionPoolEntry) -> None:
        connection.isolation_level = None  # we begin ourselves
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(f"PRAGMA foreign_keys = {'ON' if foreign_keys else 'OFF'}")
        connection.execute(f"PRAGMA query_only = {'OFF' if writes else 'ON'}")

    def begun(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    event.listen(engine, "connect", connected)
    event.listen(engine, "begin", begun)
    return engine


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Turns what the database driver says into one of our errors, naming the file."""
    try:
        yield
    except DBAPIError as error:
        found = _meaning(error.orig, path)
        if found is None:
            raise
        raise found from error


def _meaning(error: BaseException | None, path: Path) -> DutyroomError | None:
    code = getattr(error, "sqlite_errorcode", None)
    if code is None:
        return None
    primary = code & 0xFF
    if primary == sqlite3.SQLITE_FULL:
        return StorageFull(f"{path}: no room left for the ledger; nothing was written; free space on the disk")
    if primary in _CORRUPT:
        return Corrupt(f"{path}: this is no sound ledger ({error}); restore it from a backup")
    if primary in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return Unavailable(f"{path}: another process has held the ledger for {_BUSY_TIMEOUT_S:.0f} s; try again")
    if primary in (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY):
        return Unavailable(f"{path}: the ledger cannot be read or written ({error}); check the disk and the rights")
    return None


class Database:
    """One thread writes, one transaction a function, in the order they are handed in; any thread may read."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._writer = make_engine(path, writes=True)
        self._reader = make_engine(path, writes=False)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="ledger-writer")
        self._room = BoundedSemaphore(_QUEUE)

    def submit(self, act: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Hand a function to the writer thread; it runs in one transaction, undone when it raises.

        Waits while 1,000 functions are queued.
        """

        def run() -> T:
            with translated(self.path), self._writer.begin() as connection:
                return act(connection, *args, **kwargs)

        self._room.acquire()
        future = self._thread.submit(run)
        future.add_done_callback(lambda _: self._room.release())
        return future

    def write(self, act: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """`submit` and wait; its result is durable when this returns. Never call it from within an `act`."""
        return self.submit(act, *args, **kwargs).result()

    def read(self, query: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a function on one unchanging view of the ledger, in the caller's thread; it cannot write."""
        with translated(self.path), self._reader.begin() as connection:
            return query(connection, *args, **kwargs)

    def close(self) -> None:
        """Finish what is queued and let the file go."""
        self._thread.shutdown(wait=True)
        self._writer.dispose()
        self._reader.dispose()

"""The journal thread: append whatever waits, one fsync, then acknowledge; on a full disk hold everything and retry."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import structlog

from history.entries import Entry
from history.protocols import Journal
from ingest.inbox import Inbox, Parcel
from plant.errors import Unavailable

_log: structlog.typing.FilteringBoundLogger = structlog.get_logger(__name__)

_MOST_MESSAGES = 5_000
_MOST_BYTES = 8 * 2**20


class Watcher(Protocol):
    """Who wants to know when the journal took entries again after it could not."""

    def recovered(self) -> None:
        """Called from the journal thread."""


@dataclass(frozen=True, slots=True)
class WriterStatus:
    """`trouble` is why nothing can be written now, None while all is well."""

    appended: int
    acked: int
    trouble: str | None
    failed: bool


class JournalWriter:
    """Nothing is acknowledged before it is durable; acknowledgements go out in order of receipt."""

    def __init__(
        self,
        journal: Journal,
        inbox: Inbox,
        watcher: Watcher,
        *,
        retry_s: tuple[float, float],
        after_fsync: Callable[[], None] | None = None,
    ) -> None:
        self._journal = journal
        self._inbox = inbox
        self._watcher = watcher
        self._retry_s = retry_s
        self._after_fsync = after_fsync
        self._stopping = threading.Event()
        self._appended = 0
        self._acked = 0
        self._trouble: str | None = None
        self._finished = False
        self._thread = threading.Thread(target=self._run, name="journal-writer", daemon=True)

    @property
    def stuck(self) -> bool:
        """The journal takes nothing at the moment."""
        return self._trouble is not None

    def status(self) -> WriterStatus:
        """Counters since the start."""
        failed = self._finished and not self._stopping.is_set()
        return WriterStatus(self._appended, self._acked, self._trouble, failed)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Write what waits, if the journal takes it, and end; what was not written was not acknowledged."""
        self._stopping.set()
        self._inbox.close()
        self._thread.join()

    def _run(self) -> None:
        try:
            while batch := self._inbox.take(_MOST_MESSAGES, _MOST_BYTES):
                self._write(batch)
                self._inbox.finished(len(batch))
        finally:
            # Whatever ends this thread, nothing more may pile up behind it.
            self._finished = True
            self._inbox.close()

    def _write(self, batch: list[Parcel]) -> None:
        entries = [entry for parcel in batch for entry in parcel.entries]
        last = 0
        if entries:
            written = self._append(entries)
            if written is None:
                self._give_up(batch)
                return
            last = written
            self._appended += len(entries)
        if self._after_fsync is not None:
            self._after_fsync()
        offset = last - len(entries)
        for parcel in batch:
            offset += len(parcel.entries)
            if parcel.source is not None:
                parcel.source.ack(parcel.messages)
                self._acked += len(parcel.messages)
            if parcel.done is not None:
                parcel.done.set_result(offset)

    def _append(self, entries: list[Entry]) -> int | None:
        """Try until it is done; None when the service stops before it could be."""
        wait, longest = self._retry_s
        while True:
            try:
                last = self._journal.append(entries)
            except Unavailable as error:
                if str(error) != self._trouble:
                    _log.error("journal_cannot_write", reason=str(error), held=len(self._inbox) + len(entries))
                self._trouble = str(error)
            else:
                if self._trouble is not None:
                    _log.info("journal_writes_again")
                    # First the backlog is announced, then the trouble is over: no tick may slip in between.
                    self._watcher.recovered()
                    self._trouble = None
                return last
            if self._stopping.wait(wait):
                return None
            wait = min(2 * wait, longest)

    def _give_up(self, batch: list[Parcel]) -> None:
        for parcel in batch:
            if parcel.done is not None:
                parcel.done.set_exception(Unavailable(f"the journal could not write: {self._trouble}"))

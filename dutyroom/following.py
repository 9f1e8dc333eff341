"""A thread that follows the journal: waits, reads, hands on, and says how far it is and what holds it up."""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sized
from typing import Generic, TypeVar

import structlog

from history.protocols import FollowedJournal
from plant.errors import Unavailable

T = TypeVar("T")
Stretch = TypeVar("Stretch", bound=Sized)
"""What a consumer reads in one go; its length is the number of journal entries."""

_WAIT_SECONDS = 0.5
_RETRY_SECONDS = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
READ_LIMIT = 5_000

log = structlog.get_logger()


class Follower(ABC, Generic[Stretch]):
    """One consumer of the journal in a thread of its own. Its offset only moves with its effect."""

    def __init__(self, name: str, journal: FollowedJournal) -> None:
        self.name = name
        self.journal = journal
        self.offset = 0
        self.held_up: str | None = None
        self.fatal: BaseException | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._guard, name=name, daemon=True)

    def start(self) -> None:
        """Begin to follow."""
        self._thread.start()

    def stop(self, timeout: float = 30.0) -> None:
        """Finish the batch in hand and end."""
        self._stopping.set()
        self._thread.join(timeout)

    @property
    def lag(self) -> int:
        """Entries that are durable and not yet taken up."""
        return max(self.journal.last_offset - self.offset, 0)

    @property
    def alive(self) -> bool:
        """The thread is running."""
        return self._thread.is_alive()

    @abstractmethod
    def recover(self) -> None:
        """Bring the state to where the effects already are; sets `offset`."""

    @abstractmethod
    def read_on(self) -> Stretch:
        """What the journal holds after `offset`, up to about READ_LIMIT entries; empty where there is nothing yet."""

    @abstractmethod
    def take(self, stretch: Stretch) -> None:
        """Take effect of what was read and move `offset` to the last of it."""

    def rest_seconds(self, taken: int) -> float:
        """How long to let entries gather before the next read; `taken` is how many the last one had."""
        return 0.0

    @abstractmethod
    def idle(self) -> None:
        """Nothing new has come for a while."""

    @abstractmethod
    def finish(self) -> None:
        """The last act before the thread ends in good order."""

    def insist(self, act: Callable[[], T]) -> T | None:
        """Do it, again and again while something outside is away; None only when told to stop meanwhile.

        What holds it up is told once when it begins and once when it ends.
        """
        tries = 0
        while True:
            try:
                result = act()
            except Unavailable as error:
                if self.held_up != str(error):
                    self.held_up = str(error)
                    log.warning("held up", consumer=self.name, why=self.held_up, offset=self.offset)
                if self._stopping.wait(_RETRY_SECONDS[min(tries, len(_RETRY_SECONDS) - 1)]):
                    return None
                tries += 1
                continue
            if self.held_up is not None:
                log.info("goes on", consumer=self.name, offset=self.offset)
                self.held_up = None
            return result

    def _guard(self) -> None:
        try:
            self._follow()
        except BaseException as error:
            self.fatal = error
            log.exception("consumer failed", consumer=self.name, offset=self.offset)

    def _follow(self) -> None:
        self.insist(self.recover)
        last_idle = time.monotonic()
        while not self._stopping.is_set():
            if self.journal.wait(self.offset, _WAIT_SECONDS):
                stretch = self.insist(self.read_on)
                if stretch:
                    self.take(stretch)
                    self._stopping.wait(self.rest_seconds(len(stretch)))
            if time.monotonic() - last_idle >= _WAIT_SECONDS:
                self.insist(self.idle)
                last_idle = time.monotonic()
        self.finish()

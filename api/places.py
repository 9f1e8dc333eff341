"""Live streams share one heartbeat and are counted: a pulse that asks the ledger for news, and places that are few."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

import structlog

from api.problems import TooMany
from plant.errors import DutyroomError, Unavailable

_BEAT_S = 0.5

_log = structlog.get_logger()


class Pulse:
    """Asks for the newest timeline row twice a second; streams wait for its beats.

    The ledger is asked, not told, because other processes write it too.
    """

    def __init__(self, newest: Callable[[], Awaitable[int]]) -> None:
        self._ask = newest
        self._beat = asyncio.Event()
        self.newest = 0
        self.closed = False

    async def run(self) -> None:
        """Beat until closed; a ledger that does not answer is logged when it stops and when it answers again."""
        answering = True
        while not self.closed:
            try:
                self.newest = await self._ask()
                if not answering:
                    _log.info("the live stream hears the ledger again")
                answering = True
            except DutyroomError as error:
                if answering:
                    _log.warning("the live stream cannot ask the ledger", error=str(error))
                answering = False
            self._strike()
            await asyncio.sleep(_BEAT_S)

    async def beat(self) -> None:
        """Wait for the next beat; returns at once when closed."""
        if not self.closed:
            await self._beat.wait()

    def close(self) -> None:
        """End every stream: the service is going down."""
        self.closed = True
        self._strike()

    def _strike(self) -> None:
        struck, self._beat = self._beat, asyncio.Event()
        struck.set()


class Places:
    """How many live streams there may be, in all and of one user."""

    def __init__(self, *, of_one: int, of_all: int) -> None:
        self._of_one = of_one
        self._of_all = of_all
        self._held: Counter[str] = Counter()

    @property
    def taken(self) -> int:
        """Streams open now."""
        return self._held.total()

    @contextmanager
    def take(self, user: str) -> Iterator[None]:
        """Hold a place while in `with`. Raises TooMany for the user's, Unavailable for everybody's."""
        if self._held[user] >= self._of_one:
            raise TooMany(f"{user} holds {self._of_one} live streams already; close a page that shows one")
        if self.taken >= self._of_all:
            raise Unavailable(f"all {self._of_all} live streams are in use; ask again every 15 s instead")
        self._held[user] += 1
        try:
            yield
        finally:
            self._held[user] -= 1
            if not self._held[user]:
                del self._held[user]

"""Where requests meet the house: blocking calls leave the event loop here, by threads that are counted."""

from __future__ import annotations

from asyncio import get_running_loop, sleep
from collections.abc import Callable
from functools import partial
from typing import Annotated, Concatenate, ParamSpec, TypeVar

from anyio import CapacityLimiter, to_thread
from fastapi import Depends, Request
from sqlalchemy import Connection

from api.deps import ApiDeps
from api.guard.limits import Limits
from api.meters import Meters
from api.places import Places, Pulse
from api.probes import probes
from api.rates import STEP_S, Rates
from maintenance.ledger.book import Book
from maintenance.ledger.queries import newest_happening
from plant.errors import Unavailable
from plant.instants import NEVER

P = ParamSpec("P")
T = TypeVar("T")

_LEDGER_THREADS = 8
_HISTORY_THREADS = 4
_PHOTO_THREADS = 2
"""A photo of 40 megapixels takes 120 MB while it is decoded."""
_HASHING_THREADS = 2  # each takes 64 MB and a core for a moment; more would only starve the rest


class Office:
    """The dependencies of one app, with threads of their own for ledger and history: a slow chart blocks no ticket."""

    def __init__(self, deps: ApiDeps) -> None:
        self.deps = deps
        self._ledger = CapacityLimiter(_LEDGER_THREADS)
        self._history = CapacityLimiter(_HISTORY_THREADS)
        self._photos = CapacityLimiter(_PHOTO_THREADS)
        self._hashing = CapacityLimiter(_HASHING_THREADS)
        self.meters = Meters()
        self.limits = Limits()
        self.rates = Rates()
        self.probes = probes(deps)
        self.places = Places(of_one=deps.streams_per_user, of_all=deps.streams)
        self.pulse = Pulse(lambda: self.read(newest_happening))

    async def read(self, query: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a query of the ledger in a thread."""
        return await self.act(lambda: self.deps.ledger.read(query, *args, **kwargs))

    async def act(self, act: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a blocking method of the ledger in a thread."""
        return await to_thread.run_sync(partial(act, *args, **kwargs), limiter=self._ledger)

    async def record(self, act: Callable[Concatenate[Book, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a function of the ledger's desk in one write transaction, at the plant time of now."""
        now = self.now()
        return await self.act(lambda: self.deps.ledger.act(now, act, *args, **kwargs))

    async def history(self, query: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run something that asks the telemetry store in a thread."""
        return await to_thread.run_sync(partial(query, *args, **kwargs), limiter=self._history)

    async def hashing(self, act: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run something of `maintenance.ledger.passwords` in a thread; a flood of tries waits in line."""
        return await to_thread.run_sync(partial(act, *args, **kwargs), limiter=self._hashing)

    async def note_rates(self) -> None:
        """Note the totals every few seconds, for ever."""
        while True:
            self.rates.note(get_running_loop().time(), self.deps.live.look().counted)
            await sleep(STEP_S)

    def clock(self) -> int:
        """System time, ms UTC: what sessions and accounts are dated by, also while no data comes."""
        return self.deps.clock()

    async def picture(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run something that decodes or reads a photo in a thread."""
        return await to_thread.run_sync(partial(work, *args, **kwargs), limiter=self._photos)

    def now(self) -> int:
        """Plant time, ms UTC; raises Unavailable before the first tick, when nothing can be dated."""
        now = self.deps.live.look().plant_time
        if now == NEVER:
            raise Unavailable("the plant clock has not started: no tick has come yet; try again in a moment")
        return now


def _of_app(request: Request) -> Office:
    office: Office = request.app.state.office
    return office


AnOffice = Annotated[Office, Depends(_of_app)]

"""The live stream: what stands now, then everything that happens, numbered so that a reconnect loses nothing."""

from __future__ import annotations

from asyncio import get_running_loop
from collections.abc import AsyncIterator, Iterator
from typing import Annotated

import structlog
from fastapi import Depends, Header
from fastapi.sse import ServerSentEvent

from api.access import Caller, Credentials, identify
from api.office import AnOffice, Office
from api.problems import NotSignedIn
from api.queries import Changes, Standing, changes, standing
from api.shapes import Instant, Shape
from api.ticket_shapes import AlarmOut, TicketOut, TimelineOut
from maintenance.ledger.queries import newest_happening
from maintenance.ledger.rows import TimelineRow
from plant.errors import DutyroomError, Unavailable
from plant.instants import NEVER

MOST_REPLAYED = 10_000
"""Timeline rows sent after a reconnect; who has missed more gets a new snapshot."""

_CLOCK_S = 5.0
_RETRY_MS = 3_000

_log = structlog.get_logger()

LastEventId = Annotated[
    int | None, Header(ge=0, le=2**62, description="id of the last event seen; left out: begin with a snapshot")
]


class ClockOut(Shape):
    """Plant time, and whether the site is being listened to. Not numbered."""

    plant_time: Instant | None
    listening: bool


class SnapshotOut(Shape):
    """Unfinished tickets and active alarms, at most 1,000 each, the newest first: forget what you knew before."""

    tickets: list[TicketOut]
    alarms: list[AlarmOut]


class TicketChange(Shape):
    """A line of a ticket's timeline, and the ticket as it stands now."""

    happened: TimelineOut
    ticket: TicketOut


class AlarmChange(Shape):
    """A line about an alarm, and the alarm as it stands now."""

    happened: TimelineOut
    alarm: AlarmOut


async def _place(office: AnOffice, caller: Caller) -> AsyncIterator[None]:
    if office.pulse.closed:
        raise Unavailable("the service is going down; connect again in a moment")
    with office.places.take(caller.name):
        yield


async def stream(
    office: AnOffice,
    credentials: Credentials,
    _: Annotated[None, Depends(_place)],
    last_event_id: LastEventId = None,
) -> AsyncIterator[ServerSentEvent]:
    """Server-sent events `snapshot`, `ticket`, `alarm` and `clock`.

    Ids are numbers of the ledger's timeline: send the last one back as `Last-Event-ID` and every later change comes,
    in order, at least once. Without it, or after missing more than 10,000 changes, a `snapshot` comes first. The
    stream ends when the token is revoked or the service goes down.
    """
    follower = _Follower(office)
    loop = get_running_loop()
    signed_in = loop.time()
    try:
        for event in await follower.begin(last_event_id):
            yield event
        while not office.pulse.closed:
            for event in await follower.news():
                yield event
            if loop.time() - signed_in >= office.deps.sign_in_again_s:
                await identify(office, credentials)
                signed_in = loop.time()
            if follower.level:
                await office.pulse.beat()
    except NotSignedIn:
        return
    except DutyroomError as error:
        # The client reconnects with its last id, and meets a proper problem if this lasts.
        _log.warning("a live stream was ended", error=str(error))


class _Follower:
    """One stream's place in the timeline; it reads from there, so a slow client costs no memory."""

    def __init__(self, office: Office) -> None:
        self._office = office
        self._seen = 0
        self._clock: ClockOut | None = None
        self._clock_due = 0.0

    @property
    def level(self) -> bool:
        """Nothing more is known to have happened."""
        return self._seen >= self._office.pulse.newest

    async def begin(self, seen: int | None) -> list[ServerSentEvent]:
        """Take up after timeline row `seen`, or begin with a snapshot where that cannot be."""
        newest = await self._office.read(newest_happening)
        # A number from the future is one of a ledger that has since been restored from a backup.
        if seen is not None and newest - MOST_REPLAYED <= seen <= newest:
            self._seen = seen
            return []
        found = await self._office.read(standing)
        self._seen = found.newest
        return [_snapshot(found)]

    async def news(self) -> list[ServerSentEvent]:
        """What has happened since, a batch at a time, and the clock when it is due."""
        events = self._clocks()
        if not self.level:
            found = await self._office.read(changes, self._seen)
            for row in found.rows:
                events += _change(found, row)
                self._seen = row.id
        return events

    def _clocks(self) -> list[ServerSentEvent]:
        live = self._office.deps.live.look()
        clock = ClockOut(plant_time=None if live.plant_time == NEVER else live.plant_time, listening=live.listening)
        now = get_running_loop().time()
        if clock == self._clock or now < self._clock_due:
            return []
        self._clock, self._clock_due = clock, now + _CLOCK_S
        return [ServerSentEvent(event="clock", data=clock)]


def _snapshot(found: Standing) -> ServerSentEvent:
    data = SnapshotOut(
        tickets=[TicketOut.model_validate(ticket) for ticket in found.tickets],
        alarms=[AlarmOut.model_validate(alarm) for alarm in found.alarms],
    )
    return ServerSentEvent(event="snapshot", id=str(found.newest), data=data, retry=_RETRY_MS)


def _change(found: Changes, row: TimelineRow) -> Iterator[ServerSentEvent]:
    """The events of one row; only the last bears its number, so a break between them repeats both."""
    happened = TimelineOut.model_validate(row)
    last = str(row.id)
    if row.alarm is not None:
        alarm = AlarmOut.model_validate(found.alarms[row.alarm])
        change = AlarmChange(happened=happened, alarm=alarm)
        yield ServerSentEvent(event="alarm", id=last if row.ticket is None else None, data=change)
    if row.ticket is not None:
        ticket = TicketOut.model_validate(found.tickets[row.ticket])
        yield ServerSentEvent(event="ticket", id=last, data=TicketChange(happened=happened, ticket=ticket))

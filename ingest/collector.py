"""Everything that comes from the brokers into the journal, in order, durable before it is acknowledged.

a Line for each broker ─▶ Inbox (bounded, never waits) ─▶ JournalWriter: append, fsync, acknowledge
ticks, commands ───────────▲
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass

import structlog

from history.entries import Command, Config
from history.protocols import Journal
from ingest.bindings import Bindings
from ingest.broker import Broker
from ingest.clocks import Pace, PublishedClock
from ingest.inbox import Inbox, Parcel
from ingest.line import Line, LineStatus, OwnTopics
from ingest.ticking import Link, SystemTicks, last_tick
from ingest.topics import ROOT, covers
from ingest.writer import JournalWriter
from plant.errors import BadInput, Unavailable
from plant.site import Plant, PlantClock

_log: structlog.typing.FilteringBoundLogger = structlog.get_logger(__name__)

_ROOM_POLL_S = 0.1


@dataclass(frozen=True, slots=True)
class CollectorStatus:
    """What it is doing and has done since it started; times are plant time, ms.

    `connected`: with every broker; `draining`: from any. Counters are sums over `brokers`, which has each by itself.
    `clock_back` = published clock messages that would have gone back in time.
    `broker_error` and `journal_error` are None while all is well; `failed`: the journal thread has died.
    """

    connected: bool
    draining: bool
    generation: int
    received: int
    own: int
    appended: int
    acked: int
    dropped: int
    waiting: int
    stalls_healed: int
    sessions_lost: int
    malformed: int
    clock_back: int
    plant_time: int
    broker_error: str | None
    journal_error: str | None
    failed: bool
    brokers: tuple[LineStatus, ...]


class Collector:
    """Start it, and the journal grows. The process may be killed at any point: nothing acknowledged is lost."""

    def __init__(
        self,
        brokers: Sequence[Broker],
        journal: Journal,
        plant: Plant,
        *,
        pace: Pace | None = None,
        after_fsync: Callable[[], None] | None = None,
    ) -> None:
        """`after_fsync` is called between an append and its acknowledgements: the place where a kill hurts most.

        Raises BadInput when a binding of the plant cannot be used, or there is no broker, or one twice.
        """
        if not brokers or len({broker.url for broker in brokers}) < len(brokers):
            raise BadInput("the collector needs at least one broker, and each only once")
        self._pace = pace or Pace()
        published = plant.site.clock is PlantClock.TOPIC
        before = last_tick(journal)
        self._clock = PublishedClock(before) if published else None
        self._plant_time = before
        self._ticks = SystemTicks(before, self._pace.monotonic())
        self._inbox = Inbox(len(brokers))
        self._writer = JournalWriter(journal, self._inbox, self, retry_s=self._pace.retry_s, after_fsync=after_fsync)
        own, filters = OwnTopics.of(plant.site.id, published_clock=published), _filters(plant)
        self._lines = [Line(broker, own, filters, self._inbox, self._pace) for broker in brokers]
        self._stopping = threading.Event()
        self._pulse = threading.Thread(target=self._beat, name="collector-pulse", daemon=True)

    def start(self) -> None:
        """Begin; returns at once, whether or not the brokers are there."""
        self._writer.start()
        for line in self._lines:
            line.start(self._clock)
        self._pulse.start()

    def stop(self) -> None:
        """End in good order: what was received is written and acknowledged, the rest stays with the brokers."""
        self._stopping.set()
        self._pulse.join()
        self._inbox.wait_idle(self._pace.stop_s)
        for line in self._lines:
            line.stop()
        self._writer.stop()

    def submit(self, entry: Command | Config) -> Future[int]:
        """Append a person's act or a configuration in order; the future gives its offset once it is durable.

        Raises Unavailable when nothing more can be taken.
        """
        done: Future[int] = Future()
        if not self._inbox.put(Parcel((entry,), done=done)):
            raise Unavailable("the collector is full or has ended; try again when the journal writes")
        return done

    def rebind(self, plant: Plant) -> None:
        """Listen to the topics of a changed configuration; the site and its clock stay. Raises as the constructor."""
        filters = _filters(plant)
        for line in self._lines:
            line.refilter(filters)

    def status(self) -> CollectorStatus:
        """A snapshot of the counters."""
        writer, lines = self._writer.status(), tuple(line.status() for line in self._lines)
        return CollectorStatus(
            connected=all(line.connected for line in lines),
            draining=any(line.draining for line in lines),
            generation=sum(line.generation for line in lines),
            received=sum(line.received for line in lines),
            own=sum(line.own for line in lines),
            appended=writer.appended,
            acked=writer.acked,
            dropped=sum(line.dropped for line in lines),
            waiting=len(self._inbox),
            stalls_healed=sum(line.stalls_healed for line in lines),
            sessions_lost=sum(line.sessions_lost for line in lines),
            malformed=sum(line.malformed for line in lines),
            clock_back=self._clock.back if self._clock else 0,
            plant_time=self._clock.now if self._clock else self._plant_time,
            broker_error=next((line.error for line in lines if line.error is not None), None),
            journal_error=writer.trouble,
            failed=writer.failed,
            brokers=lines,
        )

    def recovered(self) -> None:
        """For the writer: it takes entries again."""
        for line in self._lines:
            line.drain()

    def _link(self) -> Link:
        """Of all brokers together: silence of a machine is only silence when each of them is heard."""
        links = {line.link for line in self._lines}
        if self._writer.stuck or Link.AWAY in links:
            return Link.AWAY
        return Link.DRAINING if Link.DRAINING in links else Link.LISTENING

    def _beat(self) -> None:
        """Each second: the ticks of the system's clock, and a look whether the connections are alive."""
        while not self._stopping.wait(1.0 - self._pace.now() % 1000 / 1000):
            if not len(self._inbox) and not self._writer.stuck:
                for line in self._lines:
                    line.heal()
            if self._clock is None:
                for entry in self._ticks.at(self._pace.now(), self._pace.monotonic(), self._link()):
                    self._put_at_last(Parcel((entry,)))
                    self._plant_time = entry.plant_time

    def _put_at_last(self, parcel: Parcel) -> None:
        """A tick can wait for room as the messages do; it may only not be forgotten, least of all a step of time."""
        while not self._inbox.put(parcel):
            if self._stopping.wait(_ROOM_POLL_S):
                return


def _filters(plant: Plant) -> tuple[str, ...]:
    """What to subscribe to; filters that another covers are left out, or a broker would send messages twice."""
    wanted = dict.fromkeys((f"{ROOT}/{plant.site.id}/#", *Bindings(plant).filters, *plant.site.discover))
    return tuple(one for one in wanted if not any(other != one and covers(other, one) for other in wanted))

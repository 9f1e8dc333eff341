"""Everything that comes from the broker into the journal, in order, durable before it is acknowledged.

paho's thread ─▶ Inbox (bounded, never waits) ─▶ JournalWriter: append, fsync, acknowledge
ticks, commands ──▲
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass

import structlog
from paho.mqtt.client import MQTTMessage

from history.entries import Command, Config, Message, Tick
from history.protocols import Journal
from ingest.bindings import Bindings
from ingest.broker import Broker
from ingest.clocks import Pace
from ingest.decoders import MAX_PAYLOAD
from ingest.decoders.loose import parse_json, parse_ts, text
from ingest.inbox import Inbox, Item
from ingest.reasons import Refused
from ingest.session import Connection, Session
from ingest.ticking import Link, SystemTicks, last_tick
from ingest.topics import ROOT, Channel, NativeTopic
from ingest.writer import JournalWriter
from plant.errors import Unavailable
from plant.site import Plant, PlantClock

_log: structlog.typing.FilteringBoundLogger = structlog.get_logger(__name__)

_ROOM_POLL_S = 0.1


@dataclass(frozen=True, slots=True)
class CollectorStatus:
    """What it is doing and has done since it started; times are plant time, ms.

    `received` = messages from the broker; `dropped` = messages of QoS 0 for which there was no room (others are only
    not acknowledged, and come again). `clock_back` = published clock messages that would have gone back in time.
    `broker_error` and `journal_error` are None while all is well; `failed`: the journal thread has died.
    """

    connected: bool
    draining: bool
    generation: int
    received: int
    appended: int
    acked: int
    dropped: int
    waiting: int
    stalls_healed: int
    sessions_lost: int
    clock_back: int
    plant_time: int
    broker_error: str | None
    journal_error: str | None
    failed: bool


class Collector:
    """Start it, and the journal grows. The process may be killed at any point: nothing acknowledged is lost."""

    def __init__(
        self,
        broker: Broker,
        journal: Journal,
        plant: Plant,
        *,
        pace: Pace | None = None,
        after_fsync: Callable[[], None] | None = None,
    ) -> None:
        """`after_fsync` is called between an append and its acknowledgements: the place where a kill hurts most.

        Raises BadInput when a binding of the plant cannot be used.
        """
        self._pace = pace or Pace()
        self._broker = broker
        self._topic_clock = plant.site.clock is PlantClock.TOPIC
        self._marker_topic = str(NativeTopic(plant.site.id, "", Channel.MARKER))
        self._clock_topic = str(NativeTopic(plant.site.id, "", Channel.CLOCK))
        self._plant_time = last_tick(journal)
        self._ticks = SystemTicks(self._plant_time, self._pace.monotonic())
        self._inbox = Inbox()
        self._writer = JournalWriter(journal, self._inbox, self, retry_s=self._pace.retry_s, after_fsync=after_fsync)
        self._session = Session(broker, _filters(plant), self, retry_s=self._pace.retry_s)
        self._connection: Connection | None = None
        self._nonce = uuid.uuid4().hex
        self._markers = 0
        self._awaited: bytes | None = None
        self._heard = self._probed = self._pace.monotonic()
        self._received = self._dropped = self._stalls = self._sessions_lost = self._clock_back = 0
        self._stopping = threading.Event()
        self._pulse = threading.Thread(target=self._beat, name="collector-pulse", daemon=True)

    def start(self) -> None:
        """Begin; returns at once, whether or not the broker is there."""
        self._writer.start()
        self._session.start()
        self._pulse.start()

    def stop(self) -> None:
        """End in good order: what was received is written and acknowledged, the rest stays with the broker."""
        self._stopping.set()
        self._pulse.join()
        self._inbox.wait_idle(self._pace.stop_s)
        self._session.stop()
        self._writer.stop()

    def submit(self, entry: Command | Config) -> Future[int]:
        """Append a person's act or a configuration in order; the future gives its offset once it is durable.

        Raises Unavailable when nothing more can be taken.
        """
        done: Future[int] = Future()
        if not self._inbox.put(Item(entry, done=done)):
            raise Unavailable("the collector is full or has ended; try again when the journal writes")
        return done

    def rebind(self, plant: Plant) -> None:
        """Listen to the topics of a changed configuration; the site and its clock stay. Raises as the constructor."""
        self._session.refilter(_filters(plant))

    def status(self) -> CollectorStatus:
        """A snapshot of the counters."""
        writer = self._writer.status()
        return CollectorStatus(
            connected=self._connection is not None,
            draining=self._connection is not None and self._awaited is not None,
            generation=self._session.generation,
            received=self._received,
            appended=writer.appended,
            acked=writer.acked,
            dropped=self._dropped,
            waiting=len(self._inbox),
            stalls_healed=self._stalls,
            sessions_lost=self._sessions_lost,
            clock_back=self._clock_back,
            plant_time=self._plant_time,
            broker_error=self._session.last_error,
            journal_error=writer.trouble,
            failed=writer.failed,
        )

    def may_connect(self) -> bool:
        """For the session: what a connection brings must find room."""
        return self._inbox.roomy

    def connected(self, connection: Connection) -> None:
        """For the session."""
        self._sessions_lost += connection.generation > 1 and not connection.session_present
        self._heard = self._pace.monotonic()
        self._connection = connection
        self._drain(connection)
        self._session.healthy()

    def disconnected(self, connection: Connection) -> None:
        """For the session."""
        self._connection = None

    def recovered(self) -> None:
        """For the writer: while nothing was acknowledged the broker held messages back, so there is a backlog now."""
        connection = self._connection
        if connection is not None:
            self._drain(connection)

    def received(self, connection: Connection, topic: str, message: MQTTMessage) -> None:
        """For the session: queue it; never waits."""
        self._received += 1
        self._heard = self._pace.monotonic()
        draining = self._awaited is not None or connection is not self._connection
        payload = bytes(message.payload[: MAX_PAYLOAD + 1])  # one byte too many, so that it is known as too large
        entry: Message | Tick | None
        if topic == self._marker_topic:
            entry = None
            if payload == self._awaited and connection is self._connection:
                self._awaited = None
        else:
            entry = self._clock_tick(topic, payload, message) or Message(
                received_at=self._pace.now() if not self._topic_clock else max(self._plant_time, 0),
                topic=topic,
                payload=payload,
                broker=self._broker.url,
                generation=connection.generation,
                qos=message.qos,
                retain=message.retain,
                dup=message.dup,
                mid=message.mid,
                draining=draining,
            )
        item = Item(entry, len(payload) + len(topic), connection, message.mid, message.qos)
        if not self._inbox.put(item):
            self._overflow(connection, message.qos)

    def _clock_tick(self, topic: str, payload: bytes, message: MQTTMessage) -> Tick | None:
        """The tick a message of the published clock stands for; None for all other messages."""
        if not self._topic_clock or topic != self._clock_topic:
            return None
        try:
            body = parse_json(text(payload))
            ts = parse_ts(body.get("ts")) if isinstance(body, dict) else None
        except Refused:
            ts = None
        if ts is None or message.retain:
            return None
        if ts <= self._plant_time:
            self._clock_back += 1
            return None
        self._plant_time = ts
        return Tick(ts)

    def _overflow(self, connection: Connection, qos: int) -> None:
        if qos == 0:
            self._dropped += 1
            return
        # It is not acknowledged, so it comes again; but only on another connection.
        connection.end("more arrived than can wait for the journal")

    def _drain(self, connection: Connection) -> None:
        self._markers += 1
        self._awaited = f"{self._nonce}:{connection.generation}:{self._markers}".encode()
        self._probe(connection)

    def _probe(self, connection: Connection) -> None:
        self._probed = self._pace.monotonic()
        connection.publish(self._marker_topic, self._awaited or f"{self._nonce}:probe".encode())

    def _link(self) -> Link:
        if self._connection is None or self._writer.stuck:
            return Link.AWAY
        return Link.LISTENING if self._awaited is None else Link.DRAINING

    def _beat(self) -> None:
        """Each second: the ticks of the system's clock, and a look whether the connection is alive."""
        while not self._stopping.wait(1.0 - self._pace.now() % 1000 / 1000):
            self._heal()
            if not self._topic_clock:
                for entry in self._ticks.at(self._pace.now(), self._pace.monotonic(), self._link()):
                    self._put_at_last(Item(entry))
                    self._plant_time = entry.plant_time

    def _put_at_last(self, item: Item) -> None:
        """A tick can wait for room as the messages do; it may only not be forgotten, least of all a step of time."""
        while not self._inbox.put(item):
            if self._stopping.wait(_ROOM_POLL_S):
                return

    def _heal(self) -> None:
        """Connected but nothing comes, not even our own marker: begin a new connection."""
        connection, now = self._connection, self._pace.monotonic()
        if connection is None or len(self._inbox) or self._writer.stuck:
            return
        quiet = now - self._heard
        if quiet > self._pace.stall_after_ms:
            self._stalls += 1
            _log.warning("broker_stalled", quiet_ms=quiet, generation=connection.generation)
            self._session.drop(f"nothing came for {quiet} ms, not even what we published ourselves")
        elif quiet > self._pace.probe_after_ms and now - self._probed > self._pace.probe_after_ms:
            self._probe(connection)


def _filters(plant: Plant) -> tuple[str, ...]:
    return (f"{ROOT}/{plant.site.id}/#", *Bindings(plant).filters)

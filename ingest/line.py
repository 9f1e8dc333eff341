"""What comes from one broker: its session, whether a backlog still drains, and its messages on the way to the inbox."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from history.entries import Entry, Message, Tick
from ingest.broker import Broker
from ingest.clocks import Pace, PublishedClock
from ingest.decoders.loose import parse_json, parse_ts, text
from ingest.inbox import Inbox, Parcel, size_of
from ingest.mqtt.connection import Connection
from ingest.mqtt.dangers import Danger, told
from ingest.mqtt.packets import Publish
from ingest.reasons import Refused
from ingest.session import Session
from ingest.ticking import Link
from ingest.topics import Channel, NativeTopic

_log: structlog.typing.FilteringBoundLogger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class OwnTopics:
    """The topics of the service itself; `clock` None where the system's clock is the plant clock."""

    marker: str
    status: str
    clock: str | None

    @staticmethod
    def of(site: str, *, published_clock: bool) -> OwnTopics:
        """Those of a site."""
        marker, status, clock = (
            str(NativeTopic(site, "", channel)) for channel in (Channel.MARKER, Channel.COLLECTOR, Channel.CLOCK)
        )
        return OwnTopics(marker, status, clock if published_clock else None)


@dataclass(frozen=True, slots=True)
class LineStatus:
    """One broker's part; `received` = messages, of these `own` were the service's own (marker, status, clock).

    `dropped` = messages of QoS 0 for which there was no room (others are only not acknowledged, and come again).
    `error` is None while all is well. `dangers` are limits of the broker that endanger us.
    `malformed` = connections ended because what came was no MQTT.
    """

    name: str
    broker: str
    connected: bool
    draining: bool
    generation: int
    received: int
    own: int
    dropped: int
    stalls_healed: int
    sessions_lost: int
    malformed: int
    error: str | None
    dangers: frozenset[Danger] = frozenset()


class Line:
    """Listener of one session; times are ms of `pace`."""

    def __init__(self, broker: Broker, own: OwnTopics, filters: Sequence[str], inbox: Inbox, pace: Pace) -> None:
        self.broker = broker
        self._own = own
        self._names = frozenset(topic for topic in (own.marker, own.status, own.clock) if topic is not None)
        self._inbox = inbox
        self._pace = pace
        self._clock: PublishedClock | None = None
        self._session = Session(broker, filters, self, own.status, retry_s=pace.retry_s)
        self._connection: Connection | None = None
        self._nonce = uuid.uuid4().hex
        self._markers = 0
        self._awaited: bytes | None = None
        self._dangers: frozenset[Danger] = frozenset()
        self._heard = self._probed = pace.monotonic()
        self._received = self._mine = self._dropped = self._stalls = self._sessions_lost = 0

    def start(self, clock: PublishedClock | None) -> None:
        """Begin; `clock` is the plant clock where it is published on a topic."""
        self._clock = clock
        self._session.start()

    def stop(self) -> None:
        """End the session's connection in good order."""
        self._session.stop()

    def refilter(self, filters: Sequence[str]) -> None:
        """Subscribe to these topics from now on."""
        self._session.refilter(filters)

    @property
    def link(self) -> Link:
        """Whether this broker is heard."""
        if self._connection is None:
            return Link.AWAY
        return Link.LISTENING if self._awaited is None else Link.DRAINING

    def status(self) -> LineStatus:
        """A snapshot of the counters."""
        return LineStatus(
            name=self.broker.name,
            broker=self.broker.url,
            connected=self._connection is not None,
            draining=self.link is Link.DRAINING,
            generation=self._session.generation,
            received=self._received,
            own=self._mine,
            dropped=self._dropped,
            stalls_healed=self._stalls,
            sessions_lost=self._sessions_lost,
            malformed=self._session.malformed,
            error=self._session.last_error,
            dangers=self._dangers,
        )

    def may_connect(self) -> bool:
        """For the session: what a connection brings must find room."""
        return self._inbox.roomy

    def may_read(self) -> bool:
        """For the session: what the journal cannot take soon stays with the broker, whose silence that is not."""
        roomy = self._inbox.roomy
        if not roomy:
            self._heard = self._pace.monotonic()
        return roomy

    def connected(self, connection: Connection) -> None:
        """For the session."""
        self._sessions_lost += connection.generation > 1 and not connection.session_present
        self._heard = self._pace.monotonic()
        self._connection = connection
        self._warn(told(self.broker, connection.granted, qos_0_only=bool(connection.qos_0_only)))
        self._drain(connection)
        self._session.healthy()

    def disconnected(self, connection: Connection) -> None:
        """For the session."""
        self._connection = None

    def received(self, connection: Connection, messages: Sequence[Publish]) -> None:
        """For the session: queue them; never waits."""
        self._received += len(messages)
        self._heard = self._pace.monotonic()
        entries = self._entries(connection, messages)
        if not self._inbox.put(Parcel(entries, size_of(messages), messages, connection)):
            self._overflow(connection, messages)

    def drain(self) -> None:
        """While nothing was acknowledged the broker held messages back, so there is a backlog now."""
        connection = self._connection
        if connection is not None:
            self._drain(connection)

    def heal(self) -> None:
        """Connected but nothing comes, not even our own marker: begin a new connection."""
        connection, now = self._connection, self._pace.monotonic()
        if connection is None:
            return
        quiet = now - self._heard
        if quiet > self._pace.stall_after_ms:
            self._stalls += 1
            _log.warning("broker_stalled", broker=self.broker.url, quiet_ms=quiet, generation=connection.generation)
            self._session.drop(f"nothing came for {quiet} ms, not even what we published ourselves")
        elif quiet > self._pace.probe_after_ms and now - self._probed > self._pace.probe_after_ms:
            self._probe(connection)

    def _entries(self, connection: Connection, messages: Sequence[Publish]) -> list[Entry]:
        url, generation, names = self.broker.url, connection.generation, self._names
        received_at, draining = self._moment(connection)
        entries: list[Entry] = []
        for message in messages:
            topic = message.topic
            if topic in names:
                self._take_own(connection, message, entries)
                received_at, draining = self._moment(connection)
                continue
            entries.append(
                Message(
                    received_at, topic, message.payload, url, generation,
                    message.qos, message.retain, message.dup, message.mid, draining,
                )
            )  # fmt: skip
        return entries

    def _moment(self, connection: Connection) -> tuple[int, bool]:
        """Plant time of receipt, and whether what comes now may have waited in the broker."""
        now = self._pace.now() if self._clock is None else max(self._clock.now, 0)
        return now, self._awaited is not None or connection is not self._connection

    def _take_own(self, connection: Connection, message: Publish, entries: list[Entry]) -> None:
        """A message of the service itself is no entry, but that of the published clock is a tick."""
        if message.topic == self._own.clock:
            self._tick(connection, message, entries)
            return
        self._mine += 1
        if message.topic == self._own.marker and message.payload == self._awaited and connection is self._connection:
            self._awaited = None

    def _tick(self, connection: Connection, message: Publish, entries: list[Entry]) -> None:
        ts = None if message.retain else _clock_ts(message.payload)
        if ts is not None and self._clock is not None and self._clock.follow(ts):
            self._mine += 1
            entries.append(Tick(ts))
            return
        received_at, draining = self._moment(connection)
        entries.append(
            Message(
                received_at, message.topic, message.payload, self.broker.url, connection.generation,
                message.qos, message.retain, message.dup, message.mid, draining,
            )
        )  # fmt: skip

    def _overflow(self, connection: Connection, messages: Sequence[Publish]) -> None:
        lost = sum(message.qos == 0 for message in messages)
        self._dropped += lost
        if lost < len(messages):
            # They are not acknowledged, so they come again; but only on another connection.
            connection.end("more arrived than can wait for the journal")

    def _drain(self, connection: Connection) -> None:
        self._markers += 1
        self._awaited = f"{self._nonce}:{connection.generation}:{self._markers}".encode()
        self._probe(connection)

    def _warn(self, dangers: frozenset[Danger]) -> None:
        """Say once of each danger that it is there."""
        for danger in sorted(dangers - self._dangers):
            _log.warning("broker_endangers_us", broker=self.broker.url, danger=danger.value, advice="dutyroom doctor")
        self._dangers = dangers

    def _probe(self, connection: Connection) -> None:
        self._probed = self._pace.monotonic()
        connection.publish(self._own.marker, self._awaited or f"{self._nonce}:probe".encode())


def _clock_ts(payload: bytes) -> int | None:
    """The time a message of the published clock tells, ms UTC; None where it tells none."""
    try:
        body = parse_json(text(payload))
        return parse_ts(body.get("ts")) if isinstance(body, dict) else None
    except Refused:
        return None

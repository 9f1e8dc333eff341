"""One connection to a broker, from TCP to its end: what comes is handed over a whole read at a time."""

from __future__ import annotations

import itertools
import socket
import threading
import time
from collections.abc import Callable, Sequence
from typing import Protocol as Shape

from ingest.broker import Broker, tls_context
from ingest.decoders import MAX_PAYLOAD
from ingest.mqtt import packets
from ingest.mqtt.faults import Malformed
from ingest.mqtt.packets import Publish
from ingest.mqtt.properties import MAXIMUM_QOS, REASON, RETAIN_AVAILABLE, SERVER_KEEP_ALIVE
from ingest.mqtt.reader import Reader
from ingest.mqtt.wire import Wire
from plant.errors import BadInput

_LAST_MID = 65_535
_MALFORMED = 0x81
_POLL_S = 1.0
_FULL_POLL_S = 0.02
"""How soon to look for room again; an acknowledgement, which comes with it, is sooner."""


class Listener(Shape):
    """Who is told; all but `may_connect` are called from the network thread and must not block or raise."""

    def may_connect(self) -> bool:
        """Whether there is room for what a connection would bring."""

    def may_read(self) -> bool:
        """Whether there is room for more; while there is none the broker's bytes stay in the socket, then with it."""

    def connected(self, connection: Connection) -> None:
        """Connected and subscribed: what is published now comes after everything that waited."""

    def disconnected(self, connection: Connection) -> None:
        """This connection has ended."""

    def received(self, connection: Connection, messages: Sequence[Publish]) -> None:
        """Messages came; they are owed `connection.ack` once they are durable."""


class Connection:
    """One connection. `generation` counts them from 1; acknowledgements never change over.

    `status` is the topic on which it says whether we are there (retained; our will says that we are not), None: none.
    """

    def __init__(
        self, broker: Broker, generation: int, filters: Sequence[str], listener: Listener, status: str | None = None
    ) -> None:
        self.broker = broker
        self.generation = generation
        self.session_present = False
        self.reason: str | None = None
        self.subscribed = False
        self.malformed = False
        self.granted: dict[int, int | bytes] = {}
        self.qos_0_only: tuple[str, ...] = ()
        self.released: set[str] = set()
        self._filters = filters
        self._listener = listener
        self._status = status
        self._leaving = False
        self._ended = threading.Event()
        self._wire: Wire | None = None
        self._lock = threading.Lock()
        self._mids = itertools.cycle(range(1, _LAST_MID + 1))
        self._reader = Reader(broker.protocol, MAX_PAYLOAD + 1)  # one byte too many, so that it is known as too large
        self._keepalive_s = float(broker.keepalive_s)
        self._spoke = self._heard = 0.0
        self._first_mid = 0
        self._removing: dict[int, list[str]] = {}
        self._on: dict[int, Callable[[bytes], None]] = {
            packets.CONNACK: self._on_connack,
            packets.SUBACK: self._on_suback,
            packets.UNSUBACK: self._on_unsuback,
            packets.PUBREL: self._on_pubrel,
            packets.DISCONNECT: self._on_disconnect,
        }

    def run(self) -> None:
        """Connect, and stay until the connection has ended; `reason` then says why."""
        try:
            wire = self._open()
        except BadInput as error:
            self.reason = str(error)
            return
        except OSError as error:
            self.reason = f"{self.broker.url} cannot be reached: {error}"
            return
        with self._lock:
            self._wire = wire
        try:
            self._talk(wire)
        except OSError as error:
            self.end(f"connection to {self.broker.url} lost: {error}")
        finally:
            self._close(wire)
        if self.subscribed:
            self._listener.disconnected(self)

    def end(self, reason: str) -> None:
        """Ask for the end; `run` returns soon after. From any thread."""
        self.reason = self.reason or reason
        self._ended.set()
        with self._lock:
            if self._wire is not None:
                self._wire.wake()

    def leave(self) -> None:
        """Ask for the end because we stop: the status says so."""
        self._leaving = True
        self.end("stopping")

    def ack(self, messages: Sequence[Publish]) -> None:
        """Acknowledge messages of this connection; without effect once it has ended. From any thread."""
        self._send(packets.acknowledge(messages))

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Publish at QoS 1, so that it queues behind all that waits for us; lost if the connection ends."""
        mid = 0 if self.granted.get(MAXIMUM_QOS) == 0 else next(self._mids)
        kept = retain and self.granted.get(RETAIN_AVAILABLE) != 0
        self._send(packets.publish(self.broker.protocol, mid, topic, payload, retain=kept))

    def subscribe(self, added: Sequence[str], removed: Sequence[str]) -> None:
        """Change the subscriptions of a live connection; what the broker confirms as removed is in `released`."""
        # Only the answer to the last word on a filter counts.
        with self._lock:
            again = {*added, *removed}
            self.released -= again
            self._removing = {mid: [one for one in all if one not in again] for mid, all in self._removing.items()}
        if added:
            self._send(packets.subscribe(self.broker.protocol, next(self._mids), added))
        if removed:
            mid = next(self._mids)
            self._removing[mid] = list(removed)
            self._send(packets.unsubscribe(self.broker.protocol, mid, removed))

    def _send(self, data: bytes) -> None:
        with self._lock:
            if data and self._wire is not None and not self._ended.is_set():
                self._wire.send(data)
                self._spoke = time.monotonic()

    def _open(self) -> Wire:
        broker = self.broker
        link = socket.create_connection((broker.host, broker.port), broker.connect_timeout_s)
        try:
            if broker.tls:
                link = tls_context(broker).wrap_socket(link, server_hostname=broker.host)
            return Wire(link)
        except BaseException:
            link.close()
            raise

    def _close(self, wire: Wire) -> None:
        with self._lock:
            self._wire = None
        words = []
        if self._leaving and self.subscribed and self._status is not None:
            words.append(packets.publish(self.broker.protocol, next(self._mids), self._status, OFFLINE, retain=True))
        words.append(packets.disconnect(self.broker.protocol, _MALFORMED if self.malformed else 0))
        wire.close(words)

    def _talk(self, wire: Wire) -> None:
        broker, now = self.broker, time.monotonic()
        will = packets.Will(self._status, OFFLINE) if self._status is not None else None
        login = packets.Login(
            broker.client_id,
            broker.protocol,
            broker.keepalive_s,
            broker.username,
            broker.password,
            will,
            broker.session_expiry_s,
        )
        self._send(packets.connect(login))
        self._heard = now
        while not self._ended.is_set():
            reading = self._listener.may_read()
            data = wire.exchange(_POLL_S if reading else _FULL_POLL_S, reading=reading)
            now = time.monotonic()
            if data or not reading:
                self._heard = now
            if data:
                self._take(data)
            # What waited for us may come before the answer to our subscription, however long that takes.
            if not self.subscribed and now - self._heard > broker.connect_timeout_s:
                self.end(f"{broker.url} does not answer")
            self._keep_alive(now)

    def _keep_alive(self, now: float) -> None:
        """Never silent for longer than we promised; and a broker from which nothing comes, not even that, is lost."""
        if self._keepalive_s and now - self._spoke >= self._keepalive_s * 0.75:
            self._send(packets.PINGREQ)
        if self._keepalive_s and now - self._heard > self._keepalive_s * 1.5:
            self.end(f"{self.broker.url} answers no ping")

    def _take(self, data: bytes) -> None:
        arrived = self._reader.feed(data)
        try:
            for kind, body in arrived.control:
                handle = self._on.get(kind)
                if handle is not None:
                    handle(body)
        except Malformed as error:
            arrived.fault = str(error)
        if arrived.messages and not self._ended.is_set():
            self._listener.received(self, arrived.messages)
        if arrived.fault is not None:
            self.malformed = True
            self.end(f"{self.broker.url} sent what is no MQTT {self.broker.protocol_name}: {arrived.fault}")

    def _on_connack(self, body: bytes) -> None:
        answer = packets.read_connack(self.broker.protocol, body)
        self.granted = answer.properties
        if answer.refusal is not None:
            told = answer.properties.get(REASON, b"")
            words = f" ({told.decode(errors='replace')})" if isinstance(told, bytes) and told else ""
            self.end(f"{self.broker.url} refuses us: {answer.refusal}{words}; check user, password and client id")
            return
        self.session_present = answer.session_present
        asked = answer.properties.get(SERVER_KEEP_ALIVE)
        if isinstance(asked, int):
            self._keepalive_s = float(asked)
        # On every connect: a broker that lost its memory would otherwise send nothing, for ever.
        self._first_mid = next(self._mids)
        self._send(packets.subscribe(self.broker.protocol, self._first_mid, self._filters))

    def _on_suback(self, body: bytes) -> None:
        mid, codes = packets.read_codes(self.broker.protocol, body)
        if mid != self._first_mid:
            return
        answers = list(zip(self._filters, codes, strict=False))
        refused = [topic for topic, code in answers if code >= 0x80]
        if refused or len(codes) != len(self._filters):
            self.end(f"{self.broker.url} refuses the subscription to {', '.join(refused)}; allow it to our user")
            return
        self.qos_0_only = tuple(topic for topic, code in answers if code == 0)
        self.subscribed = True
        if self._status is not None:
            self.publish(self._status, ONLINE, retain=True)
        self._listener.connected(self)

    def _on_unsuback(self, body: bytes) -> None:
        mid, codes = packets.read_codes(self.broker.protocol, body)
        # MQTT 3.1.1 says no more than that it is done; a refusal of MQTT 5 leaves all of them for the next time.
        if all(code < 0x80 for code in codes):
            with self._lock:
                self.released.update(self._removing.pop(mid, ()))

    def _on_pubrel(self, body: bytes) -> None:
        self._send(packets.complete(packets.read_mid(body)))

    def _on_disconnect(self, body: bytes) -> None:
        code = body[0] if body else 0
        self.end(f"{self.broker.url} ends the connection: {packets.meaning(packets.DISCONNECT, code)}")


ONLINE, OFFLINE = b'{"online":true}', b'{"online":false}'

"""One MQTT session that is kept alive: connect, subscribe, hand over what comes, and when it ends begin again."""

from __future__ import annotations

import random
import socket
import threading
from collections.abc import Sequence
from typing import Protocol

import structlog
from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.enums import MQTTErrorCode
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from ingest.broker import Broker, new_client

_log: structlog.typing.FilteringBoundLogger = structlog.get_logger(__name__)

_QOS = 1
_GOODBYE_S = 1.0
_UNREADABLE_TOPIC = "\N{REPLACEMENT CHARACTER}"


class Listener(Protocol):
    """Who is told; all but `may_connect` are called from the network thread and must not block or raise."""

    def may_connect(self) -> bool:
        """Whether there is room for what a connection would bring."""

    def connected(self, connection: Connection) -> None:
        """Connected and subscribed: what is published now comes after everything that waited."""

    def disconnected(self, connection: Connection) -> None:
        """This connection has ended."""

    def received(self, connection: Connection, topic: str, message: MQTTMessage) -> None:
        """A message came; it is owed `connection.ack` once it is durable."""


class Connection:
    """One connection, from TCP to its end. `generation` counts them from 1; acknowledgements never change over."""

    def __init__(self, broker: Broker, generation: int, filters: Sequence[str], listener: Listener) -> None:
        self.generation = generation
        self.session_present = False
        self.reason: str | None = None
        self.subscribed = False
        self._filters = filters
        self._listener = listener
        self._ended = threading.Event()
        self._settled = threading.Event()
        self._gone = threading.Event()
        self._client = new_client(broker)
        self._client.on_connect = self._on_connect
        self._client.on_subscribe = self._on_subscribe
        self._client.on_message = self._on_message
        self._client.on_disconnect = self._on_disconnect
        self._broker = broker

    def run(self) -> None:
        """Connect, and stay until the connection has ended; `reason` then says why."""
        try:
            self._client.connect(self._broker.host, self._broker.port, self._broker.keepalive_s)
        except OSError as error:
            self.reason = f"{self._broker.url} cannot be reached: {error}"
            return
        self._client.loop_start()
        if not self._settled.wait(self._broker.connect_timeout_s):
            self.end(f"{self._broker.url} does not answer")
        self._ended.wait()
        self._close()
        if self.subscribed:
            self._listener.disconnected(self)

    def _close(self) -> None:
        self._client.disconnect()
        self._gone.wait(_GOODBYE_S)
        # A peer that no longer reads would keep the goodbye, and the network thread, waiting for ever.
        transport = self._client.socket()
        if isinstance(transport, socket.socket):
            try:
                transport.shutdown(socket.SHUT_RDWR)
            except OSError as error:
                _log.debug("socket_already_closed", error=str(error))
        self._client.loop_stop()

    def end(self, reason: str) -> None:
        """Ask for the end; `run` returns soon after. From any thread."""
        self.reason = self.reason or reason
        self._ended.set()
        self._settled.set()

    def ack(self, mid: int, qos: int) -> None:
        """Acknowledge a message of this connection; without effect once it has ended. From any thread."""
        if qos and not self._ended.is_set():
            self._client.ack(mid, qos)

    def publish(self, topic: str, payload: bytes) -> None:
        """Publish at QoS 1, so that it queues behind all that waits for us; lost if the connection ends."""
        self._client.publish(topic, payload, qos=_QOS)

    def subscribe(self, added: Sequence[str], removed: Sequence[str]) -> None:
        """Change the subscriptions of a live connection."""
        if added:
            self._client.subscribe([(topic, _QOS) for topic in added])
        if removed:
            self._client.unsubscribe(list(removed))

    def _on_connect(
        self, client: Client, data: object, flags: ConnectFlags, code: ReasonCode, properties: Properties | None
    ) -> None:
        if code.is_failure:
            self.end(f"{self._broker.url} refuses us: {code}; check user, password and client id")
            return
        self.session_present = flags.session_present
        # On every connect: a broker that lost its memory would otherwise send nothing, for ever.
        result, _ = client.subscribe([(topic, _QOS) for topic in self._filters])
        if result is not MQTTErrorCode.MQTT_ERR_SUCCESS:
            self.end(f"subscribing failed: {result.name}")

    def _on_subscribe(
        self, client: Client, data: object, mid: int, codes: list[ReasonCode], properties: Properties | None
    ) -> None:
        refused = [topic for topic, code in zip(self._filters, codes, strict=False) if code.is_failure]
        if refused and not self.subscribed:
            self.end(f"{self._broker.url} refuses the subscription to {', '.join(refused)}; allow it to our user")
        elif not self.subscribed:
            self.subscribed = True
            self._settled.set()
            self._listener.connected(self)

    def _on_message(self, client: Client, data: object, message: MQTTMessage) -> None:
        try:
            topic = message.topic
        except UnicodeDecodeError:
            topic = _UNREADABLE_TOPIC
        self._listener.received(self, topic, message)

    def _on_disconnect(
        self, client: Client, data: object, flags: DisconnectFlags, code: ReasonCode, properties: Properties | None
    ) -> None:
        self.end(f"connection to {self._broker.url} lost: {code}")
        self._gone.set()


class Session:
    """Keeps one connection alive in a thread of its own, waiting between attempts longer and longer, with jitter."""

    def __init__(
        self, broker: Broker, filters: Sequence[str], listener: Listener, *, retry_s: tuple[float, float] = (0.5, 30.0)
    ) -> None:
        self._broker = broker
        self._filters = tuple(filters)
        self._listener = listener
        self._retry_s = retry_s
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._connection: Connection | None = None
        self._generation = 0
        self._said: str | None = None
        self._thread = threading.Thread(target=self._run, name="mqtt-session", daemon=True)

    @property
    def generation(self) -> int:
        """How many connections were tried."""
        return self._generation

    @property
    def last_error(self) -> str | None:
        """Why there is no connection, None while there is one."""
        return self._said

    def start(self) -> None:
        """Begin; a broker that is away is tried until it comes. Raises BadInput for certificates of no use."""
        new_client(self._broker)
        self._thread.start()

    def stop(self) -> None:
        """End the connection and the thread; what is not acknowledged the broker keeps."""
        self._stopping.set()
        self.drop("stopping")
        self._thread.join()

    def drop(self, reason: str) -> None:
        """End the present connection, if any; the next begins by itself."""
        with self._lock:
            if self._connection is not None:
                self._connection.end(reason)

    def refilter(self, filters: Sequence[str]) -> None:
        """Subscribe to these topics from now on, and no longer to others."""
        with self._lock:
            added = [topic for topic in filters if topic not in self._filters]
            removed = [topic for topic in self._filters if topic not in filters]
            self._filters = tuple(filters)
            if self._connection is not None and self._connection.subscribed:
                self._connection.subscribe(added, removed)

    def healthy(self) -> None:
        """Told by the listener when a connection works: log it once, forget the last trouble."""
        if self._said is not None:
            _log.info("broker_connected", broker=self._broker.url)
        self._said = None

    def _run(self) -> None:
        wait, longest = self._retry_s
        while not self._stopping.is_set():
            if self._listener.may_connect():
                subscribed = self._once()
                wait = self._retry_s[0] if subscribed else min(2 * wait, longest)
            # Many collectors that lost one broker must not come back all in the same moment.
            self._stopping.wait(wait * random.uniform(0.5, 1.5))

    def _once(self) -> bool:
        with self._lock:
            self._generation += 1
            connection = Connection(self._broker, self._generation, self._filters, self._listener)
            self._connection = connection
        if self._stopping.is_set():
            return False
        connection.run()
        with self._lock:
            self._connection = None
        if connection.reason != self._said and not self._stopping.is_set():
            _log.warning("broker_away", reason=connection.reason)
        self._said = connection.reason
        return connection.subscribed

"""Keeps an MQTT session alive: connect, and when the connection ends begin again."""

from __future__ import annotations

import random
import threading
from collections.abc import Sequence

import structlog

from ingest.broker import Broker, tls_context
from ingest.mqtt.connection import Connection, Listener
from ingest.subscribed import Subscribed

_log: structlog.typing.FilteringBoundLogger = structlog.get_logger(__name__)


class Session:
    """Keeps one connection alive in a thread of its own, waiting between attempts longer and longer, with jitter."""

    def __init__(
        self,
        broker: Broker,
        filters: Sequence[str],
        listener: Listener,
        status: str | None = None,
        *,
        retry_s: tuple[float, float] = (0.5, 2.5),
    ) -> None:
        """`status`: the topic on which we say whether we are there."""
        self._broker = broker
        self._filters = tuple(filters)
        self._asked = frozenset[str]()
        self._subscribed = Subscribed(broker)
        self._listener = listener
        self._status = status
        self._retry_s = retry_s
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._connection: Connection | None = None
        self._generation = 0
        self._said: str | None = None
        self._malformed = 0
        self._thread = threading.Thread(target=self._run, name="mqtt-session", daemon=True)

    @property
    def generation(self) -> int:
        """How many connections were tried."""
        return self._generation

    @property
    def malformed(self) -> int:
        """How many connections ended because what came on them was no MQTT."""
        return self._malformed

    @property
    def last_error(self) -> str | None:
        """Why there is no connection, None while there is one."""
        return self._said

    def start(self) -> None:
        """Begin; a broker that is away is tried until it comes. Raises BadInput for certificates of no use."""
        if self._broker.tls:
            tls_context(self._broker)
        self._thread.start()

    def stop(self) -> None:
        """End the connection and the thread; what is not acknowledged the broker keeps."""
        self._stopping.set()
        with self._lock:
            if self._connection is not None:
                self._connection.leave()
        self._thread.join()

    def drop(self, reason: str) -> None:
        """End the present connection, if any; the next begins by itself."""
        with self._lock:
            if self._connection is not None:
                self._connection.end(reason)

    def refilter(self, filters: Sequence[str]) -> None:
        """Subscribe to these topics from now on, and no longer to others."""
        with self._lock:
            self._filters = tuple(filters)
            self._reconcile()

    def healthy(self) -> None:
        """Told by the listener when a connection works: log it once, forget the last trouble."""
        if self._said is not None:
            _log.info("broker_connected", broker=self._broker.url)
        self._said = None
        with self._lock:
            self._reconcile()

    def _reconcile(self) -> None:
        """Have the broker send what is wanted and nothing else; while there is no connection the next one does it.

        What was wanted when the connection began may not be what is wanted now, and a session that outlived us holds
        what an earlier configuration asked for.
        """
        connection = self._connection
        if connection is None or not connection.subscribed:
            return
        wanted = frozenset(self._filters)
        surplus = (self._asked | self._subscribed.filters) - wanted
        missing = wanted - self._asked
        self._subscribed.asking(wanted)
        self._asked = wanted
        connection.subscribe(sorted(missing), sorted(surplus))

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
            connection = Connection(self._broker, self._generation, self._filters, self._listener, self._status)
            self._connection = connection
            self._asked = frozenset(self._filters)
            self._subscribed.asking(self._asked)
        if self._stopping.is_set():
            return False
        connection.run()
        with self._lock:
            self._connection = None
            self._subscribed.released(connection.released - self._asked)
        self._malformed += connection.malformed
        if connection.reason != self._said and not self._stopping.is_set():
            _log.warning("broker_away", broker=self._broker.url, reason=connection.reason)
        self._said = connection.reason
        return connection.subscribed

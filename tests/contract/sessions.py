"""What the tests of a connection share: a listener that remembers, a connection at work, a broker made of a socket."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Protocol as Shape

from ingest.broker import Broker
from ingest.mqtt.connection import Connection
from ingest.mqtt.packets import Protocol, Publish
from tests.support.pahoconnection import PahoConnection
from tests.support.programs import wait_until

FILTERS = ("plant/#",)


class Remembering:
    """A listener that keeps what it is told, and acknowledges at once where `acknowledging`."""

    def __init__(self, *, acknowledging: bool = True) -> None:
        self.acknowledging = acknowledging
        self.roomy = True
        self.messages: list[Publish] = []
        self.begun = threading.Event()
        self.over = threading.Event()

    def may_connect(self) -> bool:
        return True

    def may_read(self) -> bool:
        return self.roomy

    def connected(self, connection: object) -> None:
        self.begun.set()

    def disconnected(self, connection: object) -> None:
        self.over.set()

    def received(self, connection: Subject, messages: Sequence[Publish]) -> None:
        self.messages += messages
        if self.acknowledging:
            connection.ack(messages)

    @property
    def payloads(self) -> list[bytes]:
        return [message.payload for message in self.messages]


class Subject(Shape):
    """What both kinds of connection can do."""

    session_present: bool
    reason: str | None
    subscribed: bool

    def run(self) -> None: ...

    def end(self, reason: str) -> None: ...

    def leave(self) -> None: ...

    def ack(self, messages: Sequence[Publish]) -> None: ...

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None: ...

    def subscribe(self, added: Sequence[str], removed: Sequence[str]) -> None: ...


Kind = Callable[[Broker, int, Sequence[str], Remembering, str | None], Subject]
KINDS: dict[str, Kind] = {"paho": PahoConnection, "bulk": Connection}


@contextmanager
def at_work(
    kind: Kind, broker: Broker, listener: Remembering, *, status: str | None = None, filters: Sequence[str] = FILTERS
) -> Iterator[Subject]:
    """A connection in a thread of its own, subscribed; ended with the block."""
    subject = kind(broker, 1, filters, listener, status)
    thread = threading.Thread(target=subject.run)
    thread.start()
    try:
        assert listener.begun.wait(10), subject.reason
        yield subject
    finally:
        subject.end("the test is over")
        thread.join(10)
        assert not thread.is_alive()


def ran(kind: Kind, broker: Broker, listener: Remembering) -> Subject:
    """A connection that has come to its end by itself."""
    subject = kind(broker, 1, FILTERS, listener, None)
    thread = threading.Thread(target=subject.run)
    thread.start()
    thread.join(15)
    assert not thread.is_alive()
    return subject


class Peer:
    """A broker that says just what a test wants, byte by byte: real ones send nothing malformed."""

    def __init__(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._listening.settimeout(10)
        self.link: socket.socket | None = None

    def broker(self, protocol: Protocol = Protocol.V311, *, keepalive_s: int = 20) -> Broker:
        """How it is reached."""
        port: int = self._listening.getsockname()[1]
        return Broker("127.0.0.1", port, protocol=protocol, keepalive_s=keepalive_s, connect_timeout_s=2.0)

    def accept(self) -> bytes:
        """The CONNECT of the next connection."""
        self.link, _ = self._listening.accept()
        self.link.settimeout(10)
        return self.packet()

    def packet(self) -> bytes:
        """The next whole packet; empty where the connection has ended."""
        assert self.link is not None
        head = self._exactly(2)
        if not head:
            return b""
        length, shift = head[1] & 127, 7
        while head[-1] & 128:
            head += self._exactly(1)
            length |= (head[-1] & 127) << shift
            shift += 7
        return head + self._exactly(length)

    def say(self, data: bytes, *, one_by_one: bool = False) -> None:
        """Send it, each byte in a packet of its own where asked for."""
        assert self.link is not None
        self.link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for part in [data[i : i + 1] for i in range(len(data))] if one_by_one else [data]:
            self.link.sendall(part)

    def fill(self, packet: bytes) -> tuple[int, bytes]:
        """Send it again and again (10,000 times at most) until nothing more is taken for half a second: how often, and
        what is left to say of the last.
        """
        assert self.link is not None
        sent, rest = 0, packet
        self.link.settimeout(0.5)
        with suppress(TimeoutError):
            while sent < 10_000:
                rest = rest[self.link.send(rest) :]
                if not rest:
                    sent, rest = sent + 1, packet
        self.link.settimeout(10)
        return (sent, b"") if rest == packet else (sent + 1, rest)

    def let_in(self, *, five: bool = False, properties: bytes = b"") -> None:
        """CONNECT, CONNACK, SUBSCRIBE, SUBACK, as a healthy broker does."""
        self.accept()
        extra = bytes([len(properties)]) + properties if five else b""
        self.say(bytes([0x20, 2 + len(extra), 0, 0]) + extra)
        asked = self.packet()
        assert asked[0] == 0x82
        self.say(bytes([0x90, 4, *asked[2:4], 0, 1]) if five else bytes([0x90, 3, *asked[2:4], 1]))

    def close(self) -> None:
        """Hang up."""
        if self.link is not None:
            self.link.close()
        self._listening.close()

    def _exactly(self, count: int) -> bytes:
        assert self.link is not None
        data = b""
        while len(data) < count:
            part = self.link.recv(count - len(data))
            if not part:
                return b""
            data += part
        return data


class Relay:
    """A line to a real broker that can be cut, and that passes on the broker's bytes in pieces of a size of its own."""

    def __init__(self, port: int, *, piece: int = 65_536) -> None:
        self._to, self._piece = port, piece
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self._ends: tuple[socket.socket, ...] = ()
        self._threads = [threading.Thread(target=self._accept)]

    def cut(self) -> None:
        """Hang up on both sides, without a word of MQTT."""
        for end in self._ends:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def __enter__(self) -> Relay:
        self._threads[0].start()
        return self

    def __exit__(self, *error: object) -> None:
        self.cut()
        for thread in self._threads:
            thread.join()
        for end in (*self._ends, self._listening):
            end.close()

    def _accept(self) -> None:
        client, _ = self._listening.accept()
        broker = socket.create_connection(("127.0.0.1", self._to))
        self._ends = (client, broker)
        for end in self._ends:
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        other = threading.Thread(target=self._pass, args=(client, broker, 65_536))
        self._threads.append(other)
        other.start()
        self._pass(broker, client, self._piece)

    def _pass(self, source: socket.socket, target: socket.socket, piece: int) -> None:
        with suppress(OSError):
            while data := source.recv(piece):
                target.sendall(data)
            target.shutdown(socket.SHUT_RDWR)


def until(condition: Callable[[], bool], what: str) -> None:
    """Wait for it, with a deadline."""
    wait_until(condition, seconds=15, what=what)

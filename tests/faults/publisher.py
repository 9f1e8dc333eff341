"""A careful gateway: sends each step, awaits every acknowledgement, and survives its broker.

What a broker that was killed had acknowledged but not saved would be lost to us. So after a lost connection this
gateway first sends once more what was acknowledged in the last seconds, then with DUP what was not.
"""

from __future__ import annotations

import socket
import struct
import time
from collections import Counter, deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from simulators.wire import publish_head
from tests.faults.campus import CLOCK_TOPIC, Said, clock

KEPT_SECONDS = 3.0
"""Longer than two autosaves of the broker (1 s)."""

_DUP = 0x08
_PUBACK = 0x4002
_LAST_ID = 60_000
_PATIENCE_SECONDS = 60.0
_CONNECT = b"\x10\x17\x00\x04MQTT\x04\x02\x00\x00\x00\x0bfaults-gate"


@dataclass(frozen=True, slots=True)
class _Out:
    topic: str
    ts: int
    payload: bytes

    def packet(self, id: int, *, dup: bool = False) -> bytes:
        """PUBLISH at QoS 1."""
        head = publish_head(self.topic, len(self.payload))
        first = head[:1] if not dup else bytes([head[0] | _DUP])
        return first + head[1:] + struct.pack(">H", id) + self.payload


class Publisher:
    """One connection after another to a broker on this machine.

    `acknowledged` counts how often the broker has acknowledged each (topic, ts).
    """

    def __init__(self, port: int) -> None:
        self.acked = self.resent = self.repeated = self.reconnects = 0
        self.acknowledged: Counter[tuple[str, int]] = Counter()
        self._port = port
        self._id = 0
        self._times: deque[tuple[float, int]] = deque()
        self._recent: deque[tuple[float, _Out]] = deque()
        self._socket = self._connect()

    def send(self, said: Sequence[Said]) -> None:
        """Send what machines said and wait until the broker has acknowledged all of it. Raises TimeoutError."""
        self._deliver([_Out(item.topic, item.ts, item.payload()) for item in said])
        self.acked += len(said)
        self._times.append((time.monotonic(), self.acked))

    def tick(self, now: int) -> None:
        """Send the plant clock, and wait for its acknowledgement."""
        self._deliver([_Out(CLOCK_TOPIC, now, clock(now))])

    def rate(self, seconds: float = 2.0) -> float:
        """Messages of machines acknowledged a second, of late."""
        times = list(self._times)
        now = time.monotonic()
        before = [count for at, count in times if at <= now - seconds]
        return (self.acked - (before[-1] if before else 0)) / seconds

    def close(self) -> None:
        """Say goodbye."""
        with suppress(OSError):  # a broker that is gone needs no goodbye
            self._socket.sendall(b"\xe0\x00")
        self._socket.close()

    def _deliver(self, out: list[_Out]) -> None:
        waiting = deque(out)
        dup = False
        while waiting:
            try:
                if dup:
                    self._again()
                    self.resent += len(waiting)
                self._exchange(waiting, dup=dup)
            except OSError:
                self._socket.close()
                self._socket = self._connect()
                self.reconnects += 1
                dup = True

    def _again(self) -> None:
        recent = deque(item for _, item in self._recent)
        self.repeated += len(recent)
        self._exchange(recent, again=True)

    def _exchange(self, waiting: deque[_Out], *, again: bool = False, dup: bool = False) -> None:
        """Send all that waits; each is taken off as its acknowledgement comes, in order."""
        first = self._id
        packets = []
        for item in waiting:
            self._id = self._id % _LAST_ID + 1
            packets.append(item.packet(self._id, dup=dup))
        self._socket.sendall(b"".join(packets))
        for _ in range(len(packets)):
            answer = self._socket.recv(4, socket.MSG_WAITALL)
            if len(answer) < 4:
                raise ConnectionResetError("the broker closed the connection")
            first = first % _LAST_ID + 1
            head, id = struct.unpack(">HH", answer)
            if (head, id) != (_PUBACK, first):
                raise AssertionError(f"expected the acknowledgement of {first}, got {answer.hex()}")
            item = waiting.popleft()
            self.acknowledged[item.topic, item.ts] += 1
            if not again:
                self._remember(item)

    def _remember(self, item: _Out) -> None:
        now = time.monotonic()
        self._recent.append((now, item))
        while self._recent[0][0] < now - KEPT_SECONDS:
            self._recent.popleft()

    def _connect(self) -> socket.socket:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while True:
            try:
                return self._handshake()
            except OSError as error:
                if time.monotonic() > deadline:
                    raise TimeoutError(f"no broker for {_PATIENCE_SECONDS:g} s: {error}") from error
                time.sleep(0.05)

    def _handshake(self) -> socket.socket:
        connection = socket.create_connection(("127.0.0.1", self._port), timeout=10)
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.sendall(_CONNECT)
            answer = connection.recv(4, socket.MSG_WAITALL)
            if len(answer) < 4 or answer[0] != 0x20 or answer[3] != 0:
                raise ConnectionRefusedError(f"CONNACK {answer.hex() or 'missing'}")
        except OSError:
            connection.close()
            raise
        return connection

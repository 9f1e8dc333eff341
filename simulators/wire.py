"""The few bytes of MQTT 3.1.1 a load generator needs: CONNECT, PUBLISH at QoS 1, PUBACK, and resending with DUP."""

from __future__ import annotations

import select
import socket
import struct
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass

from simulators.broker import BrokerAddress
from simulators.errors import BrokerAway

LAST_PACKET_ID = 60_000
"""Packet ids run 1 … 60,000 and begin again."""

_DUP = 0x08
_PUBLISH_QOS1 = 0x32
_PUBACK = 0x4002
_RETRY_S = 0.05


def publish_head(topic: str, payload_size: int, *, retain: bool = False) -> bytes:
    """Everything of a QoS 1 PUBLISH before its packet id."""
    name = topic.encode()
    body = struct.pack(">H", len(name)) + name
    return bytes([_PUBLISH_QOS1 | retain]) + remaining_length(len(body) + 2 + payload_size) + body


def remaining_length(size: int) -> bytes:
    """MQTT's variable length: seven bits a byte, lowest first."""
    out = bytearray()
    while True:
        size, low = divmod(size, 128)
        out.append(low | (128 if size else 0))
        if not size:
            return bytes(out)


@dataclass(slots=True)
class _Unacked:
    """Packets pushed together, of which the first `done` are acknowledged."""

    packets: list[bytes]
    done: int = 0


class Wire:
    """One connection that survives its broker: what is not acknowledged is sent again, with DUP, after reconnecting."""

    def __init__(self, address: BrokerAddress, client_id: str, patience: float) -> None:
        self._address = address
        self._client_id = client_id
        self._patience = patience
        self._unacked: deque[_Unacked] = deque()
        self._next_ack = 1
        self._received = b""
        self._sending = b""
        self.in_flight = self.acked = self.resent = self.reconnects = self.out_of_order = 0
        self._socket = self._connect()

    def push(self, packets: list[bytes]) -> None:
        """Queue packets; ids must follow on from those pushed before."""
        self._unacked.append(_Unacked(packets))
        self.in_flight += len(packets)
        self._sending += b"".join(packets)

    def pump(self, timeout: float) -> None:
        """Write and read what is possible now, waiting at most `timeout` seconds. Raises BrokerAway."""
        try:
            writers = [self._socket] if self._sending else []
            readable, writable, _ = select.select([self._socket], writers, [], timeout)
            if writable:
                self._sending = self._sending[self._socket.send(self._sending) :]
            if readable:
                data = self._socket.recv(1 << 18)
                if not data:
                    raise ConnectionResetError("the broker closed the connection")
                self._take(data)
        except BlockingIOError:
            return
        except OSError:
            self._recover()

    def close(self) -> None:
        """Say goodbye and close."""
        with suppress(OSError):  # a broker that is gone needs no goodbye
            self._socket.sendall(b"\xe0\x00")
        self._socket.close()

    def _take(self, data: bytes) -> None:
        """Acknowledgements must come in the order of the packets; any other packet or id is counted."""
        data = self._received + data
        count = len(data) // 4
        self._received = data[count * 4 :]
        for head, packet_id in struct.iter_unpack(">HH", data[: count * 4]):
            if head != _PUBACK or packet_id != self._next_ack:
                self.out_of_order += 1
            self._next_ack = self._next_ack % LAST_PACKET_ID + 1
        self.acked += count
        self.in_flight -= count
        while count:
            group = self._unacked[0]
            taken = min(count, len(group.packets) - group.done)
            group.done += taken
            count -= taken
            if group.done == len(group.packets):
                self._unacked.popleft()

    def _recover(self) -> None:
        self._socket.close()
        self._socket = self._connect()
        self.reconnects += 1
        self._received = b""
        again = [
            bytes([packet[0] | _DUP]) + packet[1:] for group in self._unacked for packet in group.packets[group.done :]
        ]
        self.resent += len(again)
        self._sending = b"".join(again)

    def _connect(self) -> socket.socket:
        deadline = time.monotonic() + self._patience
        while True:
            try:
                return self._handshake()
            except OSError as error:
                if time.monotonic() > deadline:
                    message = f"{self._address} has not let us in for {self._patience:g} s: {error}"
                    raise BrokerAway(message) from error
                time.sleep(_RETRY_S)

    def _handshake(self) -> socket.socket:
        connection = socket.create_connection((self._address.host, self._address.port), timeout=2)
        try:
            connection.sendall(self._connect_packet())
            answer = connection.recv(4, socket.MSG_WAITALL)
            if len(answer) < 4 or answer[0] != 0x20 or answer[3] != 0:
                raise ConnectionRefusedError(f"CONNACK {answer.hex() or 'missing'}")
        except OSError:
            connection.close()
            raise
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.setblocking(False)
        return connection

    def _connect_packet(self) -> bytes:
        """Clean session, no keep-alive, user and password where the address has them."""
        flags = 0x02
        payload = [self._client_id]
        if self._address.user is not None:
            flags |= 0x80
            payload.append(self._address.user)
            if self._address.password is not None:
                flags |= 0x40
                payload.append(self._address.password)
        texts = b"".join(struct.pack(">H", len(text.encode())) + text.encode() for text in payload)
        body = b"\x00\x04MQTT\x04" + bytes([flags]) + b"\x00\x00" + texts
        return b"\x10" + remaining_length(len(body)) + body

"""One socket to the broker, plain or TLS: any thread hands over bytes to send, one thread does all that may wait."""

from __future__ import annotations

import selectors
import socket
import ssl
import threading
from collections.abc import Sequence

_READ = 256 * 1024
_GOODBYE_S = 1.0
MOST_UNSENT = 2**20
"""Bytes that may wait for the other side to read before we take no more of its own."""


class Closed(OSError):
    """The other side has closed the connection."""


class Wire:
    """`exchange` and `close` belong to one thread; `send` never waits and may be called from any.

    An SSL object may not be read and written by two threads at once, so writing is done where reading is.
    """

    def __init__(self, link: socket.socket) -> None:
        """Takes over a connected socket, its handshake done."""
        link.setblocking(False)
        link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._link = link
        self._tls = isinstance(link, ssl.SSLSocket)
        self._out = bytearray()
        self._lock = threading.Lock()
        self._wake, self._woken = socket.socketpair()
        for end in (self._wake, self._woken):
            end.setblocking(False)
        self._selector = selectors.DefaultSelector()
        self._events = selectors.EVENT_READ
        self._selector.register(link, self._events)
        self._selector.register(self._woken, selectors.EVENT_READ)
        self._more = False

    def send(self, data: bytes) -> None:
        """Queue it behind what waits."""
        with self._lock:
            idle = not self._out
            self._out += data
        if idle:
            self.wake()

    def wake(self) -> None:
        """Let `exchange` return soon."""
        try:
            self._wake.send(b"\0")
        except BlockingIOError:
            return  # it is full of the same word

    def exchange(self, seconds: float, *, reading: bool = True) -> bytes:
        """Send what waits and give what has come (empty: nothing), waiting at most so long for either.

        Without `reading`, or while too much waits to be sent, nothing is taken, so that the other side must wait.
        Raises OSError when the connection has ended, Closed where the other side ended it.
        """
        self._flush()
        reading = reading and len(self._out) <= MOST_UNSENT
        self._want((selectors.EVENT_READ if reading else 0) | (selectors.EVENT_WRITE if self._out else 0))
        ready = self._selector.select(0.0 if self._more and reading else max(seconds, 0.0))
        if any(key.fileobj is self._woken for key, _ in ready):
            self._woken.recv(4096)
        self._flush()
        if not reading:
            return b""
        readable = self._more or any(key.fileobj is self._link and mask & selectors.EVENT_READ for key, mask in ready)
        return self._read() if readable else b""

    def _want(self, events: int) -> None:
        """Let the selector look for these on the link; for none it may not know the link at all."""
        if events == self._events:
            return
        if not events:
            self._selector.unregister(self._link)
        elif not self._events:
            self._selector.register(self._link, events)
        else:
            self._selector.modify(self._link, events)
        self._events = events

    def close(self, last_words: Sequence[bytes]) -> None:
        """Send what waits and these, as far as the other side takes them within a second; then close."""
        try:
            self._say(last_words)
        finally:
            self._selector.close()
            for one in (self._link, self._wake, self._woken):
                one.close()

    def _say(self, last_words: Sequence[bytes]) -> None:
        self.send(b"".join(last_words))
        try:
            self._flush()
            if self._out:
                self._want(selectors.EVENT_WRITE)
                self._selector.select(_GOODBYE_S)
                self._flush()
            self._link.shutdown(socket.SHUT_RDWR)
        except OSError:
            return  # a peer that is gone needs no goodbye

    def _flush(self) -> None:
        with self._lock:
            while self._out:
                try:
                    sent = self._link.send(self._out)
                except (BlockingIOError, ssl.SSLWantWriteError, ssl.SSLWantReadError):
                    return
                del self._out[:sent]

    def _read(self) -> bytes:
        parts: list[bytes] = []
        size = 0
        self._more = False
        while size < _READ:
            try:
                part = self._link.recv(_READ - size)
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
                break
            if not part:
                if parts:
                    self._more = True  # first what came before the end
                    break
                raise Closed("the broker has closed the connection")
            parts.append(part)
            size += len(part)
            if not self._tls:
                break
        else:
            # TLS may hold more that the selector cannot see.
            self._more = self._tls
        return parts[0] if len(parts) == 1 else b"".join(parts)

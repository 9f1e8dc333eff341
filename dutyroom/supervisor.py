"""Tells systemd how the service stands (`Type=notify`, `WatchdogSec=`): sd_notify's datagrams, without its library.

The protocol is a line of KEY=VALUE pairs sent to the socket named by NOTIFY_SOCKET; see sd_notify(3).
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping

import structlog

log = structlog.get_logger()


class Supervisor:
    """Whoever started the service and wants to be told; nobody when it was started by hand."""

    def __init__(self, address: str | None = None, watchdog_seconds: float | None = None) -> None:
        """`address` is a path, or `@name` in the abstract namespace; `watchdog_seconds` how long silence may last."""
        self.address = address
        self.beat_seconds = None if watchdog_seconds is None else watchdog_seconds / 2
        self._beaten_at: float | None = None
        self._trouble = ""

    @staticmethod
    def of(environment: Mapping[str, str], pid: int) -> Supervisor:
        """As systemd says in the environment; a watchdog meant for another process is not ours."""
        microseconds = environment.get("WATCHDOG_USEC", "")
        meant = environment.get("WATCHDOG_PID", str(pid)) == str(pid)
        seconds = int(microseconds) / 1e6 if meant and microseconds.isdecimal() and int(microseconds) > 0 else None
        return Supervisor(environment.get("NOTIFY_SOCKET") or None, seconds)

    def ready(self) -> None:
        """Everything is up."""
        self._tell("READY=1")

    def alive(self, monotonic: float) -> None:
        """Called again and again while all is well; tells it twice in each watchdog interval."""
        if self.beat_seconds is None:
            return
        if self._beaten_at is None or monotonic - self._beaten_at >= self.beat_seconds:
            self._beaten_at = monotonic
            self._tell("WATCHDOG=1")

    def stopping(self) -> None:
        """The end has begun and may take a while."""
        self._tell("STOPPING=1")

    def _tell(self, state: str) -> None:
        if self.address is None:
            return
        address = "\0" + self.address[1:] if self.address.startswith("@") else self.address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as line:
                line.setblocking(False)  # a supervisor that does not read must not hold the service up
                line.sendto(state.encode(), address)
        except OSError as error:
            if str(error) != self._trouble:
                log.warning("the supervisor cannot be told", state=state, why=str(error))
            self._trouble = str(error)


def from_environment() -> Supervisor:
    """This process's supervisor."""
    return Supervisor.of(os.environ, os.getpid())

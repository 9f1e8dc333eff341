"""The collector's clocks and patience: the only wall clock on the way in, handed over as functions."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass


def _now() -> int:
    return time.time_ns() // 1_000_000


def _monotonic() -> int:
    return time.monotonic_ns() // 1_000_000


@dataclass(frozen=True, slots=True)
class Pace:
    """`now` is ms UTC, `monotonic` ms from any origin.

    A connection on which nothing comes for `probe_after_ms` is asked (we publish to ourselves); one on which then
    still nothing comes, `stall_after_ms` after the last message, is given up. `retry_s` are the first and the longest
    wait between attempts to connect or to write: short, for a broker that is back must be heard within five seconds.
    `stop_s` is how long an orderly end may wait for the journal.
    """

    now: Callable[[], int] = _now
    monotonic: Callable[[], int] = _monotonic
    probe_after_ms: int = 15_000
    stall_after_ms: int = 45_000
    retry_s: tuple[float, float] = (0.5, 2.5)
    stop_s: float = 2.0


class PublishedClock:
    """Plant time where it comes on a topic, ms UTC; it never goes back. Thread-safe."""

    def __init__(self, now: int) -> None:
        self.now = now
        self.back = 0
        """How often it would have gone back."""
        self._lock = threading.Lock()

    def follow(self, ts: int) -> bool:
        """Whether it moved to `ts`."""
        with self._lock:
            if ts <= self.now:
                self.back += 1
                return False
            self.now = ts
            return True

"""When ticks of the plant clock are written where the system's clock is the plant clock (SEMANTICS §2)."""

from __future__ import annotations

from enum import Enum

from history.entries import ClockEpoch, Tick
from history.protocols import JournalReader
from plant.instants import NEVER

AWAY_MS = 60_000
"""So long a lost connection holds the ticks back; then they go on, saying that nobody listens."""

STEP_MS = 2_000
"""A larger step of the system's clock is an epoch; a smaller one is slewed: ticks wait, or hurry."""

_SECOND = 1_000


class Link(Enum):
    """Whether what happens in the plant can be heard."""

    AWAY = "away"
    DRAINING = "draining"
    """Connected, but what waited in the broker still comes."""
    LISTENING = "listening"


class SystemTicks:
    """Decides, given the times, which entries to write now. Times are ms: `now` UTC, `monotonic` from any origin."""

    def __init__(self, last_tick: int, monotonic: int) -> None:
        self._last_tick = last_tick
        self._before: tuple[int, int] | None = None
        self._heard = monotonic

    def at(self, now: int, monotonic: int, link: Link) -> list[Tick | ClockEpoch]:
        """The entries due; call it about once a second, at least."""
        entries: list[Tick | ClockEpoch] = []
        expected = self._expected(now, monotonic)
        if abs(now - expected) > STEP_MS:
            entries.append(ClockEpoch(now, expected))
            self._last_tick = now
        self._before = (now, monotonic)
        whole = now - now % _SECOND
        if link is Link.LISTENING:
            self._heard = monotonic
        away_long = link is Link.AWAY and monotonic - self._heard > AWAY_MS
        if whole > self._last_tick and (link is Link.LISTENING or away_long):
            entries.append(Tick(whole, listening=link is Link.LISTENING))
            self._last_tick = whole
        return entries

    def _expected(self, now: int, monotonic: int) -> int:
        if self._before is not None:
            return self._before[0] + monotonic - self._before[1]
        # Time passes while we are down, but it does not run backwards.
        return max(now, self._last_tick)


def last_tick(journal: JournalReader) -> int:
    """Plant time of the newest tick or epoch in the journal; NEVER when it holds none."""
    span = 1_000
    while True:
        after = max(journal.first_offset - 1, journal.last_offset - span)
        newest = NEVER
        at = after
        while at < journal.last_offset:
            for offset, entry in journal.read(at):
                at = offset
                if isinstance(entry, Tick | ClockEpoch):
                    newest = entry.plant_time
        if newest != NEVER or after <= journal.first_offset - 1:
            return newest
        span *= 10

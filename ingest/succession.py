"""One reading after another of one series: duplicates, jumps and counters (DQ-03, 06, 08), the rule in plain steps."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from ingest.limits import SeriesLimits
from plant.instants import NEVER
from plant.quality import Reason

REMEMBERED = 8
"""Readings of a series in which a duplicate or a conflict is looked for; of older ones `repeats` knows the messages."""

_MINUTE = 60_000


class Repeat(Enum):
    """How a reading stands to an earlier one of the same series and time."""

    NEW = 0
    CONFLICT = 1
    """Same time, other value: kept, the later wins."""
    DUPLICATE = 2
    """Same time, same value: dropped."""


@dataclass(slots=True)
class Memory:
    """What is known of one series.

    `last` is the newest time in force. `ref` is the last believed value with its time, `held` a jump that waits for
    the next reading to confirm or deny it (time NEVER: none). `recent` are (ts, value, in force), oldest first.
    """

    last: int = NEVER
    ref: tuple[int, float] = (NEVER, 0.0)
    held: tuple[int, float] = (NEVER, 0.0)
    recent: list[tuple[int, float, bool]] = field(default_factory=list)

    def repeat(self, ts: int, value: float, *, in_force: bool) -> Repeat:
        """Compare with the latest remembered reading of the same time.

        A reading in force is compared only with such: a retained copy does not make the live one a duplicate.
        """
        for then, other, was_in_force in reversed(self.recent):
            if then == ts and (was_in_force or not in_force):
                same = other == value or (other != other and value != value)
                return Repeat.DUPLICATE if same else Repeat.CONFLICT
        return Repeat.NEW

    def remember(self, ts: int, value: float, *, in_force: bool) -> None:
        """Note a reading that was kept."""
        self.recent.append((ts, value, in_force))
        del self.recent[:-REMEMBERED]
        if in_force and ts > self.last:
            self.last = ts

    def follow(self, ts: int, value: float, limits: SeriesLimits) -> Reason:
        """Judge a reading in force, of a time not before `last`, against the ones before; NONE, JUMP or COUNTER_FAULT.

        Source: DOMAIN §1.5 DQ-03 and DQ-08.
        """
        if self.ref[0] == NEVER:
            self.ref = (ts, value)
            return Reason.NONE
        if limits.meter:
            return self._count(ts, value, limits)
        if _near(self.ref, ts, value, limits.jump) or (
            self.held[0] != NEVER and _near(self.held, ts, value, limits.jump)
        ):
            self.ref, self.held = (ts, value), (NEVER, 0.0)
            return Reason.NONE
        self.held = (ts, value)
        return Reason.JUMP

    def _count(self, ts: int, value: float, limits: SeriesLimits) -> Reason:
        before = self.ref
        # Rebased either way: after a fault the counter is compared with where it now stands.
        self.ref = (ts, value)
        if value < before[1] - limits.tolerance:
            # A counter that fell from the last to the first hundredth of its range has rolled over.
            rolled = before[1] >= 0.99 * limits.high and value <= 0.01 * limits.high
            return Reason.NONE if rolled else Reason.COUNTER_FAULT
        risen_too_fast = value > before[1] and not _near(before, ts, value, limits.jump)
        return Reason.COUNTER_FAULT if risen_too_fast else Reason.NONE


def _near(before: tuple[int, float], ts: int, value: float, jump: float) -> bool:
    """Whether a change is believable: at most `jump` a minute.

    A shorter time counts as a minute, else the noise of a sensor read each second would be a jump.
    """
    return abs(value - before[1]) <= jump * max(ts - before[0], _MINUTE) / _MINUTE

"""One reading after another of one series: duplicates, jumps and counters (DQ-03, 06, 08), the rule in plain steps."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from ingest.limits import SeriesLimits
from ingest.registers import decided, register_end
from ingest.repairs import Finding, RepairKind
from plant.instants import NEVER
from plant.quality import Reason

REMEMBERED = 8
"""Readings of a series in which a duplicate or a conflict is looked for; of older ones `repeats` knows the messages."""

_MINUTE = 60_000
_NOTHING = (NEVER, 0.0)


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
    the next reading to confirm or deny it (time NEVER: none); of a meter `ref` is the last value, and `held` where it
    stood before a step that waits. `recent` are (ts, value, in force), oldest first.
    """

    last: int = NEVER
    ref: tuple[int, float] = _NOTHING
    held: tuple[int, float] = _NOTHING
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

    def follow(self, ts: int, value: float, limits: SeriesLimits) -> tuple[Reason, Finding | None]:
        """Judge a reading in force, of a time not before `last`, against the ones before: NONE, JUMP or COUNTER_FAULT.

        With it comes what an earlier, doubtful reading turns out to have been, where this one decides it.
        Source: DOMAIN §1.5 DQ-03 and DQ-08.
        """
        if self.ref[0] == NEVER:
            self.ref = (ts, value)
            return Reason.NONE, None
        if limits.meter:
            return self._count(ts, value, limits)
        waits = self.held[0] != NEVER
        stays = waits and _near(self.held, ts, value, limits.jump)
        returns = _near(self.ref, ts, value, limits.jump)
        if stays or returns:
            # Time has passed, so both may be believable: it is the nearer of the two that it goes on from.
            stepped = stays and (not returns or abs(value - self.held[1]) < abs(value - self.ref[1]))
            found = (self._confirmed() if stepped else self._denied(value)) if waits else None
            self.ref, self.held = (ts, value), _NOTHING
            return Reason.NONE, found
        # Near neither: the one held before stays out, and this one waits in its stead.
        found = self._denied(self.ref[1]) if waits else None
        self.held = (ts, value)
        return Reason.JUMP, found

    def _denied(self, after: float) -> Finding:
        """The held value was a spike: the median of it and the values around it stands in its place (DQ-03)."""
        return Finding(RepairKind.SPIKE, *self.held, sorted((self.ref[1], self.held[1], after))[1], self.ref[1])

    def _confirmed(self) -> Finding:
        """The held value was right."""
        return Finding(RepairKind.STEP, *self.held, self.held[1], self.ref[1])

    def _count(self, ts: int, value: float, limits: SeriesLimits) -> tuple[Reason, Finding | None]:
        """A meter: `held` is where it stood before a doubtful step, `ref` the reading after it."""
        found: Finding | None = None
        if self.held[0] != NEVER:
            before, doubtful = self.held, self.ref
            on = _counts_on(before, ts, value, limits)
            if on or _counts_on(doubtful, ts, value, limits):
                end = register_end(before[1], doubtful[1], limits.high)
                found = decided(before, doubtful, end, returned=on)
                self.ref, self.held = (ts, value), _NOTHING
                return Reason.NONE, found
            # It goes on from neither: the doubtful reading stays out, and this one is the doubtful one now.
            self.ref, found = before, decided(before, doubtful, None, returned=True)
        if _counts_on(self.ref, ts, value, limits):
            self.ref, self.held = (ts, value), _NOTHING
            return Reason.NONE, found
        self.held, self.ref = self.ref, (ts, value)
        rolled = register_end(self.held[1], value, limits.high) is not None
        return Reason.NONE if rolled else Reason.COUNTER_FAULT, found


def _counts_on(before: tuple[int, float], ts: int, value: float, limits: SeriesLimits) -> bool:
    """Whether a meter can have come from one reading to the other: not back, and no faster than its machine can."""
    rise = value - before[1]
    return -limits.tolerance <= rise <= limits.jump * max(ts - before[0], _MINUTE) / _MINUTE + limits.slack


def _near(before: tuple[int, float], ts: int, value: float, jump: float) -> bool:
    """Whether a change is believable: at most `jump` a minute.

    A shorter time counts as a minute, else the noise of a sensor read each second would be a jump.
    """
    return abs(value - before[1]) <= jump * max(ts - before[0], _MINUTE) / _MINUTE

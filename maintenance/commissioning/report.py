"""What a commissioning check says: check by check how it ended, and of each fault where and how."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """How a check ended."""

    PASSED = "pass"
    FAILED = "fail"
    NOT_ENOUGH = "not_enough_data"


class Check(StrEnum):
    """What is looked at, in the order it is told."""

    HEARD = "heard"
    RATE = "rate"
    CLOCK = "clock"
    RANGE = "range"
    SCALE = "scale"
    DIRECTION = "direction"
    PHASES = "phases"
    BALANCE = "balance"


class Cause(StrEnum):
    """What is wrong."""

    NEVER_SEEN = "never_seen"
    TOO_SLOW = "too_slow"
    TOO_FAST = "too_fast"
    CLOCK_AHEAD = "clock_ahead"
    CLOCK_BEHIND = "clock_behind"
    SENTINEL = "sentinel"
    OUT_OF_RANGE = "out_of_range"
    SCALE = "scale"
    FAHRENHEIT = "fahrenheit"
    KELVIN = "kelvin"
    HERTZ = "hertz"
    SWAPPED = "swapped"
    CT_REVERSED = "ct_reversed"
    PHASES_CROSSED = "phases_crossed"
    PHASE_SUM = "phase_sum"
    CT_RATIO = "ct_ratio"


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong: the points it is about, what was found and what would be right, in the points' unit or a ratio.

    `factor` is what the values come out too large by (10: ten times), None where it is no factor.
    """

    cause: Cause
    points: tuple[str, ...]
    found: float | None = None
    expected: float | None = None
    factor: float | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """One check; faults only where it failed."""

    check: Check
    outcome: Outcome
    faults: tuple[Fault, ...] = ()
    silent: bool = False
    """Nothing at all was heard: no other check has anything to look at."""


@dataclass(frozen=True, slots=True)
class Report:
    """All checks that apply to a machine, over readings with start ≤ ts < end (ms UTC)."""

    equipment: str
    start: int
    end: int
    results: tuple[Result, ...]

    @property
    def outcome(self) -> Outcome:
        """Failed where one check failed, passed where all did."""
        return of_all(result.outcome for result in self.results)

    @property
    def faults(self) -> tuple[Fault, ...]:
        """Every fault of every check."""
        return tuple(fault for result in self.results for fault in result.faults)


def of_all(outcomes: Iterable[Outcome]) -> Outcome:
    """Failed where one failed, passed where all did; of none, not enough data."""
    found = set(outcomes)
    for one in (Outcome.FAILED, Outcome.NOT_ENOUGH):
        if one in found:
            return one
    return Outcome.PASSED if found else Outcome.NOT_ENOUGH


def result(check: Check, faults: list[Fault], judged: int) -> Result:
    """A check that looked at `judged` things; with none of them and no fault there was not enough data."""
    if faults:
        return Result(check, Outcome.FAILED, tuple(faults))
    return Result(check, Outcome.PASSED if judged else Outcome.NOT_ENOUGH)

"""Is the repair proven? Counts evaluated clear time under comparable conditions (SEMANTICS §8)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from rules.events import EventKind
from rules.lang.fixed import Bools, Ints, any_along
from rules.lang.windows import run_length

PARTS = 10
"""A verification tells its progress this many times."""


@dataclass(slots=True)
class Verification:
    """A verification under way: `counted_ms` of `needed_ms`; `fault_rows` run lengths of fault since its start.

    `references` are the values its comparable expressions had when the alarm was raised.
    """

    needed_ms: int
    counted_ms: int
    fault_rows: list[int]
    references: tuple[int | None, ...] = ()


@dataclass(frozen=True, slots=True)
class Evaluated:
    """A block of one alarm: `ok` (n,) evaluated clear and comparable, `fault` (rows, n), `active` (n,) alarm active.

    `for_ms` per row: how long its fault must hold to prove the repair wrong.
    """

    instants: Ints
    ok: Bools
    fault: Bools
    active: Bools
    for_ms: tuple[int, ...]
    step_ms: int


def advance(verification: Verification, seen: Evaluated, start: int) -> Iterator[tuple[int, EventKind, int]]:
    """(column, event, counted ms) of one verification from column `start` on; ends with VERIFIED or VERIFY_FAILED.

    A fault proves the repair wrong when it has held its level's `for` since the verification began. Time counted is
    proof enough only once the alarm is no longer active (a latched one waits for its reset).
    """
    fault = seen.fault[:, start:]
    run = run_length(fault, np.array(verification.fault_rows, np.int64))
    needed = np.array(seen.for_ms, np.int64)[:, None]
    failed = any_along((run > 0) & ((run - 1) * seen.step_ms >= needed), 0)
    counted = verification.counted_ms + np.cumsum(seen.ok[start:]) * seen.step_ms
    done = (counted >= verification.needed_ms) & ~seen.active[start:]
    ends = np.flatnonzero(failed | done)
    last = int(ends[0]) if len(ends) else len(counted) - 1
    before = verification.counted_ms
    share = -(-verification.needed_ms // PARTS)
    for column in np.flatnonzero(seen.ok[start : start + last + 1]).tolist():
        reached = min(int(counted[column]), verification.needed_ms)
        if reached // share > min(before, verification.needed_ms) // share and reached < verification.needed_ms:
            yield start + column, EventKind.VERIFY_PROGRESS, reached
        before = reached
    verification.counted_ms = int(counted[last]) if len(counted) else before
    verification.fault_rows = run[:, last].tolist() if len(counted) else verification.fault_rows
    if len(ends):
        kind = EventKind.VERIFY_FAILED if failed[last] else EventKind.VERIFIED
        yield start + last, kind, min(int(counted[last]), verification.needed_ms)

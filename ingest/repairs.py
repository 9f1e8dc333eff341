"""What was put right among the readings, and why: history keeps the raw value, this says what stands in its place."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class RepairKind(StrEnum):
    """What a doubtful reading turned out to be, once the next reading had come (DOMAIN §1.5 DQ-03, DQ-08)."""

    SPIKE = "spike"
    """The value went back: it was none. The median of it and its neighbours stands in its place."""
    STEP = "step"
    """The value stayed: the reading that had been held back was right."""
    RESET = "reset"
    """A meter began anew near zero (exchanged, or its memory lost): its count goes on from where it stood."""
    ROLLOVER = "rollover"
    """A meter passed the end of its register: its count goes on beyond it."""
    REBASE = "rebase"
    """A meter leapt further than its machine can drive it and went on from there: the leap is not counted."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A doubtful reading of one series, decided.

    `ts` and `original` are the reading's, `before` the value believed before it. `repaired` stands in its place.
    `shift` is what to add to the register from this reading on, so that its count has no gap (0 for what is no step
    of a meter).
    """

    kind: RepairKind
    ts: int
    original: float
    repaired: float
    before: float
    shift: float = 0.0


@dataclass(frozen=True, slots=True)
class Repair:
    """A Finding with its equipment and point, and the journal offset of the message that decided it."""

    offset: int
    equipment: str
    point: str
    kind: RepairKind
    ts: int
    original: float
    repaired: float
    before: float
    shift: float = 0.0

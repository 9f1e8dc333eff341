"""What the engine tells the rest of the house: past-tense events that carry their evidence."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from plant.severity import Severity
from plant.site import Mode


class EventKind(StrEnum):
    """What happened to an alarm (one alarm per equipment and rule)."""

    RAISED = "raised"
    """Became active. With `cause` set it is suppressed: no ticket until RELEASED."""
    LEVEL = "level"
    """Its gravest active level changed; rising escalates, falling does not."""
    RELEASED = "released"
    """Was suppressed, its cause has resolved, it is still active: it now needs a ticket."""
    UNEVALUABLE = "unevaluable"
    """Active, but the gate or the inputs of a member that holds it are unknown."""
    EVALUABLE = "evaluable"
    CLEARED = "cleared"
    VERIFY_PROGRESS = "verify_progress"
    """A verification has counted more evaluated clear time; see `counted_ms` of `needed_ms`."""
    VERIFIED = "verified"
    """Evaluated clear time reached its need: the repair is proven (or the alarm has stayed away)."""
    VERIFY_FAILED = "verify_failed"
    """The fault completed its `for` while being verified."""


@dataclass(frozen=True, slots=True)
class AlarmEvent:
    """One event of one alarm at one instant (`at`, ms UTC, plant time).

    `onset_at` is the first instant the fault was true, `raised_at` when the alarm became active. `severity` is that
    of the gravest level active now, `highest` the gravest reached since `raised_at`. `members` are the points at
    fault where the rule runs over members. `cause` is `equipment/rule` of the alarm that suppresses this one.
    `proof` is canonical JSON (SEMANTICS §7), only on RAISED, VERIFIED and VERIFY_FAILED; `proof_hash` its sha-256, hex.
    """

    kind: EventKind
    at: int
    equipment: str
    rule: str
    mode: Mode
    severity: Severity
    highest: Severity
    onset_at: int
    raised_at: int
    members: tuple[str, ...] = ()
    cause: str | None = None
    counted_ms: int = 0
    needed_ms: int = 0
    proof: bytes | None = None
    proof_hash: str | None = None

"""A ticket: one job on one equipment, its states, and the one table of moves between them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from maintenance.people import PEOPLE, Role
from plant.severity import Severity


class State(StrEnum):
    """Where a ticket stands."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    IN_PROGRESS = "in_progress"
    VERIFYING = "verifying"
    """Said to be done, or cleared by itself: the rule is counting evaluated clear time."""
    CLOSED = "closed"
    PARKED = "parked"
    """The conditions for a proof have not come; the first comparable evaluation decides."""
    ON_HOLD = "on_hold"
    """Waiting for parts, access or a contractor."""
    CANCELLED = "cancelled"


FINISHED = frozenset({State.CLOSED, State.CANCELLED})


class Resolution(StrEnum):
    """How a ticket ended."""

    VERIFIED = "verified"
    """Repaired, and the telemetry proved it."""
    SELF_CLEARED = "self_cleared"
    """Went away before work began, and the telemetry proved it stays away."""
    UNVERIFIED = "unverified"
    """A person closed it without proof, saying why; watched for a year."""
    COMPLETED = "completed"
    """A ticket without a rule, closed by a person."""
    FALSE_ALARM = "false_alarm"
    DUPLICATE = "duplicate"
    WITHDRAWN = "withdrawn"
    """Cancelled for another reason, which the timeline gives."""
    RETIRED = "retired"
    """The equipment has left the site."""


CANCELLATIONS = frozenset({Resolution.FALSE_ALARM, Resolution.DUPLICATE, Resolution.WITHDRAWN})


class Verdict(StrEnum):
    """The crew's word on what the rule reported; gives each rule its measured precision."""

    REAL = "real"
    FALSE = "false"
    KNOWN = "known"
    SENSOR = "sensor"


class CauseCode(StrEnum):
    """What the crew found to be the cause: short enough for chips, the same for every kind of machine."""

    WEAR = "wear"
    FOULING = "fouling"
    LEAK = "leak"
    CONNECTION = "connection"
    ELECTRICAL = "electrical"
    CONTROL = "control"
    SETTING = "setting"
    SENSOR = "sensor"
    OPERATION = "operation"
    SUPPLY = "supply"
    NOTHING_FOUND = "nothing_found"


class WaitingFor(StrEnum):
    """What a ticket on hold waits for."""

    PARTS = "parts"
    ACCESS = "access"
    CONTRACTOR = "contractor"
    SHUTDOWN = "shutdown"
    """The machine may only be worked on when it is stopped."""
    DECISION = "decision"


@dataclass(frozen=True, slots=True)
class Ticket:
    """One job. All times are ms UTC, plant time.

    `id` is the number people use, `WO-20261122-034`. `rule` is None for a ticket made by a person. `cause` is
    `equipment/rule` of the alarm that suppressed the one it was opened for. `acknowledged_at`, `started_at` and
    `done_at` are None until somebody did so; `done_at` is cleared when the repair proves not to hold. `verified_at`
    is set when the proof is there, also while something else keeps the ticket from closing. `remind_at` is when
    people are told again. `waiting_for` is set only while the ticket is on hold, and only where people said it.
    `quiet` marks a ticket opened while catching up, of which nobody has been told yet.
    """

    id: str
    equipment: str
    rule: str | None
    severity: Severity
    opened_at: int
    opened_by: str
    state: State = State.OPEN
    version: int = 1
    title: str = ""
    cause: str | None = None
    parent: str | None = None
    repeat_of: str | None = None
    failed_repair_of: str | None = None
    reopened: int = 0
    assignee: str | None = None
    acknowledged_at: int | None = None
    acknowledged_by: str | None = None
    started_at: int | None = None
    done_at: int | None = None
    verify_by: int | None = None
    counted_ms: int = 0
    needed_ms: int = 0
    verified_at: int | None = None
    closed_at: int | None = None
    resolution: Resolution | None = None
    verdict: Verdict | None = None
    cause_code: CauseCode | None = None
    waiting_for: WaitingFor | None = None
    ack_due: int | None = None
    arrive_due: int | None = None
    restore_due: int | None = None
    arrive_late: bool = False
    restore_late: bool = False
    remind_at: int | None = None
    quiet: bool = False

    @property
    def finished(self) -> bool:
        """Closed or cancelled."""
        return self.state in FINISHED


class Need(StrEnum):
    """What a move asks for beyond the right to make it."""

    REASON = "a reason"
    RULE = "a rule that can prove it"
    NO_RULE = "a ticket without a rule"
    UNACKNOWLEDGED = "that nobody has acknowledged it yet"
    NOT_STARTED = "that work has not begun"
    CHILDREN_FINISHED = "that its child tickets are finished"


@dataclass(frozen=True, slots=True)
class Transition:
    """One allowed move: from `source`, asked for as `to`, by one of `who`, when every need is met.

    It ends in `to`, with one exception: acknowledging a ticket that is being verified or is parked leaves it there
    (or closes it, when only the acknowledgement was missing).
    """

    source: State
    to: State
    who: frozenset[Role]
    needs: tuple[Need, ...] = ()

    def __str__(self) -> str:
        people = next((f"{role} or above" for role in PEOPLE if role in self.who), "")
        needs = f", needs {' and '.join(self.needs)}" if self.needs else ""
        return f"{self.to} ({people or ', '.join(sorted(self.who))}{needs})"


_CREW = frozenset({Role.CREW, Role.ENGINEER, Role.ADMIN})
_ENGINEER = frozenset({Role.ENGINEER, Role.ADMIN})
_ENGINE = frozenset({Role.ENGINE})
_CLOCK = frozenset({Role.CLOCK})
_CONFIG = frozenset({Role.CONFIG})

_O, _A, _P, _V = State.OPEN, State.ACKNOWLEDGED, State.IN_PROGRESS, State.VERIFYING
_C, _K, _H, _X = State.CLOSED, State.PARKED, State.ON_HOLD, State.CANCELLED

_WHY, _WHOLE = Need.REASON, Need.CHILDREN_FINISHED

TRANSITIONS: tuple[Transition, ...] = (
    # People take it on.
    Transition(_O, _A, _CREW),
    Transition(_O, _P, _CREW),
    Transition(_A, _P, _CREW),
    Transition(_V, _A, _CREW, (Need.UNACKNOWLEDGED,)),
    Transition(_K, _A, _CREW, (Need.UNACKNOWLEDGED,)),
    # It waits, and goes on.
    Transition(_O, _H, _CREW, (_WHY,)),
    Transition(_A, _H, _CREW, (_WHY,)),
    Transition(_P, _H, _CREW, (_WHY,)),
    Transition(_H, _A, _CREW, (Need.NOT_STARTED,)),
    Transition(_H, _P, _CREW),
    # Said to be done: the rule checks it. Without a rule a person's word is all there is.
    Transition(_P, _V, _CREW, (Need.RULE,)),
    Transition(_O, _C, _CREW, (Need.NO_RULE, _WHY, _WHOLE)),
    Transition(_A, _C, _CREW, (Need.NO_RULE, _WHY, _WHOLE)),
    Transition(_P, _C, _CREW, (Need.NO_RULE, _WHOLE)),
    # People overrule the wait for a proof.
    Transition(_V, _P, _CREW, (_WHY,)),
    Transition(_K, _P, _CREW, (_WHY,)),
    Transition(_V, _C, _ENGINEER, (_WHY, _WHOLE)),
    Transition(_K, _C, _ENGINEER, (_WHY, _WHOLE)),
    # The telemetry decides.
    Transition(_O, _V, _ENGINE, (Need.NOT_STARTED,)),
    Transition(_A, _V, _ENGINE, (Need.NOT_STARTED,)),
    Transition(_H, _V, _ENGINE, (Need.NOT_STARTED,)),
    Transition(_O, _C, _ENGINE, (Need.NOT_STARTED, _WHOLE)),
    Transition(_V, _C, _ENGINE, (_WHOLE,)),
    Transition(_K, _C, _ENGINE, (_WHOLE,)),
    Transition(_V, _O, _ENGINE),
    Transition(_V, _A, _ENGINE),
    Transition(_V, _P, _ENGINE),
    Transition(_K, _O, _ENGINE),
    Transition(_K, _A, _ENGINE),
    Transition(_K, _P, _ENGINE),
    Transition(_C, _O, _ENGINE),
    # The clock and the configuration decide.
    Transition(_V, _K, _CLOCK),
    *(Transition(source, _K, _CONFIG) for source in (_O, _A, _P, _H, _V)),
    *(Transition(source, _X, _CONFIG) for source in (_O, _A, _P, _H, _V, _K)),
    # It was no job at all.
    *(Transition(source, _X, _ENGINEER, (_WHY,)) for source in (_O, _A, _P, _H, _V, _K)),
)


def allowed(state: State) -> tuple[Transition, ...]:
    """Every move out of a state, in the table's order."""
    return tuple(row for row in TRANSITIONS if row.source is state)

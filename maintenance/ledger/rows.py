"""What the ledger's rows look like to the code that reads them; all times are ms UTC."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from ingest.repairs import Repair
from maintenance.deadlines import Calendar
from maintenance.people import Role
from maintenance.ticket import State
from plant.severity import Severity
from plant.site import Mode
from rules.events import AlarmEvent


class Happening(StrEnum):
    """What a row of the timeline records."""

    RAISED = "raised"
    LEVEL = "level"
    RELEASED = "released"
    CLEARED = "cleared"
    VERIFIED = "verified"
    VERIFY_FAILED = "verify_failed"
    RESET = "reset"
    """A person reset a latched alarm; the engine decides whether it clears."""
    OPENED = "opened"
    JOINED = "joined"
    """The alarm came again while its ticket was open."""
    MOVED = "moved"
    """The ticket went from `source` to `target`."""
    ACKNOWLEDGED = "acknowledged"
    """Somebody acknowledged a ticket that keeps its state."""
    ESCALATED = "escalated"
    OVERDUE = "overdue"
    LINKED = "linked"
    COMMENTED = "commented"
    ASSIGNED = "assigned"
    JUDGED = "judged"
    """The crew's verdict."""
    DIAGNOSED = "diagnosed"
    """The crew's cause code."""
    REPORTED = "reported"
    """Somebody without an account told of the same trouble again."""
    PHOTO = "photo"
    """A photo was added; the text is its SHA-256."""
    MUTED = "muted"
    UNMUTED = "unmuted"


class NoticeKind(StrEnum):
    """Why people are told."""

    OPENED = "opened"
    ESCALATED = "escalated"
    REOPENED = "reopened"
    VERIFY_FAILED = "verify_failed"
    ACKNOWLEDGE_OVERDUE = "acknowledge_overdue"
    ARRIVE_OVERDUE = "arrive_overdue"
    RESTORE_OVERDUE = "restore_overdue"
    PARKED = "parked"
    STILL_PARKED = "still_parked"
    CLOSED = "closed"


class NoticeState(StrEnum):
    """Where a notice stands."""

    WAITING = "waiting"
    SENT = "sent"
    DEAD = "dead"
    """Given up: refused for good, or every attempt failed. A person may send it again."""
    HELD = "held"
    """Written while a mute was in force; decided when the mute ends."""
    DROPPED = "dropped"
    """Held, and told by nobody: a later notice, or the end of the ticket, had overtaken it."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """One occurrence of an alarm, from raised to cleared (`cleared_at` None while it is active)."""

    id: int
    equipment: str
    rule: str
    mode: Mode
    severity: Severity
    highest: Severity
    onset_at: int
    raised_at: int
    cleared_at: int | None
    verified_at: int | None
    unevaluable: bool
    members: tuple[str, ...]
    cause: str | None
    suppressed: bool
    proof_hash: str | None
    ticket: str | None
    acknowledged_at: int | None = None
    acknowledged_by: str | None = None


@dataclass(frozen=True, slots=True)
class TimelineRow:
    """One change: `at` is when it happened in the plant, `written_at` when the ledger took it, both plant time.

    `key` is what the client called its request, the same at every attempt; None where no client was involved.
    """

    id: int
    at: int
    written_at: int
    author: str
    kind: Happening
    ticket: str | None
    alarm: int | None
    source: State | None
    target: State | None
    text: str
    proof_hash: str | None
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Mute:
    """A time in which nobody is told: of one rule on an equipment (an operator calls that shelving), or of all but
    the rules that guard people (`rule` None: work on the machine).

    In force from `at` up to but without `until`, unless ended before. With a `ticket` it ends with that ticket's work.
    Verdicts, alarms and tickets go on; only notices are held.
    """

    id: int
    equipment: str
    rule: str | None
    ticket: str | None
    at: int
    until: int
    author: str
    reason: str
    ended_at: int | None
    ended_by: str | None


@dataclass(frozen=True, slots=True)
class Photo:
    """A photo on a ticket; the bytes lie in the folder of photos under their SHA-256."""

    id: int
    ticket: str
    sha256: str
    bytes: int
    width: int
    height: int
    author: str
    at: int
    key: str


class Phrase(StrEnum):
    """What somebody without an account says is wrong, by one tap."""

    NO_HOT_WATER = "no_hot_water"
    TOO_HOT = "too_hot"
    TOO_COLD = "too_cold"
    LEAK = "leak"
    NOISE_OR_SMELL = "noise_or_smell"
    NOT_RUNNING = "not_running"
    POWER = "power"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class FaultReport:
    """What somebody without an account told of an equipment. `phone` is for the crew only."""

    id: int
    ticket: str
    at: int
    phrase: Phrase
    text: str
    phone: str
    merged: bool


@dataclass(frozen=True, slots=True)
class Notice:
    """One message to one channel. `key` is the same at every attempt; `facts` is JSON, rendered when sent."""

    id: int
    key: str
    kind: NoticeKind
    channel: str
    ticket: str
    at: int
    facts: str
    state: NoticeState
    attempts: int
    next_at: int
    sent_at: int | None
    last_answer: str


@dataclass(frozen=True, slots=True)
class Reject:
    """A message that could not become readings, with the journal offset it has."""

    offset: int
    received_at: int
    topic: str
    payload: bytes
    reason: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class RejectCount:
    """How many messages of a part of the topic tree were rejected for one reason, ever."""

    reason: str
    topic_prefix: str
    count: int
    last_at: int


@dataclass(frozen=True, slots=True)
class User:
    """Somebody who may sign in."""

    name: str
    role: Role
    created_at: int
    disabled: bool
    has_password: bool
    must_change: bool = False
    """The password was given by somebody else, for one sign-in."""


@dataclass(frozen=True, slots=True)
class ConfigRevision:
    """One configuration as it was put in force."""

    revision: int
    sha256: str
    content: bytes
    author: str
    at: int


@dataclass(frozen=True, slots=True)
class EngineCommit:
    """What the pipeline wants written at once: everything up to and with journal offset `offset`.

    `expected_offset` is the offset the ledger must hold before (compare-and-set), `lease_epoch` the epoch the
    writer was given. `now` is the plant time the pipeline has reached. `catching_up` is true while a backlog is
    being evaluated: tickets opened meanwhile are told of when it ends, if they are still open.
    """

    consumer: str
    partition: str
    expected_offset: int
    offset: int
    lease_epoch: int
    now: int
    events: Sequence[AlarmEvent] = ()
    rejects: Sequence[Reject] = ()
    catching_up: bool = False
    repairs: Sequence[Repair] = ()


@dataclass(frozen=True, slots=True)
class Route:
    """A channel gets notices of tickets of `least` severity or graver."""

    channel: str
    least: Severity = Severity.P4


@dataclass(frozen=True, slots=True)
class Policy:
    """What a site has decided about its tickets: working days, who is told, and which rules no mute silences."""

    calendar: Calendar = field(default_factory=Calendar)
    routes: tuple[Route, ...] = (Route("log"),)
    safety: frozenset[str] = frozenset()

"""Tickets and alarms as JSON."""

from __future__ import annotations

from typing import Annotated, Self
from uuid import UUID

from pydantic import BeforeValidator, Field, JsonValue, WithJsonSchema, model_validator

from api.problems import AllowedMove
from api.shapes import Ask, Instant, SeverityName, Shape
from maintenance.ledger.rows import Happening, Phrase
from maintenance.people import Actor
from maintenance.ticket import CauseCode, Need, Resolution, State, Ticket, Verdict, WaitingFor, allowed
from plant.site import Mode


class AlarmOut(Shape):
    """One occurrence of an alarm, from raised to cleared."""

    id: int
    equipment: str
    rule: str
    mode: Mode
    severity: SeverityName = Field(description="of the gravest level active now, or last active")
    highest: SeverityName
    onset_at: Instant = Field(description="the first instant the fault was true")
    raised_at: Instant
    cleared_at: Instant | None = Field(description="null while it is active")
    verified_at: Instant | None
    unevaluable: bool
    members: list[str]
    cause: str | None = Field(description="equipment/rule of the alarm that suppresses this one")
    suppressed: bool
    proof_hash: str | None
    ticket: str | None
    acknowledged_at: Instant | None
    acknowledged_by: str | None


class TicketOut(Shape):
    """One job on one equipment."""

    id: str
    equipment: str
    rule: str | None = Field(description="null for a ticket made by a person")
    title: str
    severity: SeverityName
    state: State
    version: int = Field(description="send it with a transition; it grows with every change")
    opened_at: Instant
    opened_by: str
    assignee: str | None
    cause: str | None
    parent: str | None
    repeat_of: str | None
    failed_repair_of: str | None
    reopened: int
    acknowledged_at: Instant | None
    acknowledged_by: str | None
    started_at: Instant | None
    done_at: Instant | None
    closed_at: Instant | None
    resolution: Resolution | None
    verdict: Verdict | None
    cause_code: CauseCode | None = Field(description="what the crew found")
    waiting_for: WaitingFor | None = Field(description="only while it is on hold")
    ack_due: Instant | None
    arrive_due: Instant | None
    restore_due: Instant | None
    arrive_late: bool
    restore_late: bool


class Verification(Shape):
    """How far the telemetry has come in proving the repair: evaluated clear time counted and needed."""

    counted_ms: int
    needed_ms: int = Field(description="0 until the engine has begun to count")
    verify_by: Instant | None = Field(description="when the wait ends and the ticket is parked")
    verified_at: Instant | None


class TimelineOut(Shape):
    """One line of a ticket's timeline."""

    id: int
    at: Instant = Field(description="when it happened in the plant")
    written_at: Instant = Field(description="when the ledger took it, plant time")
    author: str
    kind: Happening
    alarm: int | None
    source: State | None
    target: State | None
    text: str
    proof_hash: str | None


class TicketFileOut(TicketOut):
    """One ticket with its timeline, proof, alarms, and what the caller may do with it."""

    timeline: list[TimelineOut]
    verification: Verification
    alarms: list[AlarmOut]
    photos: list[PhotoOut]
    reports: list[FaultReportOut]
    children: list[str]
    proof_hash: str | None
    proof: JsonValue = Field(description="the newest proof of the fault, frozen when it was raised; null: none")
    allowed: list[AllowedMove] = Field(description="the caller's moves")


class PhotoOut(Shape):
    """A photo of a ticket; `GET /api/v1/photos/{id}` has the picture."""

    id: int
    sha256: str
    bytes: int
    width: int
    height: int
    author: str
    at: Instant


class FaultReportOut(Shape):
    """What somebody without an account told."""

    at: Instant
    phrase: Phrase
    text: str
    phone: str = Field(description="empty for callers below crew")
    merged: bool


def _key(value: object) -> str | None:
    """A UUID in its one usual form; whatever JSON can hold beside text is no UUID."""
    if value is None:
        return None
    if not isinstance(value, str):
        raise ValueError("expected a UUID as text")
    return str(UUID(value))


Key = Annotated[
    str | None,
    BeforeValidator(_key),
    Field(description="a UUID of the client's, the same at every attempt: what comes twice is done once"),
    WithJsonSchema({"anyOf": [{"type": "string", "format": "uuid"}, {"type": "null"}]}),
]


class TransitionAsk(Ask):
    """A wish to move a ticket. `version` is the one the caller has seen."""

    to: State
    version: int = Field(ge=1, le=2**31 - 1)
    reason: str = Field("", max_length=2_000)
    resolution: Resolution | None = Field(None, description="only with `to: cancelled`")
    waiting_for: WaitingFor | None = Field(None, description="only with `to: on_hold`; stands for a reason")
    cause_code: CauseCode | None = Field(None, description="what was found, where the move says so")
    key: Key = None


class CommentAsk(Ask):
    """A comment for a ticket's timeline."""

    text: str = Field(min_length=1, max_length=4_000, pattern=r"\S")
    key: Key = None


class TicketAsk(Ask):
    """A job: on an alarm that has no ticket (its rule will prove the repair), or on any equipment."""

    title: str = Field(min_length=1, max_length=200, pattern=r"\S")
    severity: SeverityName
    alarm: int | None = Field(None, ge=1, le=2**63 - 1)
    equipment: str | None = Field(None, description="where there is no alarm")
    key: Key = None

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.alarm is None) is (self.equipment is None):
            raise ValueError("expected either alarm or equipment")
        return self


class ChangeAsk(Ask):
    """A change of a ticket that is no move. `version` is the one the caller has seen."""

    version: int = Field(ge=1, le=2**31 - 1)
    key: Key = None


class AssignAsk(ChangeAsk):
    """To whom; null: to nobody."""

    assignee: str | None = Field(None, min_length=1, max_length=100)


class VerdictAsk(ChangeAsk):
    """Whether the rule was right."""

    verdict: Verdict


class CauseAsk(ChangeAsk):
    """What the crew found to be the cause."""

    cause_code: CauseCode


class ResetOut(Shape):
    """A reset was asked for; the engine decides whether the alarm clears."""

    command: int


def moves_of(ticket: Ticket, actor: Actor) -> list[AllowedMove]:
    """The moves out of the ticket's state that this person's role may make and that can be met."""
    impossible = {
        Need.RULE: ticket.rule is None,
        Need.NO_RULE: ticket.rule is not None,
        Need.UNACKNOWLEDGED: ticket.acknowledged_at is not None,
        Need.NOT_STARTED: ticket.started_at is not None,
    }
    return [
        AllowedMove(to=row.to, needs=[need.value for need in row.needs if need not in impossible])
        for row in allowed(ticket.state)
        if actor.role in row.who and not any(impossible.get(need, False) for need in row.needs)
    ]

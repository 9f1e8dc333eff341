"""Deciding a move: the ticket after it, or an error that names the moves which are allowed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from maintenance.deadlines import REMIND_PARKED, VERIFY_WITHIN
from maintenance.people import PEOPLE, Actor, Role
from maintenance.ticket import (
    CANCELLATIONS,
    CauseCode,
    Need,
    Resolution,
    State,
    Ticket,
    Transition,
    WaitingFor,
    allowed,
)
from plant.errors import BadInput, Conflict, NotPermitted
from plant.severity import Severity


@dataclass(frozen=True, slots=True)
class Move:
    """A wish to bring a ticket into state `to`. `at` is plant time, ms UTC.

    `resolution` goes only with cancelling, `waiting_for` only with putting on hold. `key` is made by the client and
    the same at every attempt, so that a move sent twice is made once. `cause_code` says what was found.
    """

    to: State
    actor: Actor
    at: int
    reason: str = ""
    resolution: Resolution | None = None
    waiting_for: WaitingFor | None = None
    key: str | None = None
    cause_code: CauseCode | None = None


def decide(ticket: Ticket, move: Move, *, open_children: Sequence[str] = ()) -> Ticket:
    """The ticket after the move, its version unchanged.

    Raises Conflict when the table has no such move or a need is not met, NotPermitted when the actor's role may not
    make it, BadInput when it lacks its reason or has a resolution that does not fit.
    """
    row = _row(ticket, move)
    _check_needs(ticket, move, row, open_children)
    if move.resolution is not None and move.to is not State.CANCELLED:
        raise BadInput(f"a resolution goes only with cancelling, not with a move to {move.to}")
    if move.waiting_for is not None and move.to is not State.ON_HOLD:
        raise BadInput(f"only a ticket on hold waits for {move.waiting_for}, not one moved to {move.to}")
    cause = ticket.cause_code if move.cause_code is None else move.cause_code
    return replace(_moved(ticket, move), waiting_for=move.waiting_for, cause_code=cause)


def _moved(ticket: Ticket, move: Move) -> Ticket:
    match move.to:
        case State.CANCELLED:
            return _cancelled(ticket, move)
        case State.OPEN:
            return _opened_again(ticket)
        case State.ACKNOWLEDGED:
            return _acknowledged(ticket, move)
        case State.IN_PROGRESS:
            return _in_progress(ticket, move)
        case State.VERIFYING:
            return _verifying(ticket, move)
        case State.PARKED:
            return replace(ticket, state=State.PARKED, verify_by=None, remind_at=move.at + REMIND_PARKED)
        case State.ON_HOLD:
            return replace(ticket, state=State.ON_HOLD)
        case State.CLOSED:
            return _closed(ticket, move)


def may_close(ticket: Ticket) -> bool:
    """Whether proof alone may close the ticket: one that cleared by itself at P1 waits for an acknowledgement."""
    return ticket.done_at is not None or ticket.severity is not Severity.P1 or ticket.acknowledged_at is not None


def failed_state(ticket: Ticket) -> State:
    """Where a ticket goes back to when the fault is seen again: as far as people had come."""
    if ticket.started_at is not None:
        return State.IN_PROGRESS
    return State.OPEN if ticket.acknowledged_at is None else State.ACKNOWLEDGED


def allowed_text(ticket: Ticket) -> str:
    """The moves out of the ticket's state, in words, for an error message."""
    rows = [str(row) for row in allowed(ticket.state) if row.who & set(PEOPLE)]
    return ", ".join(rows) or "none, it is finished"


def _row(ticket: Ticket, move: Move) -> Transition:
    rows = [row for row in allowed(ticket.state) if row.to is move.to]
    mine = [row for row in rows if move.actor.role in row.who]
    if mine:
        return mine[0]
    what = f"{ticket.id} is {ticket.state}: it may not go to {move.to}"
    if any(row.who & set(PEOPLE) for row in rows) and move.actor.role in PEOPLE:
        raise NotPermitted(f"{what} by {move.actor.name}, a {move.actor.role}; allowed: {allowed_text(ticket)}")
    raise Conflict(f"{what}; allowed: {allowed_text(ticket)}")


def _check_needs(ticket: Ticket, move: Move, row: Transition, open_children: Sequence[str]) -> None:
    if Need.REASON in row.needs and not move.reason.strip() and move.waiting_for is None:
        raise BadInput(f"moving {ticket.id} from {ticket.state} to {move.to} needs a reason")
    met = {
        Need.REASON: True,
        Need.RULE: ticket.rule is not None,
        Need.NO_RULE: ticket.rule is None,
        Need.UNACKNOWLEDGED: ticket.acknowledged_at is None,
        Need.NOT_STARTED: ticket.started_at is None,
        Need.CHILDREN_FINISHED: not open_children,
    }
    for need in row.needs:
        if not met[need]:
            detail = f" (open: {', '.join(open_children)})" if need is Need.CHILDREN_FINISHED else ""
            raise Conflict(
                f"{ticket.id} is {ticket.state}: going to {move.to} needs {need}{detail}; "
                f"allowed: {allowed_text(ticket)}"
            )


def _unproven(ticket: Ticket) -> Ticket:
    return replace(ticket, done_at=None, verify_by=None, verified_at=None, counted_ms=0, needed_ms=0, remind_at=None)


def _opened_again(ticket: Ticket) -> Ticket:
    again = replace(_unproven(ticket), state=State.OPEN, reopened=ticket.reopened + 1)
    if ticket.state is not State.CLOSED:
        return again
    return replace(
        again,
        closed_at=None,
        resolution=None,
        acknowledged_at=None,
        acknowledged_by=None,
        started_at=None,
        arrive_late=False,
        restore_late=False,
    )


def _acknowledged(ticket: Ticket, move: Move) -> Ticket:
    if move.actor.role is Role.ENGINE:
        return replace(_unproven(ticket), state=State.ACKNOWLEDGED, reopened=ticket.reopened + 1)
    if ticket.acknowledged_at is None:
        ticket = replace(ticket, acknowledged_at=move.at, acknowledged_by=move.actor.name)
    if ticket.state is State.PARKED:
        return ticket
    if ticket.state is State.VERIFYING:
        return replace(ticket, remind_at=None)
    return replace(ticket, state=State.ACKNOWLEDGED, remind_at=None)


def _in_progress(ticket: Ticket, move: Move) -> Ticket:
    if move.actor.role is Role.ENGINE:
        return replace(_unproven(ticket), state=State.IN_PROGRESS, reopened=ticket.reopened + 1)
    first = ticket.acknowledged_at is None
    return replace(
        _unproven(ticket),
        state=State.IN_PROGRESS,
        started_at=move.at if ticket.started_at is None else ticket.started_at,
        acknowledged_at=move.at if first else ticket.acknowledged_at,
        acknowledged_by=move.actor.name if first else ticket.acknowledged_by,
        assignee=ticket.assignee or move.actor.name,
    )


def _verifying(ticket: Ticket, move: Move) -> Ticket:
    said_done = move.actor.role is not Role.ENGINE
    return replace(
        _unproven(ticket),
        state=State.VERIFYING,
        done_at=move.at if said_done else None,
        verify_by=move.at + VERIFY_WITHIN[ticket.severity],
        remind_at=None if said_done else ticket.remind_at,
    )


def _closed(ticket: Ticket, move: Move) -> Ticket:
    if move.actor.role is Role.ENGINE:
        resolution = Resolution.SELF_CLEARED if ticket.done_at is None else Resolution.VERIFIED
    else:
        resolution = Resolution.COMPLETED if ticket.rule is None else Resolution.UNVERIFIED
    return _finished(ticket, move, resolution)


def _cancelled(ticket: Ticket, move: Move) -> Ticket:
    if move.actor.role is Role.CONFIG:
        return _finished(ticket, move, Resolution.RETIRED)
    resolution = move.resolution or Resolution.WITHDRAWN
    if resolution not in CANCELLATIONS:
        known = ", ".join(sorted(CANCELLATIONS))
        raise BadInput(f"{ticket.id} cannot be cancelled as {resolution}; expected one of {known}")
    return _finished(ticket, move, resolution)


def _finished(ticket: Ticket, move: Move, resolution: Resolution) -> Ticket:
    return replace(
        ticket, state=move.to, closed_at=move.at, resolution=resolution, verify_by=None, remind_at=None, quiet=False
    )

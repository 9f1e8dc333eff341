"""What telemetry and clock make of a ticket (SEMANTICS §8): each answer is the ticket after it, None for no change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from maintenance.deadlines import (
    REMIND_PARKED,
    REMIND_UNACKNOWLEDGED,
    REOPEN_WITHIN,
    REPEAT_WITHIN,
    WATCH_UNVERIFIED,
    Calendar,
    deadlines,
)
from maintenance.moves import Move, decide, failed_state, may_close
from maintenance.people import CLOCK, ENGINE
from maintenance.ticket import State, Ticket
from plant.severity import Severity
from plant.site import Mode
from rules.events import AlarmEvent

_WAITING_FOR_PROOF = frozenset({State.VERIFYING, State.PARKED})
_BEING_WORKED = frozenset({State.OPEN, State.ACKNOWLEDGED, State.IN_PROGRESS})


class Due(StrEnum):
    """What people must be told because time has passed."""

    ACKNOWLEDGE = "acknowledge_overdue"
    ARRIVE = "arrive_overdue"
    RESTORE = "restore_overdue"
    PARKED = "parked"
    STILL_PARKED = "still_parked"


@dataclass(frozen=True, slots=True)
class Struck:
    """A deadline that has passed: what, when, and the ticket after it."""

    what: Due
    at: int
    ticket: Ticket


@dataclass(frozen=True, slots=True)
class Past:
    """Tickets of the same (equipment, rule) that were closed: the last one, and the last closed unverified."""

    last: Ticket | None = None
    unverified: Ticket | None = None


@dataclass(frozen=True, slots=True)
class Links:
    """How a new ticket hangs together with older ones."""

    repeat_of: str | None
    failed_repair_of: str | None


def wants_ticket(mode: Mode, severity: Severity, *, suppressed: bool) -> bool:
    """Whether an alarm opens a ticket: live, P1 to P3, and not waiting for its cause (P1 never waits)."""
    if mode is not Mode.LIVE or severity is Severity.P4:
        return False
    return severity is Severity.P1 or not suppressed


def reopens(past: Past, at: int) -> Ticket | None:
    """The closed ticket that a fault raised at `at` belongs to, if it came back within 4 h of closing."""
    return past.last if past.last is not None and _since_closed(past.last, at) <= REOPEN_WITHIN else None


def links(past: Past, at: int) -> Links:
    """What a new ticket for a fault raised at `at` links to."""
    repeat = past.last is not None and _since_closed(past.last, at) <= REPEAT_WITHIN
    failed = past.unverified is not None and _since_closed(past.unverified, at) <= WATCH_UNVERIFIED
    return Links(
        past.last.id if past.last is not None and repeat else None,
        past.unverified.id if past.unverified is not None and failed else None,
    )


def reopened(closed: Ticket, severity: Severity, at: int) -> Ticket:
    """The closed ticket open once more, as grave as the fault now is; its SLA clocks are still to be started."""
    return replace(decide(closed, Move(State.OPEN, ENGINE, at)), severity=severity)


def failed(ticket: Ticket, at: int) -> Ticket | None:
    """The fault was seen again at `at`: a ticket waiting for proof goes back to where people had come with it.

    What was seen before somebody said "done" proves nothing about the repair.
    """
    if ticket.state not in _WAITING_FOR_PROOF or _before_done(ticket, at):
        return None
    return decide(ticket, Move(failed_state(ticket), ENGINE, at))


def cleared(ticket: Ticket, at: int, *, over_in_catch_up: bool) -> Ticket | None:
    """The alarm cleared at `at`: before work began the ticket verifies by itself.

    One that came and went during one catch-up, so that nobody was told of it, closes at once.
    """
    if ticket.started_at is not None or ticket.state not in (State.OPEN, State.ACKNOWLEDGED, State.ON_HOLD):
        return None
    if over_in_catch_up and ticket.quiet and ticket.state is State.OPEN:
        return decide(ticket, Move(State.CLOSED, ENGINE, at))
    return decide(ticket, Move(State.VERIFYING, ENGINE, at))


def verified(ticket: Ticket, event: AlarmEvent) -> Ticket | None:
    """The proof is there; `settled` says whether it closes the ticket."""
    if ticket.state not in _WAITING_FOR_PROOF or _before_done(ticket, event.at):
        return None
    return replace(ticket, verified_at=event.at, counted_ms=event.counted_ms, needed_ms=event.needed_ms)


def settled(ticket: Ticket, at: int, *, open_children: Sequence[str]) -> Ticket | None:
    """The ticket closed, when it is proven, nobody's acknowledgement is missing and its children are finished."""
    if ticket.state not in _WAITING_FOR_PROOF or ticket.verified_at is None:
        return None
    if open_children or not may_close(ticket):
        return None
    return decide(ticket, Move(State.CLOSED, ENGINE, at))


def escalated(ticket: Ticket, severity: Severity, now: int, calendar: Calendar) -> Ticket | None:
    """The alarm reached a graver level: the ticket follows, and no deadline moves back. It never becomes milder."""
    if severity >= ticket.severity:
        return None
    due = deadlines(severity, now, calendar)
    return replace(
        ticket,
        severity=severity,
        ack_due=_sooner(ticket.ack_due, due.acknowledge),
        arrive_due=_sooner(ticket.arrive_due, due.arrive),
        restore_due=_sooner(ticket.restore_due, due.restore),
        remind_at=None,
    )


def with_deadlines(ticket: Ticket, now: int, calendar: Calendar) -> Ticket:
    """The ticket with its SLA clocks started at `now`."""
    due = deadlines(ticket.severity, now, calendar)
    return replace(ticket, ack_due=due.acknowledge, arrive_due=due.arrive, restore_due=due.restore, remind_at=None)


def wake_at(ticket: Ticket) -> int | None:
    """When the clock next has something to do with this ticket; None for never."""
    return min((at for _, at in _alarms(ticket)), default=None)


def strike(ticket: Ticket, now: int) -> Struck | None:
    """The first deadline up to `now` and the ticket after it; None when none has passed."""
    passed = [(at, what) for what, at in _alarms(ticket) if at <= now]
    if not passed:
        return None
    at, what = min(passed)
    return Struck(what, at, _after(ticket, what, at, now))


def _alarms(ticket: Ticket) -> list[tuple[Due, int]]:
    found: list[tuple[Due, int | None]] = []
    if ticket.state in _BEING_WORKED:
        found.append((Due.RESTORE, None if ticket.restore_late else ticket.restore_due))
        if ticket.started_at is None:
            found.append((Due.ARRIVE, None if ticket.arrive_late else ticket.arrive_due))
    if ticket.acknowledged_at is None and _wants_acknowledgement(ticket):
        found.append((Due.ACKNOWLEDGE, ticket.ack_due if ticket.remind_at is None else ticket.remind_at))
    if ticket.state is State.VERIFYING and ticket.verified_at is None:
        found.append((Due.PARKED, ticket.verify_by))
    if ticket.state is State.PARKED:
        found.append((Due.STILL_PARKED, ticket.remind_at))
    return [(what, at) for what, at in found if at is not None]


def _wants_acknowledgement(ticket: Ticket) -> bool:
    if ticket.state is State.OPEN:
        return True
    return ticket.state is State.VERIFYING and ticket.severity is Severity.P1


def _after(ticket: Ticket, what: Due, at: int, now: int) -> Ticket:
    match what:
        case Due.ACKNOWLEDGE:
            return replace(ticket, remind_at=_next(at, REMIND_UNACKNOWLEDGED[ticket.severity], now))
        case Due.ARRIVE:
            return replace(ticket, arrive_late=True)
        case Due.RESTORE:
            return replace(ticket, restore_late=True)
        case Due.PARKED:
            return decide(ticket, Move(State.PARKED, CLOCK, at))
        case Due.STILL_PARKED:
            return replace(ticket, remind_at=_next(at, REMIND_PARKED, now))


def _next(at: int, every: int, now: int) -> int:
    """The first of at + every, at + 2 every … after `now`: one reminder after an outage, not one for each missed."""
    return at + every * ((now - at) // every + 1)


def _since_closed(ticket: Ticket, at: int) -> int:
    return at - (ticket.closed_at or 0)


def _before_done(ticket: Ticket, at: int) -> bool:
    return ticket.done_at is not None and at < ticket.done_at


def _sooner(old: int | None, new: int | None) -> int | None:
    return min((due for due in (old, new) if due is not None), default=None)

"""Reading the ledger: lists page by page, one ticket with all that belongs to it, and the canonical projection."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Generic, TypeVar

from sqlalchemy import Column, ColumnElement, Connection, RowMapping, Select, func, or_, select

from maintenance.ledger.book import to_ticket
from maintenance.ledger.mutes import standing
from maintenance.ledger.occurrences import to_alarm
from maintenance.ledger.rows import Alarm, TimelineRow
from maintenance.ledger.tables import alarms, mutes, proofs, tickets, timeline
from maintenance.ticket import FINISHED, State, Ticket
from plant.errors import BadInput, NotFound
from plant.severity import Severity
from plant.site import Mode

T = TypeVar("T")

PAGE = 100
LONGEST_PAGE = 1_000


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some items, newest first, and the cursor to ask for the ones after them (None: there are none)."""

    items: tuple[T, ...]
    next: str | None


@dataclass(frozen=True, slots=True)
class Named:
    """One of these equipments or one of these rules: what a text that people search for has found."""

    equipments: Collection[str]
    rules: Collection[str]


@dataclass(frozen=True, slots=True)
class TicketFilter:
    """Which tickets; None means any.

    `least`: this severity or graver. `unfinished`: neither closed nor cancelled. `since`: opened at this ms or later.
    `of`: given to this person, or acknowledged by them and given to nobody. `text`: part of number or title, or of one
    of the equipments or rules that `named` holds.
    """

    states: Collection[State] | None = None
    unfinished: bool = False
    least: Severity | None = None
    equipment: str | None = None
    rule: str | None = None
    assignee: str | None = None
    parent: str | None = None
    since: int | None = None
    of: str | None = None
    equipments: Collection[str] | None = None
    text: str | None = None
    named: Named | None = None


class AlarmState(StrEnum):
    """Where an alarm stands: `active` is unacknowledged and acknowledged together, the list people look at."""

    ACTIVE = "active"
    UNACKED = "unacked"
    ACKED = "acked"
    RETURNED = "returned"
    """Back to normal by itself, and nobody has acknowledged it."""
    CLEARED = "cleared"


@dataclass(frozen=True, slots=True)
class AlarmFilter:
    """Which alarms; None means any.

    `since`: raised at this ms or later. `equipments`: those of an area or type. `shelved_at` with `shelved`: whether
    people have put it on the shelf for that instant.
    """

    state: AlarmState | None = None
    least: Severity | None = None
    equipment: str | None = None
    rule: str | None = None
    mode: Mode | None = None
    suppressed: bool | None = None
    ticket: str | None = None
    since: int | None = None
    equipments: Collection[str] | None = None
    named: Named | None = None
    shelved: bool | None = None
    shelved_at: int = 0


_ACTIVE, _UNACKED = alarms.c.cleared_at.is_(None), alarms.c.acknowledged_at.is_(None)
_STANDS: Mapping[AlarmState, ColumnElement[bool]] = {
    AlarmState.ACTIVE: _ACTIVE,
    AlarmState.UNACKED: _ACTIVE & _UNACKED,
    AlarmState.ACKED: _ACTIVE & ~_UNACKED,
    AlarmState.RETURNED: ~_ACTIVE & _UNACKED,
    AlarmState.CLEARED: ~_ACTIVE,
}


def list_tickets(
    connection: Connection, which: TicketFilter | None = None, *, cursor: str | None = None, limit: int = PAGE
) -> Page[Ticket]:
    """Tickets, newest first. Raises BadInput for a cursor this ledger never gave."""
    which = which or TicketFilter()
    query = _equal(select(tickets), (tickets.c.equipment, which.equipment), (tickets.c.rule, which.rule))
    query = _equal(query, (tickets.c.assignee, which.assignee), (tickets.c.parent, which.parent))
    if which.states is not None:
        query = query.where(tickets.c.state.in_(which.states))
    if which.unfinished:
        query = query.where(tickets.c.state.not_in(FINISHED))
    if which.least is not None:
        query = query.where(tickets.c.severity <= which.least)
    if which.since is not None:
        query = query.where(tickets.c.opened_at >= which.since)
    if which.of is not None:
        taken = tickets.c.assignee.is_(None) & (tickets.c.acknowledged_by == which.of)
        query = query.where((tickets.c.assignee == which.of) | taken)
    if which.equipments is not None:
        query = query.where(tickets.c.equipment.in_(which.equipments))
    if which.text is not None:
        query = query.where(_about(which.text, which.named or Named((), ())))
    return _page(connection, query, tickets.c.seq, to_ticket, cursor=cursor, limit=limit)


def list_alarms(
    connection: Connection, which: AlarmFilter | None = None, *, cursor: str | None = None, limit: int = PAGE
) -> Page[Alarm]:
    """Alarms, newest first. Raises BadInput for a cursor this ledger never gave."""
    query = select(alarms).where(*matching(which or AlarmFilter()))
    return _page(connection, query, alarms.c.id, to_alarm, cursor=cursor, limit=limit)


def matching(which: AlarmFilter) -> list[ColumnElement[bool]]:
    """The filter as conditions on `alarms`."""
    found = [
        column == wanted
        for column, wanted in (
            (alarms.c.equipment, which.equipment),
            (alarms.c.rule, which.rule),
            (alarms.c.mode, which.mode),
            (alarms.c.suppressed, which.suppressed),
            (alarms.c.ticket, which.ticket),
        )
        if wanted is not None
    ]
    if which.state is not None:
        found.append(_STANDS[which.state])
    if which.least is not None:
        found.append(alarms.c.severity <= which.least)
    if which.since is not None:
        found.append(alarms.c.raised_at >= which.since)
    if which.equipments is not None:
        found.append(alarms.c.equipment.in_(which.equipments))
    if which.named is not None:
        found.append(alarms.c.equipment.in_(which.named.equipments) | alarms.c.rule.in_(which.named.rules))
    if which.shelved is not None:
        shelf = select(mutes.c.id).where(mutes.c.equipment == alarms.c.equipment, mutes.c.rule == alarms.c.rule)
        there = shelf.where(standing(which.shelved_at)).exists()
        found.append(there if which.shelved else ~there)
    return found


def alarm_counts(connection: Connection, which: AlarmFilter) -> dict[AlarmState, int]:
    """How many alarms a filter finds in each state but `cleared`, which only grows; its own `state` is passed over."""
    here = matching(replace(which, state=None))
    states = [state for state in AlarmState if state is not AlarmState.CLEARED]
    counted = select(*(func.count().filter(_STANDS[state]) for state in states)).select_from(alarms)
    row = connection.execute(counted.where(_ACTIVE | _UNACKED, *here)).one()
    return dict(zip(states, map(int, row), strict=True))


def ticket(connection: Connection, id: str) -> Ticket:
    """The ticket of that number; raises NotFound."""
    row = connection.execute(select(tickets).where(tickets.c.id == id)).mappings().first()
    if row is None:
        raise NotFound(f"there is no ticket {id}; `dutyroom tickets list` shows those there are")
    return to_ticket(row)


def ticket_timeline(connection: Connection, id: str) -> list[TimelineRow]:
    """Everything that happened to a ticket, oldest first, with the events of its alarms from before it was opened."""
    mine = select(alarms.c.id).where(alarms.c.ticket == id)
    query = select(timeline).where((timeline.c.ticket == id) | timeline.c.alarm.in_(mine)).order_by(timeline.c.id)
    return [TimelineRow(**row) for row in connection.execute(query).mappings()]


def feed(connection: Connection, *, after: int = 0, limit: int = LONGEST_PAGE) -> list[TimelineRow]:
    """Everything that happened to any alarm or ticket after timeline row `after`, oldest first (live stream)."""
    query = select(timeline).where(timeline.c.id > after).order_by(timeline.c.id).limit(limit)
    return [TimelineRow(**row) for row in connection.execute(query).mappings()]


def newest_happening(connection: Connection) -> int:
    """Id of the newest timeline row; 0 when there is none."""
    return int(connection.execute(select(func.coalesce(func.max(timeline.c.id), 0))).scalar_one())


def proof(connection: Connection, hash: str) -> bytes:
    """The canonical JSON of a proof; raises NotFound."""
    body = connection.execute(select(proofs.c.body).where(proofs.c.hash == hash)).scalar_one_or_none()
    if body is None:
        raise NotFound(f"there is no proof {hash}")
    return bytes(body)


def ticket_counts(connection: Connection) -> dict[tuple[State, Severity], int]:
    """How many tickets stand in each state, by severity."""
    query = select(tickets.c.state, tickets.c.severity, func.count()).group_by(tickets.c.state, tickets.c.severity)
    return {(state, severity): count for state, severity, count in connection.execute(query)}


AlarmLine = tuple[str, str, str, int, int, int | None, str | None]
TicketLine = tuple[str, str | None, str, str | None, str | None]


@dataclass(frozen=True, slots=True)
class Projection:
    """What the same journal must always give (SEMANTICS §3), without numbers and times of writing.

    `alarms`: (equipment, rule, highest severity, onset, raised, cleared, proof hash). `tickets`: (equipment, rule,
    state, resolution, cause it was opened under). Both sorted.
    """

    alarms: tuple[AlarmLine, ...]
    tickets: tuple[TicketLine, ...]


def projection(connection: Connection) -> Projection:
    """The canonical projection of the whole ledger."""
    seen = [
        (row.equipment, row.rule, row.highest.name, row.onset_at, row.raised_at, row.cleared_at, row.proof_hash)
        for row in connection.execute(select(alarms))
    ]
    jobs = [
        (row.equipment, row.rule, row.state.value, row.resolution and row.resolution.value, row.cause)
        for row in connection.execute(select(tickets))
    ]
    return Projection(
        tuple(sorted(seen, key=lambda line: (line[0], line[1], line[4]))),
        tuple(sorted(jobs, key=lambda line: tuple(part or "" for part in line))),
    )


def _about(text: str, named: Named) -> ColumnElement[bool]:
    wanted = text.lower()
    return or_(
        func.lower(tickets.c.id).contains(wanted, autoescape=True),
        func.lower(tickets.c.title).contains(wanted, autoescape=True),
        tickets.c.equipment.in_(named.equipments),
        tickets.c.rule.in_(named.rules),
    )


def _equal(query: Select[Any], *pairs: tuple[Column[Any], object | None]) -> Select[Any]:
    for column, wanted in pairs:
        if wanted is not None:
            query = query.where(column == wanted)
    return query


def _page(
    connection: Connection,
    query: Select[Any],
    number: Column[Any],
    make: Callable[[RowMapping], T],
    *,
    cursor: str | None,
    limit: int,
) -> Page[T]:
    if not 1 <= limit <= LONGEST_PAGE:
        raise BadInput(f"a page holds 1 to {LONGEST_PAGE} items, not {limit}")
    if cursor is not None:
        if not cursor.isdecimal() or not cursor.isascii():
            raise BadInput(f"{cursor!r} is no cursor; send back what `next` held, or nothing to start")
        query = query.where(number < int(cursor))
    rows: Sequence[RowMapping] = connection.execute(query.order_by(number.desc()).limit(limit + 1)).mappings().all()
    items = tuple(make(row) for row in rows[:limit])
    return Page(items, str(rows[limit - 1][number.name]) if len(rows) > limit else None)

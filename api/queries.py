"""Questions to the ledger that only the HTTP side asks; each is a function of one read view."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from maintenance.ledger.book import to_ticket
from maintenance.ledger.occurrences import to_alarm
from maintenance.ledger.photos import photos_of
from maintenance.ledger.queries import (
    LONGEST_PAGE,
    AlarmFilter,
    AlarmState,
    TicketFilter,
    feed,
    list_alarms,
    list_tickets,
    newest_happening,
    ticket,
    ticket_counts,
    ticket_timeline,
)
from maintenance.ledger.reports import reports_of
from maintenance.ledger.rows import Alarm, FaultReport, NoticeState, Photo, TimelineRow
from maintenance.ledger.tables import alarms, outbox, proofs, tickets
from maintenance.ticket import State, Ticket
from plant.severity import Severity

BATCH = 200
"""Timeline rows sent in one go to a live stream."""


@dataclass(frozen=True, slots=True)
class TicketFile:
    """One ticket with all that belongs to it. `proof` is the canonical JSON of its newest proof of the fault."""

    ticket: Ticket
    timeline: Sequence[TimelineRow]
    alarms: Sequence[Alarm]
    children: Sequence[str]
    photos: Sequence[Photo]
    reports: Sequence[FaultReport]
    proof_hash: str | None
    proof: bytes | None


@dataclass(frozen=True, slots=True)
class Standing:
    """What is open at one moment; `newest` is the timeline row up to which this is true."""

    newest: int
    tickets: Sequence[Ticket]
    alarms: Sequence[Alarm]


@dataclass(frozen=True, slots=True)
class Changes:
    """Timeline rows in order, with the tickets and alarms they are about as these stand now."""

    rows: Sequence[TimelineRow]
    tickets: Mapping[str, Ticket]
    alarms: Mapping[int, Alarm]


@dataclass(frozen=True, slots=True)
class Numbers:
    """What /metrics says of the ledger; `oldest_notice_at` is the plant time of the oldest notice still waiting."""

    tickets: Mapping[tuple[State, Severity], int]
    alarms: Mapping[Severity, int]
    notices: Mapping[NoticeState, int]
    oldest_notice_at: int | None


def ticket_file(connection: Connection, id: str) -> TicketFile:
    """Everything of one ticket, in one view; raises NotFound."""
    found = ticket(connection, id)
    mine = connection.execute(select(alarms).where(alarms.c.ticket == id).order_by(alarms.c.id)).mappings().all()
    children = connection.execute(select(tickets.c.id).where(tickets.c.parent == id).order_by(tickets.c.seq))
    own = [to_alarm(row) for row in mine]
    hash = next((alarm.proof_hash for alarm in reversed(own) if alarm.proof_hash is not None), None)
    body = connection.execute(select(proofs.c.body).where(proofs.c.hash == hash)).scalar_one_or_none()
    return TicketFile(
        found,
        ticket_timeline(connection, id),
        own,
        list(children.scalars()),
        photos_of(connection, id),
        reports_of(connection, id),
        hash,
        body,
    )


def standing(connection: Connection) -> Standing:
    """Unfinished tickets and active alarms, at most 1,000 each, the newest first."""
    return Standing(
        newest_happening(connection),
        list_tickets(connection, TicketFilter(unfinished=True), limit=LONGEST_PAGE).items,
        list_alarms(connection, AlarmFilter(state=AlarmState.ACTIVE), limit=LONGEST_PAGE).items,
    )


def changes(connection: Connection, after: int) -> Changes:
    """What happened after timeline row `after`, a batch at a time."""
    rows = feed(connection, after=after, limit=BATCH)
    return Changes(
        rows,
        _tickets(connection, {row.ticket for row in rows if row.ticket is not None}),
        _alarms(connection, {row.alarm for row in rows if row.alarm is not None}),
    )


def numbers(connection: Connection) -> Numbers:
    """Counts by state and severity."""
    active = (
        select(alarms.c.severity, func.count().label("found"))
        .where(alarms.c.cleared_at.is_(None))
        .group_by(alarms.c.severity)
    )
    unsent = outbox.c.state != NoticeState.SENT
    notices = select(outbox.c.state, func.count().label("found")).where(unsent).group_by(outbox.c.state)
    oldest = select(func.min(outbox.c.at)).where(outbox.c.state == NoticeState.WAITING)
    return Numbers(
        ticket_counts(connection),
        {row.severity: row.found for row in connection.execute(active)},
        {row.state: row.found for row in connection.execute(notices)},
        connection.execute(oldest).scalar_one(),
    )


def _tickets(connection: Connection, ids: Collection[str]) -> dict[str, Ticket]:
    rows = connection.execute(select(tickets).where(tickets.c.id.in_(ids))).mappings()
    return {row["id"]: to_ticket(row) for row in rows}


def _alarms(connection: Connection, ids: Collection[int]) -> dict[int, Alarm]:
    rows = connection.execute(select(alarms).where(alarms.c.id.in_(ids))).mappings()
    return {row["id"]: to_alarm(row) for row in rows}

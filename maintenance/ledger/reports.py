"""What somebody without an account tells of a machine: a ticket without a rule, or a line on the one there is."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from sqlalchemy import Connection, func, insert, select

from maintenance.ledger.book import Book, Note, inserted, to_ticket
from maintenance.ledger.rows import FaultReport, Happening, NoticeKind, Phrase
from maintenance.ledger.tables import fault_reports, tickets
from maintenance.people import REPORTER
from maintenance.texts import PHRASES
from maintenance.ticket import FINISHED, Ticket
from plant.errors import Conflict, NotFound
from plant.severity import Severity

MOST_OF_ONE_TICKET = 100

_GRAVE = frozenset({Phrase.TOO_HOT, Phrase.LEAK, Phrase.POWER})
"""People or the building may come to harm: P2; everything else is P3 until the crew has looked."""


@dataclass(frozen=True, slots=True)
class Told:
    """One report as it comes in. `token` is the reporter's own secret: it makes a second attempt the same report, and
    opens its status; only its SHA-256 is kept. `phone` is for the crew."""

    equipment: str
    phrase: Phrase
    token: str
    text: str = ""
    phone: str = ""


def report(book: Book, told: Told) -> FaultReport:
    """Open a ticket without a rule, or add to the reported one of this equipment that is not finished.

    Raises Conflict when that one has been reported MOST_OF_ONE_TICKET times.
    """
    before = _by_token(book.connection, told.token)
    if before is not None:
        return before
    there = _reported(book.connection, told.equipment)
    ticket = _opened(book, told) if there is None else _joined(book, there, told)
    row = {
        "ticket": ticket.id,
        "at": book.now,
        "phrase": told.phrase,
        "text": told.text.strip(),
        "phone": told.phone.strip(),
        "merged": there is not None,
    }
    id = inserted(book.connection.execute(insert(fault_reports).values(row | {"token_sha256": _digest(told.token)})))
    return FaultReport(id, ticket.id, book.now, told.phrase, told.text.strip(), told.phone.strip(), there is not None)


def status(connection: Connection, token: str) -> tuple[FaultReport, Ticket]:
    """A report and its ticket, for whoever holds the token; raises NotFound."""
    found = _by_token(connection, token)
    if found is None:
        raise NotFound("no report belongs to this link; scan the label again to tell of a fault")
    row = connection.execute(select(tickets).where(tickets.c.id == found.ticket)).mappings().one()
    return found, to_ticket(row)


def reports_of(connection: Connection, ticket: str) -> list[FaultReport]:
    """Every report on a ticket, oldest first, with the phone numbers: for the crew."""
    query = select(fault_reports).where(fault_reports.c.ticket == ticket).order_by(fault_reports.c.id)
    return [_row(row) for row in connection.execute(query)]


def _by_token(connection: Connection, token: str) -> FaultReport | None:
    query = select(fault_reports).where(fault_reports.c.token_sha256 == _digest(token))
    row = connection.execute(query).first()
    return None if row is None else _row(row)


def _row(row: object) -> FaultReport:
    return FaultReport(**{name: getattr(row, name) for name in FaultReport.__slots__})


def _reported(connection: Connection, equipment: str) -> Ticket | None:
    """The newest unfinished ticket of this equipment that a report opened."""
    opened = select(fault_reports.c.ticket).where(fault_reports.c.merged.is_(False))
    query = select(tickets).where(
        tickets.c.equipment == equipment, tickets.c.state.not_in(FINISHED), tickets.c.id.in_(opened)
    )
    row = connection.execute(query.order_by(tickets.c.seq.desc()).limit(1)).mappings().first()
    return None if row is None else to_ticket(row)


def _opened(book: Book, told: Told) -> Ticket:
    ticket = Ticket(
        id="",
        equipment=told.equipment,
        rule=None,
        severity=Severity.P2 if told.phrase in _GRAVE else Severity.P3,
        opened_at=book.now,
        opened_by=REPORTER.name,
        title=PHRASES[told.phrase].zh,
    )
    return book.add(ticket, REPORTER, Note(Happening.OPENED, told.text.strip(), notice=NoticeKind.OPENED))


def _joined(book: Book, ticket: Ticket, told: Told) -> Ticket:
    count = select(func.count()).select_from(fault_reports).where(fault_reports.c.ticket == ticket.id)
    if book.connection.execute(count).scalar_one() >= MOST_OF_ONE_TICKET:
        raise Conflict(f"{ticket.id} has been reported {MOST_OF_ONE_TICKET} times already: the crew knows of it")
    words = told.text.strip()
    text = f"{told.phrase}: {words}" if words else told.phrase.value
    book.note(ticket, REPORTER, Note(Happening.REPORTED, text), at=book.now)
    return ticket


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()

"""The engine's side of the ledger: its events become alarms and tickets, with the offset, in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from sqlalchemy import Connection, select

from maintenance import lifecycle
from maintenance.ledger import mutes, occurrences, offsets, rejects, repairs
from maintenance.ledger.book import Book, Note, to_ticket
from maintenance.ledger.occurrences import Occurrence
from maintenance.ledger.rows import EngineCommit, Happening, NoticeKind, Policy
from maintenance.ledger.tables import tickets
from maintenance.people import CLOCK, ENGINE
from maintenance.ticket import FINISHED, Ticket
from rules.events import AlarmEvent, EventKind

_ON_TIMELINE = {
    EventKind.RAISED: Happening.RAISED,
    EventKind.LEVEL: Happening.LEVEL,
    EventKind.RELEASED: Happening.RELEASED,
    EventKind.CLEARED: Happening.CLEARED,
    EventKind.VERIFIED: Happening.VERIFIED,
    EventKind.VERIFY_FAILED: Happening.VERIFY_FAILED,
}


def commit_engine(connection: Connection, commit: EngineCommit, policy: Policy) -> None:
    """Everything of one commit, or nothing; see `Ledger.commit_engine`."""
    offsets.advance(connection, commit)
    rejects.add(connection, commit.rejects)
    repairs.add(connection, commit.repairs)
    intake = Intake(Book(connection, policy, commit.now), catching_up=commit.catching_up)
    for event in commit.events:
        # Deadlines up to an event strike before it, so the outcome is the same however the journal was cut.
        intake.tick(event.at)
        intake.take(event)
    if not commit.catching_up:
        intake.end_catch_up()
    intake.tick(commit.now)
    mutes.expire(connection, commit.now, CLOCK.name)


def tick(connection: Connection, policy: Policy, now: int) -> None:
    """Every clock-driven move up to `now`."""
    Intake(Book(connection, policy, now), catching_up=False).tick(now)
    mutes.expire(connection, now, CLOCK.name)


class Intake:
    """One transaction's run over events."""

    def __init__(self, book: Book, *, catching_up: bool) -> None:
        self.book = book
        self.connection = book.connection
        self.catching_up = catching_up
        self._ticked: int | None = None
        self._handlers: Mapping[EventKind, Callable[[AlarmEvent, Occurrence], None]] = {
            EventKind.RAISED: self._raised,
            EventKind.LEVEL: self._level,
            EventKind.RELEASED: self._released,
            EventKind.CLEARED: self._cleared,
            EventKind.VERIFY_PROGRESS: self._progress,
            EventKind.VERIFIED: self._verified,
            EventKind.VERIFY_FAILED: self._verify_failed,
        }

    def tick(self, now: int) -> None:
        """Strike every deadline up to `now`, in the order they fall."""
        if self._ticked is not None and now <= self._ticked:
            return
        self._ticked = now
        query = select(tickets).where(tickets.c.wake_at <= now).order_by(tickets.c.wake_at, tickets.c.seq)
        for row in self.connection.execute(query).mappings().all():
            ticket = to_ticket(row)
            while (struck := lifecycle.strike(ticket, now)) is not None:
                ticket = self._struck(ticket, struck)

    def take(self, event: AlarmEvent) -> None:
        """One event: the alarm's row, the timeline, and what it makes of its ticket."""
        alarm = occurrences.apply(self.connection, event)
        handler = self._handlers.get(event.kind)
        if handler is not None:
            handler(event, alarm)

    def end_catch_up(self) -> None:
        """Tell people of the tickets that were opened while catching up and are still open."""
        query = select(tickets).where(tickets.c.quiet, tickets.c.state.not_in(FINISHED)).order_by(tickets.c.seq)
        for row in self.connection.execute(query).mappings().all():
            ticket = replace(to_ticket(row), quiet=False)
            self.book.save_quietly(ticket)
            note = Note(Happening.OPENED, "told after catching up", notice=NoticeKind.OPENED)
            self.book.note(ticket, ENGINE, note, at=self.book.now)

    def _struck(self, ticket: Ticket, struck: lifecycle.Struck) -> Ticket:
        notice = NoticeKind(struck.what.value)
        if struck.what is lifecycle.Due.PARKED:
            note = Note(Happening.MOVED, "the conditions for a proof have not come", notice=notice)
            return self.book.save(ticket, struck.ticket, actor=CLOCK, at=struck.at, note=note)
        self.book.save_quietly(struck.ticket)
        note = Note(Happening.OVERDUE, struck.what.value, notice=notice)
        self.book.note(struck.ticket, CLOCK, note, at=struck.at)
        return struck.ticket

    def _raised(self, event: AlarmEvent, alarm: Occurrence) -> None:
        self._write(event, alarm, None)
        if lifecycle.wants_ticket(event.mode, event.severity, suppressed=alarm.suppressed):
            self._open_or_join(event, alarm)

    def _released(self, event: AlarmEvent, alarm: Occurrence) -> None:
        self._write(event, alarm, None)
        # A P1 that rose while it waited has its ticket already.
        if alarm.ticket is None and lifecycle.wants_ticket(event.mode, alarm.severity, suppressed=False):
            self._open_or_join(event, alarm)

    def _level(self, event: AlarmEvent, alarm: Occurrence) -> None:
        ticket = self._ticket(event)
        self._write(event, alarm, ticket)
        if not alarm.rose:
            return
        if ticket is not None:
            self._escalate(ticket, event, alarm)
        elif lifecycle.wants_ticket(event.mode, alarm.severity, suppressed=alarm.suppressed):
            self._open_or_join(event, alarm)

    def _cleared(self, event: AlarmEvent, alarm: Occurrence) -> None:
        ticket = self._ticket(event)
        self._write(event, alarm, ticket)
        if ticket is None:
            return
        unseen = self.catching_up and not self.book.open_children(ticket.id)
        after = lifecycle.cleared(ticket, event.at, over_in_catch_up=unseen)
        if after is not None:
            note = Note(Happening.MOVED, "cleared before work began", alarm.id)
            self.book.settle(self.book.save(ticket, after, actor=ENGINE, at=event.at, note=note), event.at)

    def _progress(self, event: AlarmEvent, _: Occurrence) -> None:
        ticket = self._ticket(event)
        if ticket is not None:
            self.book.save_quietly(replace(ticket, counted_ms=event.counted_ms, needed_ms=event.needed_ms))

    def _verified(self, event: AlarmEvent, alarm: Occurrence) -> None:
        ticket = self._ticket(event)
        self._write(event, alarm, ticket)
        after = None if ticket is None else lifecycle.verified(ticket, event)
        if after is not None:
            self.book.save_quietly(after)
            self.book.settle(after, event.at)

    def _verify_failed(self, event: AlarmEvent, alarm: Occurrence) -> None:
        ticket = self._ticket(event)
        self._write(event, alarm, ticket)
        if ticket is not None:
            self._fail(ticket, event, alarm)

    def _fail(self, ticket: Ticket, event: AlarmEvent, alarm: Occurrence) -> Ticket:
        after = lifecycle.failed(ticket, event.at)
        if after is None:
            return ticket
        note = Note(Happening.MOVED, "seen again", alarm.id, event.proof_hash, NoticeKind.VERIFY_FAILED)
        return self.book.save(ticket, after, actor=ENGINE, at=event.at, note=note)

    def _open_or_join(self, event: AlarmEvent, alarm: Occurrence) -> None:
        ticket = self._ticket(event)
        if ticket is not None:
            self._join(ticket, event, alarm)
            return
        past = self.book.past(event.equipment, event.rule)
        closed = lifecycle.reopens(past, event.at)
        ticket = self._open(event, alarm, past) if closed is None else self._reopen(closed, event, alarm)
        occurrences.own(self.connection, alarm.id, ticket.id)
        self._adopt(ticket, event.at)

    def _join(self, ticket: Ticket, event: AlarmEvent, alarm: Occurrence) -> None:
        occurrences.own(self.connection, alarm.id, ticket.id)
        note = Note(Happening.JOINED, "", alarm.id, event.proof_hash)
        self.book.note(ticket, ENGINE, note, at=event.at)
        self._escalate(self._fail(ticket, event, alarm), event, alarm)

    def _open(self, event: AlarmEvent, alarm: Occurrence, past: lifecycle.Past) -> Ticket:
        parent = self.book.unfinished_of(alarm.cause)
        linked = lifecycle.links(past, event.at)
        ticket = Ticket(
            id="",
            equipment=event.equipment,
            rule=event.rule,
            severity=alarm.severity,
            opened_at=event.at,
            opened_by=ENGINE.name,
            cause=alarm.cause,
            parent=None if parent is None else parent.id,
            repeat_of=linked.repeat_of,
            failed_repair_of=linked.failed_repair_of,
            quiet=self.catching_up,
        )
        return self.book.add(ticket, ENGINE, Note(Happening.OPENED, "", alarm.id, event.proof_hash, NoticeKind.OPENED))

    def _reopen(self, closed: Ticket, event: AlarmEvent, alarm: Occurrence) -> Ticket:
        after = lifecycle.reopened(closed, alarm.severity, event.at)
        after = lifecycle.with_deadlines(after, self.book.now, self.book.policy.calendar)
        after = replace(after, quiet=self.catching_up)
        note = Note(Happening.MOVED, "came back within 4 h", alarm.id, event.proof_hash, NoticeKind.REOPENED)
        return self.book.save(closed, after, actor=ENGINE, at=event.at, note=note)

    def _escalate(self, ticket: Ticket, event: AlarmEvent, alarm: Occurrence) -> None:
        after = lifecycle.escalated(ticket, alarm.severity, self.book.now, self.book.policy.calendar)
        if after is not None:
            text = f"{ticket.severity.name} → {after.severity.name}"
            note = Note(Happening.ESCALATED, text, alarm.id, notice=NoticeKind.ESCALATED)
            self.book.save(ticket, after, actor=ENGINE, at=event.at, note=note)

    def _adopt(self, parent: Ticket, at: int) -> None:
        """Tickets opened before their cause's ticket (P1 never waits) become its children."""
        query = select(tickets).where(
            tickets.c.cause == f"{parent.equipment}/{parent.rule}",
            tickets.c.parent.is_(None),
            tickets.c.state.not_in(FINISHED),
        )
        for row in self.connection.execute(query.order_by(tickets.c.seq)).mappings().all():
            child = to_ticket(row)
            note = Note(Happening.LINKED, parent.id)
            self.book.save(child, replace(child, parent=parent.id), actor=ENGINE, at=at, note=note)

    def _ticket(self, event: AlarmEvent) -> Ticket | None:
        return self.book.unfinished(event.equipment, event.rule)

    def _write(self, event: AlarmEvent, alarm: Occurrence, ticket: Ticket | None) -> None:
        note = Note(_ON_TIMELINE[event.kind], alarm.severity.name, alarm.id, event.proof_hash)
        self.book.write_line(event.at, ENGINE, note, ticket=None if ticket is None else ticket.id)

"""What people do to alarms and tickets, each in one transaction with its author, time and reason."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace

from sqlalchemy import ColumnElement, Connection, insert, select

from maintenance.ledger.book import Book, Note, inserted
from maintenance.ledger.occurrences import own, to_alarm
from maintenance.ledger.rows import Alarm, Happening, NoticeKind
from maintenance.ledger.tables import alarms, commands, tickets
from maintenance.moves import Move, decide
from maintenance.people import CONFIG, Actor, Role
from maintenance.ticket import FINISHED, State, Ticket, Verdict
from plant.errors import BadInput, Conflict, NotFound, NotPermitted
from plant.severity import Severity

_AWAITS_PROOF = frozenset({State.VERIFYING, State.PARKED})


@dataclass(frozen=True, slots=True)
class Report:
    """A job a person asks for: on an alarm that opened no ticket (its rule will prove the repair), or on anything."""

    equipment: str
    title: str
    severity: Severity
    alarm: int | None = None


def open_ticket(book: Book, report: Report, actor: Actor) -> Ticket:
    """A ticket made by a person. Raises Conflict when the alarm's equipment and rule have an unfinished one."""
    if not report.title.strip():
        raise BadInput("a ticket needs a title: what is wrong, and where")
    alarm = None if report.alarm is None else alarm_row(book.connection, report.alarm)
    if alarm is not None:
        there = book.unfinished(alarm.equipment, alarm.rule)
        if there is not None:
            raise Conflict(f"{alarm.equipment} already has {there.id} for {alarm.rule}, which is {there.state}")
    ticket = Ticket(
        id="",
        equipment=report.equipment if alarm is None else alarm.equipment,
        rule=None if alarm is None else alarm.rule,
        severity=report.severity,
        opened_at=book.now,
        opened_by=actor.name,
        title=report.title.strip(),
    )
    note = Note(Happening.OPENED, ticket.title, report.alarm, notice=NoticeKind.OPENED)
    ticket = book.add(ticket, actor, note)
    if alarm is not None:
        own(book.connection, alarm.id, ticket.id)
    return ticket


def move_ticket(book: Book, id: str, version: int | None, move: Move) -> Ticket:
    """Move a ticket; `version` is the one the person saw (None: whichever is there).

    "Done" starts the verification, leaving the wait for proof stops it, both as commands to the engine.
    """
    before = _seen(book, id, version)
    children = book.open_children(id)
    after = decide(before, move, open_children=children)
    kind = Happening.MOVED if after.state is not before.state else Happening.ACKNOWLEDGED
    notice = NoticeKind.CLOSED if after.finished else None
    after = book.save(before, after, actor=move.actor, at=move.at, note=Note(kind, move.reason, notice=notice))
    if after.rule is not None:
        if after.state is State.VERIFYING and after.done_at != before.done_at:
            _command(book, move.actor, "verify_start", (after.equipment, after.rule), {"ticket": id})
        elif before.state in _AWAITS_PROOF and after.state not in _AWAITS_PROOF:
            _command(book, move.actor, "verify_stop", (after.equipment, after.rule), {"ticket": id})
    return book.settle(after, move.at)


def comment(book: Book, id: str, actor: Actor, text: str) -> None:
    """Add a comment; comments never conflict."""
    _require(actor, Role.CREW, "comment")
    if not text.strip():
        raise BadInput(f"the comment on {id} is empty")
    ticket = book.ticket(id)
    book.note(ticket, actor, Note(Happening.COMMENTED, text.strip()), at=book.now)


def assign(book: Book, id: str, version: int | None, actor: Actor, assignee: str | None) -> Ticket:
    """Give an unfinished ticket to somebody, or to nobody."""
    _require(actor, Role.CREW, "assign tickets")
    before = _unfinished(_seen(book, id, version))
    note = Note(Happening.ASSIGNED, assignee or "")
    return book.save(before, replace(before, assignee=assignee), actor=actor, at=book.now, note=note)


def judge(book: Book, id: str, version: int | None, actor: Actor, verdict: Verdict) -> Ticket:
    """The crew's verdict on what the rule reported; also after the ticket is finished."""
    _require(actor, Role.CREW, "judge an alarm")
    before = _seen(book, id, version)
    note = Note(Happening.JUDGED, verdict.value)
    return book.save(before, replace(before, verdict=verdict), actor=actor, at=book.now, note=note)


def reset_alarm(book: Book, id: int, actor: Actor) -> int:
    """Reset a latched alarm: a command to the engine, which decides whether it clears. Returns the command's number."""
    _require(actor, Role.CREW, "reset an alarm")
    alarm = alarm_row(book.connection, id)
    if alarm.cleared_at is not None:
        raise Conflict(f"alarm {id} ({alarm.rule} on {alarm.equipment}) has cleared already")
    book.write_line(book.now, actor, Note(Happening.RESET, "", id), ticket=alarm.ticket)
    return _command(book, actor, "reset", (alarm.equipment, alarm.rule), {"alarm": str(id)})


def retire_rule(book: Book, rule: str) -> list[str]:
    """Park the unfinished tickets of a rule that has left the configuration; returns their numbers."""
    return _retire(book, tickets.c.rule == rule, State.PARKED, f"rule {rule} retired")


def retire_equipment(book: Book, equipment: str) -> list[str]:
    """Cancel the unfinished tickets of an equipment that has left the site; returns their numbers."""
    return _retire(book, tickets.c.equipment == equipment, State.CANCELLED, f"equipment {equipment} retired")


def alarm_row(connection: Connection, id: int) -> Alarm:
    """The alarm of that number; raises NotFound."""
    row = connection.execute(select(alarms).where(alarms.c.id == id)).mappings().first()
    if row is None:
        raise NotFound(f"there is no alarm {id}")
    return to_alarm(row)


def _retire(book: Book, which: ColumnElement[bool], to: State, reason: str) -> list[str]:
    query = select(tickets.c.id).where(which, tickets.c.state.not_in(FINISHED | {to})).order_by(tickets.c.seq)
    moved = []
    for id in book.connection.execute(query).scalars().all():
        before = book.ticket(id)
        if before.finished:  # closed meanwhile, with the last of its children
            continue
        after = decide(before, Move(to, CONFIG, book.now, reason))
        saved = book.save(before, after, actor=CONFIG, at=book.now, note=Note(Happening.MOVED, reason))
        book.settle(saved, book.now)
        moved.append(before.id)
    return moved


def _seen(book: Book, id: str, version: int | None) -> Ticket:
    ticket = book.ticket(id)
    if version is not None and version != ticket.version:
        last = book.last_change(id)
        raise Conflict(
            f"{id} is at version {ticket.version} and {ticket.state}, you saw version {version}; "
            f"the last change was by {last}; look at it again"
        )
    return ticket


def _unfinished(ticket: Ticket) -> Ticket:
    if ticket.finished:
        raise Conflict(f"{ticket.id} is {ticket.state}; only its comments and verdict can still change")
    return ticket


def _require(actor: Actor, role: Role, what: str) -> None:
    if not actor.at_least(role):
        raise NotPermitted(f"{actor.name} is {actor.role}; to {what} takes {role} or above")


def _command(book: Book, actor: Actor, action: str, target: tuple[str, str], args: Mapping[str, str]) -> int:
    row = {
        "at": book.now,
        "author": actor.name,
        "action": action,
        "equipment": target[0],
        "rule": target[1],
        "args": json.dumps(dict(args), sort_keys=True),
    }
    return inserted(book.connection.execute(insert(commands).values(row)))

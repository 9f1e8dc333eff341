"""What people do to alarms and tickets, each in one transaction with its author, time and reason."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace

from sqlalchemy import ColumnElement, Connection, insert, select, update

from maintenance.ledger.book import Book, Note, inserted
from maintenance.ledger.occurrences import own, to_alarm
from maintenance.ledger.rows import Alarm, Happening, NoticeKind
from maintenance.ledger.tables import alarms, commands, tickets
from maintenance.moves import Move, decide
from maintenance.people import CONFIG, Actor, Role
from maintenance.ticket import FINISHED, CauseCode, State, Ticket, Verdict
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


@dataclass(frozen=True, slots=True)
class Wish:
    """Who wants to change which ticket. `version` is the one the person saw (None: whichever is there).

    `key` is made by the client and the same at every attempt: a wish that comes again changes nothing more.
    """

    ticket: str
    actor: Actor
    version: int | None = None
    key: str | None = None


def open_ticket(book: Book, report: Report, actor: Actor, key: str | None = None) -> Ticket:
    """A ticket made by a person. Raises Conflict when the alarm's equipment and rule have an unfinished one."""
    require(actor, Role.CREW, "open a ticket")
    if not report.title.strip():
        raise BadInput("a ticket needs a title: what is wrong, and where")
    made = book.line_of(key)
    if made is not None and made.ticket is not None:
        return book.ticket(made.ticket)
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
    note = Note(Happening.OPENED, ticket.title, report.alarm, notice=NoticeKind.OPENED, key=key)
    ticket = book.add(ticket, actor, note)
    if alarm is not None:
        own(book.connection, alarm.id, ticket.id)
    return ticket


def move_ticket(book: Book, id: str, version: int | None, move: Move) -> Ticket:
    """Move a ticket; `version` is the one the person saw (None: whichever is there).

    "Done" starts the verification, leaving the wait for proof stops it, both as commands to the engine.
    Acknowledging the ticket acknowledges its alarms.
    """
    wish = Wish(id, move.actor, version, move.key)
    if done_before(book, wish):
        return book.ticket(id)
    before = _seen(book, wish)
    after = decide(before, move, open_children=book.open_children(id))
    kind = Happening.MOVED if after.state is not before.state else Happening.ACKNOWLEDGED
    text = move.reason or (move.waiting_for.value if move.waiting_for is not None else "")
    note = Note(kind, text, notice=NoticeKind.CLOSED if after.finished else None, key=move.key)
    after = book.save(before, after, actor=move.actor, at=move.at, note=note)
    if before.acknowledged_at is None and after.acknowledged_at is not None:
        mark_acknowledged(book, alarms.c.ticket == id, move.actor)
    _tell_engine(book, move.actor, before, after)
    return book.settle(after, move.at)


def comment(book: Book, wish: Wish, text: str) -> None:
    """Add a comment; comments never conflict."""
    require(wish.actor, Role.CREW, "comment")
    if not text.strip():
        raise BadInput(f"the comment on {wish.ticket} is empty")
    if not done_before(book, wish):
        ticket = book.ticket(wish.ticket)
        book.note(ticket, wish.actor, Note(Happening.COMMENTED, text.strip(), key=wish.key), at=book.now)


def assign(book: Book, wish: Wish, assignee: str | None) -> Ticket:
    """Give an unfinished ticket to somebody, or to nobody."""
    require(wish.actor, Role.CREW, "assign tickets")
    if done_before(book, wish):
        return book.ticket(wish.ticket)
    before = _unfinished(_seen(book, wish))
    return _save(book, wish, replace(before, assignee=assignee), Note(Happening.ASSIGNED, assignee or "", key=wish.key))


def judge(book: Book, wish: Wish, verdict: Verdict) -> Ticket:
    """The crew's verdict on what the rule reported; also after the ticket is finished."""
    require(wish.actor, Role.CREW, "judge an alarm")
    if done_before(book, wish):
        return book.ticket(wish.ticket)
    before = _seen(book, wish)
    return _save(book, wish, replace(before, verdict=verdict), Note(Happening.JUDGED, verdict.value, key=wish.key))


def diagnose(book: Book, wish: Wish, cause: CauseCode) -> Ticket:
    """What the crew found to be the cause; also after the ticket is finished."""
    require(wish.actor, Role.CREW, "say the cause")
    if done_before(book, wish):
        return book.ticket(wish.ticket)
    before = _seen(book, wish)
    return _save(book, wish, replace(before, cause_code=cause), Note(Happening.DIAGNOSED, cause.value, key=wish.key))


def mark_acknowledged(book: Book, which: ColumnElement[bool], actor: Actor) -> None:
    """Alarms of `which` that nobody has acknowledged are acknowledged by this person now."""
    values = {"acknowledged_at": book.now, "acknowledged_by": actor.name}
    book.connection.execute(update(alarms).where(which, alarms.c.acknowledged_at.is_(None)).values(values))


def done_before(book: Book, wish: Wish) -> bool:
    """Whether this very request has been carried out already. Raises Conflict when its key was for something else."""
    line = book.line_of(wish.key)
    if line is None:
        return False
    if line.ticket != wish.ticket or line.author != wish.actor.name:
        raise Conflict(f"the key {wish.key} was used for another request; make a new one for each")
    return True


def reset_alarm(book: Book, id: int, actor: Actor) -> int:
    """Reset a latched alarm: a command to the engine, which decides whether it clears. Returns the command's number."""
    require(actor, Role.CREW, "reset an alarm")
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


def _seen(book: Book, wish: Wish) -> Ticket:
    ticket = book.ticket(wish.ticket)
    if wish.version is not None and wish.version != ticket.version:
        last = book.last_change(ticket.id)
        raise Conflict(
            f"{ticket.id} is at version {ticket.version} and {ticket.state}, you saw version {wish.version}; "
            f"the last change was by {last}; look at it again"
        )
    return ticket


def _save(book: Book, wish: Wish, after: Ticket, note: Note) -> Ticket:
    return book.save(book.ticket(after.id), after, actor=wish.actor, at=book.now, note=note)


def _tell_engine(book: Book, actor: Actor, before: Ticket, after: Ticket) -> None:
    if after.rule is None:
        return
    target, args = (after.equipment, after.rule), {"ticket": after.id}
    if after.state is State.VERIFYING and after.done_at != before.done_at:
        _command(book, actor, "verify_start", target, args)
    elif before.state in _AWAITS_PROOF and after.state not in _AWAITS_PROOF:
        _command(book, actor, "verify_stop", target, args)


def _unfinished(ticket: Ticket) -> Ticket:
    if ticket.finished:
        raise Conflict(f"{ticket.id} is {ticket.state}; only its comments and verdict can still change")
    return ticket


def require(actor: Actor, role: Role, what: str) -> None:
    """Raises NotPermitted when a person's role is below `role`."""
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

"""What people do to alarms that stay alarms: acknowledge them one or many, shelve them, mute a machine they work on."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, insert, select, update

from maintenance.deadlines import HOUR
from maintenance.ledger import mutes as keeping
from maintenance.ledger.acts import alarm_row, mark_acknowledged, move_ticket, require
from maintenance.ledger.book import Book, Note, inserted
from maintenance.ledger.queries import AlarmFilter, matching
from maintenance.ledger.rows import Alarm, Happening, Mute
from maintenance.ledger.tables import alarms, mutes
from maintenance.moves import Move
from maintenance.people import Actor, Role
from maintenance.ticket import State
from plant.errors import BadInput, Conflict, NotFound
from plant.severity import Severity

MOST_AT_ONCE = 300
"""Alarms acknowledged in one transaction: a flood is taken in a few bites, and nobody else waits long."""
LONGEST_MUTE = 24 * HOUR

_TAKES_ACKNOWLEDGEMENT = frozenset({State.OPEN, State.VERIFYING, State.PARKED})


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """What became of a wish to acknowledge: newly acknowledged, acknowledged before, and still to be asked for."""

    alarms: int
    already: int
    remaining: int = 0


@dataclass(frozen=True, slots=True)
class Quiet:
    """A wish that nothing be told until `until` (ms UTC, plant time), and why; `ticket`: the work it belongs to."""

    until: int
    reason: str
    ticket: str | None = None


def acknowledge(book: Book, ids: Collection[int], actor: Actor) -> Acknowledged:
    """Acknowledge these alarms; each acknowledges its ticket where that waits for it.

    Again is no error. Raises BadInput for more than MOST_AT_ONCE, NotFound for an alarm that is not there.
    """
    require(actor, Role.CREW, "acknowledge alarms")
    if len(ids) > MOST_AT_ONCE:
        raise BadInput(f"{len(ids)} alarms at once; expected at most {MOST_AT_ONCE}, send the rest after these")
    done = sum(_acknowledge(book, id, actor) for id in sorted(set(ids)))
    return Acknowledged(done, len(set(ids)) - done)


def acknowledge_matching(book: Book, which: AlarmFilter, up_to: int, actor: Actor) -> Acknowledged:
    """Acknowledge what a filter finds, but no alarm newer than number `up_to`: those the person has not seen.

    At most MOST_AT_ONCE, the oldest first; `remaining` says how many more there are.
    """
    waiting = [alarms.c.acknowledged_at.is_(None), alarms.c.id <= up_to, *matching(which)]
    query = select(alarms.c.id).where(*waiting).order_by(alarms.c.id).limit(MOST_AT_ONCE)
    done = acknowledge(book, book.connection.execute(query).scalars().all(), actor)
    left = book.connection.execute(select(func.count()).select_from(alarms).where(*waiting)).scalar_one()
    return Acknowledged(done.alarms, done.already, int(left))


def shelve(book: Book, id: int, quiet: Quiet, actor: Actor) -> Mute:
    """Shelve an alarm: its rule on its equipment is told of by nobody until then, also when it comes again.

    Again changes end and reason. Raises Conflict for a P1 and for a rule that guards people: those are never shelved.
    """
    require(actor, Role.CREW, "shelve an alarm")
    alarm = alarm_row(book.connection, id)
    if alarm.severity is Severity.P1 or alarm.rule in book.policy.safety:
        raise Conflict(
            f"alarm {id} ({alarm.rule} on {alarm.equipment}) may not be shelved: it is P1 or guards people's safety"
        )
    mute = _mute(book, (alarm.equipment, alarm.rule), quiet, actor)
    note = Note(Happening.MUTED, quiet.reason.strip(), id)
    book.write_line(book.now, actor, note, ticket=alarm.ticket)
    return mute


def unshelve(book: Book, id: int, actor: Actor) -> None:
    """Take an alarm off the shelf; again is no error."""
    require(actor, Role.CREW, "un-shelve an alarm")
    alarm = alarm_row(book.connection, id)
    here = (mutes.c.equipment == alarm.equipment) & (mutes.c.rule == alarm.rule)
    if keeping.end(book.connection, here, book.now, actor.name):
        book.write_line(book.now, actor, Note(Happening.UNMUTED, "", id), ticket=alarm.ticket)


def mute(book: Book, equipment: str, quiet: Quiet, actor: Actor) -> Mute:
    """Mute an equipment for work on it: notices are held, but for P1 and for rules that guard people.

    With a ticket it ends when that ticket's work does. Again changes end and reason.
    """
    require(actor, Role.CREW, "mute an equipment")
    if quiet.ticket is not None:
        ticket = book.ticket(quiet.ticket)
        if ticket.equipment != equipment or ticket.finished:
            raise Conflict(f"{ticket.id} is {ticket.state} on {ticket.equipment}: no work on {equipment} belongs to it")
    made = _mute(book, (equipment, None), quiet, actor)
    book.write_line(book.now, actor, Note(Happening.MUTED, quiet.reason.strip()), ticket=quiet.ticket)
    return made


def unmute(book: Book, id: int, actor: Actor) -> Mute:
    """End a mute before its time; again is no error."""
    require(actor, Role.CREW, "end a mute")
    row = book.connection.execute(select(mutes).where(mutes.c.id == id)).mappings().first()
    if row is None:
        raise NotFound(f"there is no mute {id}")
    ended = keeping.end(book.connection, mutes.c.id == id, book.now, actor.name)
    if not ended:
        return Mute(**row)
    book.write_line(book.now, actor, Note(Happening.UNMUTED), ticket=row["ticket"])
    return ended[0]


def _acknowledge(book: Book, id: int, actor: Actor) -> bool:
    """Whether the alarm was not acknowledged before."""
    alarm = alarm_row(book.connection, id)
    if alarm.acknowledged_at is not None:
        return False
    if not _acknowledge_ticket(book, alarm, actor):
        # No ticket, so that the ticket's last change stays the one its version is of; its timeline shows it anyway.
        book.write_line(book.now, actor, Note(Happening.ACKNOWLEDGED, "", id), ticket=None)
    mark_acknowledged(book, alarms.c.id == id, actor)
    return True


def _acknowledge_ticket(book: Book, alarm: Alarm, actor: Actor) -> bool:
    if alarm.ticket is None:
        return False
    ticket = book.ticket(alarm.ticket)
    if ticket.acknowledged_at is not None or ticket.state not in _TAKES_ACKNOWLEDGEMENT:
        return False
    move_ticket(book, ticket.id, None, Move(State.ACKNOWLEDGED, actor, book.now))
    return True


def _mute(book: Book, scope: tuple[str, str | None], quiet: Quiet, actor: Actor) -> Mute:
    if not quiet.reason.strip():
        raise BadInput("a mute needs a reason: why nobody is to be told")
    if not book.now < quiet.until <= book.now + LONGEST_MUTE:
        raise BadInput(f"a mute ends within {LONGEST_MUTE // HOUR} h from now, and not in the past")
    equipment, rule = scope
    this: ColumnElement[bool] = mutes.c.rule.is_(None) if rule is None else mutes.c.rule == rule
    query = select(mutes.c.id).where(mutes.c.equipment == equipment, this, keeping.standing(book.now))
    id = book.connection.execute(query).scalar()
    values = {"until": quiet.until, "reason": quiet.reason.strip(), "author": actor.name, "ticket": quiet.ticket}
    if id is None:
        first = {"equipment": equipment, "rule": rule, "at": book.now}
        id = inserted(book.connection.execute(insert(mutes).values(first | values)))
    else:
        book.connection.execute(update(mutes).where(mutes.c.id == id).values(values))
    return Mute(**book.connection.execute(select(mutes).where(mutes.c.id == id)).mappings().one())

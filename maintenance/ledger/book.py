"""Tickets inside one write transaction: reading and changing them, with the timeline and notices a change leaves."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from sqlalchemy import Connection, CursorResult, RowMapping, func, insert, select, update

from maintenance.ledger import mutes
from maintenance.ledger.rows import Happening, NoticeKind, NoticeState, Policy, TimelineRow
from maintenance.ledger.tables import mutes as mutes_table
from maintenance.ledger.tables import outbox, tickets, timeline
from maintenance.lifecycle import Past, settled, wake_at, with_deadlines
from maintenance.people import ENGINE, Actor
from maintenance.ticket import FINISHED, Resolution, State, Ticket
from plant.errors import Conflict, Corrupt, NotFound
from plant.instants import iso
from plant.severity import Severity

_FIELDS = tuple(field.name for field in fields(Ticket))

_VERSIONED = (
    Happening.OPENED,
    Happening.MOVED,
    Happening.ACKNOWLEDGED,
    Happening.ESCALATED,
    Happening.LINKED,
    Happening.ASSIGNED,
    Happening.JUDGED,
    Happening.DIAGNOSED,
)


_BEING_WORKED = frozenset({State.OPEN, State.ACKNOWLEDGED, State.IN_PROGRESS})


def to_ticket(row: RowMapping) -> Ticket:
    """A row of `tickets` as a Ticket."""
    return Ticket(**{name: row[name] for name in _FIELDS})


def inserted(result: CursorResult[Any]) -> int:
    """The number the database gave to the one row just inserted."""
    key = result.inserted_primary_key
    if key is None:
        raise Corrupt("the ledger gave no number to a row it inserted")
    return int(key[0])


@dataclass(frozen=True, slots=True)
class Note:
    """What a change leaves on the timeline beside the two states; `notice` when people are told of it.

    `key` is the client's, by which the same request is known when it comes again.
    """

    kind: Happening
    text: str = ""
    alarm: int | None = None
    proof_hash: str | None = None
    notice: NoticeKind | None = None
    key: str | None = None


class Book:
    """One transaction's work on tickets. `now` is the plant time at which it is written."""

    def __init__(self, connection: Connection, policy: Policy, now: int) -> None:
        self.connection = connection
        self.policy = policy
        self.now = now

    def ticket(self, id: str) -> Ticket:
        """The ticket of that number; raises NotFound."""
        row = self.connection.execute(select(tickets).where(tickets.c.id == id)).mappings().first()
        if row is None:
            raise NotFound(f"there is no ticket {id}; `dutyroom tickets list` shows those there are")
        return to_ticket(row)

    def unfinished(self, equipment: str, rule: str) -> Ticket | None:
        """The one ticket of (equipment, rule) that is neither closed nor cancelled."""
        query = select(tickets).where(
            tickets.c.equipment == equipment, tickets.c.rule == rule, tickets.c.state.not_in(FINISHED)
        )
        row = self.connection.execute(query).mappings().first()
        return None if row is None else to_ticket(row)

    def unfinished_of(self, reference: str | None) -> Ticket | None:
        """The same for `equipment/rule` as events name a cause."""
        if reference is None:
            return None
        equipment, _, rule = reference.rpartition("/")
        return self.unfinished(equipment, rule)

    def past(self, equipment: str, rule: str) -> Past:
        """The tickets of (equipment, rule) that were closed last, and last closed unverified."""
        closed = (
            select(tickets)
            .where(tickets.c.equipment == equipment, tickets.c.rule == rule, tickets.c.state == State.CLOSED)
            .order_by(tickets.c.closed_at.desc(), tickets.c.seq.desc())
            .limit(1)
        )
        last = self.connection.execute(closed).mappings().first()
        unverified = (
            self.connection.execute(closed.where(tickets.c.resolution == Resolution.UNVERIFIED)).mappings().first()
        )
        return Past(None if last is None else to_ticket(last), None if unverified is None else to_ticket(unverified))

    def open_children(self, id: str) -> list[str]:
        """Numbers of the ticket's children that are not finished."""
        query = select(tickets.c.id).where(tickets.c.parent == id, tickets.c.state.not_in(FINISHED))
        return list(self.connection.execute(query.order_by(tickets.c.seq)).scalars())

    def last_change(self, id: str) -> str:
        """Who changed the ticket last and when, for an error message."""
        query = select(timeline.c.author, timeline.c.at).where(timeline.c.ticket == id, timeline.c.kind.in_(_VERSIONED))
        row = self.connection.execute(query.order_by(timeline.c.id.desc()).limit(1)).first()
        return "nobody" if row is None else f"{row.author} at {iso(row.at)}"

    def line_of(self, key: str | None) -> TimelineRow | None:
        """The line that a client's request of this key has left already; None when it is new."""
        if key is None:
            return None
        row = self.connection.execute(select(timeline).where(timeline.c.key == key)).mappings().first()
        return None if row is None else TimelineRow(**row)

    def add(self, ticket: Ticket, actor: Actor, note: Note) -> Ticket:
        """Write a new ticket, its number made here and its SLA clocks started now."""
        ticket = with_deadlines(replace(ticket, id=self._number(ticket.opened_at)), self.now, self.policy.calendar)
        self.connection.execute(insert(tickets).values(_row(ticket)))
        self.note(ticket, actor, note, at=ticket.opened_at, target=ticket.state)
        return ticket

    def save(self, before: Ticket, after: Ticket, *, actor: Actor, at: int, note: Note) -> Ticket:
        """Write a changed ticket as the next version, with its line on the timeline.

        Raises Conflict when the ticket is no longer at `before`'s version.
        """
        after = replace(after, version=before.version + 1)
        changed = self.connection.execute(
            update(tickets).where(tickets.c.id == before.id, tickets.c.version == before.version).values(_row(after))
        )
        if changed.rowcount != 1:
            raise Conflict(f"{before.id} is no longer at version {before.version}; look at it again")
        states = (before.state, after.state) if before.state is not after.state else (None, None)
        if after.state not in _BEING_WORKED:
            mutes.end(self.connection, mutes_table.c.ticket == after.id, self.now, actor.name)
        self.note(after, actor, note, at=at, source=states[0], target=states[1])
        return after

    def save_quietly(self, ticket: Ticket) -> None:
        """Write what is no change of the job (a counter, a reminder's time): same version, nothing on the timeline."""
        self.connection.execute(update(tickets).where(tickets.c.id == ticket.id).values(_row(ticket)))

    def note(
        self,
        ticket: Ticket,
        actor: Actor,
        note: Note,
        *,
        at: int,
        source: State | None = None,
        target: State | None = None,
    ) -> None:
        """A line on the ticket's timeline, and its notices."""
        number = self.write_line(at, actor, note, ticket=ticket.id, states=(source, target))
        if note.notice is not None and not ticket.quiet:
            self._notify(ticket, note.notice, at, number)

    def write_line(
        self,
        at: int,
        actor: Actor,
        note: Note,
        *,
        ticket: str | None,
        states: tuple[State | None, State | None] = (None, None),
    ) -> int:
        """One row of the timeline; returns its id."""
        row = {
            "at": at,
            "written_at": self.now,
            "author": actor.name,
            "kind": note.kind,
            "ticket": ticket,
            "alarm": note.alarm,
            "source": states[0],
            "target": states[1],
            "text": note.text,
            "proof_hash": note.proof_hash,
            "key": note.key,
        }
        return inserted(self.connection.execute(insert(timeline).values(row)))

    def settle(self, ticket: Ticket, at: int) -> Ticket:
        """Close the ticket if nothing is missing any more; then its parent, which may have waited for it."""
        after = settled(ticket, at, open_children=self.open_children(ticket.id))
        if after is not None:
            note = Note(Happening.MOVED, str(after.resolution), notice=NoticeKind.CLOSED)
            ticket = self.save(ticket, after, actor=ENGINE, at=at, note=note)
        if ticket.finished and ticket.parent is not None:
            parent = self.ticket(ticket.parent)
            if not parent.finished:
                self.settle(parent, at)
        return ticket

    def _notify(self, ticket: Ticket, kind: NoticeKind, at: int, line: int) -> None:
        held = ticket.severity is not Severity.P1 and ticket.rule not in self.policy.safety
        held = held and mutes.covers(self.connection, ticket.equipment, ticket.rule, self.now)
        facts = json.dumps(_facts(ticket, kind, at), ensure_ascii=False, separators=(",", ":"), sort_keys=True)
        rows = [
            {
                "key": f"{ticket.id}-{line}-{route.channel}",
                "kind": kind,
                "channel": route.channel,
                "ticket": ticket.id,
                "at": at,
                "facts": facts,
                "state": NoticeState.HELD if held else NoticeState.WAITING,
                "attempts": 0,
                "next_at": 0,
                "last_answer": "",
            }
            for route in self.policy.routes
            if ticket.severity <= route.least
        ]
        if rows:
            self.connection.execute(insert(outbox), rows)

    def _number(self, at: int) -> str:
        """`WO-20261122-034`: the site's day and a running number in it; tickets are never deleted, so counting does."""
        day = f"WO-{self.policy.calendar.local_date(at):%Y%m%d}-"
        query = select(func.count()).where(tickets.c.id > day, tickets.c.id < day[:-1] + ".")
        return f"{day}{self.connection.execute(query).scalar_one() + 1:03d}"


def _row(ticket: Ticket) -> Mapping[str, object]:
    return {name: getattr(ticket, name) for name in _FIELDS} | {"wake_at": wake_at(ticket)}


_Fact = str | int | None


def _facts(ticket: Ticket, kind: NoticeKind, at: int) -> Mapping[str, _Fact | Mapping[str, _Fact]]:
    return {
        "schema_version": 1,
        "kind": kind.value,
        "at": at,
        "ticket": {
            "id": ticket.id,
            "equipment": ticket.equipment,
            "rule": ticket.rule,
            "title": ticket.title,
            "severity": ticket.severity.name,
            "state": ticket.state.value,
            "resolution": None if ticket.resolution is None else ticket.resolution.value,
            "opened_at": ticket.opened_at,
            "assignee": ticket.assignee,
            "parent": ticket.parent,
            "repeat_of": ticket.repeat_of,
            "failed_repair_of": ticket.failed_repair_of,
            "ack_due": ticket.ack_due,
        },
    }

"""Unbound topic families as the discovery last kept them, and what people made of them: ignored, or accepted."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum

import msgspec
from sqlalchemy import Connection, Row, delete, func, insert, select, update

from ingest.discovery import Family
from ingest.precedents import Signed
from maintenance.ledger import audit, offsets, relay
from maintenance.ledger.book import inserted
from maintenance.ledger.tables import acceptances, commands, discovered, quarantine
from maintenance.people import Actor
from plant.accepting import Accepted
from plant.errors import Conflict, NotFound

CONSUMER = "discovery"
REDECODE = "redecode"
"""The command that has the store decode again what came before a binding was there."""

MOST_MACHINES = 500
"""New machines of one acceptance."""
MOST_SIGNED = 200
"""Acceptances looked through for who bound what."""

_LONGEST_SUBJECT = 200


@dataclass(frozen=True, slots=True)
class Listed:
    """A family, and who ignores it (None: nobody)."""

    family: Family
    ignored_by: str | None


class Progress(StrEnum):
    """How far decoding again has come."""

    WAITING = "waiting"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Redecoded:
    """What decoding again gave: messages looked at that have readings now, their readings, and what was refused."""

    messages: int
    readings: int
    rejected: int


@dataclass(frozen=True, slots=True)
class Acceptance:
    """What a person accepted, when, under which configuration revision, and what came of decoding again.

    `in_files`: a later import of files says the same, so that they are what counts now.
    """

    id: int
    at: int
    author: str
    family: str
    revision: int
    accepted: Accepted
    in_files: bool
    result: Redecoded | None

    @property
    def progress(self) -> Progress:
        """Whether decoding again is over."""
        return Progress.WAITING if self.result is None else Progress.DONE


@dataclass(frozen=True, slots=True)
class Wanted:
    """An acceptance to write: `content` is the configuration it makes of revision `base`.

    Messages of `topics` (filters) after journal offset `after` are decoded again.
    """

    family: Family
    accepted: Accepted
    content: bytes
    base: int
    topics: Sequence[str]
    after: int


def keep(connection: Connection, changed: Sequence[Family], gone: Sequence[str], *, site: str, offset: int) -> None:
    """Write the families that changed, forget those gone, and remember how far the journal was read, at once."""
    for family in changed:
        row = {"pattern": family.pattern, "last_at": family.last_at, "body": msgspec.msgpack.encode(family)}
        here = discovered.c.id == family.id
        if connection.execute(update(discovered).where(here).values(row)).rowcount == 0:
            connection.execute(insert(discovered).values(row | {"id": family.id}))
    if gone:
        connection.execute(delete(discovered).where(discovered.c.id.in_(gone)))
    offsets.remember(connection, CONSUMER, site, offset)


def listed(connection: Connection) -> list[Listed]:
    """Every family, the one heard last first."""
    query = select(discovered).order_by(discovered.c.last_at.desc(), discovered.c.id)
    return [_listed(row) for row in connection.execute(query)]


def one(connection: Connection, id: str) -> Listed:
    """The family of that id; raises NotFound."""
    row = connection.execute(select(discovered).where(discovered.c.id == id)).first()
    if row is None:
        raise NotFound(f"there is no discovered family {id}; it may be bound by now, or silent and forgotten")
    return _listed(row)


def ignore(connection: Connection, id: str, actor: Actor, at: int, *, ignored: bool) -> None:
    """Put a family aside, or back on the list; raises NotFound."""
    family = one(connection, id).family
    values = {"ignored_by": actor.name if ignored else None}
    connection.execute(update(discovered).where(discovered.c.id == id).values(values))
    action = audit.Action.TOPIC_IGNORED if ignored else audit.Action.TOPIC_UNIGNORED
    audit.write(connection, audit.Entry(at, actor.name, action, family.pattern[:_LONGEST_SUBJECT]))


def accept(connection: Connection, wanted: Wanted, actor: Actor, now: int, at: int) -> Acceptance:
    """Put the configuration in force, ask for the past to be decoded again, and write down who did it.

    `now` is plant time, `at` system time. Raises Conflict when the configuration is no longer `base`.
    """
    revision = changed_config(connection, wanted.content, wanted.base, actor, now)
    row = {
        "at": now,
        "author": actor.name,
        "family": wanted.family.pattern,
        "revision": revision,
        "body": msgspec.json.encode(wanted.accepted, order="sorted"),
        "in_files": False,
    }
    id = inserted(connection.execute(insert(acceptances).values(row)))
    args = {
        "acceptance": str(id),
        "revision": str(revision),
        "after": str(wanted.after),
        "topics": json.dumps(list(wanted.topics)),
        "equipment": json.dumps(sorted(wanted.accepted.bindings)),
    }
    command = {"at": now, "author": actor.name, "action": REDECODE, "equipment": "", "rule": ""}
    connection.execute(insert(commands).values(command | {"args": json.dumps(args)}))
    detail = ", ".join(sorted(wanted.accepted.bindings))[:_LONGEST_SUBJECT]
    subject = wanted.family.pattern[:_LONGEST_SUBJECT]
    audit.write(connection, audit.Entry(at, actor.name, audit.Action.TOPIC_BOUND, subject, detail))
    return acceptance(connection, id)


def changed_config(connection: Connection, content: bytes, base: int, actor: Actor, now: int) -> int:
    """The next revision made of revision `base`; raises Conflict when another has come between."""
    newest = relay.latest_config(connection)
    if newest is None or newest.revision != base:
        raise Conflict("the configuration was changed meanwhile; look at it and try again")
    return relay.add_config(connection, content, actor.name, now).revision


def acceptance(connection: Connection, id: int) -> Acceptance:
    """The acceptance of that number; raises NotFound."""
    row = connection.execute(select(acceptances).where(acceptances.c.id == id)).first()
    if row is None:
        raise NotFound(f"there is no acceptance {id}")
    return _acceptance(row)


def accepted_all(connection: Connection) -> list[Acceptance]:
    """Every acceptance, oldest first."""
    return [_acceptance(row) for row in connection.execute(select(acceptances).order_by(acceptances.c.id))]


def signed(connection: Connection, patterns: Collection[str]) -> dict[tuple[str, str], Signed]:
    """(pattern of a family, equipment) → who bound the one to the other last; of the newest acceptances of each."""
    here = acceptances.c.family.in_(patterns)
    query = select(acceptances).where(here).order_by(acceptances.c.id.desc()).limit(MOST_SIGNED)
    found: dict[tuple[str, str], Signed] = {}
    for made in map(_acceptance, connection.execute(query)):
        for id in made.accepted.bindings:
            found.setdefault((made.family, id), Signed(made.author, made.at))
    return found


def recent(connection: Connection, limit: int = 20) -> list[Acceptance]:
    """The newest acceptances, newest first."""
    query = select(acceptances).order_by(acceptances.c.id.desc()).limit(limit)
    return [_acceptance(row) for row in connection.execute(query)]


def in_files(connection: Connection, ids: Sequence[int]) -> None:
    """The files say the same now."""
    connection.execute(update(acceptances).where(acceptances.c.id.in_(ids)).values(in_files=True))


def redecoded(connection: Connection, id: int, result: Redecoded, topics: Sequence[str], before: int) -> None:
    """What decoding again gave; the quarantined messages of these topics before offset `before` are let go.

    Saying so twice changes nothing.
    """
    values = {"messages": result.messages, "readings": result.readings, "rejected": result.rejected}
    connection.execute(update(acceptances).where(acceptances.c.id == id).values(values))
    here = quarantine.c.topic.in_(topics) & (quarantine.c.offset < before)
    connection.execute(delete(quarantine).where(here, quarantine.c.reason.in_(("unknown_topic", "unknown_equipment"))))


def totals(connection: Connection) -> Redecoded:
    """What all decoding again has given."""
    columns = (acceptances.c.messages, acceptances.c.readings, acceptances.c.rejected)
    row = connection.execute(select(*(func.coalesce(func.sum(column), 0) for column in columns))).one()
    return Redecoded(*map(int, row))


def _listed(row: Row[tuple[object, ...]]) -> Listed:
    return Listed(msgspec.msgpack.decode(row.body, type=Family), row.ignored_by)


def _acceptance(row: Row[tuple[object, ...]]) -> Acceptance:
    done = None if row.messages is None else Redecoded(row.messages, row.readings, row.rejected)
    accepted = msgspec.json.decode(row.body, type=Accepted)
    return Acceptance(row.id, row.at, row.author, row.family, row.revision, accepted, row.in_files, done)

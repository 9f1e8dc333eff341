"""Who is signed in with a browser: sessions, of whose secret only the SHA-256 is kept. Times: system time, ms UTC."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, and_, delete, insert, select, update

from maintenance.ledger import audit
from maintenance.ledger.audit import Action, Entry
from maintenance.ledger.book import inserted
from maintenance.ledger.secrets import digest
from maintenance.ledger.tables import sessions, users
from maintenance.people import Actor

_DAY = 24 * 3_600_000
LONGEST_MS = 30 * _DAY
"""A session ends this long after the sign-in, whatever happens."""
IDLE_MS = 7 * _DAY
"""A session ends when nobody has used it for so long."""
MOST = 50
"""Sessions one user may hold; a further one ends the one unused the longest."""
LONGEST_AGENT = 200


@dataclass(frozen=True, slots=True)
class Session:
    """One browser that is signed in."""

    id: int
    user: str
    created_at: int
    seen_at: int
    expires_at: int
    agent: str


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Whom a session speaks for; `must_change`: nothing but a new password is open to them."""

    session: int
    actor: Actor
    must_change: bool
    seen_at: int


def begin(connection: Connection, user: str, token: str, now: int, *, agent: str) -> int:
    """A new session for a user; returns its number. Forgets those that ended long ago."""
    connection.execute(delete(sessions).where(sessions.c.expires_at < now - LONGEST_MS))
    _make_room(connection, user, now)
    row = {
        "sha256": digest(token),
        "user": user,
        "created_at": now,
        "seen_at": now,
        "expires_at": now + LONGEST_MS,
        "agent": agent[:LONGEST_AGENT],
    }
    return inserted(connection.execute(insert(sessions).values(row)))


def signed_in(connection: Connection, token: str, now: int) -> SignedIn | None:
    """Whom a session's secret speaks for; None when it is unknown, ended or its user disabled."""
    query = (
        select(sessions.c.id, sessions.c.seen_at, users.c.name, users.c.role, users.c.must_change)
        .join(users, users.c.name == sessions.c.user)
        .where(sessions.c.sha256 == digest(token), users.c.disabled.is_(False), _alive(now))
    )
    row = connection.execute(query).first()
    return None if row is None else SignedIn(row.id, Actor(row.name, row.role), row.must_change, row.seen_at)


def saw(connection: Connection, id: int, now: int) -> None:
    """The session has been used."""
    connection.execute(update(sessions).where(sessions.c.id == id, sessions.c.seen_at < now).values(seen_at=now))


def end(connection: Connection, user: str, id: int, now: int) -> bool:
    """End one session of a user; false when there is none such (any more)."""
    mine = and_(sessions.c.id == id, sessions.c.user == user, sessions.c.revoked_at.is_(None))
    return connection.execute(update(sessions).where(mine).values(revoked_at=now)).rowcount == 1


def end_all(connection: Connection, user: str, now: int, *, author: str, but: int | None = None) -> int:
    """End every session of a user, `but` one where it is named; returns how many."""
    mine = and_(sessions.c.user == user, sessions.c.id != (-1 if but is None else but), _alive(now))
    count = connection.execute(update(sessions).where(mine).values(revoked_at=now)).rowcount
    if count:
        audit.write(connection, Entry(now, author, Action.SESSIONS_REVOKED, user, str(count)))
    return count


def listed(connection: Connection, user: str, now: int) -> list[Session]:
    """The sessions of a user that are alive, the last used first."""
    query = select(sessions).where(sessions.c.user == user, _alive(now)).order_by(sessions.c.seen_at.desc())
    return [
        Session(row.id, row.user, row.created_at, row.seen_at, row.expires_at, row.agent)
        for row in connection.execute(query)
    ]


def _alive(now: int) -> ColumnElement[bool]:
    return and_(sessions.c.revoked_at.is_(None), sessions.c.expires_at > now, sessions.c.seen_at > now - IDLE_MS)


def _make_room(connection: Connection, user: str, now: int) -> None:
    for session in listed(connection, user, now)[MOST - 1 :]:
        end(connection, user, session.id, now)

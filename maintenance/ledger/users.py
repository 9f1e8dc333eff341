"""Who may sign in: users with an argon2 hash, and bearer tokens of which only the SHA-256 is kept."""

from __future__ import annotations

import hashlib
import secrets

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from sqlalchemy import Connection, insert, select, update

from maintenance.ledger.rows import User
from maintenance.ledger.tables import audit, tokens, users
from maintenance.people import PEOPLE, Actor
from plant.errors import BadInput, Conflict, NotFound

SHORTEST_PASSWORD = 10
_TOKEN_MARK = "dr_"  # noqa: S105 - what every token starts with, so that a scanner for leaked secrets can find one

_hasher = PasswordHasher()
# The hash of a thrown-away random password: checking it takes as long as checking a real one.
_NOBODY = "$argon2id$v=19$m=65536,t=3,p=4$SPHB/pLbwZvyfQGsFm+Qkg$eUvJJpvRpgXihrWCXmHGmQx1Y4OPof0w067TD5/VRVM"


def hash_password(password: str) -> str:
    """The argon2id hash to store; slow on purpose, so never inside a transaction. Raises BadInput when too short."""
    if len(password) < SHORTEST_PASSWORD:
        raise BadInput(f"the password has {len(password)} characters, expected at least {SHORTEST_PASSWORD}")
    return _hasher.hash(password)


def new_token() -> str:
    """A bearer token with 256 bits of randomness; shown once, never stored."""
    return _TOKEN_MARK + secrets.token_urlsafe(32)


def add(connection: Connection, user: User, token: str, *, password: str | None, author: str) -> None:
    """Add a user with a first token; `password` is a hash. Raises Conflict when the name is taken."""
    if not user.name or user.name != user.name.strip():
        raise BadInput(f"{user.name!r} is no user name: expected text without spaces at its ends")
    if user.role not in PEOPLE:
        raise BadInput(f"{user.role} is no role of a person; expected one of {', '.join(PEOPLE)}")
    if connection.execute(select(users.c.name).where(users.c.name == user.name)).first() is not None:
        raise Conflict(f"there is a user {user.name} already; `dutyroom user token {user.name}` makes a new token")
    row = {"name": user.name, "role": user.role, "password": password, "created_at": user.created_at, "disabled": False}
    connection.execute(insert(users).values(row))
    _audit(connection, user.created_at, author, ("user_added", user.name, user.role.value))
    add_token(connection, user.name, token, user.created_at, author=author)


def add_token(connection: Connection, name: str, token: str, now: int, *, author: str) -> None:
    """One more token for a user."""
    _existing(connection, name)
    connection.execute(insert(tokens).values(sha256=_digest(token), user=name, created_at=now))
    _audit(connection, now, author, ("token_added", name, ""))


def revoke_tokens(connection: Connection, name: str, now: int, *, author: str) -> int:
    """Make every token of a user void; returns how many there were."""
    _existing(connection, name)
    mine = (tokens.c.user == name) & tokens.c.revoked_at.is_(None)
    count = connection.execute(update(tokens).where(mine).values(revoked_at=now)).rowcount
    _audit(connection, now, author, ("tokens_revoked", name, str(count)))
    return count


def set_password(connection: Connection, name: str, password: str, now: int, *, author: str) -> None:
    """Store a new password hash."""
    _existing(connection, name)
    connection.execute(update(users).where(users.c.name == name).values(password=password))
    _audit(connection, now, author, ("password_set", name, ""))


def listed(connection: Connection) -> list[User]:
    """All users by name."""
    return [
        User(row.name, row.role, row.created_at, row.disabled, row.password is not None)
        for row in connection.execute(select(users).order_by(users.c.name))
    ]


def actor_of_token(connection: Connection, token: str) -> Actor | None:
    """Who a bearer token speaks for; None when it is unknown, revoked or its user disabled."""
    query = (
        select(users.c.name, users.c.role)
        .join(tokens, tokens.c.user == users.c.name)
        .where(tokens.c.sha256 == _digest(token), tokens.c.revoked_at.is_(None), users.c.disabled.is_(False))
    )
    row = connection.execute(query).first()
    return None if row is None else Actor(row.name, row.role)


def credentials(connection: Connection, name: str) -> tuple[Actor, str] | None:
    """A user who may sign in by password, with the hash to check; None when there is none such."""
    row = connection.execute(select(users).where(users.c.name == name, users.c.disabled.is_(False))).first()
    return None if row is None or row.password is None else (Actor(row.name, row.role), row.password)


def matches(password: str, stored: str | None) -> bool:
    """Whether a password fits a stored hash; takes as long when there is no user at all."""
    try:
        return _hasher.verify(_NOBODY if stored is None else stored, password) and stored is not None
    except (VerifyMismatchError, InvalidHashError):
        return False


def _existing(connection: Connection, name: str) -> None:
    if connection.execute(select(users.c.name).where(users.c.name == name)).first() is None:
        raise NotFound(f"there is no user {name}; `dutyroom user list` shows those there are")


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _audit(connection: Connection, at: int, author: str, what: tuple[str, str, str]) -> None:
    action, subject, detail = what
    row = {"at": at, "author": author, "action": action, "subject": subject, "detail": detail}
    connection.execute(insert(audit).values(row))

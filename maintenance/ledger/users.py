"""Who may sign in: users with a role and an argon2 hash, and bearer tokens of which only the SHA-256 is kept."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, func, insert, select, update

from maintenance.ledger import audit, sessions
from maintenance.ledger.audit import Action, Entry
from maintenance.ledger.rows import User
from maintenance.ledger.secrets import digest
from maintenance.ledger.tables import tokens, users
from maintenance.people import PEOPLE, Actor, Role
from plant.errors import BadInput, Conflict, NotFound

LONGEST_NAME = 60
FIRST = "admin"
"""The account the service makes for itself when there is none."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """A user who may sign in by password, with the hash to check."""

    actor: Actor
    password: str
    must_change: bool


def add(connection: Connection, user: User, *, password: str | None, author: str) -> None:
    """Add a user; `password` is a hash. BadInput for a name or role nobody can have, Conflict for a taken name."""
    check_name(user.name)
    if user.role not in PEOPLE:
        raise BadInput(f"{user.role} is no role of a person; expected one of {', '.join(PEOPLE)}")
    if connection.execute(select(users.c.name).where(users.c.name == user.name)).first() is not None:
        raise Conflict(f"there is a user {user.name} already; `dutyroom user token {user.name}` makes a new token")
    row = {"name": user.name, "role": user.role, "password": password, "created_at": user.created_at}
    connection.execute(insert(users).values(row | {"disabled": user.disabled, "must_change": user.must_change}))
    audit.write(connection, Entry(user.created_at, author, Action.USER_ADDED, user.name, user.role.value))


def add_first(connection: Connection, password: str, now: int) -> bool:
    """The first administrator, who must change the password; false (and nothing done) when there is any account."""
    if connection.execute(select(users.c.name).limit(1)).first() is not None:
        return False
    user = User(FIRST, Role.ADMIN, now, disabled=False, has_password=True, must_change=True)
    add(connection, user, password=password, author="service")
    return True


def check_name(name: str) -> None:
    """Raises BadInput for a name that cannot be read back or put into an address."""
    fits = 0 < len(name) <= LONGEST_NAME and name == name.strip() and name.isprintable()
    if not fits or any(sign in name for sign in "/\\?#%"):
        raise BadInput(
            f"{name!r} is no user name: expected 1 to {LONGEST_NAME} printable characters, "
            "no spaces at its ends and none of / \\ ? # %"
        )


def add_token(connection: Connection, name: str, token: str, now: int, *, author: str) -> None:
    """One more token for a user."""
    existing(connection, name)
    connection.execute(insert(tokens).values(sha256=digest(token), user=name, created_at=now))
    audit.write(connection, Entry(now, author, Action.TOKEN_ADDED, name))


def revoke_tokens(connection: Connection, name: str, now: int, *, author: str) -> int:
    """Make every token of a user void; returns how many there were."""
    existing(connection, name)
    mine = (tokens.c.user == name) & tokens.c.revoked_at.is_(None)
    count = connection.execute(update(tokens).where(mine).values(revoked_at=now)).rowcount
    audit.write(connection, Entry(now, author, Action.TOKENS_REVOKED, name, str(count)))
    return count


def tokens_of(connection: Connection, name: str) -> list[int]:
    """When the tokens of a user that are good were made, newest first."""
    mine = (tokens.c.user == name) & tokens.c.revoked_at.is_(None)
    return list(
        connection.execute(select(tokens.c.created_at).where(mine).order_by(tokens.c.created_at.desc())).scalars()
    )


def set_password(
    connection: Connection, name: str, password: str, now: int, *, author: str, must_change: bool = False
) -> None:
    """Store a new password hash and end every session of the user."""
    existing(connection, name)
    connection.execute(update(users).where(users.c.name == name).values(password=password, must_change=must_change))
    action = Action.PASSWORD_RESET if must_change else Action.PASSWORD_SET
    audit.write(connection, Entry(now, author, action, name))
    sessions.end_all(connection, name, now, author=author)


def rehash(connection: Connection, name: str, before: str, after: str) -> None:
    """Store the same password under a stronger hash, unless it has changed meanwhile."""
    same = (users.c.name == name) & (users.c.password == before)
    connection.execute(update(users).where(same).values(password=after))


def set_role(connection: Connection, name: str, role: Role, now: int, *, author: str) -> None:
    """Give a user another role. Raises Conflict for the last administrator."""
    if role not in PEOPLE:
        raise BadInput(f"{role} is no role of a person; expected one of {', '.join(PEOPLE)}")
    before = existing(connection, name)
    if before.role is role:
        return
    if before.role is Role.ADMIN:
        _keep_one_admin(connection, name)
    connection.execute(update(users).where(users.c.name == name).values(role=role))
    audit.write(connection, Entry(now, author, Action.ROLE_SET, name, f"{before.role.value} → {role.value}"))


def disable(connection: Connection, name: str, now: int, *, author: str) -> None:
    """Let a user in no more and end their sessions; tokens are void too. Raises Conflict for the last administrator."""
    before = existing(connection, name)
    if before.disabled:
        return
    if before.role is Role.ADMIN:
        _keep_one_admin(connection, name)
    connection.execute(update(users).where(users.c.name == name).values(disabled=True))
    audit.write(connection, Entry(now, author, Action.USER_DISABLED, name))
    sessions.end_all(connection, name, now, author=author)


def enable(connection: Connection, name: str, now: int, *, author: str) -> None:
    """Let a disabled user in again."""
    if not existing(connection, name).disabled:
        return
    connection.execute(update(users).where(users.c.name == name).values(disabled=False))
    audit.write(connection, Entry(now, author, Action.USER_ENABLED, name))


def listed(connection: Connection) -> list[User]:
    """All users by name."""
    return [
        User(row.name, row.role, row.created_at, row.disabled, row.password is not None, row.must_change)
        for row in connection.execute(select(users).order_by(users.c.name))
    ]


def existing(connection: Connection, name: str) -> User:
    """The user of that name; raises NotFound."""
    row = connection.execute(select(users).where(users.c.name == name)).first()
    if row is None:
        raise NotFound(f"there is no user {name}; `dutyroom user list` shows those there are")
    return User(row.name, row.role, row.created_at, row.disabled, row.password is not None, row.must_change)


def actor_of_token(connection: Connection, token: str) -> Actor | None:
    """Who a bearer token speaks for; None when it is unknown, revoked or its user disabled."""
    query = (
        select(users.c.name, users.c.role)
        .join(tokens, tokens.c.user == users.c.name)
        .where(tokens.c.sha256 == digest(token), tokens.c.revoked_at.is_(None), users.c.disabled.is_(False))
    )
    row = connection.execute(query).first()
    return None if row is None else Actor(row.name, row.role)


def credentials(connection: Connection, name: str) -> Credentials | None:
    """A user who may sign in by password; None when there is none such."""
    row = connection.execute(select(users).where(users.c.name == name, users.c.disabled.is_(False))).first()
    if row is None or row.password is None:
        return None
    return Credentials(Actor(row.name, row.role), row.password, row.must_change)


def _keep_one_admin(connection: Connection, name: str) -> None:
    others = (users.c.role == Role.ADMIN) & users.c.disabled.is_(False) & (users.c.name != name)
    if connection.execute(select(func.count()).where(others)).scalar_one() == 0:
        raise Conflict(f"{name} is the last administrator; make another one first")

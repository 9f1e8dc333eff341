"""What was done to accounts and who signed in: written in the transaction that does it, read newest first."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Connection, insert, select

from maintenance.ledger.tables import audit

UNKNOWN = "(unknown)"
"""The subject when somebody tried to sign in under a name nobody has; what was typed may be a password."""


class Action(StrEnum):
    """What a line of the audit records."""

    USER_ADDED = "user_added"
    ROLE_SET = "role_set"
    USER_DISABLED = "user_disabled"
    USER_ENABLED = "user_enabled"
    PASSWORD_SET = "password_set"  # noqa: S105 - the name of an act
    PASSWORD_RESET = "password_reset"  # noqa: S105
    """An administrator gave a password for one sign-in."""
    TOKEN_ADDED = "token_added"  # noqa: S105
    TOKENS_REVOKED = "tokens_revoked"
    SIGNED_IN = "signed_in"
    SIGN_IN_FAILED = "sign_in_failed"
    SIGNED_OUT = "signed_out"
    SESSIONS_REVOKED = "sessions_revoked"
    TOPIC_BOUND = "topic_bound"
    TOPIC_IGNORED = "topic_ignored"
    TOPIC_UNIGNORED = "topic_unignored"
    DISCOVERY_SET = "discovery_set"
    """To which topics the service listens beside those that are bound."""
    COMMISSIONED = "commissioned"
    DECOMMISSIONED = "decommissioned"
    """The rules of an equipment observe until it is checked again."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line: at (system time, ms UTC) `author` did `action` to the user or topic `subject`; `detail` as it needs."""

    at: int
    author: str
    action: Action
    subject: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """An entry with its number, by which lists go on."""

    id: int
    entry: Entry


def write(connection: Connection, entry: Entry) -> None:
    """Add a line."""
    row = {"at": entry.at, "author": entry.author, "action": entry.action.value}
    connection.execute(insert(audit).values(row | {"subject": entry.subject, "detail": entry.detail}))


def listed(
    connection: Connection, *, subject: str | None = None, before: int | None = None, limit: int = 100
) -> list[Line]:
    """Lines about accounts, newest first; of one user with `subject`, `before` is the number to go on from."""
    query = select(audit).where(audit.c.action.in_(list(Action))).order_by(audit.c.id.desc()).limit(limit)
    if subject is not None:
        query = query.where(audit.c.subject == subject)
    if before is not None:
        query = query.where(audit.c.id < before)
    return [
        Line(row.id, Entry(row.at, row.author, Action(row.action), row.subject, row.detail))
        for row in connection.execute(query)
    ]

"""Messages that became no reading: the newest of each reason are kept to look at, all are counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from sqlalchemy import Connection, delete, func, insert, select, update

from maintenance.ledger.rows import Reject, RejectCount
from maintenance.ledger.tables import quarantine, reject_counts

KEPT = 10_000
"""How many messages are kept of each reason."""
PREFIXES = 1_000
"""How many parts of the topic tree are told apart for each reason; what comes after is counted under `OTHER`."""
OTHER = "(other)"
_LEVELS = 4


def add(connection: Connection, rejects: Sequence[Reject]) -> None:
    """Keep and count rejected messages."""
    if not rejects:
        return
    columns = ("offset", "received_at", "topic", "payload", "reason", "detail")
    connection.execute(insert(quarantine), [{name: getattr(row, name) for name in columns} for row in rejects])
    for reason in sorted({row.reason for row in rejects}):
        _trim(connection, reason)
        _count(connection, reason, [row for row in rejects if row.reason == reason])


def listed(
    connection: Connection, *, reason: str | None = None, before: int | None = None, limit: int = 100
) -> list[tuple[int, Reject]]:
    """(id, message), newest first; `before` is the id to go on from."""
    query = select(quarantine).order_by(quarantine.c.id.desc()).limit(limit)
    if reason is not None:
        query = query.where(quarantine.c.reason == reason)
    if before is not None:
        query = query.where(quarantine.c.id < before)
    return [
        (row.id, Reject(row.offset, row.received_at, row.topic, row.payload, row.reason, row.detail))
        for row in connection.execute(query)
    ]


def counts(connection: Connection) -> list[RejectCount]:
    """All counters, by reason and part of the topic tree."""
    query = select(reject_counts).order_by(reject_counts.c.reason, reject_counts.c.topic_prefix)
    return [RejectCount(**row) for row in connection.execute(query).mappings()]


def _trim(connection: Connection, reason: str) -> None:
    mine = quarantine.c.reason == reason
    oldest_kept = select(quarantine.c.id).where(mine).order_by(quarantine.c.id.desc()).limit(1).offset(KEPT)
    found = connection.execute(oldest_kept).scalar_one_or_none()
    if found is not None:
        connection.execute(delete(quarantine).where(mine, quarantine.c.id <= found))


def _count(connection: Connection, reason: str, rejects: Sequence[Reject]) -> None:
    seen = Counter(prefix(row.topic) for row in rejects)
    last_at = max(row.received_at for row in rejects)
    for part, count in sorted(seen.items()):
        if not _add_to(connection, reason, part, count, last_at):
            room = select(func.count()).where(reject_counts.c.reason == reason)
            if connection.execute(room).scalar_one() >= PREFIXES:
                part = OTHER
            if part != OTHER or not _add_to(connection, reason, OTHER, count, last_at):
                row = {"reason": reason, "topic_prefix": part, "count": count, "last_at": last_at}
                connection.execute(insert(reject_counts).values(row))


def _add_to(connection: Connection, reason: str, part: str, count: int, last_at: int) -> bool:
    here = (reject_counts.c.reason == reason) & (reject_counts.c.topic_prefix == part)
    values = {"count": reject_counts.c.count + count, "last_at": last_at}
    return connection.execute(update(reject_counts).where(here).values(values)).rowcount == 1


def prefix(topic: str) -> str:
    """The first four levels of a topic: enough to tell the site, area and device in most namespaces."""
    return "/".join(topic.split("/")[:_LEVELS])

"""The outbox's rows: what waits to be sent, and what became of each attempt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, func, select, update

from maintenance.ledger.rows import Notice, NoticeState
from maintenance.ledger.tables import outbox
from plant.errors import Conflict


def due(connection: Connection, now: int, limit: int = 50) -> list[Notice]:
    """Waiting notices whose time has come: of each channel the `limit` oldest, so that no channel hides another's.

    `now` is ms UTC of the clock that paces I/O.
    """
    ready = (outbox.c.state == NoticeState.WAITING) & (outbox.c.next_at <= now)
    channels = connection.execute(select(outbox.c.channel).where(ready).distinct().order_by(outbox.c.channel))
    found: list[Notice] = []
    for channel in channels.scalars().all():
        query = select(outbox).where(ready, outbox.c.channel == channel).order_by(outbox.c.id).limit(limit)
        found.extend(Notice(**row) for row in connection.execute(query).mappings())
    return found


def listed(connection: Connection, state: NoticeState | None = None, limit: int = 100) -> list[Notice]:
    """Notices, newest first: the dead-letter list with `state=DEAD`."""
    query = select(outbox).order_by(outbox.c.id.desc()).limit(limit)
    if state is not None:
        query = query.where(outbox.c.state == state)
    return [Notice(**row) for row in connection.execute(query).mappings()]


def sent(connection: Connection, id: int, now: int, answer: str) -> None:
    """The channel has taken it."""
    _tried(connection, id, {"state": NoticeState.SENT, "sent_at": now, "last_answer": answer})


def failed(connection: Connection, id: int, answer: str, retry_at: int | None) -> None:
    """An attempt failed: try again at `retry_at`, or never (None: dead letter)."""
    state = NoticeState.DEAD if retry_at is None else NoticeState.WAITING
    _tried(connection, id, {"state": state, "next_at": retry_at or 0, "last_answer": answer})


def revive(connection: Connection, id: int) -> None:
    """Send a dead letter again, all attempts anew; its key stays. Raises Conflict when it is not dead."""
    here = (outbox.c.id == id) & (outbox.c.state == NoticeState.DEAD)
    values = {"state": NoticeState.WAITING, "attempts": 0, "next_at": 0}
    if connection.execute(update(outbox).where(here).values(values)).rowcount != 1:
        raise Conflict(f"notice {id} is no dead letter; only those are sent again")


def _tried(connection: Connection, id: int, values: dict[str, object]) -> None:
    here = update(outbox).where(outbox.c.id == id)
    connection.execute(here.values(values | {"attempts": outbox.c.attempts + 1}))


@dataclass(frozen=True, slots=True)
class Channel:
    """How a channel stands: notices by state, since when the oldest waits, and the newest attempt's answer.

    `oldest_at` is plant time, ms UTC; `last_answer` is what became of the newest notice that was tried.
    """

    name: str
    counts: Mapping[NoticeState, int]
    oldest_at: int | None
    last_answer: str
    last_state: NoticeState | None


def by_channel(connection: Connection) -> list[Channel]:
    """Every channel that was ever told something, by name."""
    counted: dict[str, dict[NoticeState, int]] = {}
    query = select(outbox.c.channel, outbox.c.state, func.count().label("found"))
    for row in connection.execute(query.group_by(outbox.c.channel, outbox.c.state).order_by(outbox.c.channel)):
        counted.setdefault(row.channel, {})[row.state] = row.found
    return [_channel(connection, name, counts) for name, counts in counted.items()]


def _channel(connection: Connection, name: str, counts: Mapping[NoticeState, int]) -> Channel:
    mine = outbox.c.channel == name
    oldest = select(func.min(outbox.c.at)).where(mine, outbox.c.state == NoticeState.WAITING)
    tried = select(outbox.c.last_answer, outbox.c.state).where(mine, outbox.c.attempts > 0)
    last = connection.execute(tried.order_by(outbox.c.id.desc()).limit(1)).first()
    return Channel(
        name,
        counts,
        connection.execute(oldest).scalar_one(),
        "" if last is None else last.last_answer,
        None if last is None else last.state,
    )

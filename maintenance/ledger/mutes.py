"""Mutes: times in which notices are held, and what becomes of the held ones when a mute ends."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Connection, and_, func, or_, select, update

from maintenance.ledger.rows import Mute, NoticeState
from maintenance.ledger.tables import mutes, outbox, tickets
from maintenance.ticket import FINISHED


def in_force(connection: Connection, now: int, *, equipment: str | None = None) -> list[Mute]:
    """Mutes that hold notices at `now` (ms UTC, plant time), the one that ends first first."""
    query = select(mutes).where(standing(now)).order_by(mutes.c.until, mutes.c.id)
    if equipment is not None:
        query = query.where(mutes.c.equipment == equipment)
    return [Mute(**row) for row in connection.execute(query).mappings()]


def covers(connection: Connection, equipment: str, rule: str | None, now: int) -> bool:
    """Whether a mute holds what is to be told of this rule (None: a ticket without one) on this equipment."""
    scope = mutes.c.rule.is_(None) if rule is None else or_(mutes.c.rule.is_(None), mutes.c.rule == rule)
    query = select(mutes.c.id).where(mutes.c.equipment == equipment, scope, standing(now)).limit(1)
    return connection.execute(query).first() is not None


def standing(now: int) -> ColumnElement[bool]:
    """The condition that a mute is in force at `now`."""
    return and_(mutes.c.ended_at.is_(None), mutes.c.at <= now, mutes.c.until > now)


def end(connection: Connection, which: ColumnElement[bool], now: int, author: str) -> list[Mute]:
    """End those of `which` that have not ended, and decide what they held; returns them as they are then."""
    found = connection.execute(select(mutes).where(mutes.c.ended_at.is_(None), which)).mappings().all()
    ended = [Mute(**{**row, "ended_at": min(now, row["until"]), "ended_by": author}) for row in found]
    for mute in ended:
        values = {"ended_at": mute.ended_at, "ended_by": mute.ended_by}
        connection.execute(update(mutes).where(mutes.c.id == mute.id).values(values))
    for mute in ended:
        _release(connection, mute, now)
    return ended


def expire(connection: Connection, now: int, author: str) -> list[Mute]:
    """End every mute whose time is over."""
    return end(connection, mutes.c.until <= now, now, author)


def _release(connection: Connection, mute: Mute, now: int) -> None:
    """Of what was held, the newest notice of each ticket goes to each channel; earlier ones it has overtaken.

    Of a ticket that came and went unheard nobody needs to hear any more.
    """
    query = (
        select(outbox.c.id, outbox.c.ticket, outbox.c.channel, tickets.c.rule, tickets.c.state)
        .join(tickets, tickets.c.id == outbox.c.ticket)
        .where(outbox.c.state == NoticeState.HELD, tickets.c.equipment == mute.equipment)
        .order_by(outbox.c.id)
    )
    if mute.rule is not None:
        query = query.where(tickets.c.rule == mute.rule)
    newest = {}
    for row in connection.execute(query).all():
        if not covers(connection, mute.equipment, row.rule, now):
            newest[row.ticket, row.channel] = row
            _decide(connection, [row.id], NoticeState.DROPPED)
    for row in newest.values():
        told = _last_told(connection, row.ticket, row.channel)
        if told < row.id and (told or row.state not in FINISHED):
            _decide(connection, [row.id], NoticeState.WAITING)


def _last_told(connection: Connection, ticket: str, channel: str) -> int:
    """Number of the newest notice of a ticket that has gone to a channel or is on its way; 0 for none."""
    heard = outbox.c.state.not_in((NoticeState.HELD, NoticeState.DROPPED))
    here = (outbox.c.ticket == ticket) & (outbox.c.channel == channel)
    return int(connection.execute(select(func.coalesce(func.max(outbox.c.id), 0)).where(here, heard)).scalar_one())


def _decide(connection: Connection, ids: Sequence[int], state: NoticeState) -> None:
    connection.execute(update(outbox).where(outbox.c.id.in_(ids)).values(state=state))

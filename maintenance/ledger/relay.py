"""What people and files have decided and the journal must still learn: commands and configuration revisions."""

from __future__ import annotations

import hashlib
import json

from sqlalchemy import Connection, insert, select, update

from history.entries import Command
from maintenance.ledger.book import inserted
from maintenance.ledger.rows import ConfigRevision
from maintenance.ledger.tables import commands, config_revisions
from plant.errors import NotFound


def pending_commands(connection: Connection, limit: int = 1_000) -> list[Command]:
    """Acts not yet known to be in the journal, in the order they were made.

    After a crash between the journal's append and `mark_relayed` one comes again; the engine ignores an id it has
    seen.
    """
    query = select(commands).where(commands.c.relayed_offset.is_(None)).order_by(commands.c.id).limit(limit)
    return [
        Command(row.id, row.author, row.action, row.equipment, row.rule, json.loads(row.args))
        for row in connection.execute(query)
    ]


def mark_relayed(connection: Connection, id: int, offset: int) -> None:
    """The command is in the journal at `offset`. Saying so twice keeps the first offset."""
    here = commands.c.id == id
    if connection.execute(select(commands.c.id).where(here)).first() is None:
        raise NotFound(f"there is no command {id} to mark as relayed")
    connection.execute(update(commands).where(here, commands.c.relayed_offset.is_(None)).values(relayed_offset=offset))


def add_config(connection: Connection, content: bytes, author: str, now: int) -> ConfigRevision:
    """Keep a configuration as the next revision; the same content as the newest stays that revision."""
    sha256 = hashlib.sha256(content).hexdigest()
    newest = latest_config(connection)
    if newest is not None and newest.sha256 == sha256:
        return newest
    row = {"sha256": sha256, "content": content, "author": author, "at": now}
    revision = inserted(connection.execute(insert(config_revisions).values(row)))
    return ConfigRevision(revision, sha256, content, author, now)


def latest_config(connection: Connection) -> ConfigRevision | None:
    """The newest revision; None before the first."""
    query = select(config_revisions).order_by(config_revisions.c.revision.desc()).limit(1)
    row = connection.execute(query).first()
    return None if row is None else ConfigRevision(row.revision, row.sha256, row.content, row.author, row.at)


def pending_configs(connection: Connection) -> list[ConfigRevision]:
    """Revisions not yet known to be in the journal, oldest first."""
    query = select(config_revisions).where(config_revisions.c.relayed_offset.is_(None))
    return [
        ConfigRevision(row.revision, row.sha256, row.content, row.author, row.at)
        for row in connection.execute(query.order_by(config_revisions.c.revision))
    ]


def mark_config_relayed(connection: Connection, revision: int, offset: int) -> None:
    """The revision is in the journal at `offset`."""
    changed = connection.execute(
        update(config_revisions).where(config_revisions.c.revision == revision).values(relayed_offset=offset)
    )
    if changed.rowcount != 1:
        raise NotFound(f"there is no configuration revision {revision} to mark as relayed")

"""Brings a ledger file to the schema this version of the service knows."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError
from sqlalchemy import Connection

from maintenance.ledger.database import make_engine, translated
from plant.errors import Corrupt

# Named as text, not imported: the steps ship with the front door, and the arrow of imports stays downwards.
_STEPS = "dutyroom:migrations"


def migrate(path: Path, revision: str = "head") -> None:
    """Upgrade (or downgrade, to an older `revision`) the ledger at `path`, all steps in one transaction.

    Two processes may open a ledger at once: the second waits for the first and finds nothing to do. Raises Corrupt
    when the file comes from a newer version of the service.
    """
    # A step may rebuild a table (batch mode), which foreign keys would take for deleting every row.
    engine = make_engine(path, writes=True, foreign_keys=False)
    try:
        with translated(path), engine.begin() as connection:
            _run(connection, path, revision)
            broken = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
            if broken is not None:
                raise Corrupt(f"{path}: after migrating, a row of {broken[0]} points to a missing row; nothing changed")
    finally:
        engine.dispose()


def current(path: Path) -> str | None:
    """The schema revision of a ledger file; None when it is empty."""
    engine = make_engine(path, writes=False)
    try:
        with translated(path), engine.begin() as connection:
            return MigrationContext.configure(connection).get_current_revision()
    finally:
        engine.dispose()


def is_current(path: Path) -> bool:
    """Whether the schema of a ledger file is this version's; changes nothing. Raises Corrupt or Unavailable."""
    return current(path) == ScriptDirectory.from_config(_config()).get_current_head()


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", _STEPS)
    config.set_main_option("path_separator", "os")
    return config


def _run(connection: Connection, path: Path, revision: str) -> None:
    config = _config()
    config.attributes["connection"] = connection
    steps = ScriptDirectory.from_config(config)
    here = MigrationContext.configure(connection).get_current_revision()
    if revision == "head" and here == steps.get_current_head():
        return
    known = {step.revision for step in steps.walk_revisions()}
    if here is not None and here not in known:
        raise Corrupt(f"{path}: written by a newer version (schema {here}); this one knows {', '.join(sorted(known))}")
    downwards = revision == "base" or (here is not None and revision != "head" and revision < here)
    try:
        (command.downgrade if downwards else command.upgrade)(config, revision)
    except CommandError as error:
        raise Corrupt(f"{path}: cannot migrate from {here} to {revision}: {error}") from error

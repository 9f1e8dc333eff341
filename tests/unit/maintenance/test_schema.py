"""The migrations: up and down, equal to the tables the code uses, safe with rows in them."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from maintenance.ledger import Ledger
from maintenance.ledger.database import make_engine
from maintenance.ledger.schema import current, migrate
from maintenance.ledger.tables import metadata
from plant.errors import Corrupt
from tests.unit.maintenance.builders import Course, desk


def _tables(path: Path) -> set[str]:
    plain = sqlite3.connect(path)
    names = {name for (name,) in plain.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    plain.close()
    return names - {"alembic_version", "sqlite_sequence"}


def test_upgrading_makes_exactly_the_tables_of_the_code(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    migrate(path)

    assert _tables(path) == set(metadata.tables)
    engine = make_engine(path, writes=False)
    with engine.begin() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    engine.dispose()


def test_the_one_open_ticket_index_is_partial(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    migrate(path)
    plain = sqlite3.connect(path)
    (sql,) = plain.execute("SELECT sql FROM sqlite_master WHERE name = 'uq_tickets_one_open'").fetchone()
    plain.close()

    assert "UNIQUE" in sql
    assert "rule IS NOT NULL AND state NOT IN ('closed', 'cancelled')" in sql


def test_downgrading_undoes_every_step_also_with_rows(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    with desk(tmp_path) as office:
        office.engine(Course().raised())

    migrate(path, "base")
    assert (_tables(path), current(path)) == (set(), None)

    migrate(path)
    assert _tables(path) == set(metadata.tables)


def test_opening_again_keeps_what_was_written(tmp_path: Path) -> None:
    with desk(tmp_path) as office:
        office.engine(Course().raised())
        before = office.ledger.projection()

    with desk(tmp_path) as office:
        assert office.ledger.projection() == before


def test_a_ledger_of_a_newer_version_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    migrate(path)
    plain = sqlite3.connect(path)
    plain.execute("UPDATE alembic_version SET version_num = '9999'")
    plain.commit()
    plain.close()

    with pytest.raises(Corrupt, match=r"written by a newer version \(schema 9999\)"), Ledger.open(path):
        pass
    assert current(path) == "9999"

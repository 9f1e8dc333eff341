"""Export, import and verification of a journal, also through the command line."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from dutyroom.cli.journal import app
from history.entries import Config, Entry, Tick
from history.journal import JournalFile
from history.retention import Keep
from history.transfer import Transferred, export_journal, import_journal
from history.verify import verify
from plant.errors import BadInput, Conflict, Corrupt, Unavailable
from tests.unit.history.entries import T0, entries, message, messages

CONFIG = Config(7, "ab", b"catalogue")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A journal of three batches, the first of which retention has taken."""
    path = tmp_path / "here" / "journal.db"
    with JournalFile(path) as journal:
        journal.append([CONFIG, message(2)])
        journal.append(messages(3, 4))
        journal.append([Tick(T0 + 10**6)])
        journal.trim(Keep(age_ms=0, size_bytes=10**9, after=2), now=T0 + 10**7)
    return path


def test_an_imported_journal_is_the_exported_one_and_goes_on(path: Path, tmp_path: Path) -> None:
    there = tmp_path / "there" / "journal.db"
    with JournalFile(path):  # export works beside a running writer
        assert export_journal(path, tmp_path / "file") == Transferred(3, 7, 2)
    assert import_journal(tmp_path / "file", there) == Transferred(3, 7, 2)
    with JournalFile(path) as old, JournalFile(there) as new:
        assert new.read(2) == old.read(2) != []
        assert new.config_at(7) == CONFIG
        assert new.append([message(8)]) == 8
    assert verify(there).problems == []


def test_an_empty_journal_can_be_moved_too(tmp_path: Path) -> None:
    JournalFile(tmp_path / "journal.db").close()
    assert export_journal(tmp_path / "journal.db", tmp_path / "file") == Transferred(1, 0, 0)
    assert import_journal(tmp_path / "file", tmp_path / "there" / "journal.db") == Transferred(1, 0, 0)


def test_import_replaces_only_a_journal_without_entries(path: Path, tmp_path: Path) -> None:
    export_journal(path, tmp_path / "file")
    with pytest.raises(Conflict, match="holds entries up to offset 7"):
        import_journal(tmp_path / "file", path)
    empty = tmp_path / "empty" / "journal.db"
    with JournalFile(empty), pytest.raises(Conflict, match="already being written"):
        import_journal(tmp_path / "file", empty)
    assert import_journal(tmp_path / "file", empty).last == 7


def test_export_overwrites_nothing(path: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("precious")
    with pytest.raises(Conflict, match="exists already"):
        export_journal(path, tmp_path / "file")
    assert (tmp_path / "file").read_text() == "precious"


def test_every_cut_of_an_exported_file_is_noticed_and_leaves_nothing_behind(path: Path, tmp_path: Path) -> None:
    export_journal(path, tmp_path / "file")
    whole = (tmp_path / "file").read_bytes()
    there = tmp_path / "there" / "journal.db"
    for length in range(0, len(whole) - 4, 7):  # the last 4 bytes repeat what the records' own checksums say
        (tmp_path / "cut").write_bytes(whole[:length])
        with pytest.raises((Corrupt, BadInput)):
            import_journal(tmp_path / "cut", there)
        assert not there.exists()
    assert {found.name for found in there.parent.iterdir()} <= {"journal.db.lock"}


@settings(max_examples=60)
@given(st.data())
def test_a_changed_byte_never_imports_as_something_else(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("flip")
    batch = data.draw(st.lists(entries, min_size=1, max_size=5))
    with JournalFile(folder / "journal.db") as journal:
        journal.append(batch)
    export_journal(folder / "journal.db", folder / "file")
    flipped = bytearray((folder / "file").read_bytes())
    header = flipped.index(b"\n")
    flipped[data.draw(st.integers(header + 1, len(flipped) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    (folder / "file").write_bytes(flipped)
    there = folder / "there.db"
    try:
        import_journal(folder / "file", there)
    except Corrupt:
        assert not there.exists()
        return
    with JournalFile(there) as imported:
        assert imported.read(0) == list(enumerate(batch, 1))


def test_a_foreign_file_is_bad_input(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"ts,value\n1,2\n")
    with pytest.raises(BadInput, match="no exported journal"):
        import_journal(tmp_path / "file", tmp_path / "journal.db")
    (tmp_path / "file").write_bytes(b'{"dutyroom-journal":2,"first":1,"last":1}\n')
    with pytest.raises(BadInput, match="export format 2"):
        import_journal(tmp_path / "file", tmp_path / "journal.db")


def change(path: Path, statement: str, *values: object) -> None:
    db = sqlite3.connect(path)
    with db:
        db.execute(statement, values)
    db.close()


def test_verify_counts_what_is_sound(path: Path) -> None:
    report = verify(path)
    assert (report.entries, report.batches, report.first, report.last, report.problems) == (5, 2, 3, 7, [])


@pytest.mark.parametrize(
    ("statement", "problem"),
    [
        ("UPDATE batches SET body = substr(body, 2) WHERE first = 3", "batch at offset 3: checksum differs"),
        ("UPDATE batches SET first = 9 WHERE first = 7", "after offset 6 comes 9"),
        ("UPDATE batches SET n = 3 WHERE first = 3", "holds 4 entries instead of 3"),
        ("UPDATE config_entries SET crc = 0", "configuration at offset 1: checksum differs"),
    ],
    ids=["changed body", "moved batch", "wrong count", "changed configuration"],
)
def test_verify_names_what_is_wrong_and_where(path: Path, statement: str, problem: str) -> None:
    change(path, statement)
    assert any(problem in found for found in verify(path).problems)
    result = CliRunner().invoke(app, ["verify", "--data", str(path.parent)])
    assert result.exit_code == 1
    assert problem in result.stdout


def test_verify_survives_torn_pages(path: Path) -> None:
    with JournalFile(path) as journal:
        for first in range(8, 2_000, 40):
            journal.append(messages(first, 40))
    raw = bytearray(path.read_bytes())
    for page in range(3, len(raw) // 4096, 5):
        raw[page * 4096 : page * 4096 + 64] = b"\xaa" * 64
    path.write_bytes(raw)
    report = verify(path)
    assert report.problems
    assert report.entries < 2_000


def test_the_command_line_moves_a_journal(path: Path, tmp_path: Path) -> None:
    run = CliRunner().invoke
    file, there = str(tmp_path / "file"), str(tmp_path / "there")
    assert run(app, ["export", file, "--data", str(path.parent)]).exit_code == 0
    assert run(app, ["import", file, "--data", there]).exit_code == 0
    verified = run(app, ["verify", "--data", there])
    assert (verified.exit_code, verified.stdout) == (0, "entries 5, batches 2, offsets 3 to 7\n")
    assert isinstance(run(app, ["verify", "--data", str(tmp_path)]).exception, Unavailable)
    assert isinstance(run(app, ["import", file, "--data", there]).exception, Conflict)


def test_entries_of_every_kind_survive_the_journey(tmp_path: Path) -> None:
    batch: list[Entry] = [CONFIG, Tick(5, listening=False), message(3)]
    with JournalFile(tmp_path / "journal.db") as journal:
        journal.append(batch)
    export_journal(tmp_path / "journal.db", tmp_path / "file")
    import_journal(tmp_path / "file", tmp_path / "again.db")
    with JournalFile(tmp_path / "again.db") as journal:
        assert journal.read(0) == list(enumerate(batch, 1))

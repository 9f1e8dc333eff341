"""What the doctor says of data folders: new, whole, damaged, old, and of those with nobody to sign in."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from dutyroom.content import Content
from dutyroom.doctor.disk import check_disk, grade_of
from dutyroom.doctor.findings import Finding, Grade, worst
from dutyroom.doctor.folder import (
    check_folder,
    check_journal,
    check_ledger,
    check_plant,
    check_rules,
    check_store,
    check_users,
    lag,
)
from dutyroom.settings import RetentionSettings, Settings
from history.duck import DuckStore
from history.entries import Tick
from history.journal import JournalFile
from maintenance.ledger.ledger import Ledger
from maintenance.ledger.schema import migrate
from maintenance.people import Role
from plant.reading import ReadingBatch
from plant.site import Mode, Plant
from rules.loader import load_pack
from tests.faults import campus

NOW = 1_800_000_000_000
DAY = 86_400_000


def only(findings: list[Finding]) -> Finding:
    (finding,) = findings
    return finding


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir(mode=0o750)
    return folder


def test_a_folder_that_is_not_there_or_open_to_all_is_told(data: Path) -> None:
    assert only(list(check_folder(data / "none"))).grade is Grade.BAD
    assert only(list(check_folder(data))).grade is Grade.OK
    data.chmod(0o755)
    found = only(list(check_folder(data)))
    assert (found.grade, found.advice.en) == (Grade.WARN, f"chmod o-rwx {data}")


def test_the_journal_is_read_through_unless_in_a_hurry(data: Path) -> None:
    path = data / "journal.db"
    assert only(list(check_journal(path, quick=False))).grade is Grade.WARN
    with JournalFile(path) as journal:
        for second in range(40):
            journal.append([Tick(NOW + 1_000 * second)])
    whole = only(list(check_journal(path, quick=False)))
    assert (whole.grade, whole.figures) == (Grade.OK, {"first": 1, "last": 40})
    raw = bytearray(path.read_bytes())
    raw[raw.index(b"\x28\xb5\x2f\xfd") + 6] ^= 1  # inside the zstd frame of some batch
    path.write_bytes(raw)
    damaged = only(list(check_journal(path, quick=False)))
    assert damaged.grade is Grade.BAD
    assert "checksum differs" in damaged.text.en
    assert "dutyroom restore" in damaged.advice.zh
    assert only(list(check_journal(path, quick=True))).grade is Grade.OK


def test_a_ledger_is_sound_old_damaged_or_missing(data: Path) -> None:
    path = data / "ledger.db"
    assert only(list(check_ledger(path))).grade is Grade.BAD
    migrate(path)
    assert only(list(check_ledger(path))).grade is Grade.OK
    db = sqlite3.connect(path)
    db.execute("DELETE FROM alembic_version")
    db.commit()
    db.close()
    old = only(list(check_ledger(path)))
    assert (old.grade, "back up" in old.advice.en) == (Grade.WARN, True)
    path.write_bytes(b"no database at all" * 500)
    assert only(list(check_ledger(path))).grade is Grade.BAD


def observed(plant: Plant) -> Plant:
    return Plant(plant.catalogue, replace(plant.site, mode=Mode.OBSERVE))


@pytest.mark.parametrize(("observe", "grade"), [(False, Grade.OK), (True, Grade.WARN)], ids=["live", "observe"])
def test_a_plant_that_opens_no_ticket_is_told(data: Path, observe: bool, grade: Grade) -> None:
    where = observed(campus.plant()) if observe else campus.plant()
    with Ledger.open(data / "ledger.db") as ledger:
        assert only(list(check_plant(ledger))).grade is Grade.BAD
        ledger.add_config(Content.of(where, load_pack(catalogue=where.catalogue)).encode(), "test", NOW)
        assert only(list(check_plant(ledger))).grade is grade


def test_somebody_must_be_able_to_sign_in(data: Path) -> None:
    with Ledger.open(data / "ledger.db") as ledger:
        assert "the first start makes an administrator" in only(list(check_users(ledger))).advice.en
        ledger.add_user("li.wei", Role.CREW, author="test", now=NOW)
        assert only(list(check_users(ledger))).grade is Grade.WARN
        ledger.add_user("chen", Role.ADMIN, author="test", now=NOW)
        assert only(list(check_users(ledger))).grade is Grade.OK


@pytest.mark.parametrize(
    ("behind", "runs", "grade"),
    [
        (0, True, Grade.OK),
        (10_000, True, Grade.OK),
        (10_001, True, Grade.WARN),
        (10_001, False, Grade.OK),
        (-1, False, Grade.BAD),
    ],
)
def test_being_behind_matters_while_it_runs_and_being_ahead_always(behind: int, runs: bool, grade: Grade) -> None:
    assert lag("rules", behind, runs=runs).grade is grade


def test_offsets_are_compared_with_the_journal(data: Path) -> None:
    with JournalFile(data / "journal.db") as journal:
        journal.append([Tick(NOW), Tick(NOW + 1)])
    store = DuckStore(data / "telemetry")
    where = campus.plant()
    store.write(ReadingBatch.empty(), where.series, 3)
    store.close()
    assert only(list(check_store(data, "duckdb"))).figures == {"lag": -1.0}
    (data / "influx.offset").write_text('{"offset": 1, "newest": 5}')
    assert only(list(check_store(data, "influx"))).figures == {"lag": 1.0}
    (data / "influx.offset").write_text("half")
    assert only(list(check_store(data, "influx"))).grade is Grade.BAD
    with Ledger.open(data / "ledger.db") as ledger:
        assert only(list(check_rules(data, ledger, campus.SITE, runs=False))).figures == {"lag": 2.0}


def test_the_disk_is_told_in_bytes_a_day_and_days_left(data: Path) -> None:
    where = campus.plant()
    with Ledger.open(data / "ledger.db") as ledger:
        ledger.add_config(Content.of(where, load_pack(catalogue=where.catalogue)).encode(), "test", NOW - 10 * DAY)
    with JournalFile(data / "journal.db") as journal:
        journal.append([Tick(NOW - 2 * DAY)])
        journal.append([Tick(NOW)])
    (data / "telemetry" / "days").mkdir(parents=True)
    for day, size in (("2026-11-20", 3_000), ("2026-11-21", 5_000)):
        (data / "telemetry" / "days" / f"{day}.parquet").write_bytes(b"." * size)
    for name, size in (("1m/2026-11-20", 1_000), ("1m/2026-11-21", 3_000), ("15m/2026-11", 400)):
        rollup = data / "telemetry" / "rollups" / f"{name}.parquet"
        rollup.parent.mkdir(parents=True, exist_ok=True)
        rollup.write_bytes(b"." * size)
    found = only(list(check_disk(Settings(data=data), NOW)))
    figures = found.figures
    assert figures["history_bytes"] == 8_000
    assert figures["rollups_bytes"] == 4_400
    assert figures["rollups_bytes_a_day"] == 2_200.0
    assert figures["history_bytes_a_day"] == 4_000.0
    assert figures["journal_bytes_a_day"] == figures["journal_bytes"] / 2
    assert figures["ledger_bytes_a_day"] == figures["ledger_bytes"] / 10
    assert found.grade is grade_of(None, int(figures["free_bytes"]))
    # with days of a petabyte nothing lasts for a day
    short = Settings(data=data, retention=RetentionSettings(raw_days=10**15))
    for path in (data / "telemetry" / "days").iterdir():
        with path.open("r+b") as file:
            file.truncate(1 << 43)  # sparse
    full = only(list(check_disk(short, NOW)))
    assert (full.grade, full.figures["days_left"]) == (Grade.BAD, 0.0)


def test_the_worst_finding_is_the_answer() -> None:
    assert worst([]) is Grade.OK
    assert worst([lag("rules", 0, runs=True), lag("rules", 10**6, runs=True)]) is Grade.WARN

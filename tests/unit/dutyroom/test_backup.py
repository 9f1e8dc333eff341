"""What a backup holds, what it refuses, and that a damaged one restores nothing."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from pathlib import Path

import pytest
import zstandard

from dutyroom.archive import read_manifest
from dutyroom.backup import back_up
from dutyroom.content import Content
from dutyroom.doctor.findings import Grade
from dutyroom.doctor.folder import check_folder
from dutyroom.restore import restore
from history.duck import DuckStore
from history.entries import Config, Tick
from history.journal import JournalFile
from history.verify import verify
from maintenance.ledger.ledger import Ledger
from maintenance.people import Role
from plant.errors import BadInput, Conflict, Corrupt, NotFound
from rules.loader import load_pack
from tests.faults import campus

NOW = 1_800_000_000_000


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder with a plant, a user, a finished day, a photo, and things that do not belong into a backup."""
    folder = tmp_path / "data"
    where = campus.plant()
    content = Content.of(where, load_pack(catalogue=where.catalogue)).encode()
    folder.mkdir()
    with Ledger.open(folder / "ledger.db") as ledger:
        ledger.add_config(content, "test", NOW)
        ledger.add_user("li.wei", Role.CREW, author="test", now=NOW)
    with JournalFile(folder / "journal.db") as journal:
        journal.append([Config(1, "", content), Tick(NOW)])
    DuckStore(folder / "telemetry").close()
    for name in ("photos/a.jpg", "telemetry/days/2026-11-24.parquet", "secrets/store__token", "influx.offset"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(name.encode() * 100)
    (folder / "telemetry" / "days" / "2026-11-25.part").write_bytes(b"half")
    return folder


@pytest.fixture
def file(data: Path, tmp_path: Path) -> Path:
    back_up(data, tmp_path / "backup.tar.zst", NOW)
    return tmp_path / "backup.tar.zst"


def contents(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_a_restored_folder_holds_everything_but_credentials_locks_and_what_is_derived(
    file: Path, tmp_path: Path
) -> None:
    restore(file, tmp_path / "new")
    assert contents(tmp_path / "new") == {
        "ledger.db",
        "journal.db",
        "telemetry/hot.duckdb",
        "telemetry/days/2026-11-24.parquet",
        "photos/a.jpg",
    }
    assert (tmp_path / "new" / "photos" / "a.jpg").read_bytes() == b"photos/a.jpg" * 100
    with Ledger.open(tmp_path / "new" / "ledger.db") as ledger:
        assert ledger.latest_config() is not None
    assert verify(tmp_path / "new" / "journal.db").entries == 2


def test_only_its_owner_may_read_a_backup(file: Path) -> None:
    assert file.stat().st_mode & 0o777 == 0o600
    made = read_manifest(file)
    assert (made.site, made.journal_first, made.journal_last, made.hot) == (campus.SITE, 1, 2, "copied")
    assert made.made_at == "2027-01-15T08:00:00Z"


def test_a_service_that_runs_is_not_disturbed_and_its_hot_file_is_left_out(data: Path, tmp_path: Path) -> None:
    with JournalFile(data / "journal.db"):
        made = back_up(data, tmp_path / "running.tar.zst", NOW)
    assert made.hot == "rebuilt"
    restore(tmp_path / "running.tar.zst", tmp_path / "new")
    assert "telemetry/hot.duckdb" not in contents(tmp_path / "new")


_HOLD = """
import sys
from pathlib import Path
from history.duck import DuckStore
store = DuckStore(Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
"""


def test_a_store_that_a_service_of_its_own_has_open_is_left_out_too(data: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-c", _HOLD, str(data / "telemetry")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        made = back_up(data, tmp_path / "running.tar.zst", NOW)
        holder.terminate()
    assert made.hot == "rebuilt"


def test_it_overwrites_nothing_and_needs_a_data_folder(data: Path, file: Path, tmp_path: Path) -> None:
    with pytest.raises(Conflict, match=r"backup\.tar\.zst exists already"):
        back_up(data, file, NOW)
    with pytest.raises(NotFound, match=r"ledger\.db does not exist"):
        back_up(tmp_path / "elsewhere", tmp_path / "other.tar.zst", NOW)


def test_it_leaves_nothing_beside_it(file: Path, tmp_path: Path) -> None:
    assert {path.name for path in tmp_path.iterdir()} == {"data", file.name}


def test_what_a_killed_backup_left_goes_and_what_another_is_at_stays(data: Path, tmp_path: Path) -> None:
    left, busy = tmp_path / ".dutyroom-backup-left", tmp_path / ".dutyroom-backup-busy"
    for folder in (left, busy):
        folder.mkdir()
        (folder / "ledger.db").write_text("half")
    handle = os.open(busy, os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_EX)
    try:
        back_up(data, tmp_path / "backup.tar.zst", NOW)
    finally:
        os.close(handle)
    assert {path.name for path in tmp_path.iterdir()} == {"data", "backup.tar.zst", busy.name}


def test_what_is_restored_belongs_to_whom_the_folder_belongs_to(file: Path, tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    if os.geteuid() == 0:
        os.chown(tmp_path / "new", 12_345, 12_345)
    restore(file, tmp_path / "new")
    owner = (tmp_path / "new").stat().st_uid
    assert {path.stat().st_uid for path in (tmp_path / "new").rglob("*")} == {owner}
    assert {finding.grade for finding in check_folder(tmp_path / "new")} != {Grade.BAD}
    if os.geteuid() == 0:
        os.chown(tmp_path / "new" / "ledger.db", 0, 0)
        (found,) = check_folder(tmp_path / "new")
        assert (found.grade, found.text.en.split()[0]) == (Grade.BAD, "ledger.db")


def test_a_folder_that_holds_anything_is_refused(file: Path, tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "note.txt").write_text("mine")
    with pytest.raises(Conflict, match=r"not empty \(it holds note\.txt\)"):
        restore(file, tmp_path / "new")
    assert contents(tmp_path / "new") == {"note.txt"}


def test_what_an_interrupted_restore_left_is_no_hindrance(file: Path, tmp_path: Path) -> None:
    (tmp_path / "new" / ".restoring").mkdir(parents=True)
    (tmp_path / "new" / ".restoring" / "ledger.db").write_text("half")
    (tmp_path / "new" / "lost+found").mkdir()
    restore(file, tmp_path / "new")
    assert not (tmp_path / "new" / ".restoring").exists()
    with Ledger.open(tmp_path / "new" / "ledger.db") as ledger:
        assert ledger.latest_config() is not None


@pytest.mark.parametrize("share", [0.0, 0.02, 0.3, 0.6, 0.9, 0.999], ids=str)
def test_a_file_cut_short_restores_nothing(file: Path, tmp_path: Path, share: float) -> None:
    whole = file.read_bytes()
    file.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises((Corrupt, BadInput), match=r"cut short|no backup|damaged"):
        restore(file, tmp_path / "new")
    assert contents(tmp_path / "new") == set()


def test_a_file_that_differs_from_its_sha_restores_nothing(file: Path, tmp_path: Path) -> None:
    tar = bytearray(zstandard.ZstdDecompressor().stream_reader(file.read_bytes()).read())
    tar[tar.rindex(b"photos/a.jpg")] ^= 1
    file.write_bytes(zstandard.ZstdCompressor().compress(bytes(tar)))
    with pytest.raises(Corrupt, match=r"photos/a\.jpg fails its SHA-256"):
        restore(file, tmp_path / "new")
    assert contents(tmp_path / "new") == set()


def test_a_file_that_leads_out_of_the_folder_is_not_trusted(file: Path, tmp_path: Path) -> None:
    tar = zstandard.ZstdDecompressor().stream_reader(file.read_bytes()).read()
    file.write_bytes(zstandard.ZstdCompressor().compress(tar.replace(b'"photos/a.jpg"', b'"../tos/a.jpg"')))
    with pytest.raises(Corrupt, match="leads out of the data folder"):
        restore(file, tmp_path / "new")
    assert not (tmp_path / "tos").exists()
    assert not (tmp_path / "new" / "ledger.db").exists()


def test_another_file_is_no_backup(tmp_path: Path) -> None:
    (tmp_path / "other").write_text("no backup")
    with pytest.raises(BadInput, match="is no backup"):
        restore(tmp_path / "other", tmp_path / "new")


def test_a_damaged_journal_makes_no_backup(data: Path, tmp_path: Path) -> None:
    raw = bytearray((data / "journal.db").read_bytes())
    place = raw.rindex(b"\x28\xb5\x2f\xfd")  # where the last zstd frame of a batch begins
    raw[place + 8] ^= 1
    (data / "journal.db").write_bytes(raw)
    with pytest.raises(Corrupt, match="journal is damaged"):
        back_up(data, tmp_path / "backup.tar.zst", NOW)
    assert not (tmp_path / "backup.tar.zst").exists()

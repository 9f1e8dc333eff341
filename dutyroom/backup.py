"""Makes a backup of a data folder, also while its service runs: one moment from which a service can go on.

What is copied comes in an order that keeps each part behind what it is derived from: snapshots, ledger, other files,
journal last. So the copy is what a kill at some moment would have left, which every start can take up.
"""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.metadata import version
from pathlib import Path
from typing import Literal

import duckdb

from dutyroom.archive import FORMAT, Manifest, part_of, write_archive
from dutyroom.content import Content
from dutyroom.rules_consumer import CONSUMER
from dutyroom.snapshots import Snapshots
from history.batches import WriterLock
from history.verify import verify
from maintenance.ledger import Ledger
from plant.errors import Conflict, Corrupt, NotFound, StorageFull, Unavailable
from plant.instants import iso

LEDGER, JOURNAL, HOT = "ledger.db", "journal.db", Path("telemetry") / "hot.duckdb"
_SNAPSHOTS = "snapshots"
_STAGE = ".dutyroom-backup-"
_TRIES = 3
# Not in a backup: locks and half-written files; InfluxDB's offset, so that a restored service writes what the journal
# holds once more, whatever InfluxDB still has; and credentials, which are never copied.
_PASSED_OVER = {"influx.offset", "secrets"}
_HALF = {".lock", ".part", ".new", ".importing"}


def back_up(data: Path, target: Path, now: int) -> Manifest:
    """Write a backup of the folder `data` to `target`; returns what it holds.

    `now` is system time, ms. `target` appears complete or not at all, beside it room for journal and ledger is needed
    meanwhile. Raises Conflict when it exists, NotFound when `data` is no data folder, Corrupt when what was copied
    does not pass its own check, StorageFull or Unavailable.
    """
    if target.exists():
        raise Conflict(f"{target} exists already; remove it or name another file")
    for name in (LEDGER, JOURNAL):
        if not (data / name).exists():
            raise NotFound(f"{data / name} does not exist; give the service's data folder with --data")
    try:
        _check_room(data, target)
        for _ in range(_TRIES):
            with _standing_still(data) as still, _staging(target.parent) as stage:
                hot = _gather(data, stage, still=still)
                manifest = _described(stage, hot, now)
                if manifest is not None:
                    write_archive(target, manifest, stage, now)
                    return manifest
    except OSError as error:
        raise _failure(error, target) from error
    raise Unavailable(
        f"retention passed the snapshots in each of {_TRIES} tries; raise retention.journal_gb, try again"
    )


def _failure(error: OSError, target: Path) -> Unavailable:
    if error.errno == errno.ENOSPC:
        return StorageFull(f"no room for a backup at {target}; nothing was kept; free space or name another disk")
    return Unavailable(f"the backup cannot be made ({error}); look at the disk and the permissions")


def _check_room(data: Path, target: Path) -> None:
    twice = sum((data / name).stat().st_size for name in (LEDGER, JOURNAL))
    once = sum(path.stat().st_size for path in _others(data))
    free = shutil.disk_usage(target.parent).free
    if free < 2 * twice + once:
        raise StorageFull(
            f"a backup needs up to {2 * twice + once:,} bytes beside {target}, {free:,} are free; name another disk"
        )


@contextmanager
def _standing_still(data: Path) -> Iterator[bool]:
    """Whether no service writes the folder; where none does, none can start while the block runs."""
    try:
        lock = WriterLock(data / JOURNAL)
    except Conflict:
        yield False
        return
    try:
        yield True
    finally:
        lock.release()


@contextmanager
def _staging(folder: Path) -> Iterator[Path]:
    """A folder that is gone after the block; one that a killed backup has left, whose lock died with it, goes too."""
    for left in folder.glob(f"{_STAGE}*"):
        with suppress(BlockingIOError), _locked(left):
            shutil.rmtree(left)
    with tempfile.TemporaryDirectory(prefix=_STAGE, dir=folder) as stage, _locked(Path(stage)):
        yield Path(stage)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Raises BlockingIOError when another process has it."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(handle)


def _gather(data: Path, stage: Path, *, still: bool) -> Literal["copied", "rebuilt", "none"]:
    """Copy or link everything that belongs to a backup into `stage`, in the order that the module's head gives."""
    hot = _copy_hot(data / HOT, stage / HOT) if still else None
    for name in ("rules", "store") if hot else ("rules",):
        for path in sorted((data / _SNAPSHOTS).glob(f"{name}-*.snap")):
            _place(path, stage / _SNAPSHOTS / path.name)
    _copy_sqlite(data / LEDGER, stage / LEDGER)
    for path in _others(data):
        _place(path, stage / path.relative_to(data))
    _copy_sqlite(data / JOURNAL, stage / JOURNAL)
    return "copied" if hot else "rebuilt" if (data / HOT).exists() else "none"


def _others(data: Path) -> list[Path]:
    """Finished days, photos and whatever else lies in the folder and is not derived or copied in a way of its own."""
    own = {Path(name + tail) for name in (LEDGER, JOURNAL, str(HOT)) for tail in ("", "-wal", "-shm", ".wal")}
    found = []
    for path in sorted(data.rglob("*")):
        inside = path.relative_to(data)
        derived = inside.parts[0] in _PASSED_OVER or inside.parts[0] == _SNAPSHOTS or "spill" in inside.parts
        if path.is_file() and not path.is_symlink() and not derived and inside not in own and path.suffix not in _HALF:
            found.append(path)
    return found


def _place(source: Path, target: Path) -> None:
    """A second name for a file that never changes, a copy where the disks differ; one that has just gone stays away."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source, target)
    except FileNotFoundError:
        return  # a day with late readings has a new file, an old snapshot has made place for a new one
    except OSError:
        with suppress(FileNotFoundError):
            shutil.copyfile(source, target)


def _copy_sqlite(source: Path, target: Path) -> None:
    """One consistent view of a database that others may be writing."""
    try:
        with _connected(source) as old, _connected(target) as new:
            old.backup(new)
            # one file, with no log beside it
            new.execute("PRAGMA journal_mode=DELETE")
            problems = [text for (text,) in new.execute("PRAGMA quick_check(5)") if text != "ok"]
    except sqlite3.Error as error:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_FULL:
            raise StorageFull(f"no room to copy {source}; name another disk for the backup") from error
        raise Unavailable(f"{source} cannot be copied ({error}); look at its disk, then try again") from error
    if problems:
        raise Corrupt(f"{source} is damaged ({'; '.join(problems)}); nothing was kept; restore an earlier backup")


@contextmanager
def _connected(path: Path) -> Iterator[sqlite3.Connection]:
    db = sqlite3.connect(path, isolation_level=None, timeout=30)
    try:
        yield db
    finally:
        db.close()


def _copy_hot(source: Path, target: Path) -> bool:
    """Copy the embedded store's two days; false where there is none, or where a service of its own has it open."""
    if not source.exists():
        return False
    target.parent.mkdir(parents=True, exist_ok=True)
    db = duckdb.connect()
    try:
        # DuckDB copies, rather than the system: its lock would end with any other handle on the file in this process.
        db.execute(f"ATTACH '{_quoted(source)}' AS source (READ_ONLY)")
        db.execute(f"ATTACH '{_quoted(target)}' AS target")
        db.execute("COPY FROM DATABASE source TO target")
    except duckdb.Error as error:
        target.unlink(missing_ok=True)
        if "lock" in str(error):
            return False
        raise Unavailable(f"{source} cannot be copied ({error}); start the service once, then try again") from error
    finally:
        db.close()
    return True


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")


def _described(stage: Path, hot: Literal["copied", "rebuilt", "none"], now: int) -> Manifest | None:
    """What was gathered, once it has passed its checks; None when retention meanwhile took what a snapshot needs."""
    journal = verify(stage / JOURNAL)
    if journal.problems:
        raise Corrupt(f"the journal is damaged: {'; '.join(journal.problems[:3])}; nothing was kept")
    site, committed = _ledger_says(stage / LEDGER)
    if committed > journal.last:
        raise Corrupt(f"the rules have read up to {committed}, the journal ends at {journal.last}; nothing was kept")
    newest = next((offset for offset, _ in Snapshots(stage / _SNAPSHOTS, "rules").newest(committed)), None)
    if newest is not None and newest + 1 < journal.first:
        return None
    files = tuple(part_of(path, stage) for path in sorted(stage.rglob("*")) if path.is_file())
    return Manifest(
        FORMAT, version("dutyroom"), iso(now // 1_000 * 1_000), site, journal.first, journal.last, committed, hot, files
    )


def _ledger_says(path: Path) -> tuple[str, int]:
    """The site of a ledger and how far its rules have committed; leaves one file, as it was found."""
    with Ledger.open(path) as ledger:
        latest = ledger.latest_config()
        site = Content.decode(latest.content).plant.site.id if latest else ""
        committed = ledger.offset(CONSUMER, site) if site else 0
    with _connected(path) as db:
        db.execute("PRAGMA journal_mode=DELETE")
    return site, committed

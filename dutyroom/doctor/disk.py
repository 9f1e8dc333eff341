"""The data folder's disk: what grows, how fast, and for how long there is room."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from dutyroom.backup import JOURNAL, LEDGER
from dutyroom.doctor.findings import Finding, Grade
from dutyroom.doctor.growth import Growing, days_left, rate
from dutyroom.settings import RetentionSettings, Settings
from history.batches import open_reader, translated
from plant.catalogue import Text
from plant.errors import DutyroomError
from plant.instants import NEVER

_WARN_DAYS, _BAD_DAYS = 30, 3
_WARN_FREE, _BAD_FREE = 1 << 30, 100 << 20
_RECENT_DAYS = 7
_GB = 1 << 30
_MORE_ROOM = Text(
    "扩大磁盘，或缩短 retention.*；备份不要放在同一磁盘",
    "enlarge the disk or shorten retention.*; keep backups on another disk",
)


def check_disk(settings: Settings, now: int) -> Iterator[Finding]:
    """Bytes now and a day of journal, history, its rollups and ledger, free bytes, days left."""
    data = settings.data
    parts = [
        _journal(data / JOURNAL, settings.retention),
        _history(data / "telemetry", settings.retention),
        _rollups(data / "telemetry" / "rollups"),
        _ledger(data / LEDGER, now),
    ]
    free = shutil.disk_usage(data).free
    left = days_left(parts, free)
    figures = {f"{part.name}_bytes": float(part.now) for part in parts}
    figures |= {f"{part.name}_bytes_a_day": part.per_day for part in parts if part.per_day is not None}
    figures |= {"free_bytes": float(free)} | ({} if left is None else {"days_left": float(left)})
    listed = Text(
        "，".join(
            f"{_NAMES[part.name].zh} {size(part.now)}（{_daily(part, '日增 ', '日增量尚不可知')}）" for part in parts
        ),
        ", ".join(
            f"{part.name} {size(part.now)} ({_daily(part, '', 'too young to tell', ' a day')})" for part in parts
        ),
    )
    text = Text(
        f"{listed.zh}；剩余 {size(free)}，{'十年内够用' if left is None else f'约可用 {left} 天'}",
        f"{listed.en}; {size(free)} free, {'enough for ten years' if left is None else f'about {left} days left'}",
    )
    grade = grade_of(left, free)
    yield Finding("disk", grade, text, Text("", "") if grade is Grade.OK else _MORE_ROOM, figures)


def grade_of(left: int | None, free: int) -> Grade:
    """What days left and free bytes mean; a disk that is nearly full is bad however slowly it fills."""
    days = left if left is not None else _WARN_DAYS
    if days < _BAD_DAYS or free < _BAD_FREE:
        return Grade.BAD
    return Grade.WARN if days < _WARN_DAYS or free < _WARN_FREE else Grade.OK


_NAMES = {
    "journal": Text("日志", "journal"),
    "history": Text("历史", "history"),
    "rollups": Text("汇总", "rollups"),
    "ledger": Text("工单库", "ledger"),
}


def size(amount: float) -> str:
    """`1.5 GB`."""
    for unit in ("B", "kB", "MB", "GB"):
        if amount < 1_000:
            return f"{amount:.3g} {unit}"
        amount /= 1_000
    return f"{amount:.3g} TB"


def _daily(part: Growing, before: str, unknown: str, after: str = "") -> str:
    return unknown if part.per_day is None else f"{before}{size(part.per_day)}{after}"


def _file(path: Path) -> int:
    return sum(found.stat().st_size for found in path.parent.glob(path.name + "*"))


def _journal(path: Path, retention: RetentionSettings) -> Growing:
    """By plant time: what it holds over the time it reaches back."""
    held = _file(path)
    try:
        db = open_reader(path)
    except DutyroomError:
        return Growing("journal", held, None)  # said by the journal's own check
    try:
        with translated(path):
            # rows before the first tick have no time
            first = db.execute("SELECT at FROM batches WHERE at > ? ORDER BY first LIMIT 1", (NEVER,)).fetchone()
            last = db.execute("SELECT at FROM batches ORDER BY first DESC LIMIT 1").fetchone()
    finally:
        db.close()
    daily = rate(held, last[0] - first[0]) if first and last else None
    most = retention.journal_gb * _GB
    return Growing("journal", held, daily, most if daily is None else min(most, daily * retention.journal_days))


def _history(folder: Path, retention: RetentionSettings) -> Growing:
    """By the newest finished days; nothing where InfluxDB keeps the readings."""
    days = sorted((folder / "days").glob("*.parquet"))[-_RECENT_DAYS:]
    held = _all(folder) - _all(folder / "rollups")
    if not days:
        return Growing("history", held, None if held else 0.0)
    daily = sum(path.stat().st_size for path in days) / len(days)
    return Growing("history", held, daily, daily * retention.raw_days)


def _rollups(folder: Path) -> Growing:
    """By the newest days' minutes, and what the coarser steps add to those; nothing ever drops them."""
    days = sorted((folder / "1m").glob("*.parquet"))
    held = _all(folder)
    if not days:
        return Growing("rollups", held, 0.0)
    minutes = [path.stat().st_size for path in days]
    newest = minutes[-_RECENT_DAYS:]
    return Growing("rollups", held, sum(newest) / len(newest) * held / max(1, sum(minutes)))


def _all(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) if folder.exists() else 0


def _ledger(path: Path, now: int) -> Growing:
    """Since its first configuration."""
    held = _file(path)
    try:
        db = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
        try:
            first = db.execute("SELECT min(at) FROM config_revisions").fetchone()[0]
        finally:
            db.close()
    except sqlite3.Error:
        first = None  # said by the ledger's own check
    return Growing("ledger", held, None if first is None else rate(held, now - first))

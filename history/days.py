"""Finished days as Parquet files: one a UTC day, sorted by (equipment, point, ts), readable by anybody.

A file never changes. A day that gets late readings gets a new file (`2026-11-23.parquet`, then `2026-11-23.2.parquet`)
and loses the old one: a reader that has begun on one never finds another's bytes under its name.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType

DAY_MS = 86_400_000

_NAME = re.compile(r"(\d{4}-\d{2}-\d{2})(?:\.(\d+))?\.parquet")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def day_of(ts: int) -> int:
    """Number of the UTC day since 1970."""
    return ts // DAY_MS


def day_name(day: int) -> str:
    """`2026-11-23`."""
    return (_EPOCH + timedelta(days=day)).strftime("%Y-%m-%d")


class DayFiles:
    """The day files of a folder.

    `held` (day → its file) is replaced, never changed, when a file comes or goes: a reader that finds the same object
    before and after its query has seen one state of them. One thread changes, any thread reads.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        for left in folder.glob("*.part"):  # a kill while a day was written
            left.unlink()
        found: dict[int, Path] = {}
        for _, day, path in sorted(_named(folder)):
            if day in found:  # a kill after a new version was published
                found[day].unlink()
            found[day] = path
        self.held: Mapping[int, Path] = MappingProxyType(found)

    def between(self, start: int, end: int) -> tuple[Mapping[int, Path], list[str]]:
        """The state of the files, and those of them that may hold readings with start ≤ ts < end, oldest first."""
        held = self.held
        return held, [str(path) for day, path in sorted(held.items()) if day_of(start) <= day <= day_of(end - 1)]

    def beside(self, day: int) -> Path:
        """Where a day is written before `publish`."""
        return self._folder / f"{day_name(day)}.part"

    def publish(self, day: int) -> None:
        """Make what was written beside the day's file: synced, then renamed, so that a kill leaves old or new."""
        old = self.held.get(day)
        version = _version(old) + 1 if old else 1
        path = self._folder / f"{day_name(day)}{f'.{version}' if version > 1 else ''}.parquet"
        _sync(self.beside(day))
        self.beside(day).replace(path)
        _sync(self._folder)
        self.held = MappingProxyType({**self.held, day: path})
        if old:
            old.unlink()

    def remove_before(self, day: int) -> list[int]:
        """Remove the files of earlier days; returns those days."""
        gone = sorted(found for found in self.held if found < day)
        if gone:
            old = self.held
            self.held = MappingProxyType({found: path for found, path in old.items() if found >= day})
            for found in gone:
                old[found].unlink(missing_ok=True)
        return gone


def _named(folder: Path) -> list[tuple[int, int, Path]]:
    """(version, day, path) of every day file."""
    matches = [(found, path) for path in folder.iterdir() if (found := _NAME.fullmatch(path.name))]
    return [(_version(path), _day_number(found[1]), path) for found, path in matches]


def _version(path: Path) -> int:
    found = _NAME.fullmatch(path.name)
    return int(found[2]) if found and found[2] else 1


def _day_number(name: str) -> int:
    return (datetime.fromisoformat(name).replace(tzinfo=UTC) - _EPOCH).days


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

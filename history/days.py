"""Finished stretches of UTC time as Parquet files, sorted by (equipment, point, ts), readable by anybody.

A file never changes. A day that gets late readings gets a new file (`2026-11-23.parquet`, then `2026-11-23.2.parquet`)
and loses the old one: a reader that has begun on one never finds another's bytes under its name.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from enum import Enum
from pathlib import Path
from types import MappingProxyType

from history.levels import DAY_MS, Range

_NAME = re.compile(r"(\d{4}(?:-\d{2}){0,2})(?:\.(\d+))?\.parquet")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Period(Enum):
    """What one file holds; a period's number is that of its first day since 1970."""

    DAY = "%Y-%m-%d"
    MONTH = "%Y-%m"
    YEAR = "%Y"

    def of(self, day: int) -> int:
        """The period a day lies in."""
        if self is Period.DAY:
            return day
        date = _EPOCH + timedelta(days=day)
        first = date.replace(day=1) if self is Period.MONTH else date.replace(month=1, day=1)
        return (first - _EPOCH).days

    def end(self, number: int) -> int:
        """The first day after the period."""
        return number + 1 if self is Period.DAY else self.of(number + (32 if self is Period.MONTH else 367))

    def text(self, number: int) -> str:
        """`2026-11-23`, `2026-11` or `2026`."""
        return (_EPOCH + timedelta(days=number)).strftime(self.value)


def day_of(ts: int) -> int:
    """Number of the UTC day since 1970."""
    return ts // DAY_MS


def day_name(day: int) -> str:
    """`2026-11-23`."""
    return Period.DAY.text(day)


class PeriodFiles:
    """The files of a folder, one a period.

    `held` (period → its file) is replaced, never changed, when a file comes or goes: a reader that finds the same
    object before and after its query has seen one state of them. One thread changes, any thread reads.
    """

    def __init__(self, folder: Path, period: Period = Period.DAY) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.period = period
        self._folder = folder
        for left in folder.glob("*.part"):  # a kill while a file was written
            left.unlink()
        found: dict[int, Path] = {}
        for _, number, path in sorted(_named(folder, period)):
            if number in found:  # a kill after a new version was published
                found[number].unlink()
            found[number] = path
        self.held: Mapping[int, Path] = MappingProxyType(found)

    def between(self, ranges: Sequence[Range]) -> list[str]:
        """Those files that may hold something of the ranges, oldest first."""
        return [
            str(path)
            for number, path in sorted(self.held.items())
            if any(number <= day_of(last - 1) and day_of(first) < self.period.end(number) for first, last in ranges)
        ]

    def beside(self, number: int) -> Path:
        """Where a period is written before `publish`."""
        return self._folder / f"{self.period.text(number)}.part"

    def publish(self, number: int) -> None:
        """Make what was written beside the period's file: synced, then renamed, so that a kill leaves old or new."""
        old = self.held.get(number)
        version = _version(old) + 1 if old else 1
        path = self._folder / f"{self.period.text(number)}{f'.{version}' if version > 1 else ''}.parquet"
        _sync(self.beside(number))
        self.beside(number).replace(path)
        _sync(self._folder)
        self.held = MappingProxyType({**self.held, number: path})
        if old:
            old.unlink()

    def remove_before(self, number: int) -> list[int]:
        """Remove the files of earlier periods; returns those."""
        gone = sorted(found for found in self.held if found < number)
        if gone:
            old = self.held
            self.held = MappingProxyType({found: path for found, path in old.items() if found >= number})
            for found in gone:
                old[found].unlink(missing_ok=True)
        return gone


def _named(folder: Path, period: Period) -> list[tuple[int, int, Path]]:
    """(version, period, path) of every file of such a name."""
    matches = [(found, path) for path in folder.iterdir() if (found := _NAME.fullmatch(path.name))]
    return [(_version(path), _number(found[1], period), path) for found, path in matches]


def _version(path: Path) -> int:
    found = _NAME.fullmatch(path.name)
    return int(found[2]) if found and found[2] else 1


def _number(name: str, period: Period) -> int:
    return (datetime.strptime(name, period.value).replace(tzinfo=UTC) - _EPOCH).days


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

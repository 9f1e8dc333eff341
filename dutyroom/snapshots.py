"""Snapshots of a consumer's state on disk: written beside, made durable, then renamed; the newest three are kept."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

_KEPT = 3


class Snapshots:
    """The snapshots of one consumer in a folder, each named by the journal offset it stands at."""

    def __init__(self, folder: Path, name: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.name = folder, name

    def save(self, offset: int, data: bytes) -> None:
        """Keep a snapshot and drop the oldest ones."""
        path = self.folder / f"{self.name}-{offset:020d}.snap"
        beside = path.with_suffix(".new")
        with beside.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        beside.rename(path)
        for old in self._paths()[_KEPT:]:
            old.unlink()

    def newest(self, not_after: int) -> Iterator[tuple[int, bytes]]:
        """(offset, bytes) of the snapshots at or before an offset, newest first."""
        for path in self._paths():
            offset = _offset(path)
            if offset <= not_after:
                yield offset, path.read_bytes()

    def oldest(self) -> int | None:
        """Offset of the oldest one kept: the journal must reach back to it. None when there is none."""
        paths = self._paths()
        return _offset(paths[-1]) if paths else None

    def _paths(self) -> list[Path]:
        return sorted(self.folder.glob(f"{self.name}-*.snap"), reverse=True)


def _offset(path: Path) -> int:
    return int(path.stem.rpartition("-")[2])

"""Makes a data folder from a backup: everything is checked before anything is in its place."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

from dutyroom.archive import Manifest, unpack
from dutyroom.backup import LEDGER
from plant.errors import Conflict, StorageFull, Unavailable

_BESIDE = ".restoring"
# A folder that is a disk of its own may hold lost+found; what an interrupted restore left is ours to remove.
_NOTHING = {_BESIDE, "lost+found"}


def restore(source: Path, data: Path) -> Manifest:
    """Fill the empty or new folder `data` from the backup `source`; returns what it held.

    A kill leaves a folder without a ledger, on which no service starts. Raises Conflict when the folder holds
    anything, BadInput or Corrupt as `unpack` does, StorageFull, Unavailable.
    """
    held = sorted(path.name for path in data.iterdir() if path.name not in _NOTHING) if data.exists() else []
    if held:
        raise Conflict(f"{data} is not empty (it holds {', '.join(held[:3])}); restore into a new or empty folder")
    beside = data / _BESIDE
    try:
        shutil.rmtree(beside, ignore_errors=True)
        beside.mkdir(parents=True)
        try:
            manifest = unpack(source, beside)
            _give_to_owner(data, beside)
            # the ledger last: without it nothing takes the folder for a service's
            for path in sorted(beside.iterdir(), key=lambda path: (path.name == LEDGER, path.name)):
                path.rename(data / path.name)
        finally:
            shutil.rmtree(beside, ignore_errors=True)
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise StorageFull(f"no room in {data} for what {source} holds; nothing was restored") from error
        raise Unavailable(
            f"{source} cannot be restored to {data} ({error}); look at the disk and permissions"
        ) from error
    return manifest


def _give_to_owner(data: Path, beside: Path) -> None:
    """What root restores belongs to whom the folder belongs to: the service could not open it otherwise."""
    if os.geteuid() != 0:
        return
    owner = data.stat()
    for path in beside.rglob("*"):
        os.chown(path, owner.st_uid, owner.st_gid)

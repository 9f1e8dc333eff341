"""The folder of photos: each file is called by the SHA-256 of what it holds, and never changes."""

from __future__ import annotations

import errno
import hashlib
import os
import tempfile
from collections.abc import Callable, Collection
from pathlib import Path
from threading import Lock

from plant.errors import NotFound, StorageFull, Unavailable

_FULL = (errno.ENOSPC, errno.EDQUOT)


class PhotoFolder:
    """Photos by the SHA-256 of their bytes, `ab/abcd….jpg`. Every method blocks, any thread may call.

    `removed` counts files that `tidy` took away.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._changing = Lock()
        self.removed = 0

    def put(self, body: bytes) -> str:
        """Keep a photo, durable when this returns; returns its SHA-256, hex. Raises StorageFull and Unavailable."""
        sha256 = hashlib.sha256(body).hexdigest()
        path = self._path(sha256)
        try:
            with self._changing:
                if path.exists():
                    os.utime(path)  # young again: whoever puts it is about to name it
                    return sha256
            self._write(path, body)
        except OSError as error:
            if error.errno in _FULL:
                raise StorageFull(f"{self._folder}: no room for another photo; free space on the disk") from error
            raise Unavailable(f"{self._folder}: the photo cannot be written ({error}); check the disk") from error
        return sha256

    def get(self, sha256: str) -> bytes:
        """A photo's bytes; raises NotFound."""
        try:
            return self._path(sha256).read_bytes()
        except FileNotFoundError:
            raise NotFound(f"the photo {sha256[:12]}… is not in the folder of photos") from None

    def tidy(self, named: Callable[[], Collection[str]], before: int) -> int:
        """Remove the files that were last put before that system time, ms UTC, and are not `named`; how many.

        `named` gives SHA-256s and is asked after the files were listed. Half-written files have no name. Raises
        Unavailable.
        """
        old = [path for path in self._folder.glob("??/*") if _put_at(path) < before]
        known = named() if old else ()
        gone = sum(self._removed(path, before) for path in old if path.stem not in known)
        self.removed += gone
        return gone

    def _removed(self, path: Path, before: int) -> bool:
        try:
            with self._changing:
                if _put_at(path) >= before:
                    return False
                path.unlink()
        except OSError as error:
            raise Unavailable(f"{path} cannot be removed ({error}); look at the folder's permissions") from error
        return True

    def _path(self, sha256: str) -> Path:
        return self._folder / sha256[:2] / f"{sha256}.jpg"

    def _write(self, path: Path, body: bytes) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".new-")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(body)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _put_at(path: Path) -> int:
    """System time of the last put, ms UTC."""
    return path.stat().st_mtime_ns // 1_000_000

"""The folder of photos: each file is called by the SHA-256 of what it holds, and never changes."""

from __future__ import annotations

import errno
import hashlib
import os
import tempfile
from pathlib import Path

from plant.errors import NotFound, StorageFull, Unavailable

_FULL = (errno.ENOSPC, errno.EDQUOT)


class PhotoFolder:
    """Photos by the SHA-256 of their bytes, `ab/abcd….jpg`. Every method blocks."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, body: bytes) -> str:
        """Keep a photo, durable when this returns; returns its SHA-256, hex. Raises StorageFull and Unavailable."""
        sha256 = hashlib.sha256(body).hexdigest()
        path = self._path(sha256)
        if path.exists():
            return sha256
        try:
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

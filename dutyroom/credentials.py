"""Files that hold one secret: readable by their owner alone, written whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

from plant.errors import BadInput, Unavailable


def read_secret(path: Path) -> str:
    """The secret in a file, without the line's end; raises BadInput when there is none."""
    try:
        secret = path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise BadInput(f"{path} cannot be read ({error.strerror}); expected a file with one secret in it") from None
    if not secret:
        raise BadInput(f"{path} is empty; expected a file with one secret in it")
    return secret


def write_secret(path: Path, secret: str) -> None:
    """Keep a secret in a file of mode 0600; raises Unavailable when it cannot be written."""
    beside = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        beside.unlink(missing_ok=True)
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(secret + "\n")
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError as error:
        raise Unavailable(f"{path} cannot be written ({error.strerror}); look at the folder's permissions") from error

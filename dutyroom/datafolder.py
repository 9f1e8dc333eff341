"""The folder that holds everything a service keeps."""

from __future__ import annotations

from pathlib import Path

_MODE = 0o750
"""The account's own and its group's: ledger and journal hold names, comments and hashes of passwords."""


def make_data_folder(path: Path) -> None:
    """Make a data folder that strangers on this machine cannot read; one that is there keeps its mode."""
    path.mkdir(_MODE, parents=True, exist_ok=True)

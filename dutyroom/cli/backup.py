"""`dutyroom backup` and `dutyroom restore`: a data folder to one file and back."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dutyroom.backup import back_up
from dutyroom.cli.options import Data
from dutyroom.restore import restore
from dutyroom.systemtime import system_now

_HOT = {
    "copied": "the embedded store is copied whole",
    "rebuilt": "the store's last two days are rebuilt from the journal by the service that starts on it",
    "none": "readings are in InfluxDB, which has a backup of its own (`influx backup`)",
}


def backup_command(
    file: Annotated[Path, typer.Argument(help="The file to write, such as dutyroom.tar.zst; it must not exist.")],
    data: Data,
) -> None:
    """Write a data folder to one file, also while its service runs; settings and credentials are not in it.

    Example: dutyroom backup dutyroom-2026-11-25.tar.zst --data data
    """
    made = back_up(data, file, system_now())
    typer.echo(f"{file}: site {made.site}, {len(made.files)} files, {file.stat().st_size:,} bytes", err=True)
    typer.echo(f"journal {made.journal_first} to {made.journal_last}; {_HOT[made.hot]}", err=True)


def restore_command(
    file: Annotated[Path, typer.Argument(help="A file that `backup` wrote.", exists=True, dir_okay=False)],
    data: Data,
) -> None:
    """Make a data folder from a backup, each file checked by its SHA-256; refused where the folder holds anything.

    Example: dutyroom restore dutyroom-2026-11-25.tar.zst --data restored
    """
    made = restore(file, data)
    typer.echo(f"{data}: site {made.site} as of {made.made_at}, {len(made.files)} files", err=True)
    typer.echo("if the old service still runs, give this one another broker.client_id before it starts", err=True)

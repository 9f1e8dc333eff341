"""`dutyroom journal`: check, export and import the journal of a data folder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from history.transfer import export_journal, import_journal
from history.verify import verify as verify_journal

app = typer.Typer(no_args_is_help=True, help="The journal: everything that was received, in order.")

Data = Annotated[Path, typer.Option("--data", help="The data folder; the journal in it is journal.db.")]


@app.command()
def verify(data: Data) -> None:
    """Read the whole journal and say whether it is whole; exit 1 when it is not.

    Example: dutyroom journal verify --data data
    """
    report = verify_journal(data / "journal.db")
    typer.echo(f"entries {report.entries}, batches {report.batches}, offsets {report.first} to {report.last}")
    for problem in report.problems:
        typer.echo(problem)
    if report.problems:
        typer.echo("the journal is damaged; restore it from a backup", err=True)
        raise typer.Exit(1)


@app.command("export")
def export_command(
    file: Annotated[Path, typer.Argument(help="The file to write; it must not exist.")],
    data: Data,
) -> None:
    """Write the journal to one portable file, also while the service runs.

    Example: dutyroom journal export week-47.journal --data data
    """
    done = export_journal(data / "journal.db", file)
    typer.echo(f"exported offsets {done.first} to {done.last} in {done.batches} batches to {file}", err=True)


@app.command("import")
def import_command(
    file: Annotated[Path, typer.Argument(help="A file that `journal export` wrote.", exists=True, dir_okay=False)],
    data: Data,
) -> None:
    """Make a data folder's journal from an exported file; refused where it already holds entries.

    Example: dutyroom journal import week-47.journal --data replayed
    """
    done = import_journal(file, data / "journal.db")
    typer.echo(f"imported offsets {done.first} to {done.last} in {done.batches} batches", err=True)

"""The command line: one file a group, exit 0 done, 1 the answer is no, 2 bad input; stdout is data, stderr is talk."""

from __future__ import annotations

import sys

import typer

from plant.errors import BadInput, ConfigError, DutyroomError

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


def main() -> None:
    """Run the command line; our own errors become one clear message and an exit code, never a traceback."""
    try:
        app()
    except (ConfigError, BadInput) as error:
        typer.echo(str(error), err=True)
        sys.exit(2)
    except DutyroomError as error:
        typer.echo(str(error), err=True)
        sys.exit(1)

"""`dutyroom user`: who may sign in, with which role, password and tokens."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from dutyroom.cli.ledger import DataFolder, opened, operator
from dutyroom.systemtime import system_now
from maintenance.ledger import users
from maintenance.people import Role
from plant.instants import iso

app = typer.Typer(no_args_is_help=True, help="Users: add, change the password, list, make a token.")

Name = Annotated[str, typer.Argument(help="The user's name.")]
FromPipe = Annotated[bool, typer.Option("--password-stdin", help="Read the password as one line from a pipe.")]


class PersonRole(StrEnum):
    """Roles a user can have; each includes the ones before it."""

    VIEWER = "viewer"
    CREW = "crew"
    ENGINEER = "engineer"
    ADMIN = "admin"


@app.command()
def add(
    name: Name,
    role: Annotated[PersonRole, typer.Option(help="What the user may do.")],
    data: DataFolder = Path("data"),
    ask: Annotated[bool, typer.Option("--password", help="Ask for a password to sign in to the pages with.")] = False,
    password_stdin: FromPipe = False,
) -> None:
    """Add a user and print a bearer token, which is shown only this once; `passwd` gives a password later.

    Example: dutyroom user add li.wei --role crew --password --data data
    """
    password = _password(from_pipe=password_stdin) if ask or password_stdin else None
    with opened(data, make=True) as ledger:
        token = ledger.add_user(name, Role(role.value), author=operator(), now=system_now(), password=password)
    typer.echo(token)
    typer.echo("keep the token now, it is not stored and cannot be shown again", err=True)


@app.command()
def passwd(name: Name, data: DataFolder = Path("data"), password_stdin: FromPipe = False) -> None:
    """Give a user a password, asked for twice, or read as one line from a pipe; their browsers must sign in again.

    Example: dutyroom user passwd li.wei --data data
    """
    with opened(data) as ledger:
        ledger.read(users.existing, name)
        password = _password(from_pipe=password_stdin or not sys.stdin.isatty())
        ledger.set_password(name, password, author=operator(), now=system_now())
    typer.echo(f"{name} has a new password", err=True)


@app.command("list")
def list_command(data: DataFolder = Path("data")) -> None:
    """Print every user: name, role, since when, with a password or by token only.

    Example: dutyroom user list --data data
    """
    with opened(data) as ledger:
        for user in ledger.read(users.listed):
            how = "disabled" if user.disabled else "password" if user.has_password else "token only"
            typer.echo(f"{user.name}  {user.role}  {iso(user.created_at)}  {how}")


@app.command()
def token(
    name: Name,
    data: DataFolder = Path("data"),
    revoke: Annotated[bool, typer.Option("--revoke", help="Make all earlier tokens of the user void.")] = False,
) -> None:
    """Print a new bearer token for a user, which is shown only this once.

    Example: dutyroom user token li.wei --revoke --data data
    """
    with opened(data) as ledger:
        if revoke:
            count = ledger.write(users.revoke_tokens, name, system_now(), author=operator())
            typer.echo(f"{count} earlier tokens are void", err=True)
        typer.echo(ledger.new_token(name, author=operator(), now=system_now()))


def _password(*, from_pipe: bool) -> str:
    """The password, which no argument ever holds: arguments are seen by everybody on the machine."""
    if from_pipe:
        return sys.stdin.readline().rstrip("\r\n")
    password: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    return password

"""`dutyroom user`: who may sign in, with which role, password and tokens."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from dutyroom.cli.ledger import DataFolder, now, opened, operator
from maintenance.ledger import users
from maintenance.people import Role
from plant.instants import iso

app = typer.Typer(no_args_is_help=True, help="Users: add, change the password, list, make a token.")

Name = Annotated[str, typer.Argument(help="The user's name.")]


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
) -> None:
    """Add a user and print a bearer token, which is shown only this once; `passwd` gives a password.

    Example: dutyroom user add li.wei --role crew --data data
    """
    with opened(data, make=True) as ledger:
        token = ledger.add_user(name, Role(role.value), author=operator(), now=now(ledger))
    typer.echo(token)
    typer.echo("keep the token now, it is not stored and cannot be shown again", err=True)


@app.command()
def passwd(name: Name, data: DataFolder = Path("data")) -> None:
    """Give a user a password, asked for twice, or read as one line from a pipe.

    Example: dutyroom user passwd li.wei --data data
    """
    with opened(data) as ledger:
        if sys.stdin.isatty():
            password = typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
        else:
            password = sys.stdin.readline().rstrip("\n")
        ledger.set_password(name, password, author=operator(), now=now(ledger))
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
            count = ledger.write(users.revoke_tokens, name, now(ledger), author=operator())
            typer.echo(f"{count} earlier tokens are void", err=True)
        typer.echo(ledger.new_token(name, author=operator(), now=now(ledger)))

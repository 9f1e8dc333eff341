"""`dutyroom tickets`: look at tickets and move them, working on the ledger of a data folder."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from dutyroom.cli.ledger import DataFolder, now, opened, operator
from maintenance.ledger import Ledger, queries, users
from maintenance.ledger.rows import TimelineRow
from maintenance.moves import Move
from maintenance.people import Actor, Role
from maintenance.texts import RESOLUTIONS, STATES
from maintenance.ticket import Resolution, State, Ticket
from plant.errors import BadInput, NotFound
from plant.instants import iso
from plant.severity import Severity

app = typer.Typer(no_args_is_help=True, help="Maintenance tickets: list, show, move.")

_VERBS = {
    "acknowledge": State.ACKNOWLEDGED,
    "start": State.IN_PROGRESS,
    "done": State.VERIFYING,
    "hold": State.ON_HOLD,
    "close": State.CLOSED,
    "cancel": State.CANCELLED,
}


class Format(StrEnum):
    """How a list is printed."""

    TABLE = "table"
    JSONL = "jsonl"


@app.command("list")
def list_command(
    data: DataFolder = Path("data"),
    state: Annotated[list[State] | None, typer.Option(help="Only these states; may be given again.")] = None,
    severity: Annotated[str | None, typer.Option(help="Only this severity or graver: P1 to P4.")] = None,
    equipment: Annotated[str | None, typer.Option(help="Only this equipment.")] = None,
    format: Annotated[Format, typer.Option(help="A table, or JSON lines with every field.")] = Format.TABLE,
) -> None:
    """Print tickets, newest first; those that are finished only when asked for by --state.

    Example: dutyroom tickets list --data data --severity P2
    """
    which = queries.TicketFilter(states=state, unfinished=not state, least=_severity(severity), equipment=equipment)
    with opened(data) as ledger:
        for ticket in _all(ledger, which):
            typer.echo(_json(ticket) if format is Format.JSONL else _line(ticket))


@app.command()
def show(
    id: Annotated[str, typer.Argument(help="The ticket's number, WO-20261122-034.")],
    data: DataFolder = Path("data"),
    format: Annotated[Format, typer.Option(help="Text, or JSON lines: the ticket, then its timeline.")] = Format.TABLE,
) -> None:
    """Print one ticket and everything that happened to it.

    Example: dutyroom tickets show WO-20261122-034 --data data
    """
    with opened(data) as ledger:
        ticket = ledger.read(queries.ticket, id)
        history = ledger.read(queries.ticket_timeline, id)
    if format is Format.JSONL:
        typer.echo(_json(ticket))
        for row in history:
            typer.echo(json.dumps(asdict(row), ensure_ascii=False))
        return
    typer.echo(_line(ticket))
    for row in history:
        typer.echo(_history_line(row))


@app.command("do")
def do_command(
    id: Annotated[str, typer.Argument(help="The ticket's number, WO-20261122-034.")],
    move: Annotated[str, typer.Argument(help=f"One of {', '.join(_VERBS)}, or the state to go to.")],
    data: DataFolder = Path("data"),
    reason: Annotated[str, typer.Option(help="Why; some moves need it.")] = "",
    version: Annotated[int | None, typer.Option(help="Only if the ticket is still at this version.")] = None,
    resolution: Annotated[Resolution | None, typer.Option(help="With cancel: false_alarm or duplicate.")] = None,
    user: Annotated[str | None, typer.Option("--as", help="The user who does it; else this account as admin.")] = None,
) -> None:
    """Move a ticket and print it; exit 1 when the move is not allowed, naming those that are.

    Example: dutyroom tickets do WO-20261122-034 done --as li.wei --data data
    """
    with opened(data) as ledger:
        to = _target(ledger, id, move)
        wish = Move(to, _actor(ledger, user), now(ledger), reason, resolution)
        typer.echo(_line(ledger.move_ticket(id, wish, version=version)))


def _all(ledger: Ledger, which: queries.TicketFilter) -> Sequence[Ticket]:
    found: list[Ticket] = []
    cursor: str | None = None
    while True:
        page = ledger.read(queries.list_tickets, which, cursor=cursor, limit=queries.LONGEST_PAGE)
        found.extend(page.items)
        cursor = page.next
        if cursor is None:
            return found


def _target(ledger: Ledger, id: str, move: str) -> State:
    if move == "done" and ledger.read(queries.ticket, id).rule is None:
        return State.CLOSED  # no rule can check it
    if move in _VERBS:
        return _VERBS[move]
    if move in set(State):
        return State(move)
    raise BadInput(f"{move!r} is no move; expected one of {', '.join([*_VERBS, *State])}")


def _actor(ledger: Ledger, name: str | None) -> Actor:
    if name is None:
        return Actor(operator(), Role.ADMIN)
    for user in ledger.read(users.listed):
        if user.name == name and not user.disabled:
            return Actor(user.name, user.role)
    raise NotFound(f"there is no user {name}; `dutyroom user list` shows those there are")


def _severity(text: str | None) -> Severity | None:
    if text is None:
        return None
    if text not in Severity.__members__:
        raise BadInput(f"{text!r} is no severity; expected one of {', '.join(Severity.__members__)}")
    return Severity[text]


def _line(ticket: Ticket) -> str:
    state = f"{ticket.state} {STATES[ticket.state].zh}"
    if ticket.resolution is not None:
        state += f" ({ticket.resolution} {RESOLUTIONS[ticket.resolution].zh})"
    columns = (
        ticket.id,
        ticket.severity.name,
        state,
        ticket.equipment,
        ticket.rule or ticket.title,
        iso(ticket.opened_at),
        ticket.assignee or "-",
        f"v{ticket.version}",
    )
    return "  ".join(columns)


def _history_line(row: TimelineRow) -> str:
    states = "" if row.target is None else f"{row.source or ''} → {row.target}".strip()
    parts = (iso(row.at), row.author, row.kind.value, states, row.text)
    return "  ".join(part for part in parts if part)


def _json(ticket: Ticket) -> str:
    fields = asdict(ticket) | {"severity": ticket.severity.name}
    return json.dumps(fields, ensure_ascii=False)

"""`dutyroom commission`: check what machines send before their rules may open tickets."""

from __future__ import annotations

import json
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from dutyroom.cli.ledger import DataFolder, opened, operator
from dutyroom.cli.tickets import Format
from dutyroom.commissioning import CommissioningDesk
from dutyroom.content import Content
from dutyroom.settings import load_settings
from dutyroom.stores import open_store
from maintenance.commissioning import HOUR_MS, HOURS, MOST_HOURS, Fault, Outcome, Report, check_stored
from maintenance.commissioning.words import ADVICE, CAUSES, CHECKS, OUTCOMES, advice_on
from maintenance.ledger import Ledger, commissionings
from maintenance.people import Actor, Role
from plant.errors import BadInput, NotFound
from plant.instants import iso, parse_instant
from plant.site import Plant

app = typer.Typer(
    no_args_is_help=True, help="Commissioning: check what machines send, release or withhold their rules."
)

Reason = Annotated[str, typer.Option("--reason", help="Why; it is kept.")]
EquipmentId = Annotated[str, typer.Argument(help="Id of the equipment.")]


@app.command("check")
def check_command(
    equipment: Annotated[
        list[str] | None, typer.Argument(help="Ids; none: all that are not commissioned, else all.")
    ] = None,
    data: DataFolder = Path("data"),
    hours: Annotated[float, typer.Option(help="How far to look back.")] = HOURS,
    to: Annotated[str | None, typer.Option("--to", help="Until when, ISO-8601; not given: the newest reading.")] = None,
    format: Annotated[Format, typer.Option(help="A table, or JSON lines.")] = Format.TABLE,
) -> None:
    """Check machines over stored readings and keep the result; what passes is commissioned. Exit 1 where one failed.

    With the embedded store the service must not run; while it does, use the page or the API.

    Example: dutyroom commission check chiller-1 --data data --hours 12
    """
    if not 0 < hours <= MOST_HOURS:
        raise BadInput(f"--hours is {hours:g}; expected more than 0 and at most {MOST_HOURS}")
    with ExitStack() as stack:
        ledger = stack.enter_context(opened(data))
        plant = _plant(ledger)
        store = stack.enter_context(open_store(load_settings(None, data), plant.site.id))
        end = parse_instant(to) if to is not None else _newest(store.span(plant.series.keys))
        reports = [
            check_stored(store, plant, id, end - round(hours * HOUR_MS), end) for id in _chosen(plant, equipment)
        ]
        desk = CommissioningDesk(ledger)
        for report in reports:
            kept = desk.record(report, Actor(operator(), Role.ADMIN))
            if format is Format.JSONL:
                typer.echo(json.dumps(asdict(report) | {"outcome": report.outcome, "released": kept.released}))
            else:
                _print(report, released=kept.released is True)
    if any(report.outcome is Outcome.FAILED for report in reports):
        raise typer.Exit(1)


@app.command("list")
def list_command(data: DataFolder = Path("data")) -> None:
    """Print every equipment: commissioned or not, its newest check and when.

    Example: dutyroom commission list --data data
    """
    with opened(data) as ledger:
        plant, newest = _plant(ledger), ledger.read(commissionings.newest_checks)
    for id, machine in sorted(plant.site.equipment.items()):
        if machine.retired:
            continue
        last = newest.get(id)
        said = "never checked" if last is None else f"{last.outcome} {iso(last.at)} {last.author}"
        typer.echo(f"{id}  {'commissioned' if machine.commissioned else 'NOT commissioned'}  {said}")


@app.command()
def release(equipment: EquipmentId, reason: Reason, data: DataFolder = Path("data")) -> None:
    """Commission a machine whatever its check says: its rules may open tickets.

    Example: dutyroom commission release pump-3 --reason "seldom runs, wiring checked by hand" --data data
    """
    with opened(data) as ledger:
        CommissioningDesk(ledger).release(equipment, reason, Actor(operator(), Role.ADMIN))
    typer.echo(f"{equipment} is commissioned", err=True)


@app.command()
def withhold(equipment: EquipmentId, reason: Reason, data: DataFolder = Path("data")) -> None:
    """Have a machine's rules observe until it passes a check: after work on its sensors, for example.

    Example: dutyroom commission withhold pump-3 --reason "new gateway" --data data
    """
    with opened(data) as ledger:
        CommissioningDesk(ledger).withhold(equipment, reason, Actor(operator(), Role.ADMIN))
    typer.echo(f"{equipment} is not commissioned: its rules observe", err=True)


def _plant(ledger: Ledger) -> Plant:
    latest = ledger.latest_config()
    if latest is None:
        raise NotFound("the data folder holds no plant; put one in by `dutyroom plant import`")
    return Content.decode(latest.content).plant


def _newest(span: tuple[int, int] | None) -> int:
    if span is None:
        raise NotFound("the store holds no readings yet")
    return span[1] + 1


def _chosen(plant: Plant, equipment: list[str] | None) -> list[str]:
    if equipment:
        return equipment
    there = [one for one in plant.site.equipment.values() if not one.retired]
    return sorted(one.id for one in there if not one.commissioned) or sorted(one.id for one in there)


def _print(report: Report, *, released: bool) -> None:
    outcome = OUTCOMES[report.outcome]
    typer.echo(f"{report.equipment}  {report.outcome}  {outcome.zh}{'  commissioned 已投用' if released else ''}")
    for one in report.results:
        name = CHECKS[one.check]
        line = f"  {one.outcome:<15}  {name.zh} / {name.en}"
        if one.outcome is Outcome.NOT_ENOUGH:
            advice = advice_on(one.check)
            line += f": {advice.zh} / {advice.en}"
        typer.echo(line)
        for fault in one.faults:
            typer.echo(f"    {_fault(fault)}")


def _fault(fault: Fault) -> str:
    cause, advice = CAUSES[fault.cause], ADVICE[fault.cause]
    numbers = "" if fault.found is None else f" ({fault.found:g}"
    numbers += "" if fault.found is None or fault.expected is None else f", expected {fault.expected:g}"
    numbers += ")" if fault.found is not None else ""
    return f"{', '.join(fault.points)}: {cause.zh} / {cause.en}{numbers}; {advice.zh} / {advice.en}"

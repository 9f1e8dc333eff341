"""`dutyroom discovered`: what comes that nobody has bound; bind it, put it aside, choose where to listen."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Annotated

import typer

from dutyroom.binding import BindingDesk, accepted_to_yaml
from dutyroom.cli.ledger import DataFolder, opened, operator
from dutyroom.content import Content
from dutyroom.systemtime import system_now
from ingest import naming, offers
from ingest.discovery import Family
from ingest.known import Known
from ingest.precedents import Precedents
from maintenance.ledger import Ledger, discovered
from maintenance.ledger.discovered import Acceptance, Listed
from maintenance.people import Actor, Role
from plant.accepting import Accepted
from plant.catalogue import Text
from plant.errors import BadInput, NotFound
from plant.instants import iso
from plant.matching import Match
from plant.site import Clock, Equipment, Plant

app = typer.Typer(no_args_is_help=True, help="What comes that nobody has bound: look, bind, put aside.")

FamilyId = Annotated[str, typer.Argument(metavar="ID", help="The family's id, from `discovered list`.")]
_WAIT_STEP_S = 0.2


@app.command("list")
def list_command(
    data: DataFolder = Path("data"),
    ignored: Annotated[bool, typer.Option("--ignored", help="Those put aside, too.")] = False,
) -> None:
    """Print the families of unbound topics, the one heard last first.

    Example: dutyroom discovered list --data data
    """
    with opened(data) as ledger:
        for one in ledger.read(discovered.listed):
            if ignored or one.ignored_by is None:
                typer.echo(_line(one))


@app.command()
def show(
    id: FamilyId,
    data: DataFolder = Path("data"),
    type: Annotated[str | None, typer.Option("--type", help="Suggest points of this equipment type.")] = None,
) -> None:
    """Print one family: its topics, a sample, its values and what each may be.

    Example: dutyroom discovered show 3f2a90c1d4e5 --type lv_feeder --data data
    """
    with opened(data) as ledger:
        one, plant = ledger.read(discovered.one, id), _plant(ledger)
        known = _known(ledger, one.family, plant)
    family = one.family
    typer.echo(_line(one))
    for source in family.sources:
        value = "" if source.value is None else f"  {source.value:g} {source.unit or ''}".rstrip()
        device = f"  device {source.device}" if source.device else ""
        typer.echo(f"  {source.topic}{device}  {source.count} messages{value}")
    typer.echo(f"sample: {family.payload.decode('utf-8', 'backslashreplace')}")
    if family.trouble:
        typer.echo(f"trouble: {family.trouble}")
    kind, assignment = _suggestions(known, plant, type)
    typer.echo(f"type: {kind or 'none fits'}")
    for found in naming.values_of(family):
        said = None if assignment is None else assignment.chosen.get(found.name)
        why = "" if said is None else f"  → {_how(said.chosen)} ({said.match.score}): {_reasons(said.match)}"
        typer.echo(f"  {found.name} = {found.value:g} {found.unit or ''}{why}")


@app.command("accept")
def accept_command(
    id: FamilyId,
    data: DataFolder = Path("data"),
    to: Annotated[
        list[str] | None, typer.Option("--to", metavar="[TOPIC=]EQUIPMENT", help="What a topic feeds; may be repeated.")
    ] = None,
    point: Annotated[
        list[str] | None,
        typer.Option("--point", metavar="KEY=POINT[:UNIT[:SCALE]]", help="Default: the suggestions; may be repeated."),
    ] = None,
    new: Annotated[
        str | None, typer.Option("--new", metavar="TYPE", help="Make a machine of this type for each other topic.")
    ] = None,
    area: Annotated[str, typer.Option("--area", help="Where new machines stand.")] = "new",
    wait: Annotated[float, typer.Option("--wait", help="Seconds to wait for the past to be decoded again.")] = 10.0,
) -> None:
    """Bind a family and print what came of it; a running service takes it up at once, the past is decoded again.

    Example: dutyroom discovered accept 3f2a90c1d4e5 --to meters/17/data=in-1 --point Ua=voltage_l1:V --data data
    """
    with opened(data) as ledger:
        family, plant = ledger.read(discovered.one, id).family, _plant(ledger)
        where = _where(family, to or [])
        machines = _new_machines(family, plant, where, new, area)
        kind = new or next(
            (plant.site.equipment[one].type for one in where.values() if one in plant.site.equipment), None
        )
        _, found = _suggestions(_known(ledger, family, plant), plant, kind)
        suggested = [] if found is None else [said.chosen for said in found.chosen.values()]
        clock = Clock.DEVICE if found is None else found.clock
        chosen = _chosen(point) if point else suggested
        accepted = Accepted(offers.bindings(family, chosen, where, clock=clock), machines)
        made = BindingDesk(ledger).accept(family, accepted, Actor(operator(), Role.ADMIN))
        typer.echo(_acceptance(_awaited(ledger, made, wait)))


@app.command()
def ignore(
    id: FamilyId,
    data: DataFolder = Path("data"),
    back: Annotated[bool, typer.Option("--back", help="Put it back on the list.")] = False,
) -> None:
    """Put a family aside: it is no longer shown, and goes on being counted.

    Example: dutyroom discovered ignore 3f2a90c1d4e5 --data data
    """
    with opened(data) as ledger:
        actor = Actor(operator(), Role.ADMIN)
        ledger.write(discovered.ignore, id, actor, system_now(), ignored=not back)


@app.command()
def listen(
    filters: Annotated[
        list[str] | None, typer.Argument(help="Topic filters; none: what is bound, and no more.")
    ] = None,
    data: DataFolder = Path("data"),
) -> None:
    """Listen to these topics beside what is bound, to see what comes there.

    Example: dutyroom discovered listen 'tele/#' 'meters/#' --data data
    """
    with opened(data) as ledger:
        BindingDesk(ledger).listen(filters or [], Actor(operator(), Role.ADMIN))


@app.command("export")
def export_command(data: DataFolder = Path("data")) -> None:
    """Print what was accepted beside the files as a site file, to be put into the site's folder.

    Example: dutyroom discovered export --data data > my-site/bound.yaml
    """
    with opened(data) as ledger:
        beside = [one.accepted for one in ledger.read(discovered.accepted_all) if not one.in_files]
    typer.echo(accepted_to_yaml(beside), nl=False)


def _plant(ledger: Ledger) -> Plant:
    latest = ledger.latest_config()
    if latest is None:
        raise NotFound("there is no plant yet; put one in by `dutyroom plant import`")
    return Content.decode(latest.content).plant


def _known(ledger: Ledger, family: Family, plant: Plant) -> Known:
    known = Known.of(family, plant, Precedents(plant))
    return known.signed(ledger.read(discovered.signed, known.patterns))


def _suggestions(known: Known, plant: Plant, type: str | None) -> tuple[str | None, offers.Assignment | None]:
    kind = type or known.type
    if kind is None:
        return None, None
    if kind not in plant.catalogue.types:
        raise BadInput(f"there is no equipment type {kind!r}; known: {', '.join(plant.catalogue.types)}")
    return kind, offers.mapping(known.family, plant.catalogue.types[kind], known.best(kind))


def _how(chosen: offers.Chosen) -> str:
    """As `--point` takes it, as far as that goes."""
    scale = "" if chosen.scale == 1 else f":{chosen.scale:g}"
    return chosen.point + (f":{chosen.unit or ''}" if chosen.unit or scale else "") + scale


def _reasons(match: Match) -> str:
    return "; ".join(reason.en for reason in match.reasons)


def _chosen(points: list[str]) -> list[offers.Chosen]:
    chosen = []
    for text in points:
        key, found, said = text.rpartition("=")
        point, unit, scale = [*said.split(":"), "", ""][:3]
        try:
            factor = float(scale) if scale else 1.0
        except ValueError:
            raise BadInput(f"--point {text}: {scale!r} is no number") from None
        if not found or not key or not point:
            raise BadInput(f"--point {text}: expected KEY=POINT or KEY=POINT:UNIT, such as Ua=voltage_l1:V")
        chosen.append(offers.Chosen(key, point, unit or None, factor))
    return chosen


def _where(family: Family, to: list[str]) -> dict[tuple[str, str | None], str]:
    """(topic, device) → equipment, from `TOPIC=ID`; a bare ID is for the family's only topic."""
    where: dict[tuple[str, str | None], str] = {}
    for text in to:
        topic, found, id = text.rpartition("=")
        sources = [one for one in family.sources if not found or topic in (one.topic, one.device)]
        if len(sources) != 1:
            known = ", ".join(one.topic for one in family.sources[:5])
            raise BadInput(
                f"--to {text}: {len(sources)} topics match; write TOPIC={id or 'EQUIPMENT'}; there are {known}"
            )
        where[sources[0].topic, sources[0].device] = id
    return where


def _new_machines(
    family: Family, plant: Plant, where: dict[tuple[str, str | None], str], type: str | None, area: str
) -> tuple[Equipment, ...]:
    """Machines for the topics nothing was said of; adds them to `where`."""
    made: dict[str, Equipment] = {}
    for source in family.sources if type is not None else ():
        if (source.topic, source.device) not in where:
            name = naming.new_name(source, {**plant.site.equipment, **made})
            made[name] = Equipment(name, f"{area}/{name}", type or "", Text(name, name))
            where[source.topic, source.device] = name
    return tuple(made.values())


def _awaited(ledger: Ledger, made: Acceptance, seconds: float) -> Acceptance:
    deadline = time.monotonic() + seconds
    while made.result is None and time.monotonic() < deadline:
        time.sleep(_WAIT_STEP_S)
        made = ledger.read(discovered.acceptance, made.id)
    return made


def _line(one: Listed) -> str:
    family = one.family
    rate = "" if family.per_minute is None else f"{family.per_minute:.3g}/min"
    state = f"ignored by {one.ignored_by}" if one.ignored_by else family.trouble
    counts = f"{len(family.sources)} topics", f"{len(family.found)} keys", f"{family.count} messages"
    parts = (family.id, family.pattern, family.decoder, *counts, rate, f"last {iso(family.last_at)}", state)
    return "  ".join(part for part in parts if part)


def _acceptance(made: Acceptance) -> str:
    result = None if made.result is None else made.result
    said = {
        "acceptance": made.id,
        "revision": made.revision,
        "equipment": sorted(made.accepted.bindings),
        "bindings": made.accepted.count,
        "progress": made.progress.value,
        "messages": None if result is None else result.messages,
        "readings": None if result is None else result.readings,
        "rejected": None if result is None else result.rejected,
    }
    return json.dumps(said, ensure_ascii=False)

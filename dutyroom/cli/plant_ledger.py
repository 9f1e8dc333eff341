"""`dutyroom plant import` and `export`: the site's registry between files and the ledger."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dutyroom.binding import kept
from dutyroom.cli.options import Data
from dutyroom.cli.plant import read_plant
from dutyroom.content import Content
from dutyroom.datafolder import make_data_folder
from dutyroom.systemtime import system_now
from maintenance.ledger import discovered
from maintenance.ledger.ledger import Ledger
from plant.cataloguefile import load_catalogue
from plant.errors import Conflict, NotFound
from plant.registry import site_to_yaml
from plant.site import Plant, Site
from rules.loader import find_rule_files, load_pack

AUTHOR = "command line"


def put_plant(folder: Path, path: Path, *, rules: str | None = None) -> int:
    """Check a site's files and rules and put them in force as the ledger's next revision; its number."""
    pack = load_pack(find_rule_files(rules) if rules else None, catalogue=load_catalogue())
    plant = read_plant(path, pack)
    make_data_folder(folder)
    with Ledger.open(folder / "ledger.db") as ledger:
        latest = ledger.latest_config()
        if latest is not None:
            check_succession(Content.decode(latest.content).plant.site, plant.site)
        site, count, said = kept(ledger, plant.site, plant.catalogue)
        content = Content.of(Plant(plant.catalogue, site), pack).encode()
        now = ledger.plant_now()
        revision = ledger.add_config(content, AUTHOR, system_now() if now is None else now).revision
        ledger.write(discovered.in_files, sorted(said))
    if count:
        advice = "`dutyroom discovered export` prints them as a site file"
        typer.echo(f"{count} bindings accepted on /discovered stay beside the files; {advice}", err=True)
    return revision


def check_succession(before: Site, after: Site) -> None:
    """Refuse what stored history cannot follow: another site, another clock, or an equipment id of another type.

    Raises Conflict naming what differs.
    """
    if (before.id, before.clock) != (after.id, after.clock):
        raise Conflict(
            f"this data folder belongs to site {before.id!r} with clock {before.clock.value}, the files describe "
            f"{after.id!r} with clock {after.clock.value}; use a data folder of its own"
        )
    for machine in after.equipment.values():
        known = before.equipment.get(machine.id)
        if known is not None and known.type != machine.type:
            raise Conflict(
                f"equipment {machine.id!r} is a {known.type} in stored history and a {machine.type} in the files; "
                "ids never change their meaning: give the new machine a new id"
            )


def import_command(
    path: Annotated[Path, typer.Argument(help="The site file, or a folder of site files.")],
    data: Data,
    rules: Annotated[str | None, typer.Option("--rules", help="Glob of rule files; default: the pack.")] = None,
) -> None:
    """Put a site and its rules in force; a running service takes them up at once.

    Example: dutyroom plant import sites/campus --data data
    """
    revision = put_plant(data, path, rules=rules)
    typer.echo(f"revision {revision} is in force in {data}", err=True)


def export_command(data: Data) -> None:
    """Print the site in force as YAML that imports back.

    Example: dutyroom plant export --data data > campus.yaml
    """
    with Ledger.open(data / "ledger.db") as ledger:
        latest = ledger.latest_config()
    if latest is None:
        raise NotFound(f"{data} holds no plant yet; put one in by `dutyroom plant import`")
    typer.echo(site_to_yaml(Content.decode(latest.content).plant.site), nl=False)

"""`dutyroom plant check`: is the registry of a site right? The group's import and export work on the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from ingest.decoders import KNOWN
from plant.cataloguefile import load_catalogue
from plant.registry import load_site
from plant.site import Plant
from rules.loader import find_rule_files, load_pack
from rules.model import Rule

app = typer.Typer(no_args_is_help=True, help="The plant: which machines stand on the site, what feeds their points.")


@app.command()
def check(
    path: Annotated[Path, typer.Argument(metavar="PATH", help="A site's YAML file, or the folder of its files.")],
    rules: Annotated[
        str | None, typer.Option("--rules", metavar="GLOB", help="Rule files; default: the packaged pack.")
    ] = None,
) -> None:
    """Check a registry; every mistake is printed as file:line:column, exit 2 when there is one.

    Example: dutyroom plant check dutyroom/demo/site.yaml
    """
    typer.echo(summary(read_plant(path, load_pack(find_rule_files(rules) if rules else None))))


def read_plant(path: Path, rules: Sequence[Rule]) -> Plant:
    """A site's files with the packaged catalogue, what equipment says of rules checked against `rules`.

    Raises ConfigError with every mistake found, NotFound where there is no such path.
    """
    catalogue = load_catalogue()
    ranges = {rule.id: {name: (item.low, item.high) for name, item in rule.params.items()} for rule in rules}
    return Plant(catalogue, load_site(path, catalogue, rules=ranges, formats=KNOWN))


def summary(plant: Plant) -> str:
    """One line: what a registry holds."""
    site, machines = plant.site, plant.site.equipment.values()
    bindings = sum(len(machine.bindings) for machine in machines)
    counts = f"{len(machines)} machines, {len(plant.series)} points, {bindings} bindings"
    return f"{site.id} ({site.zone}): {counts}, mode {site.mode}"

"""`dutyroom decode`: what the service makes of one message, without a broker."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated
from zoneinfo import available_timezones

import typer

from ingest.decoders import FORMATS, KNOWN
from ingest.explain import Given, explain_bound, explain_unbound, remarks
from plant.cataloguefile import load_catalogue
from plant.errors import BadInput
from plant.instants import parse_instant
from plant.registry import load_site
from plant.site import Plant


def decode(
    topic: Annotated[str, typer.Option("--topic", help="The topic the message came on.")],
    decoder: Annotated[
        str | None,
        typer.Option("--decoder", help=f"{', '.join(FORMATS)}; not given: as the binding says, else recognised."),
    ] = None,
    received_at: Annotated[
        str | None, typer.Option("--received-at", help="When it came: ISO-8601 or ms; not given: age is not judged.")
    ] = None,
    registry: Annotated[
        Path | None, typer.Option("--registry", help="The site's files: values are bound, converted and checked.")
    ] = None,
    zone: Annotated[
        str,
        typer.Option("--zone", help="Zone of times that name none, such as Asia/Shanghai; with --registry the site's."),
    ] = "",
    retained: Annotated[bool, typer.Option("--retained", help="The broker had kept it.")] = False,
) -> None:
    """Take one message from standard input apart; one JSON object a line, times in ms UTC.

    Example: echo '{"points": {"tank_temp_top": 58.5}}' |
    dutyroom decode --topic dutyroom/v1/demo/bath/tank-1/telemetry
    """
    given = Given(topic, sys.stdin.buffer.read(), retained, _instant(received_at), _known(zone))
    if registry is None:
        lines = explain_unbound(given, decoder)
    else:
        catalogue = load_catalogue()
        lines = explain_bound(given, Plant(catalogue, load_site(registry, catalogue, formats=KNOWN)), decoder)
    if sys.stderr.isatty() and registry is None:
        for remark in remarks(given, decoder):
            typer.echo(remark, err=True)
    for line in lines:
        typer.echo(json.dumps(line, ensure_ascii=False))


def _instant(given: str | None) -> int | None:
    if given is None:
        return None
    return int(given) if given.isascii() and given.isdigit() else parse_instant(given)


def _known(zone: str) -> str:
    if zone and zone not in available_timezones():
        raise BadInput(f"there is no time zone {zone!r}; expected one such as Asia/Shanghai")
    return zone

"""Options that several commands share, and how their texts are read."""

from __future__ import annotations

from datetime import tzinfo
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer

from dutyroom.tablefile import TableOptions
from plant.errors import BadInput
from plant.instants import parse_duration, parse_instant

Data = Annotated[Path, typer.Option("--data", help="The data folder: journal, store and ledger.")]
ConfigFile = Annotated[Path | None, typer.Option("--config", help="Settings file; default dutyroom.toml, if there.")]
EquipmentOption = Annotated[
    list[str], typer.Option("--equipment", help="NAME:TYPE, or '*:TYPE' together with --rows-of.")
]
RowsOf = Annotated[str | None, typer.Option("--rows-of", help="Column whose values are the equipment names.")]
MapOption = Annotated[list[str] | None, typer.Option("--map", help="COLUMN=point for a column of another name.")]
ParamOption = Annotated[list[str] | None, typer.Option("--param", help="NAME.parameter=value of an equipment.")]
IntervalOption = Annotated[
    str | None, typer.Option("--interval", help="Declared spacing, s or as 15m; default: the median spacing.")
]
ZoneOption = Annotated[str, typer.Option("--tz", help="Zone of times without one.")]
FromOption = Annotated[str | None, typer.Option("--from", help="First time, ISO-8601.")]
ToOption = Annotated[str | None, typer.Option("--to", help="Time to stop before, ISO-8601.")]


def zone_of(name: str) -> tzinfo:
    """Raises BadInput for an unknown zone."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise BadInput(f"{name!r} is no time zone such as Asia/Shanghai or UTC") from None


def instant_or_none(text: str | None, zone: tzinfo) -> int | None:
    """An optional time."""
    return None if text is None else parse_instant(text, zone)


def interval_ms(text: str | None) -> int | None:
    """`900` (s) or `15m`."""
    if text is None:
        return None
    return round(float(text) * 1000) if text.replace(".", "", 1).isdigit() else parse_duration(text)


def table_options(
    equipment: list[str],
    *,
    rows_of: str | None,
    maps: list[str] | None,
    params: list[str] | None,
    interval: str | None,
    tz: str,
    start: str | None,
    end: str | None,
) -> TableOptions:
    """Options of a recording; raises BadInput naming the option that cannot be read."""
    zone = zone_of(tz)
    pairs = [_pair(text, ":", "--equipment", "NAME:TYPE") for text in equipment]
    columns = dict(_pair(text, "=", "--map", "COLUMN=point") for text in maps or [])
    parameters: dict[str, dict[str, float]] = {}
    for text in params or []:
        left, value = _pair(text, "=", "--param", "NAME.parameter=value")
        name, parameter = _pair(left, ".", "--param", "NAME.parameter=value")
        try:
            parameters.setdefault(name, {})[parameter] = float(value)
        except ValueError:
            raise BadInput(f"--param {text}: {value!r} is no number") from None
    return TableOptions(
        pairs,
        rows_of,
        columns,
        parameters,
        interval_ms(interval),
        zone,
        instant_or_none(start, zone),
        instant_or_none(end, zone),
    )


def _pair(text: str, separator: str, option: str, form: str) -> tuple[str, str]:
    left, found, right = text.rpartition(separator)
    if not found or not left or not right:
        raise BadInput(f"{option} {text}: expected {form}")
    return left, right

"""`dutyroom repairs`: what stands in the place of doubtful readings, from the ledger of a data folder."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from dutyroom.cli.ledger import DataFolder, opened
from dutyroom.cli.tickets import Format
from ingest.repairs import Repair, RepairKind
from maintenance.ledger import Ledger, repairs
from plant.instants import iso

_PAGE = 1_000


def repairs_command(
    data: DataFolder = Path("data"),
    equipment: Annotated[str | None, typer.Option(help="Only this equipment.")] = None,
    point: Annotated[str | None, typer.Option(help="Only this point.")] = None,
    kind: Annotated[RepairKind | None, typer.Option(help="Only this kind.")] = None,
    format: Annotated[Format, typer.Option(help="A table, or JSON lines with every field.")] = Format.TABLE,
) -> None:
    """Print repaired readings, newest first: when, where, kind, what came -> what stands in its place.

    Example: dutyroom repairs --data data --equipment chiller-1 --kind reset
    """
    with opened(data) as ledger:
        for repair in _all(ledger, equipment, point, kind):
            typer.echo(_json(repair) if format is Format.JSONL else _line(repair))


def _all(ledger: Ledger, equipment: str | None, point: str | None, kind: RepairKind | None) -> Iterator[Repair]:
    before: int | None = None
    while True:
        page = ledger.read(repairs.listed, equipment=equipment, point=point, kind=kind, before=before, limit=_PAGE)
        yield from (repair for _, repair in page)
        if len(page) < _PAGE:
            return
        before = page[-1][0]


def _line(repair: Repair) -> str:
    place = f"{repair.equipment}/{repair.point}"
    return f"{iso(repair.ts)}  {repair.kind:<8}  {place}  {repair.original:g} -> {repair.repaired:g}"


def _json(repair: Repair) -> str:
    return json.dumps(asdict(repair) | {"ts": iso(repair.ts)}, ensure_ascii=False)

"""Routes about repairs: what stands in the place of doubtful readings, and why."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import Query
from pydantic import Field

from api.finding import known_equipment
from api.office import AnOffice
from api.shapes import Ask, Instant, Page, RowsAsk, Shape
from api.telemetry import Csv
from ingest.repairs import Repair, RepairKind
from maintenance.ledger import repairs
from plant.instants import iso
from plant.site import Plant


class RepairsAsk(RowsAsk):
    """Which repairs."""

    equipment: str | None = Field(None, description="its id")
    point: str | None = Field(None, max_length=200)
    kind: RepairKind | None = None


class RepairsTableAsk(Ask):
    """Of which machine, and which of its repairs."""

    equipment: str = Field(description="its id")
    point: str | None = Field(None, max_length=200)
    kind: RepairKind | None = None


class RepairOut(Shape):
    """A doubtful reading, decided by the one after it. History keeps the original, with its quality."""

    equipment: str
    point: str
    unit: str | None = Field(description="null where the site no longer has the point")
    at: Instant = Field(description="time of the reading")
    kind: RepairKind
    original: float = Field(description="what came")
    repaired: float = Field(description="what stands in its place")
    before: float = Field(description="the value believed before it")
    shift: float = Field(description="what to add to a meter from here on, so that its count has no gap")
    offset: int = Field(description="place in the journal of the message that decided it")


async def list_repairs(office: AnOffice, ask: Annotated[RepairsAsk, Query()]) -> Page[RepairOut]:
    """Repairs, newest first; of each point and kind the newest 500 are kept."""
    plant = office.deps.configuration.plant()
    machine = None if ask.equipment is None else known_equipment(office, ask.equipment)
    before = None if ask.cursor is None else int(ask.cursor)
    found = await office.read(
        repairs.listed,
        equipment=machine.id if machine is not None else None,
        point=ask.point,
        kind=ask.kind,
        before=before,
        limit=ask.limit + 1,
    )
    items = []
    for _, one in found[: ask.limit]:
        owner = plant.site.equipment.get(one.equipment)
        point = None if owner is None else plant.points(owner).get(one.point)
        items.append(
            RepairOut(
                equipment=one.equipment,
                point=one.point,
                unit=None if point is None else point.unit,
                at=one.ts,
                kind=one.kind,
                original=one.original,
                repaired=one.repaired,
                before=one.before,
                shift=one.shift,
                offset=one.offset,
            )
        )
    return Page(items=items, next=str(found[ask.limit - 1][0]) if len(found) > ask.limit else None)


async def repairs_csv(office: AnOffice, ask: Annotated[RepairsTableAsk, Query()]) -> Csv:
    """All repairs of one machine as a table for a spreadsheet, oldest first, to lay beside the trends' table.

    `original` is what came and what the trends show; `repaired` stands in its place; from `time_utc` on `shift` is to
    be added to a meter so that its count has no gap.
    """
    plant = office.deps.configuration.plant()
    machine = known_equipment(office, ask.equipment)
    most = repairs.KEPT * len(RepairKind) * max(1, len(plant.points(machine)))
    found = await office.read(repairs.listed, equipment=machine.id, point=ask.point, kind=ask.kind, limit=most)
    text = _csv([one for _, one in reversed(found)], plant)
    name = f"repairs-{machine.id}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Csv(text, headers=headers)


def _csv(found: Sequence[Repair], plant: Plant) -> str:
    """Lines end as spreadsheets expect; the mark at the front tells them that it is UTF-8."""
    out = io.StringIO()
    out.write("\ufeff")
    lines = csv.writer(out)
    zone = ZoneInfo(plant.site.zone)
    numbers = ("original", "repaired", "before", "shift")
    lines.writerow(["time_utc", f"time_{plant.site.zone}", "equipment", "point", "unit", "kind", *numbers])
    for one in found:
        machine = plant.site.equipment.get(one.equipment)
        point = None if machine is None else plant.points(machine).get(one.point)
        here = datetime.fromtimestamp(one.ts / 1000, UTC).astimezone(zone).isoformat(sep=" ", timespec="seconds")
        unit = "" if point is None else point.unit
        told = (f"{getattr(one, number):.10g}" for number in numbers)
        lines.writerow([iso(one.ts), here, one.equipment, one.point, unit, one.kind.value, *told])
    return out.getvalue()

"""Routes about repairs: what stands in the place of doubtful readings, and why."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query
from pydantic import Field

from api.finding import known_equipment
from api.office import AnOffice
from api.shapes import Instant, Page, RowsAsk, Shape
from ingest.repairs import RepairKind
from maintenance.ledger import repairs


class RepairsAsk(RowsAsk):
    """Which repairs."""

    equipment: str | None = Field(None, description="its id")
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

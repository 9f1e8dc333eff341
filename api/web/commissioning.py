"""Commissioning in pages: which machines wait for their check, and one machine's checks with what to do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlencode

from fastapi import Form, Path, Query
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from pydantic import Field

from api.commissioning import checked, stands
from api.finding import area_of, called, known_equipment
from api.shapes import Ask
from api.web.home import area_text
from api.web.render import APage, Page
from maintenance.commissioning import HOURS, MOST_HOURS, Fault, Outcome, Stage
from maintenance.commissioning.words import ADVICE, CAUSES, CHECKS, OUTCOMES, STAGES, advice_on
from maintenance.ledger import commissionings
from plant.catalogue import Text
from plant.site import Equipment

EquipmentId = Annotated[str, Path(max_length=200)]
Hours = Annotated[float, Form(gt=0, le=MOST_HOURS)]
Reason = Annotated[str, Form(max_length=500)]

PAGE = 50
MOST_SKIPPED = 1_000_000

_CLOCKS = ("too_slow", "too_fast", "clock_ahead", "clock_behind")


class StandsAsk(Ask):
    """Which machines, all of it in the address; `skip` of them come on the pages before."""

    stage: Stage | None = None
    q: str = Field("", max_length=100)
    skip: int = Field(0, ge=0, le=MOST_SKIPPED)

    def address(self, **changes: object) -> str:
        """The address of this page with something else asked for."""
        said = self.model_copy(update=changes).model_dump(exclude_defaults=True)
        return "/commissioning" + (f"?{urlencode(said)}" if said else "")


@dataclass(frozen=True, slots=True)
class FaultLine:
    """A fault with the names of its points; `unit` of the numbers."""

    fault: Fault
    points: Sequence[Text]
    unit: str


async def list_commissioning(page: APage, ask: Annotated[StandsAsk, Query()]) -> HTMLResponse:
    """Machines by what there is to do, and in each stage those whose newest check failed first."""
    named = [stand for stand in await stands(page.office) if called(stand.machine, ask.q)]
    found = [stand for stand in named if ask.stage is None or stand.stage is ask.stage]
    order = list(Stage)
    found.sort(key=lambda stand: (order.index(stand.stage), stand.outcome is not Outcome.FAILED, stand.machine.path))
    sizes = Counter(stand.stage for stand in named)
    skip = min(ask.skip, max(0, len(found) - 1) // PAGE * PAGE)  # a list may have shrunk under an old link
    return page.render(
        "commissioning.html",
        ask=ask,
        stands=found[skip : skip + PAGE],
        skip=skip,
        count=len(found),
        before=max(0, skip - PAGE) if skip else None,
        after=skip + PAGE if skip + PAGE < len(found) else None,
        all=len(named),
        sizes=sizes,
        stages=STAGES,
        outcomes=OUTCOMES,
        failed=Outcome.FAILED,
        area=lambda machine: area_text(area_of(machine)),
    )


async def show_commissioning(page: APage, id: EquipmentId) -> HTMLResponse:
    """One machine: its newest check part by part, and what came before."""
    machine = known_equipment(page.office, id)
    lines = await page.office.read(commissionings.of_equipment, id)
    last = next((line for line in lines if line.report is not None), None)
    return page.render(
        "commissioned.html",
        machine=machine,
        lines=lines,
        last=last,
        hours=HOURS,
        most_hours=MOST_HOURS,
        outcomes=OUTCOMES,
        checks=CHECKS,
        causes=CAUSES,
        advice=ADVICE,
        advice_on=advice_on,
        waiting=Outcome.NOT_ENOUGH,
        told=lambda fault: _told(page, machine, fault),
    )


async def check_machine(page: APage, id: EquipmentId, hours: Hours = HOURS) -> Response:
    """Check it now."""
    await checked(page.office, page.signed_in, id, hours)
    return RedirectResponse(f"/commissioning/{id}", 303)


async def decide(page: APage, id: EquipmentId, reason: Reason, released: Annotated[str, Form()] = "") -> Response:
    """Release it, or withhold its rules."""
    desk = page.office.deps.commissioning
    await page.office.act(desk.release if released else desk.withhold, id, reason, page.signed_in)
    return RedirectResponse(f"/commissioning/{id}", 303)


def _told(page: Page, machine: Equipment, fault: Fault) -> FaultLine:
    points = page.plant.points(machine)
    known = [points[name] for name in fault.points if name in points]
    unit = "s" if fault.cause.value in _CLOCKS else known[0].unit if known else "1"
    return FaultLine(fault, [point.text for point in known], unit)

"""Commissioning in pages: which machines wait for their check, and one machine's checks with what to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import Form, Path
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from api.commissioning import checked
from api.finding import area_of, known_equipment
from api.web.home import area_text
from api.web.render import APage, Page
from maintenance.commissioning import HOURS, MOST_HOURS, Fault, Outcome
from maintenance.commissioning.words import ADVICE, CAUSES, CHECKS, OUTCOMES, advice_on
from maintenance.ledger import commissionings
from maintenance.ledger.commissionings import Commissioning
from plant.catalogue import Text
from plant.site import Equipment

EquipmentId = Annotated[str, Path(max_length=200)]
Hours = Annotated[float, Form(gt=0, le=MOST_HOURS)]
Reason = Annotated[str, Form(max_length=500)]

_CLOCKS = ("too_slow", "too_fast", "clock_ahead", "clock_behind")


@dataclass(frozen=True, slots=True)
class Stand:
    """How one machine stands; `last` is its newest check."""

    machine: Equipment
    area: Text
    last: Commissioning | None


@dataclass(frozen=True, slots=True)
class FaultLine:
    """A fault with the names of its points; `unit` of the numbers."""

    fault: Fault
    points: Sequence[Text]
    unit: str


async def list_commissioning(page: APage) -> HTMLResponse:
    """Every machine, those that wait first."""
    newest = await page.office.read(commissionings.newest_checks)
    stands = [
        Stand(machine, area_text(area_of(machine)), newest.get(machine.id))
        for machine in page.plant.site.equipment.values()
        if not machine.retired
    ]
    stands.sort(key=lambda stand: (stand.machine.commissioned, stand.last is not None, stand.machine.path))
    return page.render("commissioning.html", stands=stands, outcomes=OUTCOMES)


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

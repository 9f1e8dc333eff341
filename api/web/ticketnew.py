"""A ticket by hand: on an alarm that opened none (its rule will prove the repair), or on any machine."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID, uuid4

from fastapi import Form, Query
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from api.finding import known_equipment
from api.web.render import APage, Page, Values
from maintenance.ledger import acts
from maintenance.ledger.acts import Report, alarm_row
from maintenance.ledger.rows import Alarm
from plant.errors import Conflict
from plant.severity import Severity

AlarmId = Annotated[int | None, Query(ge=1, le=2**63 - 1)]

_BY_HAND = (Severity.P2, Severity.P3, Severity.P4)
"""What a person may give a ticket: P1 means danger to people, and that calls the duty room first."""


async def ask_ticket(page: APage, alarm: AlarmId = None, equipment: str | None = None) -> HTMLResponse:
    """The form."""
    if equipment is not None:
        known_equipment(page.office, equipment)
    return page.render("ticket_new.html", **await _values(page, alarm, equipment))


async def open_ticket(
    page: APage,
    key: Annotated[UUID, Form()],
    alarm: Annotated[int | None, Form(ge=1, le=2**63 - 1)] = None,
    equipment: Annotated[str, Form(max_length=200)] = "",
    severity: Annotated[int, Form(ge=1, le=4)] = Severity.P3.value,
    title: Annotated[str, Form(max_length=200)] = "",
) -> Response:
    """Open it and go there; what is wrong is said beside what was typed."""
    values = await _values(page, alarm, equipment or None) | {"text": title, "chosen": Severity(severity)}
    if Severity(severity) not in _BY_HAND or not title.strip() or not (equipment or values["alarm"]):
        wrong = page.gettext("请选设备，写一句哪里要修")
        return page.render("ticket_new.html", 400, **values | {"wrong": wrong})
    if not values["alarm"]:
        known_equipment(page.office, equipment)
    job = Report(equipment, title, Severity(severity), alarm)
    try:
        made = await page.office.record(acts.open_ticket, job, page.signed_in, str(key))
    except Conflict:
        wrong = page.gettext("这条告警已有未完成的工单")
        return page.render("ticket_new.html", 409, **values | {"wrong": wrong})
    return RedirectResponse(f"/tickets/{made.id}", 303)


async def _values(page: Page, alarm: int | None, equipment: str | None) -> Values:
    found: Alarm | None = None if alarm is None else await page.office.read(alarm_row, alarm)
    rule = None
    if found is not None:
        rule = next((one for one in page.office.deps.configuration.rules() if one.id == found.rule), None)
    machines = [one for one in page.plant.site.equipment.values() if not one.retired]
    return {
        "alarm": found,
        "equipment": equipment,
        "machines": sorted(machines, key=lambda one: one.path),
        "text": "" if rule is None else page.text(rule.title),
        "chosen": Severity.P3 if found is None else max(found.severity, Severity.P2),
        "grades": _BY_HAND,
        "key": uuid4(),
        "wrong": None,
    }

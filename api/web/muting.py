"""Work on a machine without a ticket: its notices are held for some hours, and it says so on its page."""

from __future__ import annotations

from typing import Annotated

from fastapi import Form, Path
from fastapi.responses import RedirectResponse, Response

from api.finding import known_equipment
from api.web.render import APage, Page
from maintenance.deadlines import HOUR
from maintenance.ledger import alarmdesk, mutes
from maintenance.ledger.rows import Mute

EquipmentId = Annotated[str, Path(max_length=200)]

WORK = "检修"
"""The reason written into the ledger; pages say it in the reader's language."""


async def mute_of(page: Page, equipment: str) -> Mute | None:
    """The mute for work on a machine that is in force now."""
    found = await page.office.read(mutes.in_force, page.now or 0, equipment=equipment)
    return next((mute for mute in found if mute.rule is None), None)


async def mute(page: APage, id: EquipmentId, hours: Annotated[int, Form(ge=1, le=24)]) -> Response:
    """Hold the notices of a machine."""
    known_equipment(page.office, id)
    quiet = alarmdesk.Quiet(page.office.now() + hours * HOUR, WORK)
    await page.office.record(alarmdesk.mute, id, quiet, page.signed_in)
    return RedirectResponse(f"/equipment/{id}", 303)


async def unmute(page: APage, id: EquipmentId) -> Response:
    """End the mute before its time; where there is none that is no error."""
    found = await mute_of(page, id)
    if found is not None:
        await page.office.record(alarmdesk.unmute, found.id, page.signed_in)
    return RedirectResponse(f"/equipment/{id}", 303)

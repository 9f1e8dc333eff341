"""What the forms of a ticket's page do; a conflict shows the page again, says why, and keeps what was typed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID, uuid5

from fastapi import File, Form, UploadFile
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from api import pictures
from api.web.muting import WORK
from api.web.render import APage, Page
from api.web.story import author_text, last_change
from api.web.ticketpages import TicketId, latched, ticket_values
from maintenance.deadlines import MINUTE
from maintenance.ledger import acts, alarmdesk
from maintenance.ledger.acts import Wish
from maintenance.moves import Move
from maintenance.ticket import CauseCode, Resolution, State, Verdict, WaitingFor
from plant.catalogue import Text
from plant.errors import BadInput, Conflict

Version = Annotated[int, Form(ge=1, le=2**31 - 1)]
Key = Annotated[UUID, Form()]
Note = Annotated[str, Form(max_length=2_000)]


Photos = Annotated[list[UploadFile], File()]

MOST_PHOTOS = 3
"""Of one form; a second one may follow."""


@dataclass(frozen=True, slots=True)
class Clash:
    """Somebody was faster: who and when, where the ticket stands now, and what was wanted in vain."""

    who: Text | None
    at: int | None
    detail: str
    wanted: State | None


async def move(
    page: APage,
    id: TicketId,
    to: Annotated[State, Form()],
    version: Version,
    key: Key,
    note: Note = "",
    waiting_for: Annotated[WaitingFor | None, Form()] = None,
    cause_code: Annotated[CauseCode | None, Form()] = None,
    resolution: Annotated[Resolution | None, Form()] = None,
) -> Response:
    """Move the ticket; with "done" go what was found and a note."""
    wish = Move(to, page.signed_in, page.office.now(), note.strip(), resolution, waiting_for, str(key), cause_code)
    try:
        await page.office.act(page.office.deps.ledger.move_ticket, id, wish, version=version)
    except Conflict as error:
        return await _clashed(page, id, str(error), wanted=to, draft=note)
    return _back(id)


async def comment(
    page: APage,
    id: TicketId,
    key: Key,
    text: Annotated[str, Form(max_length=4_000)] = "",
    photo: Photos = [],  # noqa: B006 - FastAPI makes a new one for each request
) -> Response:
    """A comment, photos, or both; the words first, since they are small and arrive."""
    if text.strip():
        await page.office.record(acts.comment, Wish(id, page.signed_in, key=str(key)), text)
    for number, body in enumerate(await bodies_of(photo)):
        await pictures.keep(page.office, id, body, page.signed_in, str(uuid5(key, f"photo {number}")))
    return _back(id)


async def bodies_of(photos: Sequence[UploadFile]) -> list[bytes]:
    """The photos of a form; a field nobody filled sends one without a name."""
    if len(photos) > MOST_PHOTOS:
        raise BadInput(f"{len(photos)} photos at once; expected at most {MOST_PHOTOS}, send the rest after these")
    return [await photo.read() for photo in photos if photo.filename]


async def assign(
    page: APage, id: TicketId, version: Version, key: Key, assignee: Annotated[str, Form(max_length=100)] = ""
) -> Response:
    """Give the ticket to somebody, or (empty) to nobody."""
    wish = Wish(id, page.signed_in, version, str(key))
    try:
        await page.office.record(acts.assign, wish, assignee.strip() or None)
    except Conflict as error:
        return await _clashed(page, id, str(error))
    return _back(id)


async def judge(page: APage, id: TicketId, version: Version, key: Key, verdict: Annotated[Verdict, Form()]) -> Response:
    """Whether the rule was right."""
    try:
        await page.office.record(acts.judge, Wish(id, page.signed_in, version, str(key)), verdict)
    except Conflict as error:
        return await _clashed(page, id, str(error))
    return _back(id)


async def diagnose(
    page: APage, id: TicketId, version: Version, key: Key, cause_code: Annotated[CauseCode, Form()]
) -> Response:
    """What the cause was."""
    try:
        await page.office.record(acts.diagnose, Wish(id, page.signed_in, version, str(key)), cause_code)
    except Conflict as error:
        return await _clashed(page, id, str(error))
    return _back(id)


async def reset(page: APage, id: TicketId) -> Response:
    """Reset the ticket's latched alarms: the engine is asked, and decides whether they clear."""
    values = await ticket_values(page, id)
    for alarm in latched(page, values["file"]):
        await page.office.act(page.office.deps.ledger.reset_alarm, alarm.id, page.signed_in, page.office.now())
    return _back(id)


async def mute(page: APage, id: TicketId, minutes: Annotated[int, Form(ge=1, le=24 * 60)]) -> Response:
    """Hold the notices of the ticket's machine while it is worked on."""
    values = await ticket_values(page, id)
    quiet = alarmdesk.Quiet(page.office.now() + minutes * MINUTE, WORK, id)
    await page.office.record(alarmdesk.mute, values["ticket"].equipment, quiet, page.signed_in)
    return _back(id)


async def unmute(page: APage, id: TicketId, mute: Annotated[int, Form(ge=1, le=2**63 - 1)]) -> Response:
    """End the mute before its time."""
    await page.office.record(alarmdesk.unmute, mute, page.signed_in)
    return _back(id)


async def _clashed(page: Page, id: str, detail: str, *, wanted: State | None = None, draft: str = "") -> HTMLResponse:
    values = await ticket_values(page, id)
    newest = last_change(values["file"].timeline)
    who, at = (None, None) if newest is None else (author_text(newest.author), newest.at)
    values |= {"conflict": Clash(who, at, detail, wanted), "draft": draft}
    return page.render("ticket.html", 409, **values)


def _back(id: str) -> RedirectResponse:
    return RedirectResponse(f"/tickets/{id}", 303)

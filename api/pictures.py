"""Routes for photos on tickets, and the one way a photo takes: made safe, written to its folder, then to a row."""

from __future__ import annotations

from io import BytesIO
from typing import Annotated
from uuid import UUID

from fastapi import Body, Depends, Path, Query
from fastapi.responses import Response
from PIL import Image

from api.access import Caller
from api.guard.allowance import allowance
from api.guard.limits import Purpose
from api.office import AnOffice, Office
from api.photos import safe_photo
from api.reports import Token
from api.ticket_shapes import PhotoOut
from maintenance.ledger import photos, reports
from maintenance.ledger.photos import Picture
from maintenance.ledger.rows import Photo
from maintenance.people import REPORTER, Actor
from plant.errors import BadInput, Conflict

MOST_OF_REPORTERS = 6
"""Photos that people without an account may put on one ticket."""

TicketId = Annotated[str, Path(max_length=40)]
PhotoId = Annotated[int, Path(ge=1, le=2**63 - 1)]
Key = Annotated[UUID, Query(description="the client's own, the same at every attempt: what comes twice is kept once")]
Bytes = Annotated[bytes, Body(media_type="image/jpeg", description="a JPEG, PNG, WebP or GIF of at most 8 MB")]


class Jpeg(Response):
    """A photo as it is stored."""

    media_type = "image/jpeg"


async def add_photo(office: AnOffice, caller: Caller, id: TicketId, key: Key, body: Bytes) -> PhotoOut:
    """Put a photo on a ticket; it is turned upright, made small enough and loses all it says of place and camera."""
    return PhotoOut.model_validate(await keep(office, id, body, caller, str(key)))


async def add_report_photo(
    office: AnOffice,
    token: Token,
    key: Key,
    body: Bytes,
    _: Annotated[None, Depends(allowance(Purpose.REPORT_ADDRESS))],
) -> None:
    """Put a photo on a report's ticket, for whoever holds the report's token."""
    await keep_reported(office, token, body, str(key))


async def show_photo(office: AnOffice, id: PhotoId) -> Response:
    """A photo of a ticket."""
    found = await office.read(photos.photo, id)
    body = await office.picture(office.deps.photos.get, found.sha256)
    # What a number names never changes, but it is for people who have signed in.
    headers = {"Cache-Control": "private, max-age=86400", "Content-Disposition": "inline"}
    return Jpeg(body, headers=headers)


async def keep(office: Office, ticket: str, body: bytes, actor: Actor, key: str) -> Photo:
    """Make a photo safe and put it on a ticket: the file first, so that no row ever names what is not there."""
    picture = await office.picture(_stored, office, body)
    return await office.record(photos.add, ticket, picture, actor, key)


async def keep_reported(office: Office, token: str, body: bytes, key: str) -> Photo:
    """The same for somebody without an account; Conflict beyond MOST_OF_REPORTERS on one ticket."""
    report, _ = await office.read(reports.status, token)
    if await office.read(photos.count_photos, report.ticket, REPORTER.name) >= MOST_OF_REPORTERS:
        raise Conflict(f"{report.ticket} has {MOST_OF_REPORTERS} photos of reporters already; the crew has seen enough")
    return await keep(office, report.ticket, body, REPORTER, key)


def _stored(office: Office, body: bytes) -> Picture:
    if not body:
        raise BadInput("the photo is empty; expected the bytes of a JPEG, PNG, WebP or GIF")
    clean = safe_photo(body)
    with Image.open(BytesIO(clean)) as image:
        width, height = image.size
    return Picture(office.deps.photos.put(clean), len(clean), width, height)

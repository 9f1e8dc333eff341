"""What the code on a machine leads to: how it stands, telling of a fault without an account, labels to print."""

from __future__ import annotations

from functools import lru_cache
from io import BytesIO
from typing import Annotated
from uuid import UUID, uuid4, uuid5

import segno
from anyio import to_thread
from fastapi import Depends, Form, Path, Query
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from markupsafe import Markup
from pydantic import Field

from api import pictures
from api.access import Credentials, identify
from api.finding import area_of
from api.guard.allowance import allowance
from api.guard.limits import Purpose
from api.office import AnOffice
from api.problems import NotSignedIn
from api.reports import labelled, outlook, scanned
from api.shapes import Ask
from api.web.home import area_text
from api.web.render import APage, APublicPage, Values
from api.web.ticketforms import Photos, bodies_of
from maintenance.ledger import codes, reports
from maintenance.ledger.rows import Phrase
from maintenance.people import Actor
from plant.errors import BadInput
from plant.site import Equipment

Code = Annotated[str, Path(max_length=20)]
Token = Annotated[str, Path(min_length=32, max_length=64)]

ON_A_SHEET = 24
"""Labels on one page: a sheet of A4, eight rows of three."""


async def _visitor(office: AnOffice, shown: Credentials) -> Actor | None:
    """Who has signed in, None for anybody else."""
    try:
        return (await identify(office, shown)).actor
    except NotSignedIn:
        return None


async def landing(page: APublicPage, code: Code, visitor: Annotated[Actor | None, Depends(_visitor)]) -> HTMLResponse:
    """The machine of a code: its name, whether it has an alarm and a ticket; who has signed in may take that on."""
    machine = await scanned(page.office, code)
    severity, ticket = await page.office.read(outlook, machine.id)
    return page.render("scan.html", **_machine(machine, code), severity=severity, ticket=ticket, visitor=visitor)


async def ask_report(page: APublicPage, code: Code) -> HTMLResponse:
    """The form to tell of a fault."""
    machine = await scanned(page.office, code)
    return page.render("report.html", **_machine(machine, code), token=uuid4(), wrong=None, text="", phone="")


async def take_report(
    page: APublicPage,
    code: Code,
    token: Annotated[UUID, Form()],
    _address: Annotated[None, Depends(allowance(Purpose.REPORT_ADDRESS))],
    _asset: Annotated[None, Depends(allowance(Purpose.REPORT_ASSET, "code"))],
    phrase: Annotated[Phrase | None, Form()] = None,
    text: Annotated[str, Form(max_length=1_000)] = "",
    phone: Annotated[str, Form(max_length=30)] = "",
    photo: Photos = [],  # noqa: B006 - FastAPI makes a new one for each request
) -> Response:
    """Take a report and show what became of it; without a phrase the form comes back with all that was typed."""
    machine = await scanned(page.office, code)
    shown = _machine(machine, code) | {"token": token, "text": text, "phone": phone}
    if phrase is None or not set(phone) <= set("0123456789+()- "):
        words = page.gettext("请先点选哪里不对") if phrase is None else page.gettext("电话只能是数字")
        return page.render("report.html", 400, **shown, wrong=words)
    told = reports.Told(machine.id, phrase, str(token), text, phone)
    await page.office.record(reports.report, told)
    try:
        for number, body in enumerate(await bodies_of(photo)):
            await pictures.keep_reported(page.office, str(token), body, str(uuid5(token, f"photo {number}")))
    except BadInput:
        # The report itself is taken; the page says that the picture is not.
        return RedirectResponse(f"/r/{token}?photo=refused", 303)
    return RedirectResponse(f"/r/{token}", 303)


async def report_status(page: APublicPage, token: Token, photo: str = "") -> HTMLResponse:
    """What became of a report, for whoever has the link."""
    report, ticket = await page.office.read(reports.status, token)
    machine = page.plant.site.equipment.get(ticket.equipment)
    return page.render(
        "reported.html", report=report, ticket=ticket, machine=machine, token=token, refused=photo == "refused"
    )


class SheetAsk(Ask):
    """Which sheet of labels, of one area or of all."""

    area: str | None = Field(None, max_length=200)
    sheet: int = Field(1, ge=1, le=100_000)


async def label_sheet(page: APage, ask: Annotated[SheetAsk, Query()]) -> HTMLResponse:
    """One sheet of labels: the square to scan, the machine's name, and the code for people to read."""
    known = await labelled(page.office)
    wanted = [pair for pair in known if ask.area is None or area_of(pair[0]) == ask.area]
    sheets = max(1, -(-len(wanted) // ON_A_SHEET))
    sheet = min(ask.sheet, sheets)
    base = str(page.request.base_url).rstrip("/")
    shown = wanted[(sheet - 1) * ON_A_SHEET : sheet * ON_A_SHEET]
    squares = await to_thread.run_sync(lambda: [qr(f"{base}/q/{code}") for _, code in shown])
    return page.render(
        "labels.html",
        labels=[(machine, code, square) for (machine, code), square in zip(shown, squares, strict=True)],
        areas=sorted({area_of(machine) for machine, _ in known}),
        area=ask.area,
        area_text=area_text,
        sheet=sheet,
        sheets=sheets,
    )


@lru_cache(maxsize=4_096)
def qr(address: str) -> Markup:
    """An address as a QR code in SVG, sized by the style sheet; up to a quarter of it may be dirty.

    Kept: finding the mask that scans best takes 3 ms, and a label is wanted again whenever its sheet is looked at.
    """
    written = BytesIO()
    segno.make_qr(address, error="q").save(
        written, kind="svg", xmldecl=False, svgns=True, omitsize=True, border=2, svgclass=None, lineclass=None
    )
    return Markup(written.getvalue().decode())  # noqa: S704 - made here, of digits


def _machine(machine: Equipment, code: str) -> Values:
    return {
        "machine": machine,
        "code": codes.printed(codes.normal(code)),
        "area": area_text(area_of(machine)),
    }

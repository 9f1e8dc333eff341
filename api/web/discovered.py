"""Pages about what comes that nobody has bound: the list, one family with its mapping form, what came of binding it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import Form, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from pydantic import Field

from api.discovered import AcceptanceId, FamilyId
from api.shapes import Ask
from api.web.healthwords import reject_text
from api.web.mapping import Typed, sheet
from api.web.render import APage, Page
from ingest import offers
from ingest.discovery import MOST_FAMILIES, Family
from ingest.known import Known
from ingest.precedents import Precedent, Precedents
from maintenance.ledger import discovered
from maintenance.ledger.discovered import Listed, Progress
from plant.catalogue import EquipmentType
from plant.device import Template
from plant.errors import BadInput, Conflict, NotFound

_RECENT = 5
_AT_ONCE = 20
"""Families on one page: for each it is worked out what it looks like."""


class ListAsk(Ask):
    """Whether to show what was put aside, too; and how many of those heard last are left out."""

    ignored: bool = False
    skip: int = Field(0, ge=0, le=MOST_FAMILIES)


class FamilyAsk(Ask):
    """For which equipment type to suggest points."""

    type: str | None = Field(None, max_length=100)


@dataclass(frozen=True, slots=True)
class Row:
    """A family in the list, and what it looks like: a machine, a model, a type (None: none fits)."""

    family: Family
    ignored_by: str | None
    like: str | None
    model: str | None
    type: str | None


async def list_discovered(page: APage, ask: Annotated[ListAsk, Query()]) -> HTMLResponse:
    """What comes that nobody has bound."""
    return await _list(page, ask)


async def listen(page: APage, filters: Annotated[str, Form(max_length=20_000)] = "") -> Response:
    """Listen to these topic filters, one a line."""
    wanted = [line.strip() for line in filters.splitlines() if line.strip()]
    try:
        await page.office.act(page.office.deps.binding.listen, wanted, page.signed_in)
    except BadInput as error:
        return await _list(page, ListAsk(), wrong=str(error), typed=filters, status=422)
    return RedirectResponse("/discovered", 303)


async def show_family(page: APage, id: FamilyId, ask: Annotated[FamilyAsk, Query()]) -> HTMLResponse:
    """One family: a sample, its values with what each may be, its topics with what each may belong to."""
    return await _family(page, id, ask.type)


async def accept(page: APage, request: Request, id: FamilyId) -> Response:
    """Bind it as the form says."""
    form = await request.form(max_fields=5_000)
    typed = Typed({name: value for name, value in form.items() if isinstance(value, str)})
    family = (await page.office.read(discovered.one, id)).family
    try:
        accepted = typed.accepted(family, page.plant)
        made = await page.office.act(page.office.deps.binding.accept, family, accepted, page.signed_in)
    except (BadInput, Conflict, NotFound) as error:
        status = 409 if isinstance(error, Conflict) else 422
        return await _family(page, id, typed.type, typed=typed, wrong=str(error), status=status)
    return RedirectResponse(f"/acceptances/{made.id}", 303)


async def ignore(page: APage, id: FamilyId, ignored: Annotated[bool, Form()]) -> Response:
    """Put it aside, or back on the list."""
    write = page.office.deps.ledger.write
    await page.office.act(write, discovered.ignore, id, page.signed_in, page.office.clock(), ignored=ignored)
    return RedirectResponse("/discovered", 303)


async def show_acceptance(page: APage, id: AcceptanceId) -> HTMLResponse:
    """What was bound, and what decoding the past again gave."""
    return await _acceptance(page, id, "acceptance.html")


async def live_acceptance(page: APage, id: AcceptanceId) -> HTMLResponse:
    """The part of that page that changes."""
    return await _acceptance(page, id, "acceptance_live.html")


async def _list(
    page: Page, ask: ListAsk, *, wrong: str | None = None, typed: str | None = None, status: int = 200
) -> HTMLResponse:
    listed = await page.office.read(discovered.listed)
    recent = await page.office.read(discovered.recent, _RECENT)
    shown = [one for one in listed if ask.ignored or one.ignored_by is None]
    rest = shown[ask.skip :]
    precedents = Precedents(page.plant)
    known = [(one, Known.of(one.family, page.plant, precedents)) for one in rest[:_AT_ONCE]]
    by = await page.office.read(discovered.signed, {pattern for _, one in known for pattern in one.patterns})
    return page.render(
        "discovered.html",
        status,
        rows=[_row(page, one, what.signed(by)) for one, what in known],
        count=len(shown),
        next=ask.skip + _AT_ONCE if len(rest) > _AT_ONCE else None,
        aside=sum(one.ignored_by is not None for one in listed),
        ignored=ask.ignored,
        recent=recent,
        filters=typed if typed is not None else "\n".join(page.plant.site.discover),
        most=MOST_FAMILIES,
        reject_text=reject_text,
        wrong=wrong,
    )


def _row(page: Page, one: Listed, known: Known) -> Row:
    like = page.text(known.precedents[0].equipment.text) if known.precedents else None
    model = page.text(known.models[0].template.text) if known.models else None
    return Row(one.family, one.ignored_by, like, model, known.type)


async def _family(
    page: Page, id: str, type: str | None, *, typed: Typed | None = None, wrong: str | None = None, status: int = 200
) -> HTMLResponse:
    listed = await page.office.read(discovered.one, id)
    family, catalogue = listed.family, page.plant.catalogue
    known = Known.of(family, page.plant, Precedents(page.plant))
    known = known.signed(await page.office.read(discovered.signed, known.patterns))
    names = _types(known.types, catalogue.types)
    chosen = type if type is not None and type in catalogue.types else known.type or names[0]
    best = known.best(chosen)
    return page.render(
        "discovered_family.html",
        status,
        family=family,
        ignored_by=listed.ignored_by,
        payload=family.payload.decode("utf-8", "backslashreplace"),
        reject_text=reject_text,
        types=names,
        all_types=catalogue.types,
        type=chosen,
        template=best if isinstance(best, Template) else None,
        like=best if isinstance(best, Precedent) else None,
        sheet=sheet(page.plant, family, chosen, best, typed),
        wrong=wrong,
    )


def _types(ranked: Sequence[offers.KnownType], all: Mapping[str, EquipmentType]) -> list[str]:
    """Names of types that messages can be bound to, those that fit first."""
    first = [one.type for one in ranked]
    return [*first, *(name for name, kind in all.items() if name not in first and not kind.by_service)]


async def _acceptance(page: Page, id: int, template: str) -> HTMLResponse:
    made = await page.office.read(discovered.acceptance, id)

    def point_text(id: str, name: str) -> str:
        machine = page.plant.site.equipment.get(id)
        point = None if machine is None else page.plant.points(machine).get(name)
        return name if point is None else page.text(point.text)

    return page.render(template, made=made, waiting=made.progress is Progress.WAITING, point_text=point_text)

"""The demo's tour: what to watch, how to break something, and how much of the past is made. No real site has it."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from api.deps import DemoDesk
from api.web.render import APage, Page
from plant.errors import NotFound

Kind = Annotated[str, Path(max_length=60)]


async def show_tour(page: APage) -> HTMLResponse:
    """What to watch and what to break."""
    return page.render("tour.html", demo=_demo(page))


async def live_tour(page: APage) -> HTMLResponse:
    """The part of the tour that changes."""
    return page.render("tour_live.html", demo=_demo(page))


async def break_it(page: APage, kind: Kind) -> Response:
    """Break something."""
    await _demo(page).inject(kind)
    return RedirectResponse("/demo", 303)


async def mend_it(page: APage, kind: Kind) -> Response:
    """Mend it."""
    await _demo(page).repair(kind)
    return RedirectResponse("/demo", 303)


def _demo(page: Page) -> DemoDesk:
    demo = page.office.deps.demo
    if demo is None:
        raise NotFound("this is a real site: only `dutyroom demo` has a tour")
    return demo

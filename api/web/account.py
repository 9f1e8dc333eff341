"""One's own account: which browsers are signed in, and ending that."""

from __future__ import annotations

from typing import Annotated

from fastapi import Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from api.access import AnIdentity
from api.signin import cookies
from api.web.render import APage, Page
from api.web.times import ago, moment
from maintenance.ledger import sessions
from plant.errors import NotFound

OTHERS, ALL = "others", "all"

Which = Annotated[str, Form(pattern=rf"^({OTHERS}|{ALL}|\d{{1,18}})$")]


async def show_account(page: APage, identity: AnIdentity) -> HTMLResponse:
    """Who one is, and the browsers that are signed in as this."""
    office = page.office
    mine = await office.read(sessions.listed, identity.actor.name, office.clock())
    return page.render("account.html", sessions=mine, here=identity.session, when=SystemTimes(page))


async def end_sessions(request: Request, page: APage, identity: AnIdentity, which: Which) -> Response:
    """End one session of one's own, all others, or all."""
    office, name = page.office, identity.actor.name
    now = office.clock()
    if which in (OTHERS, ALL):
        but = identity.session if which == OTHERS else None
        await office.act(office.deps.ledger.write, sessions.end_all, name, now, author=name, but=but)
    elif not await office.act(office.deps.ledger.write, sessions.end, name, int(which), now):
        raise NotFound(f"{name} has no session {which} any more")
    if which == ALL or which == str(identity.session):
        answer = RedirectResponse("/login", 303)
        cookies.drop(answer, request, office)
        return answer
    return RedirectResponse("/account", 303)


class SystemTimes:
    """System times in the page's words: accounts are dated by the system's clock, not by the plant's."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._now = page.office.clock()

    def moment(self, ms: int) -> str:
        """A time with its date when that is not today."""
        return moment(ms, self._now, self._page.zone, self._page.language)

    def ago(self, ms: int) -> str:
        """How long ago."""
        return ago(ms, self._now, self._page.language)

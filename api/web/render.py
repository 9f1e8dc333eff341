"""Turns templates into pages: one Jinja environment a language, and what every page knows (who, when, how alive)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import Depends, Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined

from api.access import Caller
from api.office import AnOffice, Office
from api.problems import NotSignedIn
from api.web import figures, times
from api.web.language import COOKIE, Language, choose, translations
from api.web.rows import badge_counts
from api.web.statics import Statics
from api.web.switches import switched
from api.web.words import WORDS
from maintenance.people import Actor
from plant.catalogue import Text
from plant.instants import NEVER, iso
from plant.site import Plant
from rules.model import Rule

THEME_COOKIE = "theme"
THEMES = ("auto", "light", "dark")


class Templates:
    """The templates of every language, and the static files they name."""

    def __init__(self, statics: Statics) -> None:
        self.statics = statics
        self._environments = {language: _environment(language, statics) for language in Language}

    def render(self, name: str, language: Language, values: Mapping[str, object]) -> str:
        """One template as HTML."""
        return self._environments[language].get_template(name).render(values)


def _environment(language: Language, statics: Statics) -> Environment:
    environment = Environment(
        loader=PackageLoader("api.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    environment.install_gettext_translations(translations()[language], newstyle=True)  # type: ignore[attr-defined]
    environment.filters |= {
        "words": language.of,
        "duration": partial(times.duration, language=language),
        "quantity": figures.quantity,
        "number": figures.number,
        "plain": figures.plain,
        "unit": figures.unit_text,
        "iso": iso,
    }
    environment.globals |= {"static": statics.url, "language": language, "WORDS": WORDS, "switched": switched}
    return environment


@dataclass
class Page:
    """One request for a page: who asks, in which language and look, and plant time (None before the first tick)."""

    request: Request
    office: Office
    templates: Templates
    caller: Actor | None
    language: Language
    theme: str
    plant: Plant
    now: int | None
    listening: bool
    counts: Mapping[str, int] = field(default_factory=dict)

    @cached_property
    def zone(self) -> ZoneInfo:
        """The site's."""
        return ZoneInfo(self.plant.site.zone)

    @cached_property
    def rules(self) -> Mapping[str, Rule]:
        """The rules in force, by id."""
        return {rule.id: rule for rule in self.office.deps.configuration.rules()}

    def moment(self, ms: int) -> str:
        """A time with its date when that is not today."""
        return times.moment(ms, self.now if self.now is not None else ms, self.zone, self.language)

    def day(self, ms: int) -> str:
        """A date."""
        return times.day(ms, self.now if self.now is not None else ms, self.zone, self.language)

    def clock(self, ms: int) -> str:
        """A time of day."""
        return times.clock(ms, self.zone)

    def ago(self, ms: int) -> str:
        """How long ago, on the plant clock."""
        return times.ago(ms, self.now if self.now is not None else ms, self.language)

    def text(self, text: Text) -> str:
        """A text in this page's language."""
        return self.language.of(text)

    def gettext(self, message: str) -> str:
        """A message of the catalogue, for the few that code and not a template chooses."""
        return translations()[self.language].gettext(message)

    def machine(self, id: str) -> str:
        """The name of an equipment; its id when the site no longer has it."""
        found = self.plant.site.equipment.get(id)
        return id if found is None else self.text(found.text)

    @property
    def signed_in(self) -> Actor:
        """Who asks, on a page that takes a role."""
        if self.caller is None:
            raise NotSignedIn("this page takes somebody who has signed in")
        return self.caller

    @property
    def here(self) -> str:
        """Path and query of this page, to come back to."""
        url = self.request.url
        return f"{url.path}?{url.query}" if url.query else url.path

    def render(self, name: str, /, status: int = 200, **values: object) -> HTMLResponse:
        """The template as a response."""
        html = self.templates.render(name, self.language, {"page": self, **values})
        # Private, and true for one moment only; going back shows it again, and live.js refreshes it.
        return HTMLResponse(html, status, {"Cache-Control": "no-store", "Vary": "Cookie, Accept-Language"})


def open_page(request: Request, caller: Actor | None, counts: Mapping[str, int] | None = None) -> Page:
    """The page a request asks for, without asking the ledger anything."""
    office: Office = request.app.state.office
    live = office.deps.live.look()
    theme = request.cookies.get(THEME_COOKIE, "auto")
    return Page(
        request,
        office,
        request.app.state.templates,
        caller,
        choose(request.cookies.get(COOKIE), request.headers.get("accept-language", "")),
        theme if theme in THEMES else "auto",
        office.deps.configuration.plant(),
        None if live.plant_time == NEVER else live.plant_time,
        live.listening,
        counts or {},
    )


async def _page(request: Request, office: AnOffice, caller: Caller) -> Page:
    return open_page(request, caller, await office.read(badge_counts))


def _public_page(request: Request) -> Page:
    return open_page(request, None)


APage = Annotated[Page, Depends(_page)]
"""A page for somebody who has signed in, with the counts beside the menu's entries."""

APublicPage = Annotated[Page, Depends(_public_page)]
"""A page for anybody."""

Values = dict[str, Any]

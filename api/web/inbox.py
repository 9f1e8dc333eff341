"""The alarm inbox: what, where, since when, how bad, who has it; acknowledged one by one or all that a filter finds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Annotated
from urllib.parse import urlencode

from fastapi import Form, Path, Query
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from pydantic import BeforeValidator, Field

from api.asks import AlarmsFilterAsk
from api.finding import area_of
from api.shapes import Ask, SeverityName
from api.web.home import area_text
from api.web.preferences import local_path
from api.web.render import APage, Page, Values
from api.web.rows import Concern, Words, in_words, open_alarm, with_proofs
from maintenance.deadlines import HOUR
from maintenance.ledger import alarmdesk, mutes, queries
from maintenance.ledger.queries import AlarmFilter, AlarmState
from maintenance.ledger.rows import Mute
from plant.errors import BadInput
from plant.severity import Severity

PAGE = 50
AlarmId = Annotated[int, Path(ge=1, le=2**63 - 1)]
Ids = Annotated[list[Annotated[int, Field(ge=1, le=2**63 - 1)]], Form(max_length=alarmdesk.MOST_AT_ONCE)]
Next = Annotated[str, Form(max_length=2_000)]


class View(StrEnum):
    """The tabs of the inbox."""

    ACTIVE = "active"
    UNACKED = "unacked"
    RETURNED = "returned"
    SHELVED = "shelved"
    ALL = "all"


def _none_for_empty(value: object) -> object:
    """What a form's select sends for its first line."""
    return None if value == "" else value


class InboxAsk(Ask):
    """Which alarms: all of it stands in the address, so that going back finds it again."""

    view: View = View.ACTIVE
    severity: Annotated[SeverityName | None, BeforeValidator(_none_for_empty)] = None
    area: Annotated[str | None, BeforeValidator(_none_for_empty)] = Field(None, max_length=200)
    q: str = Field("", max_length=100)
    cursor: str | None = Field(None, pattern=r"^[0-9]{1,18}$")

    def address(self, **changed: object) -> str:
        """The inbox with some of it changed, from its first page on."""
        wanted = {"view": self.view.value, "severity": self.severity, "area": self.area, "q": self.q} | changed
        kept = {name: value for name, value in wanted.items() if value not in (None, "") and value != View.ACTIVE.value}
        return "/alarms" + (f"?{urlencode(kept)}" if kept else "")

    def filter(self) -> AlarmsFilterAsk:
        """The same in the API's words."""
        states = {View.ACTIVE: AlarmState.ACTIVE, View.UNACKED: AlarmState.UNACKED, View.RETURNED: AlarmState.RETURNED}
        return AlarmsFilterAsk(
            state=states.get(self.view),
            severity=self.severity,
            area=self.area,
            text=self.q or None,
            shelved={View.SHELVED: True, View.ALL: None}.get(self.view, False),
        )


@dataclass(frozen=True, slots=True)
class Tab:
    """A tab with how many alarms it holds; None where that only grows."""

    view: View
    count: int | None


async def show_inbox(page: APage, ask: Annotated[InboxAsk, Query()]) -> HTMLResponse:
    """The inbox."""
    return page.render("inbox.html", **await _values(page, ask))


async def live_inbox(page: APage, ask: Annotated[InboxAsk, Query()]) -> HTMLResponse:
    """The part of the inbox that changes."""
    return page.render("inbox_live.html", **await _values(page, ask))


async def show_alarm(page: APage, id: AlarmId) -> HTMLResponse:
    """One alarm with its evidence; one that has a ticket shows where that is."""
    concern = await page.office.read(open_alarm, id)
    same = await page.office.read(
        queries.list_alarms, AlarmFilter(equipment=concern.alarm.equipment, rule=concern.alarm.rule), limit=20
    )
    shelf = await _shelf(page)
    return page.render(
        "alarm.html",
        words=in_words(concern, page.plant, page.rules),
        rule=page.rules.get(concern.alarm.rule),
        same=[alarm for alarm in same.items if alarm.id != id],
        shelved=shelf.get((concern.alarm.equipment, concern.alarm.rule)),
    )


async def acknowledge(
    page: APage,
    id: Ids = [],  # noqa: B006 - FastAPI makes a new one for each request
    matching: Annotated[str, Form(max_length=2_000)] = "",
    up_to: Annotated[int, Form(ge=0, le=2**63 - 1)] = 0,
    next: Next = "/alarms",
) -> Response:
    """Acknowledge the alarms that are ticked, or all that the filter of `matching` finds up to alarm `up_to`."""
    caller = page.signed_in
    if matching:
        which, left = _filter(page, InboxAsk.model_validate_json(matching)), 1
        while left:
            left = (await page.office.record(alarmdesk.acknowledge_matching, which, up_to, caller)).remaining
    else:
        await page.office.record(alarmdesk.acknowledge, id, caller)
    return RedirectResponse(local_path(next), 303)


async def shelve(
    page: APage,
    id: Ids,
    reason: Annotated[str, Form(max_length=500)] = "",
    hours: Annotated[int, Form(ge=1, le=24)] = 2,
    next: Next = "/alarms",
) -> Response:
    """Hold the notices of these alarms for some hours."""
    if not reason.strip():
        raise BadInput(page.gettext("请选择搁置的原因"))
    quiet = alarmdesk.Quiet(page.office.now() + hours * HOUR, reason)
    for one in id:
        await page.office.record(alarmdesk.shelve, one, quiet, page.signed_in)
    return RedirectResponse(local_path(next), 303)


async def unshelve(page: APage, id: Ids, next: Next = "/alarms") -> Response:
    """Take these alarms off the shelf."""
    for one in id:
        await page.office.record(alarmdesk.unshelve, one, page.signed_in)
    return RedirectResponse(local_path(next), 303)


async def _values(page: Page, ask: InboxAsk) -> Values:
    office = page.office
    which = _filter(page, ask)
    found = await office.read(queries.list_alarms, which, cursor=ask.cursor, limit=PAGE)
    concerns = await office.read(with_proofs, found.items)
    shelf = await _shelf(page)
    return {
        "ask": ask,
        "rows": [(in_words(one, page.plant, page.rules), shelf.get(_key(one))) for one in _ordered(concerns)],
        "following": found.next,
        "tabs": await _tabs(page, ask),
        "newest": max((alarm.id for alarm in found.items), default=0),
        "areas": sorted({area_of(machine) for machine in page.plant.site.equipment.values()}),
        "area_text": area_text,
        "may_shelve": _may_shelve,
        "severities": list(Severity),
    }


async def _tabs(page: Page, ask: InboxAsk) -> Sequence[Tab]:
    every = _filter(page, ask.model_copy(update={"view": View.ALL}))
    open_, shelved = replace(every, shelved=False), replace(every, shelved=True)
    counts: Mapping[AlarmState, int] = await page.office.read(queries.alarm_counts, open_)
    on_shelf = await page.office.read(queries.alarm_counts, shelved)
    return (
        Tab(View.ACTIVE, counts[AlarmState.ACTIVE]),
        Tab(View.UNACKED, counts[AlarmState.UNACKED]),
        Tab(View.RETURNED, counts[AlarmState.RETURNED]),
        Tab(View.SHELVED, on_shelf[AlarmState.ACTIVE]),
        Tab(View.ALL, None),
    )


async def _shelf(page: Page) -> dict[tuple[str, str], Mute]:
    if page.now is None:
        return {}
    found = await page.office.read(mutes.in_force, page.now)
    return {(mute.equipment, mute.rule): mute for mute in found if mute.rule is not None}


def _filter(page: Page, ask: InboxAsk) -> AlarmFilter:
    return ask.filter().filter(page.plant, page.office.deps.configuration.rules(), page.now or 0)


def _key(concern: Concern) -> tuple[str, str]:
    return concern.alarm.equipment, concern.alarm.rule


def _ordered(concerns: Sequence[Concern]) -> list[Concern]:
    """Those not acknowledged first, then the gravest, then the newest."""
    return sorted(concerns, key=lambda c: (c.acknowledged, c.alarm.severity, -c.alarm.raised_at))


def _may_shelve(words: Words) -> bool:
    return words.concern.alarm.severity is not Severity.P1

"""The duty board: what is abnormal, who has it, what is due next; everything else is one line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fastapi.responses import HTMLResponse

from api.deps import HistoryReads
from api.finding import area_of
from api.web.render import APage, Page, Values
from api.web.rows import Concern, board, in_words
from api.web.words import AREAS
from maintenance.people import REPORTER
from maintenance.texts import PHRASES
from maintenance.ticket import Ticket
from plant.catalogue import Text
from plant.severity import Severity
from plant.site import Plant
from rules.model import Rule

_ACKNOWLEDGE = Text("确认时限", "to acknowledge")
_ARRIVE = Text("到场时限", "to be on site")
_RESTORE = Text("修复时限", "to restore")
_VERIFY = Text("验证时限", "to be proven")
_CLOSES = Text("预计自动关闭", "closes by itself")

_PHRASED = {text.zh: text for text in PHRASES.values()}
"""A report's title is stored in Chinese; this is how it is told in the other language."""

MOST_LOUD, MOST_OTHERS, MOST_JOBS = 3, 20, 10
"""More than this is a flood, which the inbox is for; the board says how many more there are."""

_GATEWAY, _SILENT = "gateway", "DQ-04"


@dataclass(frozen=True, slots=True)
class Job:
    """A ticket as a row: what, where, and which deadline comes next."""

    ticket: Ticket
    machine: str
    title: str
    due: int | None
    due_words: Text
    late: bool


@dataclass(frozen=True, slots=True)
class Area:
    """A part of the site that is not normal: its gravest alarm, and whether a gateway there is silent."""

    key: str
    text: Text
    worst: Severity | None
    silent: bool


@dataclass(frozen=True, slots=True)
class Gateways:
    """How many gateways say they are there, of how many."""

    online: int
    all: int


async def show_board(page: APage) -> HTMLResponse:
    """The duty board."""
    return page.render("board.html", **await _values(page))


async def live_board(page: APage) -> HTMLResponse:
    """The part of the duty board that changes."""
    return page.render("board_live.html", **await _values(page))


async def _values(page: Page) -> Values:
    office, plant = page.office, page.plant
    found = await office.read(board)
    concerns = [in_words(concern, plant, page.rules) for concern in found.concerns]
    shown = [words for words in concerns if words.concern.alarm.severity is not Severity.P4]
    loud, others = [w for w in shown if w.concern.loud], [w for w in shown if not w.concern.loud]
    gateways = await office.history(_gateways, office.deps.history, plant)
    areas = _areas(found.concerns, plant)
    machines = {id for id, machine in plant.site.equipment.items() if not machine.retired}
    tickets = [*found.working, *(concern.ticket for concern in found.concerns if concern.acknowledged)]
    return {
        "loud": loud[:MOST_LOUD],
        "others": others[:MOST_OTHERS],
        "hidden": max(0, len(loud) - MOST_LOUD) + max(0, len(others) - MOST_OTHERS),
        "advice": len(concerns) - len(shown),
        "normal": len(machines - {concern.alarm.equipment for concern in found.concerns}),
        "jobs": _jobs([ticket for ticket in tickets if ticket is not None], page)[:MOST_JOBS],
        "areas": areas,
        "quiet_areas": len({area_of(machine) for machine in plant.site.equipment.values()}) - len(areas),
        "gateways": gateways,
    }


def _jobs(tickets: Sequence[Ticket], page: Page) -> list[Job]:
    """The tickets with the nearest deadline first; those without one last."""
    now = page.now or 0
    jobs = [_job(ticket, page, now) for ticket in tickets]
    return sorted(jobs, key=lambda job: (job.due is None, job.due or 0))


def title_of(page: Page, ticket: Ticket, rule: Rule | None) -> str:
    """The rule's title; a ticket without a rule has one of its own, a report's among them in both languages."""
    if rule is not None:
        return page.text(rule.title)
    if ticket.opened_by == REPORTER.name and ticket.title in _PHRASED:
        return page.text(_PHRASED[ticket.title])
    return ticket.title or ticket.rule or ""


def _job(ticket: Ticket, page: Page, now: int) -> Job:
    due, words = next_due(ticket, now)
    rule = page.rules.get(ticket.rule or "")
    late = due is not None and due < now
    return Job(ticket, page.machine(ticket.equipment), title_of(page, ticket, rule), due, words, late)


def next_due(ticket: Ticket, now: int) -> tuple[int | None, Text]:
    """The time a ticket meets next, ms UTC, and what it is: while it is being proven, when that will be done."""
    if ticket.verify_by is not None:
        left = ticket.needed_ms - ticket.counted_ms
        return (now + left, _CLOSES) if 0 < left < ticket.verify_by - now else (ticket.verify_by, _VERIFY)
    if ticket.acknowledged_at is None and ticket.ack_due is not None:
        return ticket.ack_due, _ACKNOWLEDGE
    if ticket.started_at is None and ticket.arrive_due is not None:
        return ticket.arrive_due, _ARRIVE
    return ticket.restore_due, _RESTORE


def area_text(key: str) -> Text:
    """The name of an area; as it is written where we have no word for it."""
    return AREAS.get(key, Text(key, key))


def _areas(concerns: Sequence[Concern], plant: Plant) -> list[Area]:
    """Areas with something abnormal, the gravest first."""
    found: dict[str, list[Concern]] = {}
    for concern in concerns:
        machine = plant.site.equipment.get(concern.alarm.equipment)
        if machine is not None:
            found.setdefault(area_of(machine), []).append(concern)
    areas = []
    for key, mine in found.items():
        silent = any(concern.alarm.rule == _SILENT for concern in mine)
        areas.append(Area(key, area_text(key), min(concern.alarm.severity for concern in mine), silent))
    return sorted(areas, key=lambda area: (area.worst or Severity.P4, area.key))


def _gateways(history: HistoryReads, plant: Plant) -> Gateways:
    ids = [machine.id for machine in plant.site.equipment.values() if machine.type == _GATEWAY and not machine.retired]
    online = sum(1 for id in ids if history.latest(id).get("online_status", (0, 0.0, 0, 0))[1] > 0)
    return Gateways(online, len(ids))

"""Equipment in pages: the list by area, and one machine: does it run, how do its values lie, what is open."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from fastapi import Path, Query
from fastapi.responses import HTMLResponse
from pydantic import Field

from api.finding import area_of, called
from api.shapes import Ask
from api.web.home import area_text, title_of
from api.web.muting import mute_of
from api.web.render import APage, Page, Values
from api.web.rows import concerns_of, in_words, worst_by_machine
from api.web.values import ttl_ms, values_of
from maintenance.ledger.queries import TicketFilter, list_tickets
from plant.catalogue import Text
from plant.errors import NotFound
from plant.severity import Severity
from plant.site import Equipment

Newest = dict[str, tuple[int, float, int, int]]

_STATUS = (
    "chiller_run_status",
    "pump_status",
    "fan_status",
    "sf_status",
    "heater_status",
    "relay_status",
    "breaker_status",
)
MOST_LISTED = 150


class Run(StrEnum):
    """Whether a machine works."""

    RUNNING = "running"
    STOPPED = "stopped"
    UNHEARD = "unheard"
    """Its status, or for one without a status anything of it, is older than three intervals."""
    THERE = "there"
    """It has no status; it is heard."""


class MachinesAsk(Ask):
    """Which equipment to list."""

    area: str | None = Field(None, max_length=200)
    type: str | None = Field(None, max_length=100)
    q: str = Field("", max_length=100)


@dataclass(frozen=True, slots=True)
class Row:
    """One machine in the list."""

    machine: Equipment
    run: Run
    worst: Severity | None
    heard: int | None


@dataclass(frozen=True, slots=True)
class Group:
    """The machines of one area."""

    key: str
    text: Text
    rows: Sequence[Row]


async def list_machines(page: APage, ask: Annotated[MachinesAsk, Query()]) -> HTMLResponse:
    """Equipment by area, what is abnormal first."""
    plant = page.plant
    there = [machine for machine in plant.site.equipment.values() if not machine.retired and _matches(machine, ask)]
    worst = await page.office.read(worst_by_machine)
    # a wall of normal machines says nothing: many are shown area by area, and of all only what is abnormal
    whole = len(there) <= MOST_LISTED
    wanted = there if whole else [machine for machine in there if machine.id in worst][:MOST_LISTED]
    newest = await page.office.history(lambda: {m.id: page.office.deps.history.latest(m.id) for m in wanted})
    groups: dict[str, list[Row]] = {}
    for machine in wanted:
        row = Row(machine, run_of(page, machine, newest[machine.id]), worst.get(machine.id), _heard(newest[machine.id]))
        groups.setdefault(area_of(machine), []).append(row)
    return page.render(
        "machines.html",
        groups=[
            Group(key, area_text(key), sorted(rows, key=lambda row: (row.worst or 9, row.machine.path)))
            for key, rows in sorted(groups.items())
        ],
        ask=ask,
        hidden=len(there) - len(wanted),
        sizes=Counter(area_of(machine) for machine in there),
        areas=sorted({area_of(machine) for machine in plant.site.equipment.values()}),
        area_text=area_text,
    )


async def show_machine(page: APage, id: Annotated[str, Path(max_length=200)]) -> HTMLResponse:
    """One machine."""
    machine = page.plant.site.equipment.get(id)
    if machine is None:
        raise NotFound(f"there is no equipment {id}")
    mute = await mute_of(page, id)
    return page.render("machine.html", machine=machine, mute=mute, **await _machine_values(page, machine))


async def live_machine(page: APage, id: Annotated[str, Path(max_length=200)]) -> HTMLResponse:
    """The part of a machine's page that changes."""
    machine = page.plant.site.equipment.get(id)
    if machine is None:
        raise NotFound(f"there is no equipment {id}")
    return page.render("machine_live.html", machine=machine, **await _machine_values(page, machine))


async def _machine_values(page: Page, machine: Equipment) -> Values:
    office = page.office
    rules = office.deps.configuration.rules()
    mine = await office.read(concerns_of, machine.id)
    closed = await office.read(list_tickets, TicketFilter(equipment=machine.id), limit=5)
    newest, values = await office.history(values_of, office.deps.history, page.plant, machine, rules, page.now)
    return {
        "run": run_of(page, machine, newest),
        "hours": _hours(newest),
        "heard": _heard(newest),
        "area": area_text(area_of(machine)),
        "type": page.plant.catalogue.types[machine.type],
        "concerns": [in_words(concern, page.plant, page.rules) for concern in mine],
        "tickets": [(ticket, title_of(page, ticket, page.rules.get(ticket.rule or ""))) for ticket in closed.items],
        "bars": [value for value in values if value.bar is not None],
        "others": [value for value in values if value.bar is None],
        "relations": _relations(page, machine),
        "parameters": _parameters(page, machine),
    }


def _matches(machine: Equipment, ask: MachinesAsk) -> bool:
    return (
        (ask.area is None or area_of(machine) == ask.area)
        and (ask.type is None or machine.type == ask.type)
        and called(machine, ask.q)
    )


def run_of(page: Page, machine: Equipment, newest: Newest) -> Run:
    """Whether it runs, by its status; a status that is too old says nothing."""
    now = page.now or 0
    heard = _heard(newest)
    points = page.plant.points(machine)
    status = next((name for name in _STATUS if name in points), None)
    slowest = max((point.sampling.interval_ms for point in points.values()), default=60_000)
    if heard is None or now - heard > ttl_ms(machine.interval_ms or slowest):
        return Run.UNHEARD
    if status is None or status not in newest:
        return Run.THERE
    return Run.RUNNING if newest[status][1] > 0 else Run.STOPPED


def _hours(newest: Newest) -> int | None:
    """Run hours by the machine's own counter."""
    return round(newest["run_hours_total"][1]) if "run_hours_total" in newest else None


def _heard(newest: Newest) -> int | None:
    return max((reading[0] for reading in newest.values()), default=None)


def relation_text(name: str) -> Text:
    """What a relation is called; its own name where it has no words."""
    return _RELATIONS.get(name, Text(name, name))


def _relations(page: Page, machine: Equipment) -> list[tuple[Text, Sequence[Equipment]]]:
    equipment = page.plant.site.equipment
    return [
        (relation_text(name), [equipment[id] for id in ids if id in equipment])
        for name, ids in machine.relations.items()
    ]


def _parameters(page: Page, machine: Equipment) -> list[tuple[Text, float, str]]:
    known = page.plant.catalogue.types[machine.type].parameters
    return [(known[name].text, value, known[name].unit) for name, value in machine.parameters.items() if name in known]


_RELATIONS = {
    "cooled_by": Text("冷却由", "Cooled by"),
    "fed_by": Text("上游", "Fed by"),
    "part_of": Text("属于", "Part of"),
    "gateway": Text("网关", "Gateway"),
    "weather": Text("气象", "Weather"),
}

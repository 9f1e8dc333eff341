"""Ticket pages: the list with its filters in the address, my tickets by what is due, and one ticket."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated
from urllib.parse import urlencode
from uuid import uuid4

from fastapi import Path, Query
from fastapi.responses import HTMLResponse
from pydantic import Field
from sqlalchemy import Connection

from api.finding import area_of, equipment_in, named
from api.queries import TicketFile, ticket_file
from api.shapes import Ask, SeverityName
from api.ticket_shapes import moves_of
from api.web.home import Job, area_text, next_due, title_of
from api.web.muting import mute_of
from api.web.render import APage, Page, Values
from api.web.story import story
from api.web.ticketview import Past, case_of, proof_state, steps, subject
from maintenance.deadlines import DAY
from maintenance.ledger import queries, users
from maintenance.ledger.queries import LONGEST_PAGE, AlarmFilter, TicketFilter
from maintenance.ledger.rows import Alarm, Happening
from maintenance.ledger.tables import proofs
from maintenance.people import PEOPLE, Role
from maintenance.ticket import State, Ticket
from plant.catalogue import Text
from plant.severity import Severity

PAGE = 50
_LATELY_MS = 30 * DAY
TicketId = Annotated[str, Path(max_length=40)]

_MAIN: dict[State, State] = {
    State.OPEN: State.ACKNOWLEDGED,
    State.ACKNOWLEDGED: State.IN_PROGRESS,
    State.ON_HOLD: State.IN_PROGRESS,
}
"""The one move a page offers first; from being worked on it is to say that it is done."""


class Part(StrEnum):
    """The parts of a ticket's page that are asked for again when something happens."""

    HEAD = "head"
    CASE = "case"
    STORY = "story"


class View(StrEnum):
    """The tabs of the list."""

    OPEN = "open"
    MINE = "mine"
    PROVING = "proving"
    WAITING = "waiting"
    DONE = "done"


_STATES: dict[View, tuple[State, ...]] = {
    View.PROVING: (State.VERIFYING, State.PARKED),
    View.WAITING: (State.ON_HOLD,),
    View.DONE: (State.CLOSED, State.CANCELLED),
}


class JobsAsk(Ask):
    """Which tickets: all of it stands in the address, so that going back finds it again."""

    view: View = View.OPEN
    severity: SeverityName | None = None
    area: str | None = Field(None, max_length=200)
    equipment: str | None = Field(None, max_length=200)
    q: str = Field("", max_length=100)
    cursor: str | None = Field(None, pattern=r"^[0-9]{1,18}$")

    def address(self, **changed: object) -> str:
        """The list with some of it changed, from its first page on."""
        wanted = {"view": self.view.value, "severity": self.severity, "area": self.area} | {
            "equipment": self.equipment,
            "q": self.q,
        }
        kept = {name: value for name, value in (wanted | changed).items() if value not in (None, "", View.OPEN.value)}
        return "/tickets" + (f"?{urlencode(kept)}" if kept else "")


@dataclass(frozen=True, slots=True)
class Row:
    """A ticket in the list, with the name of its area."""

    job: Job
    area: Text | None


async def show_tickets(page: APage, ask: Annotated[JobsAsk, Query()]) -> HTMLResponse:
    """The list."""
    return page.render("tickets.html", **await _list(page, ask))


async def live_tickets(page: APage, ask: Annotated[JobsAsk, Query()]) -> HTMLResponse:
    """The part of the list that changes."""
    return page.render("tickets_live.html", **await _list(page, ask))


async def show_ticket(page: APage, id: TicketId) -> HTMLResponse:
    """One ticket."""
    return page.render("ticket.html", **await ticket_values(page, id))


async def live_ticket(page: APage, id: TicketId, part: Part) -> HTMLResponse:
    """A part of a ticket's page that changes; the forms between them stay, with what is typed in them."""
    return page.render(f"ticket_{part}.html", **await ticket_values(page, id))


async def ticket_values(page: Page, id: str) -> Values:
    """Everything the template of one ticket asks for."""
    file = await page.office.read(ticket_file, id)
    about = subject(page, file.ticket)
    past = await page.office.read(_past, file, page.now or 0)
    history = page.office.deps.history
    case = proving = None
    if about.machine is not None:
        case = await page.office.history(case_of, page, file, about, past)
        proving = await page.office.history(proof_state, page, file, about, history)
    mute = await mute_of(page, file.ticket.equipment)
    names = await page.office.read(_crew)
    return {
        "ticket": file.ticket,
        "title": title_of(page, file.ticket, about.rule),
        "file": file,
        "about": about,
        "area": None if about.machine is None else area_text(area_of(about.machine)),
        "steps": steps(file.ticket),
        "due": next_due(file.ticket, page.now or 0),
        "case": case,
        "proving": proving,
        "story": story(file.timeline, file.photos),
        "latched": latched(page, file),
        "mute": mute,
        "crew": names,
        "key": uuid4,
        "conflict": None,
        "draft": "",
        **_moves(page, file),
    }


def latched(page: Page, file: TicketFile) -> list[Alarm]:
    """The ticket's alarms that stay until somebody who has been there resets them."""
    standing = [alarm for alarm in file.alarms if alarm.cleared_at is None]
    return [alarm for alarm in standing if alarm.rule in page.rules and page.rules[alarm.rule].latching]


def _moves(page: Page, file: TicketFile) -> Values:
    """The caller's moves: the main one, and the others by where they lead."""
    ticket = file.ticket
    moves = {move.to for move in moves_of(ticket, page.signed_in)}
    done = State.VERIFYING if ticket.rule is not None else State.CLOSED
    main = done if ticket.state is State.IN_PROGRESS else _MAIN.get(ticket.state)
    return {
        "moves": moves,
        "main": main if main in moves else None,
        "done": done,
        "may_write": page.signed_in.at_least(Role.CREW),
    }


async def _list(page: Page, ask: JobsAsk) -> Values:
    rules = page.office.deps.configuration.rules()
    text = ask.q.strip() or None
    mine = ask.view is View.MINE
    which = TicketFilter(
        states=_STATES.get(ask.view),
        unfinished=ask.view in (View.OPEN, View.MINE),
        least=None if ask.severity is None else Severity[ask.severity],
        equipment=ask.equipment,
        equipments=equipment_in(page.plant, area=ask.area, type=None),
        of=page.signed_in.name if mine else None,
        text=text,
        named=named(text, page.plant, rules),
    )
    # Mine are few, and stand by what is due; the others are paged by when they were opened.
    limit = LONGEST_PAGE if mine else PAGE
    found = await page.office.read(queries.list_tickets, which, cursor=ask.cursor, limit=limit)
    rows = [_row(page, ticket) for ticket in found.items]
    if mine:
        rows.sort(key=lambda row: (row.job.due is None, row.job.due or 0))
    return {
        "rows": rows,
        "ask": ask,
        "next": None if found.next is None else ask.address(cursor=found.next),
        "views": list(View),
        "areas": sorted({area_of(machine) for machine in page.plant.site.equipment.values()}),
        "area_text": area_text,
    }


def _row(page: Page, ticket: Ticket) -> Row:
    now = page.now or 0
    due, words = (None, Text("", "")) if ticket.finished else next_due(ticket, now)
    about = subject(page, ticket)
    title, late = title_of(page, ticket, about.rule), bool(due and due < now)
    job = Job(ticket, page.machine(ticket.equipment), title, due, words, late)
    return Row(job, None if about.machine is None else area_text(area_of(about.machine)))


def _past(connection: Connection, file: TicketFile, now: int) -> Past:
    ticket = file.ticket
    lately = AlarmFilter(equipment=ticket.equipment, rule=ticket.rule, since=now - _LATELY_MS)
    again = 0 if ticket.rule is None else len(queries.list_alarms(connection, lately, limit=LONGEST_PAGE).items)
    return Past(_proof_after(connection, file), again)


def _proof_after(connection: Connection, file: TicketFile) -> bytes | None:
    """The proof that the fault was gone, once there is one that nothing came after."""
    if file.ticket.verified_at is None:
        return None
    newest = next(
        (row for row in reversed(file.timeline) if row.kind in (Happening.VERIFIED, Happening.VERIFY_FAILED)), None
    )
    if newest is None or newest.kind is not Happening.VERIFIED or newest.proof_hash is None:
        return None
    body = connection.execute(proofs.select().where(proofs.c.hash == newest.proof_hash)).mappings().first()
    return None if body is None else bytes(body["body"])


def _crew(connection: Connection) -> Sequence[str]:
    """Names of everybody who may work on a ticket."""
    working = PEOPLE[PEOPLE.index(Role.CREW) :]
    return [user.name for user in users.listed(connection) if user.role in working and not user.disabled]

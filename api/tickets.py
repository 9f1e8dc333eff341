"""Routes about tickets: the list, one with all that belongs to it, moves, chips, comments and proofs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

import msgspec
from fastapi import Path, Query
from pydantic import JsonValue

from api.access import Caller
from api.asks import TicketsAsk
from api.finding import known_equipment
from api.office import AnOffice, Office
from api.problems import TicketConflict
from api.queries import TicketFile, ticket_file
from api.shapes import Page
from api.ticket_shapes import (
    AlarmOut,
    AssignAsk,
    CauseAsk,
    ChangeAsk,
    CommentAsk,
    FaultReportOut,
    PhotoOut,
    TicketAsk,
    TicketFileOut,
    TicketOut,
    TimelineOut,
    TransitionAsk,
    VerdictAsk,
    Verification,
    moves_of,
)
from maintenance.ledger import acts, queries
from maintenance.ledger.acts import Report, Wish
from maintenance.ledger.rows import FaultReport
from maintenance.moves import Move
from maintenance.people import Actor, Role
from plant.errors import Conflict
from plant.severity import Severity

TicketId = Annotated[str, Path(max_length=40, description="e.g. WO-20261122-034")]
Hash = Annotated[str, Path(pattern=r"^[0-9a-f]{64}$", description="sha-256 of the canonical JSON, hex")]


async def list_tickets(office: AnOffice, ask: Annotated[TicketsAsk, Query()]) -> Page[TicketOut]:
    """Tickets, newest first."""
    configuration = office.deps.configuration
    which = ask.filter(configuration.plant(), configuration.rules())
    found = await office.read(queries.list_tickets, which, cursor=ask.cursor, limit=ask.limit)
    return Page(items=[TicketOut.model_validate(ticket) for ticket in found.items], next=found.next)


async def show_ticket(office: AnOffice, caller: Caller, id: TicketId) -> TicketFileOut:
    """One ticket with its timeline, proof, alarms, progress of its verification and the caller's moves."""
    return _shown(await office.read(ticket_file, id), caller)


async def open_ticket(office: AnOffice, caller: Caller, ask: TicketAsk) -> TicketOut:
    """Open a ticket on an alarm that has none, or on an equipment."""
    if ask.equipment is not None:
        known_equipment(office, ask.equipment)
    job = Report(ask.equipment or "", ask.title, Severity[ask.severity], ask.alarm)
    return TicketOut.model_validate(await office.record(acts.open_ticket, job, caller, ask.key))


async def move_ticket(office: AnOffice, caller: Caller, id: TicketId, ask: TransitionAsk) -> TicketOut:
    """Move a ticket. A 409 says where it stands, at which version, and which moves the caller has from there."""
    move = Move(ask.to, caller, office.now(), ask.reason, ask.resolution, ask.waiting_for, ask.key, ask.cause_code)
    async with explained(office, id, caller):
        moved = await office.act(office.deps.ledger.move_ticket, id, move, version=ask.version)
    return TicketOut.model_validate(moved)


async def comment_ticket(office: AnOffice, caller: Caller, id: TicketId, ask: CommentAsk) -> None:
    """Add a comment to a ticket's timeline; comments never conflict."""
    await office.record(acts.comment, Wish(id, caller, key=ask.key), ask.text)


async def assign_ticket(office: AnOffice, caller: Caller, id: TicketId, ask: AssignAsk) -> TicketOut:
    """Give a ticket to somebody, or to nobody."""
    async with explained(office, id, caller):
        return TicketOut.model_validate(await office.record(acts.assign, _wish(id, caller, ask), ask.assignee))


async def judge_ticket(office: AnOffice, caller: Caller, id: TicketId, ask: VerdictAsk) -> TicketOut:
    """Say whether the rule was right; it gives the rule its measured precision."""
    async with explained(office, id, caller):
        return TicketOut.model_validate(await office.record(acts.judge, _wish(id, caller, ask), ask.verdict))


async def diagnose_ticket(office: AnOffice, caller: Caller, id: TicketId, ask: CauseAsk) -> TicketOut:
    """Say what the cause was."""
    async with explained(office, id, caller):
        return TicketOut.model_validate(await office.record(acts.diagnose, _wish(id, caller, ask), ask.cause_code))


async def show_proof(office: AnOffice, hash: Hash) -> JsonValue:
    """A proof by its hash, as the engine froze it."""
    return _json(await office.read(queries.proof, hash))


@asynccontextmanager
async def explained(office: Office, id: str, caller: Actor) -> AsyncIterator[None]:
    """Makes a conflict about a ticket say where it stands now and which moves the caller has."""
    try:
        yield
    except Conflict as error:
        now = await office.read(queries.ticket, id)
        raise TicketConflict(str(error), state=now.state, version=now.version, moves=moves_of(now, caller)) from error


def _wish(id: str, caller: Actor, ask: ChangeAsk) -> Wish:
    return Wish(id, caller, ask.version, ask.key)


def _shown(file: TicketFile, caller: Actor) -> TicketFileOut:
    return TicketFileOut(
        **TicketOut.model_validate(file.ticket).__dict__,
        timeline=[TimelineOut.model_validate(row) for row in file.timeline],
        verification=Verification.model_validate(file.ticket),
        alarms=[AlarmOut.model_validate(alarm) for alarm in file.alarms],
        photos=[PhotoOut.model_validate(photo) for photo in file.photos],
        reports=[_report(report, caller) for report in file.reports],
        children=list(file.children),
        proof_hash=file.proof_hash,
        proof=None if file.proof is None else _json(file.proof),
        allowed=moves_of(file.ticket, caller),
    )


def _report(report: FaultReport, caller: Actor) -> FaultReportOut:
    shown = FaultReportOut.model_validate(report)
    return shown if caller.at_least(Role.CREW) else shown.model_copy(update={"phone": ""})


def _json(body: bytes) -> JsonValue:
    parsed: JsonValue = msgspec.json.decode(body)
    return parsed

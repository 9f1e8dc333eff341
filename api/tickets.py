"""Routes about tickets: the list, one with all that belongs to it, moves, comments and proofs."""

from __future__ import annotations

from typing import Annotated

import msgspec
from fastapi import Path, Query
from pydantic import JsonValue

from api.access import Caller
from api.asks import TicketsAsk
from api.office import AnOffice, Office
from api.problems import TicketConflict
from api.queries import TicketFile, ticket_file
from api.shapes import Page
from api.ticket_shapes import (
    AlarmOut,
    CommentAsk,
    TicketFileOut,
    TicketOut,
    TimelineOut,
    TransitionAsk,
    Verification,
    moves_of,
)
from maintenance.ledger import queries
from maintenance.moves import Move
from maintenance.people import Actor
from plant.errors import Conflict

TicketId = Annotated[str, Path(max_length=40, description="e.g. WO-20261122-034")]
Hash = Annotated[str, Path(pattern=r"^[0-9a-f]{64}$", description="sha-256 of the canonical JSON, hex")]


async def list_tickets(office: AnOffice, ask: Annotated[TicketsAsk, Query()]) -> Page[TicketOut]:
    """Tickets, newest first."""
    found = await office.read(queries.list_tickets, ask.filter(), cursor=ask.cursor, limit=ask.limit)
    return Page(items=[TicketOut.model_validate(ticket) for ticket in found.items], next=found.next)


async def show_ticket(office: AnOffice, caller: Caller, id: TicketId) -> TicketFileOut:
    """One ticket with its timeline, proof, alarms, progress of its verification and the caller's moves."""
    return _shown(await office.read(ticket_file, id), caller)


async def move_ticket(office: AnOffice, caller: Caller, id: TicketId, ask: TransitionAsk) -> TicketOut:
    """Move a ticket. A 409 says where it stands, at which version, and which moves the caller has from there."""
    move = Move(ask.to, caller, office.now(), ask.reason, ask.resolution)
    try:
        moved = await office.act(office.deps.ledger.move_ticket, id, move, version=ask.version)
    except Conflict as error:
        raise await _explained(office, id, caller, error) from error
    return TicketOut.model_validate(moved)


async def comment_ticket(office: AnOffice, caller: Caller, id: TicketId, ask: CommentAsk) -> None:
    """Add a comment to a ticket's timeline; comments never conflict."""
    await office.act(office.deps.ledger.comment, id, caller, ask.text, office.now())


async def show_proof(office: AnOffice, hash: Hash) -> JsonValue:
    """A proof by its hash, as the engine froze it."""
    return _json(await office.read(queries.proof, hash))


async def _explained(office: Office, id: str, caller: Actor, error: Conflict) -> TicketConflict:
    now = await office.read(queries.ticket, id)
    return TicketConflict(str(error), state=now.state, version=now.version, moves=moves_of(now, caller))


def _shown(file: TicketFile, caller: Actor) -> TicketFileOut:
    return TicketFileOut(
        **TicketOut.model_validate(file.ticket).__dict__,
        timeline=[TimelineOut.model_validate(row) for row in file.timeline],
        verification=Verification.model_validate(file.ticket),
        alarms=[AlarmOut.model_validate(alarm) for alarm in file.alarms],
        children=list(file.children),
        proof_hash=file.proof_hash,
        proof=None if file.proof is None else _json(file.proof),
        allowed=moves_of(file.ticket, caller),
    )


def _json(body: bytes) -> JsonValue:
    parsed: JsonValue = msgspec.json.decode(body)
    return parsed

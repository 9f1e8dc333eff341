"""Routes about alarms and about messages that became no reading."""

from __future__ import annotations

import base64
from typing import Annotated

from fastapi import Path, Query
from pydantic import Field

from api.access import Caller
from api.asks import AlarmsAsk, RejectsAsk
from api.office import AnOffice
from api.shapes import Instant, Page, Shape
from api.ticket_shapes import AlarmOut, ResetOut
from maintenance.ledger import queries, rejects
from maintenance.ledger.rows import Reject

AlarmId = Annotated[int, Path(ge=1, le=2**63 - 1)]


class RejectOut(Shape):
    """A message, or one value of it, that became no reading."""

    offset: int = Field(description="its place in the journal")
    received_at: Instant
    topic: str
    reason: str
    detail: str
    payload_base64: str = Field(description="at most the first 4,096 bytes")
    payload_text: str | None = Field(description="the same as text; null where it is not UTF-8")


async def list_alarms(office: AnOffice, ask: Annotated[AlarmsAsk, Query()]) -> Page[AlarmOut]:
    """Alarms, newest first."""
    found = await office.read(queries.list_alarms, ask.filter(), cursor=ask.cursor, limit=ask.limit)
    return Page(items=[AlarmOut.model_validate(alarm) for alarm in found.items], next=found.next)


async def reset_alarm(office: AnOffice, caller: Caller, id: AlarmId) -> ResetOut:
    """Reset a latched alarm: the engine is asked, and decides whether it clears."""
    return ResetOut(command=await office.act(office.deps.ledger.reset_alarm, id, caller, office.now()))


async def list_rejects(office: AnOffice, ask: Annotated[RejectsAsk, Query()]) -> Page[RejectOut]:
    """Rejected messages, newest first; of each reason the newest 10,000 are kept."""
    before = None if ask.cursor is None else int(ask.cursor)
    found = await office.read(rejects.listed, reason=ask.reason, before=before, limit=ask.limit + 1)
    page = found[: ask.limit]
    return Page(items=[_reject(row) for _, row in page], next=str(page[-1][0]) if len(found) > ask.limit else None)


def _reject(row: Reject) -> RejectOut:
    return RejectOut(
        offset=row.offset,
        received_at=row.received_at,
        topic=row.topic,
        reason=row.reason,
        detail=row.detail,
        payload_base64=base64.b64encode(row.payload).decode(),
        payload_text=_text(row.payload),
    )


def _text(payload: bytes) -> str | None:
    try:
        return payload.decode()
    except UnicodeDecodeError:
        return None

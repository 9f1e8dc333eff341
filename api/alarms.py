"""Routes about alarms, mutes, and messages that became no reading."""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import Annotated, Self

from fastapi import Path, Query
from pydantic import Field, model_validator

from api.access import Caller
from api.asks import AlarmsAsk, AlarmsFilterAsk, RejectsAsk
from api.finding import known_equipment
from api.office import AnOffice, Office
from api.shapes import Ask, Instant, Page, Shape
from api.ticket_shapes import AlarmOut, ResetOut
from maintenance.deadlines import MINUTE
from maintenance.ledger import alarmdesk, mutes, queries, rejects
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


class AlarmCounts(Shape):
    """How many alarms a filter finds in each state; `active` is unacked and acked together."""

    active: int
    unacked: int
    acked: int
    returned: int = Field(description="over, and nobody has acknowledged it")
    shelved: int = Field(description="of the active ones, those on the shelf now")


class AcknowledgeAsk(Ask):
    """Which alarms to acknowledge: these, or those a filter finds up to the newest one the caller has seen."""

    ids: list[Annotated[int, Field(ge=1, le=2**63 - 1)]] | None = Field(None, max_length=alarmdesk.MOST_AT_ONCE)
    filter: AlarmsFilterAsk | None = None
    up_to: int | None = Field(None, ge=1, le=2**63 - 1, description="with a filter: no alarm of a higher id")

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.ids is None) is (self.filter is None):
            raise ValueError("expected either ids, or filter with up_to")
        if (self.filter is None) is not (self.up_to is None):
            raise ValueError("filter and up_to go together: no alarm is acknowledged that nobody has seen")
        return self


class AcknowledgedOut(Shape):
    """What became of it. While `remaining` is not 0, ask again."""

    alarms: int = Field(description="newly acknowledged")
    already: int = Field(description="acknowledged before")
    remaining: int


class ShelveAsk(Ask):
    """For how long nobody is to be told, and why."""

    minutes: int = Field(ge=1, le=24 * 60)
    reason: str = Field(min_length=1, max_length=500, pattern=r"\S")


class MuteAsk(ShelveAsk):
    """Work on a machine; `ticket` is the work's, and ends the mute with it."""

    equipment: str
    ticket: str | None = None


class MuteOut(Shape):
    """Notices are held from `at` until `until`: of one rule on an equipment, or (`rule` null) of all but safety."""

    id: int
    equipment: str
    rule: str | None
    ticket: str | None
    at: Instant
    until: Instant
    author: str
    reason: str
    ended_at: Instant | None
    ended_by: str | None


async def list_alarms(office: AnOffice, ask: Annotated[AlarmsAsk, Query()]) -> Page[AlarmOut]:
    """Alarms, newest first."""
    found = await office.read(queries.list_alarms, _filter(office, ask), cursor=ask.cursor, limit=ask.limit)
    return Page(items=[AlarmOut.model_validate(alarm) for alarm in found.items], next=found.next)


async def count_alarms(office: AnOffice, ask: Annotated[AlarmsFilterAsk, Query()]) -> AlarmCounts:
    """How many alarms a filter finds in each state (its own `state` is passed over)."""
    which = _filter(office, ask)
    counts = await office.read(queries.alarm_counts, which)
    on_shelf = replace(which, shelved=True)
    shelved = (await office.read(queries.alarm_counts, on_shelf))[queries.AlarmState.ACTIVE]
    return AlarmCounts(**{state.value: count for state, count in counts.items()}, shelved=shelved)


async def acknowledge_alarms(office: AnOffice, caller: Caller, ask: AcknowledgeAsk) -> AcknowledgedOut:
    """Acknowledge alarms, and with each its ticket where that waits for it; at most 300 at once, again is no error."""
    if ask.ids is not None:
        done = await office.record(alarmdesk.acknowledge, ask.ids, caller)
    else:
        which = _filter(office, ask.filter or AlarmsFilterAsk())
        done = await office.record(alarmdesk.acknowledge_matching, which, ask.up_to or 0, caller)
    return AcknowledgedOut.model_validate(done)


async def acknowledge_alarm(office: AnOffice, caller: Caller, id: AlarmId) -> AcknowledgedOut:
    """Acknowledge one alarm, and its ticket where that waits for it."""
    return AcknowledgedOut.model_validate(await office.record(alarmdesk.acknowledge, [id], caller))


async def shelve_alarm(office: AnOffice, caller: Caller, id: AlarmId, ask: ShelveAsk) -> MuteOut:
    """Hold the notices of an alarm for a while, also when it comes again. A P1 or a safety rule is 409."""
    quiet = alarmdesk.Quiet(office.now() + ask.minutes * MINUTE, ask.reason)
    return MuteOut.model_validate(await office.record(alarmdesk.shelve, id, quiet, caller))


async def unshelve_alarm(office: AnOffice, caller: Caller, id: AlarmId) -> None:
    """Take an alarm off the shelf."""
    await office.record(alarmdesk.unshelve, id, caller)


async def list_mutes(office: AnOffice, equipment: str | None = None) -> list[MuteOut]:
    """Mutes in force now, shelved alarms among them; the one that ends first first."""
    found = await office.read(mutes.in_force, office.now(), equipment=equipment)
    return [MuteOut.model_validate(mute) for mute in found]


async def mute_equipment(office: AnOffice, caller: Caller, ask: MuteAsk) -> MuteOut:
    """Hold the notices of an equipment while it is worked on; P1 and safety rules are told all the same."""
    known_equipment(office, ask.equipment)
    quiet = alarmdesk.Quiet(office.now() + ask.minutes * MINUTE, ask.reason, ask.ticket)
    return MuteOut.model_validate(await office.record(alarmdesk.mute, ask.equipment, quiet, caller))


async def end_mute(office: AnOffice, caller: Caller, id: AlarmId) -> MuteOut:
    """End a mute before its time."""
    return MuteOut.model_validate(await office.record(alarmdesk.unmute, id, caller))


async def reset_alarm(office: AnOffice, caller: Caller, id: AlarmId) -> ResetOut:
    """Reset a latched alarm: the engine is asked, and decides whether it clears."""
    return ResetOut(command=await office.act(office.deps.ledger.reset_alarm, id, caller, office.now()))


def _filter(office: Office, ask: AlarmsFilterAsk) -> queries.AlarmFilter:
    configuration = office.deps.configuration
    now = office.deps.live.look().plant_time
    return ask.filter(configuration.plant(), configuration.rules(), now)


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

"""Routes about commissioning: how each machine stands, its checks, and the decision on its rules."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Path, Query
from pydantic import Field

from api.access import Caller
from api.finding import called, known_equipment
from api.office import AnOffice, Office
from api.shapes import Ask, Instant, KeysAsk, Page, Shape, Words, page_after
from maintenance.commissioning import (
    HOUR_MS,
    HOURS,
    MOST_HOURS,
    Cause,
    Check,
    Fault,
    Outcome,
    Report,
    Stage,
    check_stored,
    stage_of,
)
from maintenance.commissioning.words import ADVICE, CAUSES, CHECKS, advice_on
from maintenance.ledger import commissionings
from maintenance.ledger.commissionings import Commissioning, Ended
from maintenance.people import Actor
from plant.catalogue import Text
from plant.site import Equipment

EquipmentId = Annotated[str, Path(max_length=200)]


class FaultOut(Shape):
    """One thing wrong, and what to do about it."""

    cause: Cause
    title: Words
    advice: Words
    points: list[str]
    found: float | None = Field(description="the median found, in the point's unit; seconds for rates and clocks")
    expected: float | None = Field(description="what would be right, in the same unit")
    factor: float | None = Field(description="what values come out too large by; null where it is no factor")


class ResultOut(Shape):
    """One check of a machine. `advice` says what to wait for where there was not enough data."""

    check: Check
    title: Words
    outcome: Outcome
    advice: Words | None
    faults: list[FaultOut]


class ReportOut(Shape):
    """All checks of a machine over the readings of a time."""

    outcome: Outcome
    start: Instant = Field(serialization_alias="from")
    end: Instant = Field(serialization_alias="to")
    results: list[ResultOut]


class CommissioningOut(Shape):
    """A check or a decision: who and when. `released`: rules may open tickets from now on; null: nothing decided."""

    id: int
    at: Instant
    author: str
    released: bool | None
    reason: str
    report: ReportOut | None


@dataclass(frozen=True, slots=True)
class Stand:
    """How one machine stands; `last` is its newest check, `outcome` how that ended (None: never checked)."""

    machine: Equipment
    stage: Stage
    outcome: Outcome | None
    last: Ended | None

    @staticmethod
    def of(machine: Equipment, last: Ended | None) -> Stand:
        """As its newest check says."""
        outcome = None if last is None else last.outcome
        return Stand(machine, stage_of(machine.commissioned, outcome), outcome, last)


class StandOut(Shape):
    """How one machine stands. Until it is commissioned its rules observe."""

    equipment: str
    stage: Stage
    commissioned: bool
    outcome: Outcome | None = Field(description="of its newest check; null: never checked")
    checked_at: Instant | None
    author: str | None


class StandsAsk(KeysAsk):
    """Which machines. `q`: words that are all in its id, path or name."""

    stage: Stage | None = None
    q: str = Field("", max_length=100)


class CheckAsk(Ask):
    """How far to look back from now."""

    hours: float = Field(HOURS, gt=0, le=MOST_HOURS)


class DecideAsk(Ask):
    """A decision beside the check."""

    released: bool = Field(description="true: rules may open tickets; false: they observe until the next check passes")
    reason: str = Field(min_length=1, max_length=500)


async def list_commissioning(office: AnOffice, ask: Annotated[StandsAsk, Query()]) -> Page[StandOut]:
    """How each machine stands, by id."""
    found = [
        stand
        for stand in await stands(office)
        if (ask.stage is None or stand.stage is ask.stage) and called(stand.machine, ask.q)
    ]
    items, following = page_after(found, lambda stand: stand.machine.id, ask)
    return Page(items=[_stand(stand) for stand in items], next=following)


async def show_commissioning(office: AnOffice, id: EquipmentId) -> list[CommissioningOut]:
    """The newest twenty checks and decisions of one machine, newest first."""
    machine = known_equipment(office, id)
    return [told(line) for line in await office.read(commissionings.of_equipment, machine.id)]


async def check_commissioning(office: AnOffice, caller: Caller, id: EquipmentId, ask: CheckAsk) -> CommissioningOut:
    """Check a machine over its stored readings and keep the result; where it passes, it is commissioned."""
    return told(await checked(office, caller, id, ask.hours))


async def decide_commissioning(office: AnOffice, caller: Caller, id: EquipmentId, ask: DecideAsk) -> CommissioningOut:
    """Commission a machine beside its check, or withhold its rules, and say why."""
    desk = office.deps.commissioning
    decide = desk.release if ask.released else desk.withhold
    return told(await office.act(decide, id, ask.reason, caller))


async def stands(office: Office) -> list[Stand]:
    """Every machine in use and how it stands."""
    newest = await office.read(commissionings.newest_checks)
    machines = office.deps.configuration.plant().site.equipment.values()
    return [Stand.of(machine, newest.get(machine.id)) for machine in machines if not machine.retired]


async def checked(office: AnOffice, caller: Actor, id: str, hours: float) -> Commissioning:
    """Check now, and keep the result."""
    machine, end = known_equipment(office, id), office.now()
    plant = office.deps.configuration.plant()
    report = await office.history(
        check_stored, office.deps.history, plant, machine.id, end - round(hours * HOUR_MS), end
    )
    return await office.act(office.deps.commissioning.record, report, caller)


def told(line: Commissioning) -> CommissioningOut:
    """A line of the ledger with its words."""
    return CommissioningOut(
        id=line.id,
        at=line.at,
        author=line.author,
        released=line.released,
        reason=line.reason,
        report=None if line.report is None else _report(line.report),
    )


def _stand(stand: Stand) -> StandOut:
    last = stand.last
    return StandOut(
        equipment=stand.machine.id,
        stage=stand.stage,
        commissioned=stand.machine.commissioned,
        outcome=stand.outcome,
        checked_at=None if last is None else last.at,
        author=None if last is None else last.author,
    )


def _report(report: Report) -> ReportOut:
    results = [
        ResultOut(
            check=one.check,
            title=_words(CHECKS[one.check]),
            outcome=one.outcome,
            advice=_words(advice_on(one.check)) if one.outcome is Outcome.NOT_ENOUGH else None,
            faults=[_fault(fault) for fault in one.faults],
        )
        for one in report.results
    ]
    return ReportOut(outcome=report.outcome, start=report.start, end=report.end, results=results)


def _fault(fault: Fault) -> FaultOut:
    return FaultOut(
        cause=fault.cause,
        title=_words(CAUSES[fault.cause]),
        advice=_words(ADVICE[fault.cause]),
        points=list(fault.points),
        found=fault.found,
        expected=fault.expected,
        factor=fault.factor,
    )


def _words(text: Text) -> Words:
    return Words(zh=text.zh, en=text.en)

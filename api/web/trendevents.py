"""What happened while a trend ran: alarms and tickets of its machines, as events for lanes."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, or_, select

from api.web.charts import Box, Event, lane
from api.web.render import Page
from history.protocols import Buckets
from maintenance.ledger.occurrences import to_alarm
from maintenance.ledger.rows import Alarm
from maintenance.ledger.tables import alarms, tickets
from maintenance.texts import SEVERITIES, STATES
from maintenance.ticket import State
from plant.severity import Severity
from plant.site import Mode

MOST = 200
"""Of each kind; the latest are kept."""

_MOST_LANES = 5


@dataclass(frozen=True, slots=True)
class Job:
    """What a lane says of a ticket."""

    id: str
    equipment: str
    rule: str | None
    title: str
    severity: Severity
    state: State
    opened_at: int
    closed_at: int | None


@dataclass(frozen=True, slots=True)
class Happenings:
    """Alarms and tickets that overlap a time, the earliest first."""

    alarms: Sequence[Alarm]
    jobs: Sequence[Job]


def happenings(connection: Connection, machines: Collection[str], start: int, end: int) -> Happenings:
    """What overlaps [start, end) ms on these machines; alarms of rules in observe and suppressed effects left out."""
    raised = select(alarms).where(
        alarms.c.equipment.in_(machines),
        alarms.c.raised_at < end,
        or_(alarms.c.cleared_at.is_(None), alarms.c.cleared_at > start),
        alarms.c.mode == Mode.LIVE,
        alarms.c.suppressed.is_(False),
    )
    opened = select(tickets).where(
        tickets.c.equipment.in_(machines),
        tickets.c.opened_at < end,
        or_(tickets.c.closed_at.is_(None), tickets.c.closed_at > start),
    )
    found = connection.execute(raised.order_by(alarms.c.raised_at.desc()).limit(MOST)).mappings().all()
    jobs = connection.execute(opened.order_by(tickets.c.opened_at.desc()).limit(MOST)).all()
    return Happenings(
        [to_alarm(row) for row in reversed(found)],
        [
            Job(r.id, r.equipment, r.rule, r.title, r.severity, r.state, r.opened_at, r.closed_at)
            for r in reversed(jobs)
        ],
    )


@dataclass(frozen=True, slots=True)
class Lane:
    """A row of events; `runs` are states of a machine."""

    name: str
    boxes: Sequence[Box]
    runs: bool = False


def lanes_of(page: Page, found: Happenings, when: tuple[int, int], *, several: bool) -> list[Lane]:
    """Alarms, then tickets, each in as many rows as overlap; `several` machines are named in every box."""
    titles = {rule.id: page.text(rule.title) for rule in page.office.deps.configuration.rules()}

    def named(equipment: str, text: str) -> str:
        return f"{page.machine(equipment)} · {text}" if several else text

    raised = [
        Event(
            alarm.raised_at,
            alarm.cleared_at,
            f"{page.text(SEVERITIES[alarm.highest])} {named(alarm.equipment, titles.get(alarm.rule, alarm.rule))}",
            alarm.highest,
            f"/tickets/{alarm.ticket}" if alarm.ticket else f"/alarms/{alarm.id}",
        )
        for alarm in found.alarms
    ]
    jobs = [
        Event(
            job.opened_at,
            job.closed_at,
            f"{page.text(STATES[job.state])} {named(job.equipment, titles.get(job.rule or '', job.title))}",
            href=f"/tickets/{job.id}",
        )
        for job in found.jobs
    ]
    rows = [(page.gettext("告警"), row) for row in stacked(raised)]
    rows += [(page.gettext("工单"), row) for row in stacked(jobs)]
    return [Lane(name, lane(row, *when)) for name, row in rows]


def stacked(events: Sequence[Event]) -> list[list[Event]]:
    """Rows in which no two overlap, in order of their beginning; the last row takes whatever is left."""
    rows: list[list[Event]] = []
    for event in events:
        free = next((row for row in rows if row[-1].end is not None and row[-1].end <= event.start), None)
        if free is not None:
            free.append(event)
        elif len(rows) < _MOST_LANES:
            rows.append([event])
        else:
            rows[-1].append(event)
    return rows


def states(buckets: Buckets, end: int, label: str) -> list[Event]:
    """Where a point of two values was on."""
    events: list[Event] = []
    since: int | None = None
    for start, mean in zip(buckets.start.tolist(), buckets.mean.tolist(), strict=True):
        if math.isfinite(mean) and (mean > 0) != (since is not None):
            if since is not None:
                events.append(Event(since, start, label))
            since = start if mean > 0 else None
    return events if since is None else [*events, Event(since, end, label)]

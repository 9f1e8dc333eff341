"""A `for: 30m` that is 29 minutes in when the service is killed fires one minute later."""

from __future__ import annotations

from pathlib import Path

from ingest.decoders.sparkplug.address import NAMESPACE
from maintenance.ledger import queries
from maintenance.ledger.queries import AlarmFilter
from maintenance.ledger.rows import Alarm
from tests.faults import campus
from tests.faults.campus import MINUTE_MS, START
from tests.faults.run import Plan, Run, opened, status

MACHINE, RULE = "ahu-1", "AH-FC13"
ONSET = START + 31 * MINUTE_MS
"""The fault is there from the start; the gate opens after 30 min of it, and at the next instant the verdict is true."""
KILLED = ONSET + 29 * MINUTE_MS
FIRES = ONSET + 30 * MINUTE_MS


def killed_at_29_minutes(folder: Path) -> tuple[list[Alarm], list[Alarm], dict[str, int]]:
    """Alarms of the rule just before the kill, and a minute after; and what the service said of itself before it."""
    plan = Plan("29 of 30 minutes", 1, minutes=63, pace=400.0)
    with opened(plan, folder) as run:
        before: list[Alarm] = []
        known: dict[str, int] = {}
        for now, said in campus.steps(campus.plant(), plan.seed, plan.minutes):
            # it speaks through an edge node, whose running number counts the messages of all its devices
            run.step(now, tuple(item for item in said if item.topic.startswith(NAMESPACE)))
            if now == KILLED:
                run.passed(now)
                before, known = _alarms(run), status(run.ran.folder)
                run.service.strike()
        run.passed(START + plan.minutes * MINUTE_MS)
        after = _alarms(run)
        run.close()
    return before, after, known


def _alarms(run: Run) -> list[Alarm]:
    return list(run.ledger.read(queries.list_alarms, AlarmFilter(equipment=MACHINE, rule=RULE)).items)

"""SLA clocks of DOMAIN §1.3 on a working calendar, and what happens when they pass."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from zoneinfo import ZoneInfo

import pytest

from maintenance.deadlines import Calendar, deadlines
from maintenance.lifecycle import Due, escalated, strike, wake_at, with_deadlines
from maintenance.ticket import State, Ticket
from plant.instants import parse_instant
from plant.severity import Severity
from tests.unit.maintenance.builders import DAY, HOUR, MINUTE, T0, ticket

SHANGHAI = ZoneInfo("Asia/Shanghai")
CALENDAR = Calendar(SHANGHAI)


@pytest.mark.parametrize(
    ("severity", "acknowledge", "arrive", "restore"),
    [
        (Severity.P1, 5 * MINUTE, 30 * MINUTE, 2 * HOUR),
        (Severity.P2, 30 * MINUTE, 4 * HOUR, 24 * HOUR),
        # T0 is Monday 10:00; the next working day ends on Tuesday at 18:00, 32 h later.
        (Severity.P3, 8 * HOUR, 32 * HOUR, 72 * HOUR),
        (Severity.P4, None, None, 14 * DAY),
    ],
    ids=str,
)
def test_deadlines_by_severity(
    severity: Severity, acknowledge: int | None, arrive: int | None, restore: int | None
) -> None:
    due = deadlines(severity, T0, CALENDAR)

    assert (due.acknowledge, due.arrive, due.restore) == tuple(
        None if wait is None else T0 + wait for wait in (acknowledge, arrive, restore)
    )


@pytest.mark.parametrize(
    ("opened", "expected"),
    [
        ("2026-11-27T20:00:00+08:00", "2026-11-30T18:00:00+08:00"),  # Friday: not Saturday, not Sunday
        ("2026-09-30T09:00:00+08:00", "2026-10-08T18:00:00+08:00"),  # over the holiday week
        ("2026-10-09T09:00:00+08:00", "2026-10-10T18:00:00+08:00"),  # Saturday the 10th is a make-up workday
    ],
)
def test_the_next_working_day_knows_weekends_holidays_and_make_up_days(opened: str, expected: str) -> None:
    holidays = frozenset(date(2026, 10, day) for day in range(1, 8))
    calendar = Calendar(SHANGHAI, days_off=holidays, days_on=frozenset({date(2026, 10, 10)}))

    assert calendar.end_of_next_working_day(parse_instant(opened)) == parse_instant(expected)


def _told(start: Ticket, now: int) -> list[tuple[Due, int]]:
    told = []
    struck = strike(start, now)
    while struck is not None:
        told.append((struck.what, struck.at))
        struck = strike(struck.ticket, now)
    return told


def test_an_unacknowledged_p1_is_told_of_at_5_minutes_and_every_15_after() -> None:
    waiting = with_deadlines(ticket(severity=Severity.P1), T0, CALENDAR)
    first = strike(waiting, T0 + 5 * MINUTE)

    assert strike(waiting, T0 + 5 * MINUTE - 1) is None
    assert first is not None
    assert (first.what, wake_at(first.ticket)) == (Due.ACKNOWLEDGE, T0 + 20 * MINUTE)


def test_after_a_long_outage_each_deadline_is_told_once() -> None:
    waiting = with_deadlines(ticket(severity=Severity.P1), T0, CALENDAR)

    assert _told(waiting, T0 + DAY) == [
        (Due.ACKNOWLEDGE, T0 + 5 * MINUTE),
        (Due.ARRIVE, T0 + 30 * MINUTE),
        (Due.RESTORE, T0 + 2 * HOUR),
    ]


def test_nobody_is_reminded_of_work_that_waits_for_its_proof() -> None:
    done = replace(with_deadlines(ticket(), T0, CALENDAR), state=State.VERIFYING, done_at=T0, acknowledged_at=T0)

    assert _told(done, T0 + 30 * DAY) == []


def test_a_parked_ticket_is_remembered_every_week() -> None:
    verifying = ticket(state=State.VERIFYING, acknowledged_at=T0, started_at=T0, done_at=T0, verify_by=T0 + 3 * DAY)

    parked = strike(verifying, T0 + 3 * DAY)

    assert parked is not None
    assert (parked.what, parked.ticket.state) == (Due.PARKED, State.PARKED)
    assert _told(parked.ticket, T0 + 10 * DAY) == [(Due.STILL_PARKED, T0 + 10 * DAY)]
    assert _told(parked.ticket, T0 + 10 * DAY - 1) == []


def test_proof_that_waits_only_for_an_acknowledgement_is_not_parked() -> None:
    proven = ticket(severity=Severity.P1, state=State.VERIFYING, verify_by=T0 + DAY, verified_at=T0 + HOUR)

    assert _told(proven, T0 + 2 * DAY) == []


def test_escalating_moves_no_deadline_back_and_never_lowers() -> None:
    waiting = with_deadlines(ticket(severity=Severity.P3), T0, CALENDAR)

    graver = escalated(waiting, Severity.P2, T0 + 60 * HOUR, CALENDAR)

    assert graver is not None
    assert graver.severity is Severity.P2
    # P3's 8 h to acknowledge and 72 h to restore come before P2's 30 min and 24 h counted from hour 60.
    assert (graver.ack_due, graver.restore_due) == (T0 + 8 * HOUR, T0 + 72 * HOUR)
    assert escalated(graver, Severity.P3, T0 + 61 * HOUR, CALENDAR) is None

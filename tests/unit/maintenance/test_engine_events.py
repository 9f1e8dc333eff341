"""Events in, tickets out: each test is a paragraph of SEMANTICS §8 or §2."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from maintenance.ledger import Policy, Report, Route, outbox, queries
from maintenance.ledger.rows import Happening, NoticeKind
from maintenance.ticket import Resolution, State
from plant.severity import Severity
from plant.site import Mode
from rules.events import EventKind
from tests.unit.maintenance.builders import CREW, DAY, ENGINEER, HOUR, MINUTE, T0, Course, Desk, desk


def _states(office: Desk) -> list[tuple[str, State, Resolution | None]]:
    return [(job.equipment, job.state, job.resolution) for job in office.tickets()]


def _notices(office: Desk) -> list[NoticeKind]:
    return [notice.kind for notice in reversed(office.ledger.read(outbox.listed))]


def _work_and_done(office: Desk, id: str, at: int) -> None:
    office.move(id, State.IN_PROGRESS, at)
    office.move(id, State.VERIFYING, at)


# Opening


@pytest.mark.parametrize(
    ("course", "opened"),
    [
        (Course(severity=Severity.P1), True),
        (Course(severity=Severity.P3), True),
        (Course(severity=Severity.P4), False),
        (Course(mode=Mode.OBSERVE), False),
        (Course(cause="tower-1/CT-02"), False),
        (Course(cause="tower-1/CT-02", severity=Severity.P1), True),
    ],
    ids=["P1", "P3", "P4 is a list", "observed only", "waits for its cause", "P1 never waits"],
)
def test_which_alarms_open_a_ticket(office: Desk, course: Course, opened: bool) -> None:
    office.engine(course.raised())

    assert len(office.tickets()) == opened
    assert len(office.ledger.read(queries.list_alarms).items) == 1


def test_a_new_ticket_has_number_clocks_proof_and_notice(office: Desk) -> None:
    office.engine(Course().raised(), now=T0 + MINUTE)

    job = office.only()
    assert (job.id, job.state, job.version, job.severity) == ("WO-20261123-001", State.OPEN, 1, Severity.P2)
    assert (job.opened_at, job.ack_due) == (T0, T0 + MINUTE + 30 * MINUTE)
    assert _notices(office) == [NoticeKind.OPENED]
    opened = [row for row in office.history(job.id) if row.kind is Happening.OPENED]
    assert office.ledger.read(queries.proof, opened[0].proof_hash or "") == b"{}"


def test_numbers_run_within_the_day_of_the_site(office: Desk) -> None:
    late = T0 + 13 * HOUR + 59 * MINUTE  # 23:59 in Shanghai
    office.engine(*(Course(late, equipment=f"ch-{n}").raised() for n in (1, 2)))
    office.engine(Course(late + MINUTE, equipment="ch-3").raised())

    assert [job.id for job in office.tickets()] == ["WO-20261123-001", "WO-20261123-002", "WO-20261124-001"]


def test_a_released_alarm_opens_its_ticket_under_its_causes_ticket(office: Desk) -> None:
    cause = Course(T0, "tower-1", "CT-02")
    effect = Course(T0 + MINUTE, cause="tower-1/CT-02")
    office.engine(cause.raised(), effect.raised(), effect.released(T0 + HOUR))

    parent, child = office.tickets()
    assert (child.equipment, child.parent, child.cause) == ("ch-1", parent.id, "tower-1/CT-02")


def test_a_p1_opened_before_its_cause_is_adopted(office: Desk) -> None:
    office.engine(Course(T0, severity=Severity.P1, cause="tower-1/CT-02").raised())
    office.engine(Course(T0 + MINUTE, "tower-1", "CT-02").raised())

    child, parent = office.tickets()
    assert child.parent == parent.id


@pytest.mark.parametrize(
    ("first", "then", "severity"),
    [(Severity.P3, Severity.P2, Severity.P2), (Severity.P2, Severity.P3, Severity.P2)],
    ids=["rising escalates", "falling does not"],
)
def test_a_level_changes_the_same_ticket(office: Desk, first: Severity, then: Severity, severity: Severity) -> None:
    course = Course(severity=first)
    office.engine(course.raised(), course.level(T0 + MINUTE, then))

    assert office.only().severity is severity


def test_a_p4_that_rises_opens_a_ticket(office: Desk) -> None:
    course = Course(severity=Severity.P4)
    office.engine(course.raised(), course.level(T0 + MINUTE, Severity.P3))

    assert office.only().severity is Severity.P3


def test_a_suppressed_alarm_that_rises_to_p1_no_longer_waits(office: Desk) -> None:
    course = Course(severity=Severity.P2, cause="tower-1/CT-02")
    risen = course.level(T0 + MINUTE, Severity.P1)
    office.engine(course.raised(), risen, replace(risen, kind=EventKind.RELEASED, cause="tower-1/CT-02"))

    assert office.only().severity is Severity.P1
    assert Happening.JOINED not in [row.kind for row in office.history(office.only().id)]


def test_a_fault_that_comes_again_joins_the_ticket_being_worked(office: Desk) -> None:
    office.engine(Course().raised())
    office.move(office.only().id, State.IN_PROGRESS, T0 + MINUTE)
    office.engine(Course().cleared(T0 + HOUR), Course(T0 + 2 * HOUR).raised())

    job = office.only()
    assert job.state is State.IN_PROGRESS
    assert Happening.JOINED in [row.kind for row in office.history(job.id)]


# Closing by proof


def test_a_repair_said_to_be_done_closes_when_proven(office: Desk) -> None:
    office.engine(Course().raised())
    _work_and_done(office, office.only().id, T0 + HOUR)
    office.engine(Course().cleared(T0 + HOUR + MINUTE), Course().verified(T0 + 2 * HOUR))

    job = office.only()
    assert (job.state, job.resolution, job.closed_at) == (State.CLOSED, Resolution.VERIFIED, T0 + 2 * HOUR)
    assert (job.counted_ms, job.needed_ms) == (30 * MINUTE, 30 * MINUTE)


def test_a_repair_that_does_not_hold_re_opens_with_its_proof(office: Desk) -> None:
    office.engine(Course().raised())
    _work_and_done(office, office.only().id, T0 + HOUR)
    office.engine(Course().failed(T0 + 2 * HOUR))

    job = office.only()
    assert (job.state, job.done_at, job.reopened) == (State.IN_PROGRESS, None, 1)
    moved = office.history(job.id)[-1]
    assert (moved.source, moved.target, moved.proof_hash) == (
        State.VERIFYING,
        State.IN_PROGRESS,
        f"seen at {T0 + 2 * HOUR}",
    )
    assert _notices(office)[-1] is NoticeKind.VERIFY_FAILED


def test_what_was_seen_before_done_decides_nothing(office: Desk) -> None:
    office.engine(Course().raised())
    _work_and_done(office, office.only().id, T0 + HOUR)
    office.engine(Course().verified(T0 + HOUR - 1), now=T0 + HOUR)

    assert office.only().state is State.VERIFYING


def test_an_alarm_that_clears_before_work_verifies_and_closes_by_itself(office: Desk) -> None:
    office.engine(Course().raised(), Course().cleared(T0 + HOUR))
    assert office.only().state is State.VERIFYING

    office.engine(Course().verified(T0 + 2 * HOUR))
    assert _states(office) == [("ch-1", State.CLOSED, Resolution.SELF_CLEARED)]


def test_an_alarm_that_clears_while_the_ticket_waits_for_parts_verifies_too(office: Desk) -> None:
    office.engine(Course().raised())
    office.move(office.only().id, State.ON_HOLD, T0 + MINUTE, reason="no access")
    office.engine(Course().cleared(T0 + HOUR), Course().verified(T0 + 2 * HOUR))

    assert office.only().resolution is Resolution.SELF_CLEARED


def test_a_fault_seen_again_while_it_verifies_by_itself_is_open_again(office: Desk) -> None:
    office.engine(Course().raised(), Course().cleared(T0 + HOUR))
    again = Course(T0 + HOUR + MINUTE)
    office.engine(again.raised(), again.failed(again.raised_at))

    assert (office.only().state, office.only().reopened) == (State.OPEN, 1)


def test_a_p1_that_cleared_by_itself_waits_for_an_acknowledgement(office: Desk) -> None:
    course = Course(severity=Severity.P1)
    office.engine(course.raised(), course.cleared(T0 + MINUTE), course.verified(T0 + 20 * MINUTE))
    assert office.only().state is State.VERIFYING

    closed = office.move(office.only().id, State.ACKNOWLEDGED, T0 + HOUR)

    assert (closed.state, closed.resolution, closed.acknowledged_by) == (
        State.CLOSED,
        Resolution.SELF_CLEARED,
        "li.wei",
    )


def test_an_acknowledged_p1_closes_only_with_its_proof(office: Desk) -> None:
    course = Course(severity=Severity.P1)
    office.engine(course.raised(), course.cleared(T0 + MINUTE))
    job = office.move(office.only().id, State.ACKNOWLEDGED, T0 + 2 * MINUTE)
    assert job.state is State.VERIFYING

    office.engine(course.verified(T0 + 20 * MINUTE))
    assert office.only().resolution is Resolution.SELF_CLEARED


def test_a_proof_that_does_not_come_parks_the_ticket_and_the_first_one_decides(office: Desk) -> None:
    office.engine(Course().raised(), Course().cleared(T0 + MINUTE))
    office.engine(now=T0 + MINUTE + 3 * DAY)
    assert office.only().state is State.PARKED

    office.engine(Course().verified(T0 + 60 * DAY))
    assert office.only().resolution is Resolution.SELF_CLEARED


def test_a_parked_repair_that_fails_is_open_again(office: Desk) -> None:
    office.engine(Course().raised())
    _work_and_done(office, office.only().id, T0 + HOUR)
    office.engine(now=T0 + HOUR + 3 * DAY)
    office.engine(Course().failed(T0 + 60 * DAY))

    assert office.only().state is State.IN_PROGRESS


def test_a_parent_closes_when_its_children_have(office: Desk) -> None:
    cause = Course(T0, "tower-1", "CT-02")
    effect = Course(T0 + MINUTE, cause="tower-1/CT-02")
    office.engine(cause.raised(), effect.raised(), effect.released(T0 + 2 * MINUTE))
    office.engine(cause.cleared(T0 + HOUR), cause.verified(T0 + 2 * HOUR))
    assert [job.state for job in office.tickets()] == [State.VERIFYING, State.OPEN]

    office.engine(effect.cleared(T0 + 3 * HOUR), effect.verified(T0 + 4 * HOUR))
    assert [job.state for job in office.tickets()] == [State.CLOSED, State.CLOSED]


# Coming back


def _closed_at_2h(office: Desk) -> str:
    office.engine(Course().raised(), Course().cleared(T0 + HOUR), Course().verified(T0 + 2 * HOUR))
    return office.only().id


def test_a_fault_back_within_4_hours_is_the_same_ticket_with_new_clocks(office: Desk) -> None:
    first = _closed_at_2h(office)
    office.engine(Course(T0 + 6 * HOUR).raised())

    job = office.only()
    assert (job.id, job.state, job.reopened, job.resolution) == (first, State.OPEN, 1, None)
    assert (job.acknowledged_at, job.ack_due) == (None, T0 + 6 * HOUR + 30 * MINUTE)


@pytest.mark.parametrize(
    ("back_after", "linked"), [(4 * HOUR + 1, True), (14 * DAY, True), (14 * DAY + 1, False)], ids=str
)
def test_a_fault_back_within_14_days_is_linked(office: Desk, back_after: int, linked: bool) -> None:
    first = _closed_at_2h(office)
    office.engine(Course(T0 + 2 * HOUR + back_after).raised())

    _, again = office.tickets()
    assert again.repeat_of == (first if linked else None)
    assert again.failed_repair_of is None


@pytest.mark.parametrize(("back_after", "linked"), [(365 * DAY, True), (365 * DAY + 1, False)], ids=str)
def test_a_fault_within_a_year_of_an_unverified_closure_is_a_failed_repair(
    office: Desk, back_after: int, linked: bool
) -> None:
    office.engine(Course().raised())
    first = office.only().id
    _work_and_done(office, first, T0 + HOUR)
    office.move(first, State.CLOSED, T0 + 2 * HOUR, actor=ENGINEER, reason="no load before May")
    office.engine(Course(T0 + 2 * HOUR + back_after).raised())

    _, again = office.tickets()
    assert again.failed_repair_of == (first if linked else None)


def test_a_cancelled_ticket_stays_cancelled_when_the_fault_comes_back(office: Desk) -> None:
    office.engine(Course().raised())
    office.move(office.only().id, State.CANCELLED, T0 + MINUTE, actor=ENGINEER, reason="test run")
    office.engine(Course().cleared(T0 + HOUR), Course(T0 + 2 * HOUR).raised())

    assert [job.state for job in office.tickets()] == [State.CANCELLED, State.OPEN]


# Catching up


def test_an_alarm_over_before_catch_up_ends_closes_and_nobody_is_told(office: Desk) -> None:
    office.engine(Course().raised(), now=T0 + HOUR, catching_up=True)
    office.engine(Course().cleared(T0 + MINUTE), now=T0 + HOUR, catching_up=True)
    office.engine(now=T0 + HOUR)

    assert _states(office) == [("ch-1", State.CLOSED, Resolution.SELF_CLEARED)]
    assert _notices(office) == []


def test_a_ticket_still_open_when_catch_up_ends_is_told_of_then(office: Desk) -> None:
    office.engine(Course().raised(), now=T0 + HOUR, catching_up=True)
    assert _notices(office) == []
    assert office.only().ack_due == T0 + HOUR + 30 * MINUTE

    office.engine(now=T0 + HOUR + MINUTE)
    assert _notices(office) == [NoticeKind.OPENED]


def test_an_alarm_told_of_before_the_outage_verifies_as_ever(office: Desk) -> None:
    office.engine(Course().raised())
    office.engine(Course().cleared(T0 + MINUTE), now=T0 + HOUR, catching_up=True)

    assert office.only().state is State.VERIFYING


# Who is told, and what is recorded


def test_each_channel_hears_of_its_severities(tmp_path: Path) -> None:
    policy = Policy(routes=(Route("log"), Route("phone", Severity.P1)))
    with desk(tmp_path, policy) as office:
        office.engine(Course().raised(), Course(equipment="ch-2", severity=Severity.P1).raised())
        notices = office.ledger.read(outbox.listed)

    assert sorted((notice.channel, notice.ticket) for notice in notices) == [
        ("log", "WO-20261123-001"),
        ("log", "WO-20261123-002"),
        ("phone", "WO-20261123-002"),
    ]
    assert len({notice.key for notice in notices}) == 3


def test_progress_and_reminders_do_not_take_the_ticket_from_under_a_persons_hands(office: Desk) -> None:
    office.engine(Course().raised())
    version = office.only().version
    office.engine(replace(Course().event(EventKind.VERIFY_PROGRESS, T0 + HOUR), counted_ms=MINUTE), now=T0 + DAY)

    assert office.only().version == version
    assert Happening.OVERDUE in [row.kind for row in office.history(office.only().id)]


def test_unevaluable_and_back_is_a_flag_of_the_alarm(office: Desk) -> None:
    office.engine(Course().raised(), Course().event(EventKind.UNEVALUABLE, T0 + MINUTE))
    assert [alarm.unevaluable for alarm in office.ledger.read(queries.list_alarms).items] == [True]

    office.engine(Course().event(EventKind.EVALUABLE, T0 + 2 * MINUTE))
    assert [alarm.unevaluable for alarm in office.ledger.read(queries.list_alarms).items] == [False]


def test_the_projection_holds_what_replay_must_give_again(office: Desk) -> None:
    course = Course(severity=Severity.P3)
    suppressed = Course(T0 + MINUTE, "ch-2", cause="tower-1/CT-02")
    office.engine(course.raised(), suppressed.raised(), course.level(T0 + 2 * MINUTE, Severity.P2))
    office.engine(course.level(T0 + 3 * MINUTE, Severity.P3), course.cleared(T0 + HOUR))

    seen = office.ledger.projection()
    assert seen.alarms == (
        ("ch-1", "CH-04", "P2", T0 - MINUTE, T0, T0 + HOUR, f"proof of ch-1/CH-04@{T0}"),
        ("ch-2", "CH-04", "P2", T0, T0 + MINUTE, None, f"proof of ch-2/CH-04@{T0 + MINUTE}"),
    )
    assert seen.tickets == (("ch-1", "CH-04", "verifying", None, None),)


@pytest.mark.parametrize("cut", range(1, 6))
def test_where_the_journal_is_cut_does_not_matter(tmp_path: Path, cut: int) -> None:
    events = [
        Course().raised(),
        Course().cleared(T0 + HOUR),
        Course(T0 + 2 * HOUR, "ch-2").raised(),
        Course().verified(T0 + 4 * DAY),
        Course(T0 + 4 * DAY + HOUR).raised(),
        Course(T0 + 2 * HOUR, "ch-2").cleared(T0 + 5 * DAY),
    ]
    with desk(tmp_path) as whole:
        whole.engine(*events)
        expected = whole.ledger.projection()
    (tmp_path / "cut").mkdir()
    with desk(tmp_path / "cut") as parts:
        parts.engine(*events[:cut])
        parts.engine(*events[cut:])

        assert parts.ledger.projection() == expected


def test_a_person_makes_a_ticket_of_an_advisory(office: Desk) -> None:
    office.engine(Course(severity=Severity.P4).raised())
    (alarm,) = office.ledger.read(queries.list_alarms).items

    job = office.ledger.open_ticket(Report("ch-1", "clean the strainer", Severity.P3, alarm.id), CREW, T0 + HOUR)

    assert (job.rule, job.opened_by) == ("CH-04", "li.wei")
    assert office.ledger.read(queries.list_alarms).items[0].ticket == job.id

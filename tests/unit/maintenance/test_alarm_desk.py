"""Alarms in people's hands: acknowledged one or many, shelved, muted; verdicts and tickets go on meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, select

from maintenance.ledger import Policy, alarmdesk, mutes, outbox, queries, tables
from maintenance.ledger.alarmdesk import Quiet
from maintenance.ledger.queries import AlarmFilter, AlarmState, Named
from maintenance.ledger.rows import Alarm, Happening, Notice, NoticeState
from maintenance.ticket import State
from plant.errors import BadInput, Conflict, NotFound, NotPermitted
from plant.severity import Severity
from plant.site import Mode
from tests.unit.maintenance.builders import CREW, DAY, ENGINEER, HOUR, MINUTE, T0, VIEWER, Course, Desk, desk

SAFETY = "EL-16"


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Desk]:
    """A desk of a site where EL-16 guards people."""
    with desk(tmp_path, Policy(safety=frozenset({SAFETY}))) as fresh:
        yield fresh


def alarms(office: Desk, which: AlarmFilter | None = None) -> list[Alarm]:
    """Oldest first."""
    return list(reversed(office.ledger.read(queries.list_alarms, which).items))


def acknowledge(office: Desk, *ids: int, at: int = T0 + MINUTE) -> alarmdesk.Acknowledged:
    return office.ledger.act(at, alarmdesk.acknowledge, ids, CREW)


def notices(office: Desk) -> list[Notice]:
    """Oldest first."""
    return list(reversed(office.ledger.read(outbox.listed)))


def states(office: Desk) -> list[tuple[str, NoticeState]]:
    return [(notice.kind.value, notice.state) for notice in notices(office)]


# Acknowledging


def test_acknowledging_an_alarm_acknowledges_its_ticket(office: Desk) -> None:
    office.engine(Course().raised())

    assert acknowledge(office, 1) == alarmdesk.Acknowledged(1, 0)

    (alarm,), ticket = alarms(office), office.only()
    assert (alarm.acknowledged_at, alarm.acknowledged_by) == (T0 + MINUTE, CREW.name)
    assert (ticket.state, ticket.acknowledged_by) == (State.ACKNOWLEDGED, CREW.name)
    lines = [row for row in office.history(ticket.id) if row.author == CREW.name]
    assert [(row.kind, row.target) for row in lines] == [(Happening.MOVED, State.ACKNOWLEDGED)]


def test_acknowledging_again_changes_nothing_and_keeps_the_first_name(office: Desk) -> None:
    office.engine(Course().raised())
    acknowledge(office, 1)
    before = office.history(office.only().id)

    again = office.ledger.act(T0 + HOUR, alarmdesk.acknowledge, [1, 1], ENGINEER)

    assert again == alarmdesk.Acknowledged(0, 1)
    assert alarms(office)[0].acknowledged_by == CREW.name
    assert office.history(office.only().id) == before


def test_a_p4_without_a_ticket_is_acknowledged_on_its_own(office: Desk) -> None:
    office.engine(Course(severity=Severity.P4).raised())

    acknowledge(office, 1)

    assert alarms(office)[0].acknowledged_by == CREW.name
    assert office.tickets() == []
    newest = office.ledger.read(queries.feed)[-1]
    assert (newest.kind, newest.alarm, newest.author) == (Happening.ACKNOWLEDGED, 1, CREW.name)


def test_taking_the_ticket_acknowledges_its_alarms(office: Desk) -> None:
    office.engine(Course().raised())

    office.move(office.only().id, State.IN_PROGRESS, T0 + MINUTE)

    assert alarms(office)[0].acknowledged_by == CREW.name


def test_an_alarm_that_comes_again_waits_for_an_acknowledgement_of_its_own(office: Desk) -> None:
    first, again = Course(), Course(raised_at=T0 + HOUR)
    office.engine(first.raised())
    office.move(office.only().id, State.IN_PROGRESS, T0 + MINUTE)
    office.engine(first.cleared(T0 + 30 * MINUTE), again.raised())
    version = office.only().version

    assert acknowledge(office, 2, at=T0 + HOUR) == alarmdesk.Acknowledged(1, 0)

    assert [alarm.acknowledged_at for alarm in alarms(office)] == [T0 + MINUTE, T0 + HOUR]
    # the ticket was acknowledged long ago, so nobody who has it open on the phone meets a conflict
    assert office.only().version == version


def test_a_p1_that_cleared_by_itself_and_is_proven_closes_when_its_alarm_is_acknowledged(office: Desk) -> None:
    course = Course(severity=Severity.P1)
    office.engine(course.raised(), course.cleared(T0 + MINUTE), course.verified(T0 + HOUR))
    assert office.only().state is State.VERIFYING

    acknowledge(office, 1, at=T0 + 2 * HOUR)

    assert office.only().state is State.CLOSED


def test_three_hundred_are_acknowledged_at_once_and_not_one_more(office: Desk) -> None:
    office.engine(*(Course(equipment=f"fan-{n}", severity=Severity.P4).raised() for n in range(301)))

    with pytest.raises(BadInput, match="301 alarms at once; expected at most 300"):
        acknowledge(office, *range(1, 302))
    assert all(alarm.acknowledged_at is None for alarm in alarms(office))

    assert acknowledge(office, *range(1, 301)) == alarmdesk.Acknowledged(300, 0)


def test_a_missing_alarm_undoes_the_whole_request(office: Desk) -> None:
    office.engine(Course().raised())

    with pytest.raises(NotFound, match="there is no alarm 7"):
        acknowledge(office, 1, 7)

    assert alarms(office)[0].acknowledged_at is None


def test_by_a_filter_only_what_was_seen_is_acknowledged_and_the_rest_is_counted(office: Desk) -> None:
    office.engine(*(Course(equipment=f"fan-{n}", severity=Severity.P4).raised() for n in range(305)))
    which = AlarmFilter(state=AlarmState.UNACKED, rule="CH-04")

    done = office.ledger.act(T0, alarmdesk.acknowledge_matching, which, 303, CREW)
    rest = office.ledger.act(T0, alarmdesk.acknowledge_matching, which, 303, CREW)

    assert (done, rest) == (alarmdesk.Acknowledged(300, 0, 3), alarmdesk.Acknowledged(3, 0, 0))
    assert [alarm.id for alarm in alarms(office, which)] == [304, 305]


def test_a_viewer_acknowledges_nothing(office: Desk) -> None:
    office.engine(Course().raised())

    with pytest.raises(NotPermitted, match="guest is viewer; to acknowledge alarms takes crew or above"):
        office.ledger.act(T0, alarmdesk.acknowledge, [1], VIEWER)


# Lists


def test_states_of_alarms_are_told_apart_and_counted(office: Desk) -> None:
    gone = Course(equipment="ch-3", severity=Severity.P4)
    over = Course(equipment="ch-4", severity=Severity.P4)
    office.engine(Course().raised(), Course(equipment="ch-2").raised(), gone.raised(), over.raised())
    office.engine(gone.cleared(T0 + MINUTE), over.cleared(T0 + MINUTE))
    acknowledge(office, 2, 4)

    found = {state: [alarm.equipment for alarm in alarms(office, AlarmFilter(state=state))] for state in AlarmState}

    assert found == {
        AlarmState.ACTIVE: ["ch-1", "ch-2"],
        AlarmState.UNACKED: ["ch-1"],
        AlarmState.ACKED: ["ch-2"],
        AlarmState.RETURNED: ["ch-3"],
        AlarmState.CLEARED: ["ch-3", "ch-4"],
    }
    counts = office.ledger.read(queries.alarm_counts, AlarmFilter(state=AlarmState.CLEARED))
    assert counts == {state: len(names) for state, names in found.items() if state is not AlarmState.CLEARED}


def test_alarms_are_found_by_a_set_of_equipment_and_by_what_a_text_named(office: Desk) -> None:
    office.engine(Course().raised(), Course(equipment="ch-2").raised(), Course(equipment="t-1", rule="BH-01").raised())

    by_area = AlarmFilter(equipments=frozenset({"ch-1", "ch-2"}))
    by_text = AlarmFilter(named=Named(frozenset({"ch-1"}), frozenset({"BH-01"})))
    nothing = AlarmFilter(equipments=frozenset())

    assert [alarm.equipment for alarm in alarms(office, by_area)] == ["ch-1", "ch-2"]
    assert [alarm.equipment for alarm in alarms(office, by_text)] == ["ch-1", "t-1"]
    assert alarms(office, nothing) == []


# Shelving and muting


def shelve(office: Desk, id: int = 1, at: int = T0, until: int = T0 + 2 * HOUR) -> None:
    office.ledger.act(at, alarmdesk.shelve, id, Quiet(until, "chatters"), CREW)


def test_a_shelved_alarm_opens_its_ticket_and_holds_the_notice_also_when_it_comes_again(office: Desk) -> None:
    again = Course(raised_at=T0 + 30 * MINUTE, severity=Severity.P2)
    office.engine(Course(severity=Severity.P4).raised())
    shelve(office)

    office.engine(again.raised())

    assert [ticket.severity for ticket in office.tickets()] == [Severity.P2]
    assert states(office) == [("opened", NoticeState.HELD)]
    on_shelf = AlarmFilter(shelved=True, shelved_at=T0 + HOUR)
    assert [alarm.id for alarm in alarms(office, on_shelf)] == [1, 2]
    assert alarms(office, AlarmFilter(shelved=True, shelved_at=T0 + 2 * HOUR)) == []


def test_at_the_end_of_the_shelf_the_newest_notice_of_an_unfinished_ticket_goes_out(office: Desk) -> None:
    office.engine(Course(severity=Severity.P4).raised())
    shelve(office)
    office.engine(Course(raised_at=T0 + MINUTE).raised())  # a P2: to be acknowledged within 30 min
    office.engine(now=T0 + HOUR)
    assert states(office)[:2] == [("opened", NoticeState.HELD), ("acknowledge_overdue", NoticeState.HELD)]

    office.engine(now=T0 + 2 * HOUR)

    kinds = states(office)
    assert [state for _, state in kinds[:-1]] == [NoticeState.DROPPED] * (len(kinds) - 1)
    assert kinds[-1] == ("acknowledge_overdue", NoticeState.WAITING)
    assert office.ledger.read(_ends) == [(T0 + 2 * HOUR, "clock")]


def _ends(connection: Connection) -> list[tuple[int, str]]:
    return [(row.ended_at, row.ended_by) for row in connection.execute(select(tables.mutes))]


def test_of_a_ticket_that_came_and_went_on_the_shelf_nobody_is_told(office: Desk) -> None:
    office.engine(Course(severity=Severity.P4).raised())
    shelve(office, until=T0 + 3 * HOUR)
    course = Course(raised_at=T0 + MINUTE)
    office.engine(course.raised(), course.cleared(T0 + 5 * MINUTE), course.verified(T0 + HOUR))
    assert office.only().state is State.CLOSED

    office.engine(now=T0 + 3 * HOUR)

    assert {state for _, state in states(office)} == {NoticeState.DROPPED}


def test_who_was_told_of_the_opening_is_told_of_the_end(office: Desk) -> None:
    course = Course()
    office.engine(course.raised())
    shelve(office)
    office.engine(course.cleared(T0 + 5 * MINUTE), course.verified(T0 + HOUR))

    office.ledger.act(T0 + HOUR, alarmdesk.unshelve, 1, CREW)

    assert states(office) == [("opened", NoticeState.WAITING), ("closed", NoticeState.WAITING)]


@pytest.mark.parametrize("course", [Course(severity=Severity.P1), Course(rule=SAFETY)], ids=["P1", "safety rule"])
def test_what_guards_people_is_never_shelved(office: Desk, course: Course) -> None:
    office.engine(course.raised())

    with pytest.raises(Conflict, match="may not be shelved: it is P1 or guards people's safety"):
        shelve(office)


@pytest.mark.parametrize(("until", "reason"), [(T0, "x"), (T0 + DAY + 1, "x"), (T0 + HOUR, "  ")])
def test_a_mute_has_a_reason_and_an_end_within_a_day(office: Desk, until: int, reason: str) -> None:
    office.engine(Course().raised())

    with pytest.raises(BadInput, match=r"needs a reason|ends within 24 h"):
        office.ledger.act(T0, alarmdesk.shelve, 1, Quiet(until, reason), CREW)


def test_shelving_again_changes_the_end_and_leaves_one_entry(office: Desk) -> None:
    office.engine(Course().raised())
    shelve(office)
    shelve(office, until=T0 + HOUR)

    (mute,) = office.ledger.read(mutes.in_force, T0)
    assert (mute.equipment, mute.rule, mute.until, mute.author) == ("ch-1", "CH-04", T0 + HOUR, CREW.name)
    assert office.ledger.read(mutes.in_force, T0 + HOUR) == []


def test_a_mute_for_work_holds_the_machine_but_neither_p1_nor_safety(office: Desk) -> None:
    office.ledger.act(T0 - HOUR, alarmdesk.mute, "ch-1", Quiet(T0 + HOUR, "检修"), CREW)

    office.engine(
        Course().raised(),
        Course(rule="CH-08", severity=Severity.P1).raised(),
        Course(rule=SAFETY).raised(),
        Course(equipment="ch-2").raised(),
    )

    told = {(notice.ticket, notice.state) for notice in notices(office)}
    by_rule = {(ticket.equipment, ticket.rule): ticket.id for ticket in office.tickets()}
    assert told == {
        (by_rule["ch-1", "CH-04"], NoticeState.HELD),
        (by_rule["ch-1", "CH-08"], NoticeState.WAITING),
        (by_rule["ch-1", SAFETY], NoticeState.WAITING),
        (by_rule["ch-2", "CH-04"], NoticeState.WAITING),
    }


def test_a_mute_of_a_ticket_ends_with_its_work(office: Desk) -> None:
    office.engine(Course().raised())
    id = office.only().id
    office.move(id, State.IN_PROGRESS, T0 + MINUTE)
    office.ledger.act(T0 + MINUTE, alarmdesk.mute, "ch-1", Quiet(T0 + 8 * HOUR, "检修 8 小时", id), CREW)
    office.engine(Course(rule="CH-05", raised_at=T0 + HOUR).raised())

    office.move(id, State.VERIFYING, T0 + 2 * HOUR)

    assert office.ledger.read(mutes.in_force, T0 + 2 * HOUR) == []
    assert NoticeState.HELD not in {state for _, state in states(office)}


def test_what_another_mute_still_covers_stays_held(office: Desk) -> None:
    office.engine(Course(severity=Severity.P4).raised())
    shelve(office)
    made = office.ledger.act(T0, alarmdesk.mute, "ch-1", Quiet(T0 + HOUR, "检修"), CREW)
    office.engine(Course(raised_at=T0 + MINUTE).raised())

    office.ledger.act(T0 + 2 * MINUTE, alarmdesk.unmute, made.id, CREW)
    assert states(office) == [("opened", NoticeState.HELD)]

    office.ledger.act(T0 + 3 * MINUTE, alarmdesk.unshelve, 1, CREW)
    assert states(office) == [("opened", NoticeState.WAITING)]


def test_alarms_in_observe_are_shelved_like_any_other(office: Desk) -> None:
    office.engine(Course(mode=Mode.OBSERVE).raised())
    shelve(office)

    assert [mute.rule for mute in office.ledger.read(mutes.in_force, T0, equipment="ch-1")] == ["CH-04"]

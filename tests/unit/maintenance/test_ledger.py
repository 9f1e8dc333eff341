"""The ledger's promises: compare-and-set, one view, one winner, everything signed; bounded where the world is not."""

from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from ingest.repairs import Repair, RepairKind
from maintenance.ledger import EngineCommit, Ledger, Reject, Report, queries, rejects, repairs
from maintenance.ledger.rows import Happening
from maintenance.moves import Move
from maintenance.people import Actor, Role
from maintenance.ticket import State, Ticket, Verdict
from plant.errors import BadInput, Conflict, Corrupt, NotFound, NotPermitted
from plant.severity import Severity
from tests.unit.maintenance.builders import CREW, ENGINEER, HOUR, MINUTE, T0, VIEWER, Course, Desk

FIRST = EngineCommit("rules", "site", 0, 10, 0, T0, (Course().raised(),), (Reject(3, T0, "a/b", b"?", "bad_json"),))


# The engine's offset


def test_a_commit_moves_the_offset_with_its_effects(office: Desk) -> None:
    office.ledger.commit_engine(FIRST)

    assert office.ledger.offset("rules", "site") == 10
    assert office.ledger.offset("rules", "another site") == 0
    assert office.ledger.plant_now() == T0


def test_a_commit_repeated_after_a_crash_changes_nothing(office: Desk) -> None:
    office.ledger.commit_engine(FIRST)
    before = (office.ledger.projection(), office.ledger.read(queries.feed), office.ledger.read(rejects.counts))

    with pytest.raises(Conflict, match=r"expected offset 0, the ledger is at 10"):
        office.ledger.commit_engine(FIRST)

    assert (office.ledger.projection(), office.ledger.read(queries.feed), office.ledger.read(rejects.counts)) == before


def test_a_commit_that_fails_midway_leaves_nothing(office: Desk) -> None:
    dangling = replace(Course(equipment="ch-2").raised(), proof=None, proof_hash="never stored")

    with pytest.raises(Exception, match="FOREIGN KEY"):
        office.ledger.commit_engine(replace(FIRST, events=(Course().raised(), dangling)))

    assert office.ledger.offset("rules", "site") == 0
    assert office.tickets() == []
    assert office.ledger.read(queries.list_alarms).items == ()


def test_a_writer_that_lost_its_lease_commits_no_more(office: Desk) -> None:
    old = office.ledger.take_lease("rules", "site")
    new = office.ledger.take_lease("rules", "site")

    with pytest.raises(Conflict, match=r"holds lease 1, the ledger gave 2"):
        office.ledger.commit_engine(replace(FIRST, lease_epoch=old))
    office.ledger.commit_engine(replace(FIRST, lease_epoch=new))

    assert office.ledger.offset("rules", "site") == 10


def test_offsets_do_not_go_back(office: Desk) -> None:
    office.ledger.commit_engine(FIRST)

    with pytest.raises(Conflict, match="offsets only grow"):
        office.ledger.commit_engine(replace(FIRST, expected_offset=10, offset=9, events=(), rejects=()))


# Rejected messages


def test_rejects_are_kept_and_counted_by_reason_and_topic(office: Desk) -> None:
    topics = ("site/a/pump/1/telemetry", "site/a/pump/1/status", "site/a/pump/2/status")
    office.engine(now=T0, rejects=tuple(Reject(n, T0, topic, b"\xff", "bad_json") for n, topic in enumerate(topics)))

    kept = [reject for _, reject in office.ledger.read(rejects.listed, reason="bad_json")]
    assert [reject.topic for reject in kept] == list(reversed(topics))
    assert [(row.topic_prefix, row.count) for row in office.ledger.read(rejects.counts)] == [
        ("site/a/pump/1", 2),
        ("site/a/pump/2", 1),
    ]


def test_only_the_newest_of_each_reason_are_kept_but_all_are_counted(office: Desk) -> None:
    flood = tuple(Reject(n, T0, "t", b"", "bad_json") for n in range(rejects.KEPT + 5))
    office.engine(now=T0, rejects=(Reject(0, T0, "t", b"", "unknown_topic"), *flood))

    kept = office.ledger.read(rejects.listed, reason="bad_json", limit=rejects.KEPT + 10)
    assert (len(kept), kept[-1][1].offset) == (rejects.KEPT, 5)
    assert len(office.ledger.read(rejects.listed, reason="unknown_topic")) == 1
    assert [row.count for row in office.ledger.read(rejects.counts)] == [rejects.KEPT + 5, 1]


def test_topics_without_end_do_not_make_counters_without_end(office: Desk) -> None:
    many = tuple(Reject(n, T0, f"random/{n}", b"", "unknown_topic") for n in range(rejects.PREFIXES + 7))
    office.engine(now=T0, rejects=many)
    office.engine(now=T0, rejects=many[-3:])

    counts = {row.topic_prefix: row.count for row in office.ledger.read(rejects.counts)}
    assert len(counts) == rejects.PREFIXES + 1
    assert sum(counts.values()) == rejects.PREFIXES + 10


RESET = Repair(5, "ch-1", "energy_active_total", RepairKind.RESET, T0, 3.0, 503.0, 500.0, 500.0)


def test_a_repair_is_read_back_as_it_was_written(office: Desk) -> None:
    spike = Repair(6, "ch-1", "chw_supply_temp", RepairKind.SPIKE, T0, 40.0, 7.0, 7.0)
    office.engine(now=T0, repairs=(RESET, spike))

    assert [one for _, one in office.ledger.read(repairs.listed)] == [spike, RESET]
    assert [one for _, one in office.ledger.read(repairs.listed, kind=RepairKind.RESET)] == [RESET]
    assert office.ledger.read(repairs.listed, equipment="ch-2") == []


def test_a_sensor_that_spikes_all_day_pushes_out_no_reset_of_a_meter(office: Desk) -> None:
    many = tuple(
        Repair(n, "ch-1", "energy_active_total", RepairKind.SPIKE, T0 + n, 9.0, 7.0, 7.0)
        for n in range(repairs.KEPT + 3)
    )
    office.engine(now=T0, repairs=(RESET, *many[:200]))
    office.engine(now=T0, repairs=many[200:])

    kept = [one.offset for _, one in office.ledger.read(repairs.listed, kind=RepairKind.SPIKE, limit=9_999)]
    assert kept == [one.offset for one in reversed(many[3:])]
    assert len(office.ledger.read(repairs.listed, kind=RepairKind.RESET)) == 1


# People


def _opened(office: Desk) -> Ticket:
    office.engine(Course().raised())
    return office.only()


def test_of_two_who_saw_the_same_version_one_wins_and_the_other_learns_why(office: Desk) -> None:
    job = _opened(office)
    rival = Actor("wang", Role.CREW)

    def attempt(actor: Actor) -> str:
        try:
            office.ledger.move_ticket(job.id, Move(State.IN_PROGRESS, actor, T0 + MINUTE), version=1)
        except Conflict as refused:
            return str(refused)
        return "won"

    with ThreadPoolExecutor(2) as pool:
        answers = sorted(pool.map(attempt, (CREW, rival)))

    winner = office.only().assignee
    assert answers[1] == "won"
    assert answers[0].startswith(
        f"{job.id} is at version 2 and in_progress, you saw version 1; the last change was by {winner} at 2026-11-23T"
    )


def test_two_processes_write_one_file(office: Desk, tmp_path: Path) -> None:
    job = _opened(office)
    with Ledger.open(tmp_path / "ledger.db") as other:
        other.comment(job.id, CREW, "from the command line", T0)
        office.ledger.comment(job.id, CREW, "from the page", T0)

    assert [row.text for row in office.history(job.id)][-2:] == ["from the command line", "from the page"]


def test_done_and_taking_it_back_become_commands_for_the_engine(office: Desk) -> None:
    job = _opened(office)
    office.move(job.id, State.IN_PROGRESS, T0)
    office.move(job.id, State.VERIFYING, T0 + HOUR)
    office.move(job.id, State.IN_PROGRESS, T0 + 2 * HOUR, reason="forgot the valve")

    pending = office.ledger.pending_commands()
    assert [(act.id, act.action, act.equipment, act.rule) for act in pending] == [
        (1, "verify_start", "ch-1", "CH-04"),
        (2, "verify_stop", "ch-1", "CH-04"),
    ]
    assert (pending[0].author, pending[0].args) == ("li.wei", {"ticket": job.id})


def test_a_relayed_command_is_not_pending_and_its_first_offset_stays(office: Desk) -> None:
    job = _opened(office)
    office.move(job.id, State.IN_PROGRESS, T0)
    office.move(job.id, State.VERIFYING, T0)
    office.ledger.mark_relayed(1, 77)
    office.ledger.mark_relayed(1, 78)

    assert office.ledger.pending_commands() == []
    with pytest.raises(NotFound, match="no command 2"):
        office.ledger.mark_relayed(2, 79)


def test_resetting_an_alarm_is_a_command_and_a_line_on_the_timeline(office: Desk) -> None:
    job = _opened(office)
    office.ledger.reset_alarm(1, CREW, T0 + MINUTE)

    (act,) = office.ledger.pending_commands()
    assert (act.action, act.equipment, act.rule) == ("reset", "ch-1", "CH-04")
    assert office.history(job.id)[-1].kind is Happening.RESET


def test_a_cleared_alarm_cannot_be_reset(office: Desk) -> None:
    office.engine(Course().raised(), Course().cleared(T0 + MINUTE))

    with pytest.raises(Conflict, match="has cleared already"):
        office.ledger.reset_alarm(1, CREW, T0 + HOUR)


def test_comment_assignment_and_verdict_are_on_the_timeline_with_their_author(office: Desk) -> None:
    job = _opened(office)
    office.ledger.assign(job.id, 1, "wang", actor=CREW, now=T0 + 1)
    office.ledger.verdict(job.id, 2, Verdict.REAL, actor=CREW, now=T0 + 2)
    office.ledger.comment(job.id, CREW, " tower fan belt ", T0 + 3)

    assert (office.only().assignee, office.only().verdict, office.only().version) == ("wang", Verdict.REAL, 3)
    assert [(row.author, row.at, row.kind, row.text) for row in office.history(job.id)[-3:]] == [
        ("li.wei", T0 + 1, Happening.ASSIGNED, "wang"),
        ("li.wei", T0 + 2, Happening.JUDGED, "real"),
        ("li.wei", T0 + 3, Happening.COMMENTED, "tower fan belt"),
    ]


def test_a_viewer_changes_nothing(office: Desk) -> None:
    job = _opened(office)

    with pytest.raises(NotPermitted):
        office.ledger.comment(job.id, VIEWER, "hm", T0)
    with pytest.raises(NotPermitted):
        office.ledger.assign(job.id, None, "me", actor=VIEWER, now=T0)
    with pytest.raises(NotPermitted):
        office.ledger.reset_alarm(1, VIEWER, T0)


def test_a_second_ticket_for_the_same_alarm_is_refused_naming_the_first(office: Desk) -> None:
    job = _opened(office)

    with pytest.raises(Conflict, match=f"already has {job.id}"):
        office.ledger.open_ticket(Report("ch-1", "again", Severity.P3, alarm=1), CREW, T0)


def test_a_report_without_a_title_is_refused(office: Desk) -> None:
    with pytest.raises(BadInput, match="needs a title"):
        office.ledger.open_ticket(Report("room 3", " ", Severity.P3), CREW, T0)


def test_a_retired_rule_parks_and_a_retired_equipment_cancels(office: Desk) -> None:
    office.engine(Course().raised(), Course(rule="CH-05").raised())

    assert office.ledger.retire_rule("CH-04", T0 + HOUR) == ["WO-20261123-001"]
    assert [job.state for job in office.tickets()] == [State.PARKED, State.OPEN]
    office.ledger.retire_equipment("ch-1", T0 + HOUR)
    assert [(job.state, str(job.resolution)) for job in office.tickets()] == [(State.CANCELLED, "retired")] * 2


# Configuration


def test_the_same_configuration_is_one_revision(office: Desk) -> None:
    first = office.ledger.add_config(b"a", "zhang.min", T0)
    assert office.ledger.add_config(b"a", "zhang.min", T0 + 1) == first
    second = office.ledger.add_config(b"b", "zhang.min", T0 + 2)

    office.ledger.mark_config_relayed(first.revision, 1)
    assert [row.revision for row in office.ledger.pending_configs()] == [second.revision]
    assert office.ledger.latest_config() == second


# Reading


def test_pages_follow_each_other_without_gap_or_repeat_while_tickets_are_added(office: Desk) -> None:
    office.engine(*(Course(equipment=f"ch-{n}").raised() for n in range(5)))
    first = office.ledger.read(queries.list_tickets, limit=2)
    office.engine(Course(equipment="ch-new").raised())
    second = office.ledger.read(queries.list_tickets, cursor=first.next, limit=2)
    third = office.ledger.read(queries.list_tickets, cursor=second.next, limit=2)

    names = [job.equipment for page in (first, second, third) for job in page.items]
    assert names == ["ch-4", "ch-3", "ch-2", "ch-1", "ch-0"]
    assert third.next is None


@pytest.mark.parametrize("cursor", ["x", "-1", "1 or 1=1", "²"])
def test_a_cursor_nobody_gave_is_refused(office: Desk, cursor: str) -> None:
    with pytest.raises(BadInput, match="is no cursor"):
        office.ledger.read(queries.list_tickets, cursor=cursor)


def test_filters_narrow_lists(office: Desk) -> None:
    office.engine(Course().raised(), Course(equipment="ch-2", severity=Severity.P3).raised())
    office.move("WO-20261123-001", State.CANCELLED, T0, actor=ENGINEER, reason="test")

    def found(which: queries.TicketFilter) -> list[str]:
        return [job.equipment for job in office.ledger.read(queries.list_tickets, which).items]

    assert found(queries.TicketFilter(unfinished=True)) == ["ch-2"]
    assert found(queries.TicketFilter(least=Severity.P2)) == ["ch-1"]
    assert found(queries.TicketFilter(states=[State.CANCELLED])) == ["ch-1"]
    assert found(queries.TicketFilter(equipment="ch-2", rule="CH-04")) == ["ch-2"]
    assert [
        a.equipment for a in office.ledger.read(queries.list_alarms, queries.AlarmFilter(least=Severity.P2)).items
    ] == ["ch-1"]


def test_a_reader_cannot_write(office: Desk) -> None:
    with pytest.raises(Exception, match="readonly"):
        office.ledger.read(lambda connection: connection.exec_driver_sql("DELETE FROM tickets"))


def test_a_file_that_is_no_ledger_is_named(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    path.write_bytes(b"this is a text file, and long enough to be taken for a page of a database" * 20)

    with pytest.raises(Corrupt, match=r"ledger\.db"), Ledger.open(path):
        pass


def test_what_is_committed_is_synced_to_disk(office: Desk, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "ledger.db") as plain:
        assert plain.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    plain.close()
    assert office.ledger.write(lambda c: c.exec_driver_sql("PRAGMA synchronous").scalar_one()) == 2

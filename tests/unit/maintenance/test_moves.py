"""The table of moves: which there are, who may make them, and what each needs."""

from __future__ import annotations

from itertools import product

import pytest

from maintenance.moves import Move, decide
from maintenance.people import Actor, Role
from maintenance.ticket import Resolution, State, Ticket
from plant.errors import BadInput, Conflict, NotPermitted
from plant.severity import Severity
from tests.unit.maintenance.builders import CREW, DAY, ENGINEER, HOUR, T0, VIEWER, ticket

# From → to → who, as SEMANTICS §8 tells it, for a ticket with a rule and everything asked for given.
# c crew, e engineer (and admin), R rules engine, K clock, F configuration; crew implies engineer.
EXPECTED = """
open         acknowledged c    in_progress c   verifying R    on_hold c   parked F   cancelled eF   closed R
acknowledged in_progress c     verifying R     on_hold c      parked F    cancelled eF
in_progress  verifying c       on_hold c       parked F       cancelled eF
on_hold      acknowledged c    in_progress c   verifying R    parked F    cancelled eF
verifying    acknowledged cR   in_progress cR  open R         closed eR   parked KF  cancelled eF
parked       acknowledged cR   in_progress cR  open R         closed eR   cancelled eF
closed       open R
cancelled
"""
WHO = {
    "c": {Role.CREW, Role.ENGINEER, Role.ADMIN},
    "e": {Role.ENGINEER, Role.ADMIN},
    "R": {Role.ENGINE},
    "K": {Role.CLOCK},
    "F": {Role.CONFIG},
}


def _expected() -> set[tuple[State, State, Role]]:
    found = set()
    for line in EXPECTED.strip().splitlines():
        source, *pairs = line.split()
        for to, letters in zip(pairs[::2], pairs[1::2], strict=True):
            found |= {(State(source), State(to), role) for letter in letters for role in WHO[letter]}
    return found


ALLOWED = _expected()


@pytest.mark.parametrize(("source", "to", "role"), list(product(State, State, Role)))
def test_a_move_is_possible_exactly_where_the_table_says(source: State, to: State, role: Role) -> None:
    wish = Move(to, Actor("somebody", role), T0, reason="because")
    try:
        decide(ticket(state=source), wish)
    except (Conflict, NotPermitted):
        possible = False
    else:
        possible = True

    assert possible == ((source, to, role) in ALLOWED)


def test_a_forbidden_move_is_answered_with_the_allowed_ones() -> None:
    with pytest.raises(Conflict) as refused:
        decide(ticket(state=State.IN_PROGRESS), Move(State.ACKNOWLEDGED, CREW, T0))

    text = str(refused.value)
    assert "WO-20261123-001 is in_progress" in text
    assert "verifying (crew or above" in text
    assert "on_hold (crew or above, needs a reason)" in text


def test_a_finished_ticket_says_that_nothing_is_allowed() -> None:
    with pytest.raises(Conflict, match="allowed: none, it is finished"):
        decide(ticket(state=State.CLOSED), Move(State.IN_PROGRESS, ENGINEER, T0))


def test_the_right_is_missing_where_the_move_exists_for_others() -> None:
    with pytest.raises(NotPermitted, match=r"by guest, a viewer"):
        decide(ticket(), Move(State.ACKNOWLEDGED, VIEWER, T0))


@pytest.mark.parametrize(
    ("source", "to", "actor"),
    [
        (State.OPEN, State.ON_HOLD, CREW),
        (State.VERIFYING, State.CLOSED, ENGINEER),
        (State.PARKED, State.CLOSED, ENGINEER),
        (State.VERIFYING, State.IN_PROGRESS, CREW),
        (State.OPEN, State.CANCELLED, ENGINEER),
    ],
)
def test_overruling_and_waiting_need_a_reason(source: State, to: State, actor: Actor) -> None:
    with pytest.raises(BadInput, match="needs a reason"):
        decide(ticket(state=source), Move(to, actor, T0, reason="  "))


@pytest.mark.parametrize(
    ("severity", "wait"), [(Severity.P1, DAY), (Severity.P2, 3 * DAY), (Severity.P3, 14 * DAY)], ids=str
)
def test_done_waits_for_its_proof_as_long_as_its_severity_allows(severity: Severity, wait: int) -> None:
    working = ticket(state=State.IN_PROGRESS, severity=severity, acknowledged_at=T0, started_at=T0)

    done = decide(working, Move(State.VERIFYING, CREW, T0 + HOUR))

    assert (done.state, done.done_at, done.verify_by) == (State.VERIFYING, T0 + HOUR, T0 + HOUR + wait)


def test_starting_work_acknowledges_and_assigns() -> None:
    started = decide(ticket(), Move(State.IN_PROGRESS, CREW, T0))

    assert (started.started_at, started.acknowledged_at, started.acknowledged_by) == (T0, T0, "li.wei")
    assert started.assignee == "li.wei"


def _verifying(**changes: object) -> Ticket:
    return ticket(state=State.VERIFYING, **changes)


def test_proof_after_done_is_verified_and_without_work_self_cleared() -> None:
    engine = Actor("engine", Role.ENGINE)

    after_work = decide(_verifying(done_at=T0, started_at=T0), Move(State.CLOSED, engine, T0 + HOUR))
    by_itself = decide(_verifying(), Move(State.CLOSED, engine, T0 + HOUR))

    assert (after_work.resolution, after_work.closed_at) == (Resolution.VERIFIED, T0 + HOUR)
    assert by_itself.resolution is Resolution.SELF_CLEARED


def test_a_person_closes_unverified_or_a_ticket_without_rule() -> None:
    unverified = decide(_verifying(done_at=T0), Move(State.CLOSED, ENGINEER, T0, "load comes in May"))
    without_rule = decide(ticket(state=State.IN_PROGRESS, rule=None), Move(State.CLOSED, CREW, T0))

    assert unverified.resolution is Resolution.UNVERIFIED
    assert without_rule.resolution is Resolution.COMPLETED


def test_a_ticket_with_a_rule_cannot_be_closed_past_its_check() -> None:
    with pytest.raises(Conflict, match="a ticket without a rule"):
        decide(ticket(state=State.IN_PROGRESS), Move(State.CLOSED, ENGINEER, T0, "trust me"))


def test_a_ticket_without_a_rule_has_nothing_to_verify() -> None:
    with pytest.raises(Conflict, match="a rule that can prove it"):
        decide(ticket(state=State.IN_PROGRESS, rule=None), Move(State.VERIFYING, CREW, T0))


def test_a_parent_is_not_closed_before_its_children() -> None:
    with pytest.raises(Conflict, match="WO-20261123-002"):
        decide(_verifying(done_at=T0), Move(State.CLOSED, ENGINEER, T0, "enough"), open_children=["WO-20261123-002"])


def test_work_that_has_begun_does_not_clear_by_itself() -> None:
    with pytest.raises(Conflict, match="work has not begun"):
        decide(ticket(state=State.ON_HOLD, started_at=T0), Move(State.VERIFYING, Actor("engine", Role.ENGINE), T0))


@pytest.mark.parametrize("resolution", [Resolution.FALSE_ALARM, Resolution.DUPLICATE])
def test_cancelling_keeps_why(resolution: Resolution) -> None:
    cancelled = decide(ticket(), Move(State.CANCELLED, ENGINEER, T0, "see 001", resolution))

    assert (cancelled.state, cancelled.resolution, cancelled.closed_at) == (State.CANCELLED, resolution, T0)


def test_cancelling_as_verified_is_refused() -> None:
    with pytest.raises(BadInput, match="expected one of duplicate, false_alarm, withdrawn"):
        decide(ticket(), Move(State.CANCELLED, ENGINEER, T0, "oops", Resolution.VERIFIED))


def test_a_resolution_goes_only_with_cancelling() -> None:
    with pytest.raises(BadInput, match="only with cancelling"):
        decide(ticket(), Move(State.ACKNOWLEDGED, CREW, T0, resolution=Resolution.FALSE_ALARM))

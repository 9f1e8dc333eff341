"""The short proof that CI runs each time: service and broker killed once at each point, and the 29 of 30 minutes."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.conftest import or_skip
from tests.faults.checks import Left, compare, look, missing
from tests.faults.held import FIRES, ONSET, killed_at_29_minutes
from tests.faults.outages import Endured, Outage, endure
from tests.faults.report import Proof, markdown
from tests.faults.run import Plan, carry_out
from tests.support.programs import ProgramMissing, find_mosquitto

pytestmark = pytest.mark.faults

MINUTES, SEED = 50, 3
POINTS = ("fsync:25", "ledger_commit:2", "engine_step:20")


@pytest.fixture(autouse=True)
def _broker() -> None:
    try:
        find_mosquitto()
    except ProgramMissing as absent:
        or_skip(absent)


def test_a_service_killed_at_each_point_ends_as_if_undisturbed(tmp_path: Path) -> None:
    undisturbed, reference = carry_out(Plan("reference", SEED, MINUTES, pace=2_000.0), tmp_path / "reference", look)

    plan = Plan("killed", SEED, MINUTES, points=POINTS, broker_kills=1)
    killed, left = carry_out(plan, tmp_path / "killed", look)
    verdict = compare(reference, killed, left)

    assert not missing(undisturbed, reference)
    assert len(reference.alarms) >= 10
    assert len(reference.tickets) >= 8
    assert Counter(kill.what for kill in killed.kills) == Counter(
        [*(point.partition(":")[0] for point in POINTS), "mosquitto"]
    )
    assert verdict.differences == ()


def test_a_for_of_30_minutes_killed_29_minutes_in_fires_one_minute_later(tmp_path: Path) -> None:
    before, after, known = killed_at_29_minutes(tmp_path / "held")

    assert known["committed"] > 0
    assert before == []
    assert [(alarm.onset_at, alarm.raised_at) for alarm in after] == [(ONSET, FIRES)]


def test_the_collector_goes_on_soon_after_the_broker_was_killed_and_loses_nothing(tmp_path: Path) -> None:
    endured = endure(tmp_path, [1.0, 2.0])

    assert [one.down for one in endured.outages] == [1.0, 2.0]
    assert endured.lost == 0
    assert endured.sent > 100


def test_the_totals_of_the_page_go_on() -> None:
    endured = Endured((Outage(2.0, 1.0), Outage(12.0, 6.0)), 9, 0, 0)
    proof = Proof("abc1234", 5, Left((), (), (), {}, (), (), 0, 0, 0), 1.0, endured=endured)
    first = markdown(proof, "")
    assert "**0 kills, 1 of 2 outages over within 5 s, 1 differences.**" in first
    assert "**0 kills, 2 of 4 outages over within 5 s, 2 differences.**" in markdown(proof, first)

"""Faults in time: onset, ramp, severity, end, repair, and the knobs they turn."""

from __future__ import annotations

import pytest

from simulators.board import Fault, FaultBoard
from simulators.errors import ScenarioError
from simulators.faults import FAULTS

CHILLER = "plant/chiller-1"


def fouling(*, ramp: int = 0, severity: float = 1.0, end: int | None = None) -> Fault:
    """Condenser fouling from 1000 ms on."""
    return Fault("scale", FAULTS["ch_cond_fouling"], CHILLER, onset=1_000, ramp=ramp, severity=severity, end=end)


@pytest.mark.parametrize(("now", "strength"), [(999, 0.0), (1_000, 1.0), (9_999, 1.0), (10_000, 0.0)])
def test_step_fault_acts_from_its_onset_until_its_end(now: int, strength: float) -> None:
    assert fouling(end=10_000).strength(now) == strength


@pytest.mark.parametrize(("now", "strength"), [(1_000, 0.0), (3_000, 0.4), (5_000, 0.8), (99_000, 0.8)])
def test_ramp_grows_to_the_severity_and_stays(now: int, strength: float) -> None:
    assert fouling(ramp=4_000, severity=0.8).strength(now) == pytest.approx(strength)


def test_fouling_at_half_severity_turns_its_knob_to_half_of_three() -> None:
    """DOMAIN §2.6: fc = 3·s."""
    knobs = FaultBoard([fouling(severity=0.5)]).knobs(2_000)
    assert knobs.get(CHILLER, "condenser_fouling") == 1.5
    assert knobs.get(CHILLER, "evaporator_fouling") == 0.0
    assert knobs.get("plant/chiller-2", "condenser_fouling") == 0.0


def test_sensor_fault_touches_one_point_only() -> None:
    stuck = Fault("stuck", FAULTS["sensor_stuck"], CHILLER, onset=0, point="chw_flow")
    knobs = FaultBoard([stuck]).knobs(1)
    assert knobs.sensor(CHILLER, "chw_flow").stuck
    assert not knobs.sensor(CHILLER, "cw_flow").stuck


def test_repair_ends_a_fault_now_and_not_later_than_planned() -> None:
    board = FaultBoard([fouling(end=10_000)])
    board.repair("scale", 5_000)
    assert board.active(4_999) != ()
    assert board.active(5_000) == ()
    board.repair("scale", 8_000)
    assert board.active(6_000) == ()


def test_repairing_what_is_not_broken_names_what_there_is() -> None:
    with pytest.raises(ScenarioError, match=r"no fault called 'scala'.*scale"):
        FaultBoard([fouling()]).repair("scala", 0)

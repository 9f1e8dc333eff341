"""The demo's buttons break what their words say."""

from __future__ import annotations

import pytest

from dutyroom.demo.desk import TRICKS, Trick
from simulators.scenario import FaultPlan

BROKEN = {
    "ch_cond_fouling": "plant/chiller-1",
    "phase_loss": "lv/feeder-office",
    "cold_supply_loss": "bath/mixing-valve-1",
    "illegal_heater": "dorm/room-305",
    "gateway_silence": "bath/gateway-1",
}


@pytest.mark.parametrize("trick", TRICKS, ids=lambda trick: trick.kind)
def test_a_trick_breaks_the_machine_its_words_name(trick: Trick) -> None:
    assert FaultPlan.model_validate(trick.plan).fault(0).at == BROKEN[trick.kind]

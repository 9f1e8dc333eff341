"""Cooling physics against the prototype numbers of DOMAIN §2.7 ([P], tolerance ±3 %)."""

from __future__ import annotations

import pytest

from simulators.physics.chiller import CLEAN, ChillerFaults, ChillerWater, refrigerate
from simulators.physics.pump import CHW_PUMP, duty
from simulators.physics.tower import TowerInput, TowerState, effectiveness, step_tower
from simulators.physics.weather import wet_bulb


def near(expected: float, tolerance: float = 0.03) -> object:
    """The prototype's number, ±3 %."""
    return pytest.approx(expected, rel=tolerance)


DESIGN_WATER = ChillerWater(chw_return=12.0, chw_flow=206.0, cw_entering=30.0, cw_flow=244.0)


@pytest.mark.parametrize(
    ("cooling", "power", "cop", "approach"),
    [(1150, 207.3, 5.55, 1.44), (900, 157.0, 5.73, 1.12), (600, 108.4, 5.53, 0.75), (360, 78.7, 4.58, 0.45)],
)
def test_healthy_chiller_power_and_approach(cooling: float, power: float, cop: float, approach: float) -> None:
    result = refrigerate(cooling, 7.0, DESIGN_WATER, CLEAN)
    assert result.power == near(power)
    assert cooling / result.power == near(cop)
    assert result.condenser_approach == near(approach)


def test_condenser_water_leaves_at_34_8_at_96_percent_load() -> None:
    assert refrigerate(1150, 7.0, DESIGN_WATER, CLEAN).cw_leaving == near(34.8)


def test_low_condenser_flow_costs_power() -> None:
    water = ChillerWater(chw_return=12.0, chw_flow=206.0, cw_entering=30.0, cw_flow=0.6 * 244.0)
    assert refrigerate(900, 7.0, water, CLEAN).power == near(167.9)


@pytest.mark.parametrize(("fouling", "power", "approach"), [(1.5, 163.7, 2.81), (3.0, 170.9, 4.5)])
def test_condenser_fouling_raises_approach_and_power(fouling: float, power: float, approach: float) -> None:
    result = refrigerate(900, 7.0, DESIGN_WATER, ChillerFaults(condenser_fouling=fouling))
    assert result.power == near(power)
    assert result.condenser_approach == near(approach)


def test_condenser_fouling_leaves_the_evaporator_alone() -> None:
    fouled = refrigerate(900, 7.0, DESIGN_WATER, ChillerFaults(condenser_fouling=3.0))
    assert fouled.evaporator_approach == refrigerate(900, 7.0, DESIGN_WATER, CLEAN).evaporator_approach


def test_refrigerant_leak_shows_in_evaporator_approach_power_and_capacity() -> None:
    leak = ChillerFaults(capacity=0.8, evaporator_fouling=2.0, power=1.08)
    result = refrigerate(900, 7.0, DESIGN_WATER, leak)
    assert result.power == near(189.2)
    assert result.evaporator_approach == near(2.7)
    assert result.capacity == near(919)
    assert 900 / result.power == near(4.76)


@pytest.mark.parametrize(
    ("wet", "leaving", "power", "cop"), [(28, 32.0, 207, 5.31), (24, 28.0, 187, 5.87), (18, 22.0, 166, 6.65)]
)
def test_plant_at_three_wet_bulbs(wet: float, leaving: float, power: float, cop: float) -> None:
    """The fan loop holds wet bulb + 4 K; full fan must be able to reach it, and the chiller then takes this power."""
    water = ChillerWater(chw_return=12.0, chw_flow=206.0, cw_entering=leaving, cw_flow=244.0)
    result = refrigerate(1100, 7.0, water, CLEAN)
    assert result.power == near(power)
    assert 1100 / result.power == near(cop)
    full_fan = result.cw_leaving - effectiveness(1.0, 1.0) * (result.cw_leaving - wet)
    assert full_fan <= leaving


def test_tower_design_point() -> None:
    state = TowerState(basin_temp=31.0)
    for _ in range(600):
        state = step_tower(state, TowerInput(entering=37.0, flow=244.0, wet_bulb=28.0, fan=1.0), dt=5.0)
    assert state.basin_temp == near(31.96, 0.001)


@pytest.mark.parametrize(("fill", "approach"), [(1.0, 4.0), (0.7, 5.8)])
def test_fouled_fill_raises_the_approach_at_full_fan(fill: float, approach: float) -> None:
    """DOMAIN §2.6 `ct_fill_fouling`, wet bulb 27; the clean 4.0 K is the fan set point, reached below full fan."""
    leaving = 27.0 + approach
    for _ in range(20):
        water = ChillerWater(chw_return=12.0, chw_flow=206.0, cw_entering=leaving, cw_flow=244.0)
        entering = refrigerate(900, 7.0, water, CLEAN).cw_leaving
        leaving = max(31.0, entering - effectiveness(1.0, 1.0, fill) * (entering - 27.0))
    assert leaving - 27.0 == near(approach)


@pytest.mark.parametrize(
    ("speed", "valve", "impeller", "flow", "head", "power"),
    [
        (1.0, 1.0, 1.0, 206.4, 28.0, 22.6),
        (0.8, 1.0, 1.0, 152.2, 18.9, 11.3),
        (0.6, 1.0, 1.0, 89.8, 11.8, 4.3),
        (1.0, 3.0, 1.0, 135.1, 33.7, 19.1),
        (1.0, 1.0, 0.85, 185.7, 24.2, 17.7),
        (1.0, 15.0, 1.0, 64.2, 37.0, 12.9),
    ],
)
def test_pump_table(speed: float, valve: float, impeller: float, flow: float, head: float, power: float) -> None:
    result = duty(CHW_PUMP, speed, valve=valve, impeller=impeller)
    assert result.flow == near(flow)
    assert result.head == near(head)
    assert result.power == near(power)


def test_pump_too_slow_for_the_static_head_moves_no_water() -> None:
    """8 m static head against 38·n² m: below n = 0.459 the check valve stays shut."""
    assert duty(CHW_PUMP, 0.4).flow == 0.0


def test_wet_bulb_of_stull() -> None:
    assert wet_bulb(20.0, 50.0) == near(13.70, 0.001)

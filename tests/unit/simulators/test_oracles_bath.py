"""Bathhouse physics against the prototype numbers of DOMAIN §4.5 and §4.6 ([P], tolerance ±3 %)."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from simulators.demand import BathDemand, mixed_demand
from simulators.physics.mixing import MixingFaults, MixingState, MixingWater, hot_share, step_mixing
from simulators.physics.tank import TankFaults, TankFlows, TankState, step_tank

DT = 30.0
DAY = 86_400


@dataclass(frozen=True, slots=True)
class Case:
    """One run of the prototype: set point 60 °C, mixed water at 40 °C, three shifts."""

    cold: float = 12.0
    heads: int = 60
    leak: float = 0.0
    circulation: float = 1.0
    element: float = 1.0
    heater_dies_at: int | None = None


@dataclass(frozen=True, slots=True)
class Days:
    """Means a day over days 2 and 3, and the top layer's temperature at every step of them."""

    energy: float
    hot: float
    mixed: float
    duty: float
    top: list[float]
    bottom: list[float]
    coldest_return: float
    coldest_middle: float


def bathhouse(case: Case, days: int = 3) -> Days:
    """Tank, thermostat and ideal mixing in steps of 30 s, as DOMAIN §4.6 gives them."""
    state = TankState.uniform(60.0)
    demand = BathDemand(heads=case.heads)
    energy = hot = mixed = on = 0.0
    top: list[float] = []
    bottom: list[float] = []
    middle: list[float] = []
    returned: list[float] = []
    for second in range(0, days * DAY, int(DT)):
        wanted = mixed_demand(demand, second / 3600 % 24)
        draw = wanted * hot_share(state.top, case.cold, 40.0) + case.leak
        dead = case.heater_dies_at is not None and second >= case.heater_dies_at
        faults = TankFaults(element=0.0 if dead else case.element)
        flows = TankFlows(draw=draw, circulation=case.circulation, cold=case.cold)
        state = step_tank(state, flows, setpoint=60.0, faults=faults, dt=DT)
        if second >= DAY:
            energy += state.heater_power * DT / 3600
            hot += draw * DT / 1000
            mixed += wanted * DT / 1000
            on += DT * (state.heater_power > 0)
            top.append(state.top)
            bottom.append(state.bottom)
            middle.append(state.middle)
            returned.append(state.return_temp)
    count = days - 1
    return Days(energy / count, hot / count, mixed / count, on / count / DAY, top, bottom, min(returned), min(middle))


@pytest.fixture(scope="module")
def healthy() -> Days:
    """Days 2 and 3 of the healthy bathhouse."""
    return bathhouse(Case())


def test_healthy_water_and_energy_of_a_day(healthy: Days) -> None:
    assert healthy.mixed == pytest.approx(83.1, rel=0.03)
    assert healthy.hot == pytest.approx(49.8, rel=0.03)
    assert healthy.energy == pytest.approx(3006, rel=0.03)
    assert healthy.energy / healthy.mixed == pytest.approx(36.2, rel=0.03)
    assert healthy.duty == pytest.approx(0.31, rel=0.03)


def test_healthy_layers(healthy: Days) -> None:
    assert min(healthy.top) == pytest.approx(58.4, rel=0.03)
    assert max(healthy.top) == pytest.approx(60.4, rel=0.03)
    assert min(healthy.bottom) == pytest.approx(12.7, rel=0.03)
    assert max(healthy.bottom) >= 57.0
    assert healthy.coldest_return == pytest.approx(55.9, rel=0.03)


@pytest.mark.parametrize(
    ("case", "energy"),
    [
        (Case(cold=5.0), 3683),
        (Case(heads=90), 4341),
        (Case(leak=0.1), 3454),
        (Case(leak=0.3), 4359),
        (Case(circulation=0.0), 3006 * 0.92),
    ],
    ids=["cold water 5 °C", "90 heads", "leak 0.1 L/s", "leak 0.3 L/s", "circulation off"],
)
def test_energy_of_a_day(case: Case, energy: float) -> None:
    assert bathhouse(case).energy == pytest.approx(energy, rel=0.03)


def test_crowd_of_ninety_draws_the_tank_down() -> None:
    crowded = bathhouse(Case(heads=90))
    assert min(crowded.top) == pytest.approx(56.3, rel=0.03)
    assert crowded.coldest_middle == pytest.approx(30.0, rel=0.03)


@pytest.mark.parametrize(("element", "duty"), [(0.667, 0.47), (0.5, 0.63), (0.333, 0.94)])
def test_failed_elements_show_in_duty_and_not_in_temperature(element: float, duty: float) -> None:
    weak = bathhouse(Case(element=element))
    assert weak.duty == pytest.approx(duty, rel=0.03)
    assert min(weak.top) >= 58.0


def test_dead_heater_cools_over_half_a_day() -> None:
    """The prototype's trajectory is met when the heater dies at a shift change (08:00 of day 2)."""
    dead = bathhouse(Case(heater_dies_at=DAY + 8 * 3600))
    start = 8 * 3600
    for hours, expected in ((0, 60.0), (2, 54.0), (4, 46.0), (8, 38.0), (12, 20.0)):
        assert dead.top[int((start + hours * 3600) / DT)] == pytest.approx(expected, rel=0.03), f"after {hours} h"


def test_mixing_valve_follows_with_eight_seconds() -> None:
    """One time constant after a small step of the set point 63.2 % of it is done (the valve itself is fast enough)."""
    water = MixingWater(hot=60.0, cold=12.0, setpoint=40.0)
    state = MixingState(position=hot_share(60.0, 12.0, 40.0), temp=40.0)
    stepped = MixingWater(hot=60.0, cold=12.0, setpoint=41.0)
    for _ in range(8):
        state = step_mixing(state, stepped, MixingFaults(), dt=1.0)
    assert state.temp == pytest.approx(40.632, abs=0.03)
    for _ in range(120):
        state = step_mixing(state, water, MixingFaults(), dt=1.0)
    assert state.temp == pytest.approx(40.0, abs=0.01)


def test_lost_cold_supply_scalds_within_thirty_seconds() -> None:
    state = MixingState(position=hot_share(59.5, 12.0, 40.0), temp=40.0)
    water = MixingWater(hot=59.5, cold=12.0, setpoint=40.0)
    for _ in range(30):
        state = step_mixing(state, water, MixingFaults(cold_lost=1.0), dt=1.0)
    assert state.temp == pytest.approx(59.0, rel=0.01)


@pytest.mark.parametrize(("share", "low", "high"), [(0.75, 46.0, 48.1), (0.45, 32.0, 34.0)])
def test_stuck_valve_gives_the_mix_of_its_position(share: float, low: float, high: float) -> None:
    """DOMAIN §4.5: stuck at 0.75 gives 46–48 °C (hot 58–60), at 0.45 gives 33 °C."""
    state = MixingState(position=share, temp=40.0)
    for _ in range(120):
        water = MixingWater(hot=59.0, cold=12.0, setpoint=40.0)
        state = step_mixing(state, water, MixingFaults(stuck_at=share), dt=1.0)
    assert low <= state.temp <= high

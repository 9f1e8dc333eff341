"""Air handlers against the prototype numbers of DOMAIN §2.7 ([P], tolerance ±3 %)."""

from __future__ import annotations

import numpy as np
import pytest

from simulators.physics.air import (
    ZoneInput,
    Zones,
    airflow,
    cool,
    duct_pressure,
    fan_power,
    filter_drop,
    step_zones,
    valve_flow,
)

MIXED = np.array([0.2 * 33 + 0.8 * 26])
"""OAT 33, RA 26, outdoor-air share 0.2."""
ONE, NONE = np.ones(1), np.zeros(1)


@pytest.mark.parametrize(("stem", "supply"), [(1.0, 12.3), (0.8, 16.3), (0.6, 20.8), (0.0, 28.2)])
def test_supply_air_by_valve_position(stem: float, supply: float) -> None:
    coil = cool(MIXED, 7.0, valve_flow(np.array([stem]), NONE), ONE, humid=True)
    assert coil.supply[0] == pytest.approx(supply, rel=0.03)


@pytest.mark.parametrize(("stem", "total"), [(1.0, 142.0), (0.8, 107.0), (0.6, 66.0)])
def test_coil_load_by_valve_position(stem: float, total: float) -> None:
    coil = cool(MIXED, 7.0, valve_flow(np.array([stem]), NONE), ONE, humid=True)
    assert coil.cooling[0] == pytest.approx(total, rel=0.03)


def test_water_leaves_the_open_coil_at_12_7() -> None:
    assert cool(MIXED, 7.0, ONE, ONE, humid=True).water[0] == pytest.approx(12.7, rel=0.03)


def test_a_valve_that_passes_cools_although_it_is_shut() -> None:
    """w = 0.40 in OS2 must be seen by AH-FC14 (4.16 K), w = 0.15 must not (DOMAIN §7.7: SAT 15, so MAT about 22)."""
    mixed = np.array([22.0])

    def drop(leak: float) -> float:
        return float(mixed[0] - cool(mixed, 7.0, valve_flow(NONE, np.array([leak])), ONE, humid=False).supply[0])

    assert drop(0.40) > 4.16
    assert drop(0.15) < 4.16


def test_filter_duct_and_fan_at_design() -> None:
    """60 Pa·f²·k, 250 Pa at f = 0.8, 11 kW·n³."""
    air = np.array([0.8])
    assert filter_drop(air, ONE)[0] == pytest.approx(60 * 0.64)
    assert filter_drop(air, np.array([2.5]))[0] == pytest.approx(96.0)
    assert duct_pressure(air)[0] == pytest.approx(250)
    assert fan_power(ONE, NONE)[0] == pytest.approx(11)


def test_a_dirty_filter_costs_air_and_exceeds_its_final_resistance_at_rated_speed() -> None:
    """AH-18: above 160 Pa at rated speed for a medium filter; k = 5."""
    dirty = np.array([5.0])
    assert airflow(ONE, dirty, NONE)[0] < 0.9
    assert filter_drop(airflow(ONE, dirty, NONE), dirty)[0] > 160
    assert filter_drop(airflow(ONE, ONE, NONE), ONE)[0] == pytest.approx(60)


def test_a_zone_settles_where_gains_meet_what_the_air_removes() -> None:
    """3.5·(33 − T) + 30 + 8 + 20·sin(π·9/12) = 6.71·0.8·(T − 14) at 15:00: T = 27.0 °C."""
    zones = Zones(np.array([24.0]), np.array([420.0]))
    inlet = ZoneInput(33.0, 15.0, ONE, np.array([14.0]), np.array([0.8]), np.array([0.2]))
    for _ in range(24 * 60):
        zones = step_zones(zones, inlet, 60.0)
    gains = 3.5 * 33 + 30 + 8 + 20 * 0.7071
    assert zones.temp[0] == pytest.approx((gains + 6.706 * 0.8 * 14) / (3.5 + 6.706 * 0.8), rel=0.01)
    assert 420 < zones.co2[0] < 1000

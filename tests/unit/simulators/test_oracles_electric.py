"""Electricity against the prototype numbers of DOMAIN §3.2, §3.5 and §3.6 ([P], tolerance ±3 %)."""

from __future__ import annotations

import numpy as np
import pytest

from simulators.physics.appliances import RoomLoad, solve_rooms
from simulators.physics.electric import (
    BUSBAR_TAU_S,
    GridNoise,
    approach,
    capacitor_kvar,
    joint_target,
    line_voltages,
    neutral_current,
    switch_capacitors,
    transformer_loss,
    unbalance_u2,
    voltage_drop_percent,
)

DEMO_LOADING = np.sqrt(0.567)
"""I/In at which k = 2 gives the +39.7 K of DOMAIN §3.5: 39.7 / (35 · 2)."""


@pytest.mark.parametrize(("apparent", "factor", "drop"), [(800.0, 0.9, 2.80), (1000.0, 0.8, 4.37)])
def test_transformer_voltage_drop(apparent: float, factor: float, drop: float) -> None:
    assert float(voltage_drop_percent(np.array(apparent), np.array(factor))) == pytest.approx(drop, rel=0.03)


@pytest.mark.parametrize(("apparent", "loss"), [(800.0, 8.09), (1000.0, 11.8)])
def test_transformer_losses(apparent: float, loss: float) -> None:
    assert transformer_loss(apparent) == pytest.approx(loss, rel=0.03)


@pytest.mark.parametrize(("looseness", "ambient", "temp"), [(2.0, 0.0, 39.7), (3.0, 28.0, 87.6), (4.0, 28.0, 107.0)])
def test_a_loose_joint_settles_at_the_prototype_s_temperature(looseness: float, ambient: float, temp: float) -> None:
    """k = 2 +39.7 K, k = 3 87.6 °C, k = 4 107 °C; the three agree with 28 °C in the panel."""
    joint = np.array(ambient)
    target = joint_target(np.array(ambient), np.array(DEMO_LOADING), np.array(looseness))
    for _ in range(6 * 240):
        joint = approach(joint, target, BUSBAR_TAU_S, 10.0)
    assert float(joint) == pytest.approx(temp, rel=0.03)


def test_a_joint_follows_with_forty_minutes() -> None:
    """63.2 % of a step after τ = 2400 s."""
    after = approach(np.array(20.0), np.array(120.0), BUSBAR_TAU_S, 2400.0)
    assert float(after) == pytest.approx(20 + 63.2, rel=0.03)


def test_balanced_triplens_add_up_in_the_neutral() -> None:
    """200 A in each phase with 20 % third harmonic: 120 A (DOMAIN §3.2)."""
    currents = np.full((1, 3), 200.0)
    assert neutral_current(currents, np.zeros((1, 3)), 0.2 * currents)[0] == pytest.approx(120, rel=0.001)


@pytest.mark.parametrize(
    ("lines", "u2"), [((400.0, 395.0, 388.0), 1.76), ((390.0, 400.0, 410.0), 2.89), ((380.0, 400.0, 400.0), 3.36)]
)
def test_negative_sequence_unbalance(lines: tuple[float, ...], u2: float) -> None:
    assert float(unbalance_u2(np.array(lines))) == pytest.approx(u2, rel=0.03)


def test_line_voltages_of_a_balanced_and_a_lost_phase() -> None:
    assert line_voltages(np.array([220.0, 220.0, 220.0])) == pytest.approx([381.05] * 3, abs=0.1)
    assert line_voltages(np.array([220.0, 0.0, 220.0])) == pytest.approx([220.0, 220.0, 381.05], abs=0.1)


def test_a_capacitor_step_gives_14_9_kvar_at_400_volts() -> None:
    """20 kvar at 480 V behind a reactor of 7 % (DOMAIN §3.3, EL-15)."""
    assert capacitor_kvar(1, 400.0) == pytest.approx(14.9, rel=0.03)


def test_capacitors_bring_a_lagging_load_into_the_band() -> None:
    """300 kW and 150 kvar (0.89): steps until 0.95 … 0.98, and none when the load is gone."""
    steps = 0
    for _ in range(20):
        steps = switch_capacitors(steps, 300.0, 150.0 - capacitor_kvar(steps, 385.0))
    left = 150.0 - capacitor_kvar(steps, 385.0)
    assert 0.95 <= 300 / np.hypot(300, left) <= 0.98
    for _ in range(20):
        steps = switch_capacitors(steps, 10.0, 2.0 - capacitor_kvar(steps, 385.0))
    assert steps == 0


def test_the_grid_is_high_at_night_and_low_in_the_evening() -> None:
    """Diurnal ±1.5 %, noise σ 0.6 % (DOMAIN §3.6); ten days of 10 s."""
    grid = GridNoise(np.random.default_rng(7))
    factors = np.array([grid.step(step * 10 / 3600 % 24, 10.0) for step in range(86_400)]).reshape(10, 8640)
    assert factors[:, 3 * 360].mean() == pytest.approx(1.015, abs=0.006)
    assert factors[:, 19 * 360].mean() == pytest.approx(0.985, abs=0.006)
    assert (factors - factors.mean(axis=0)).std() == pytest.approx(0.006, rel=0.15)


def test_a_kettle_takes_what_the_voltage_gives_it_and_a_computer_does_not_care() -> None:
    """1500 W at 220 V is 1240 W at 200 V; wiring of 0.25 Ω costs 1.5 V at 6 A."""
    none = np.zeros(2)
    load = RoomLoad(np.array([0.0, 300.0]), np.array([1500.0, 0.0]), np.array([0.0, 220.0]))
    meter = solve_rooms(np.array([200.0, 200.0]), load)
    assert meter.voltage[0] == pytest.approx(200 - 0.25 * 1500 * 200 / 220**2, abs=0.1)
    assert meter.power == pytest.approx([1500 * (meter.voltage[0] / 220) ** 2, 300.0])
    assert meter.power[0] / np.hypot(meter.power[0], meter.reactive[0]) == 1.0
    assert solve_rooms(none, load).current.tolist() == [0.0, 0.0]

"""The central thermostatic mixing valve of a bath hall (DOMAIN §4.6)."""

from __future__ import annotations

from dataclasses import dataclass

from simulators.physics.water import clamp, lag

_TAU_S = 8.0
_RATE = 0.05
"""Fastest travel of the valve, share of its stroke per second."""


@dataclass(frozen=True, slots=True)
class MixingWater:
    """What the valve has and what it is asked for, °C."""

    hot: float
    cold: float
    setpoint: float


@dataclass(frozen=True, slots=True)
class MixingFaults:
    """`cold_lost` 1 = no cold water at the valve; `stuck_at` = share of hot water at which the valve has seized."""

    cold_lost: float = 0.0
    stuck_at: float | None = None


@dataclass(frozen=True, slots=True)
class MixingState:
    """Valve position as share of hot water (0–1), and the temperature of the mixed water [°C]."""

    position: float
    temp: float


def hot_share(hot: float, cold: float, target: float) -> float:
    """x = (T_mix − T_c)/(T_h − T_c), kept in 0 … 1: the share of hot water in the mix."""
    return clamp((target - cold) / max(hot - cold, 1e-6), 0.0, 1.0)


def step_mixing(state: MixingState, water: MixingWater, faults: MixingFaults, dt: float) -> MixingState:
    """Advance by `dt` seconds: the valve travels at most 5 %/s to its ideal place, the water follows with τ = 8 s."""
    wanted = hot_share(water.hot, water.cold, water.setpoint) if faults.stuck_at is None else faults.stuck_at
    position = state.position + clamp(wanted - state.position, -_RATE * dt, _RATE * dt)
    share = position + (1 - position) * faults.cold_lost
    target = share * water.hot + (1 - share) * water.cold
    return MixingState(position, lag(state.temp, target, _TAU_S, dt))

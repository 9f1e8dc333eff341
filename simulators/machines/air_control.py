"""The controller of air handlers, as arrays: supply air by valves and dampers in sequence, fan by duct pressure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulators.board import Knobs
from simulators.machines.bank import Bools, Floats
from simulators.physics.electric import approach

_GAIN_PER_K = 0.03
_INTEGRAL_S = 300.0
_STROKE_S = 90.0
_SENSOR_S = 30.0
_FAN_LAG_S = 10.0
_FAN_GAIN_PER_PA = 0.0008
_FAN_INTEGRAL_S = 60.0
_LEAST_OA = 0.2
_LEAST_FAN = 0.4
_RESET_S = 1800.0
_WARMEST_SP, _COLDEST_SP = 16.0, 13.0
_ZONE_C = 24.5
_FREE_BELOW_K = 2.0
"""Outdoor air this much colder than the room cools for nothing."""


@dataclass(frozen=True, slots=True)
class Demand:
    """What the controller sees: timetable, supply air [°C], duct [Pa], rooms [°C], outdoors [°C], hot water or none."""

    schedule: Bools
    supply: Floats
    pressure: Floats
    zone: Floats
    outdoors: float
    heating: bool


class AirControl:
    """Per unit one PI loop on supply air, −1 … 2: heating below 0, outdoor air to 1, chilled water from 1 to 2.

    Without free cooling the outdoor damper stays at its minimum and the loop goes from heating to water at once.
    A frozen stem (`valve_stuck_at`) stays where it is told to be stuck.
    """

    def __init__(self, count: int) -> None:
        self._integral = np.full(count, 1.3)
        self._sensed = np.full(count, 18.0)
        self._fan_integral = np.full(count, 0.7)
        self._free: Bools = np.zeros(count, dtype=bool)
        self.running: Bools = np.ones(count, dtype=bool)
        self.setpoint = np.full(count, 16.0)
        self.pressure_setpoint = np.full(count, 220.0)
        self.speed_command = np.full(count, 0.7)
        self.speed = np.full(count, 0.7)
        self.cooling_command, self.cooling = np.full(count, 0.3), np.full(count, 0.3)
        self.heating_command, self.heating = np.zeros(count), np.zeros(count)
        self.damper_command, self.damper = np.full(count, _LEAST_OA), np.full(count, _LEAST_OA)

    def step(self, seen: Demand, knobs: Knobs, paths: tuple[str, ...], dt: float) -> None:
        """Advance by `dt` seconds."""
        self.running = seen.schedule
        warm = np.clip((seen.zone - _ZONE_C) / 2.0, -1.0, 1.0)
        target = np.clip(15.0 - 2.0 * warm, _COLDEST_SP, _WARMEST_SP)
        self.setpoint = approach(self.setpoint, target, _RESET_S, dt)
        self.pressure_setpoint = approach(self.pressure_setpoint, 200.0 + 50.0 * warm, _RESET_S, dt)
        self._sensed = approach(self._sensed, seen.supply, _SENSOR_S, dt)
        self._air(seen, dt)
        self._fan(seen, dt)
        move = dt / _STROKE_S
        self.heating = self.heating + np.clip(self.heating_command - self.heating, -move, move)
        self.damper = self.damper + np.clip(self.damper_command - self.damper, -move, move)
        free = self.cooling + np.clip(self.cooling_command - self.cooling, -move, move)
        stuck = np.array([knobs.get(path, "valve_stuck_at") for path in paths])
        self.cooling = np.where(stuck > 0, stuck, free)

    def _air(self, seen: Demand, dt: float) -> None:
        """The supply-air loop and its sequence; a unit that stands closes everything."""
        margin = seen.zone - _FREE_BELOW_K - seen.outdoors
        self._free = np.where(self._free, margin > -0.5, margin > 0.5)
        error = self._sensed - self.setpoint
        low = np.where(self._free, -1.0 if seen.heating else 0.0, 1.0)
        self._integral = np.clip(self._integral + _GAIN_PER_K * error * dt / _INTEGRAL_S, low, 2.0)
        output = np.clip(self._integral + _GAIN_PER_K * error, low, 2.0)
        water = np.clip(output - 1, 0.0, 1.0) * self.running
        self.cooling_command = np.where(water < 0.005, 0.0, water)
        self.heating_command = np.clip(-output, 0.0, 1.0) * self.running
        opened = _LEAST_OA + (1 - _LEAST_OA) * np.clip(output, 0.0, 1.0)
        self.damper_command = np.where(self._free, opened, _LEAST_OA) * self.running

    def _fan(self, seen: Demand, dt: float) -> None:
        """Fan speed holds the duct pressure; it starts and stops with the timetable."""
        error = self.pressure_setpoint - seen.pressure
        change = _FAN_GAIN_PER_PA * error * dt / _FAN_INTEGRAL_S
        self._fan_integral = np.clip(self._fan_integral + change * self.running, _LEAST_FAN, 1.0)
        held = np.clip(self._fan_integral + _FAN_GAIN_PER_PA * error, _LEAST_FAN, 1.0)
        self.speed_command = held * self.running
        self.speed = approach(self.speed, self.speed_command, _FAN_LAG_S, dt)
        self.speed = np.where(self.speed < 0.02, 0.0, self.speed)

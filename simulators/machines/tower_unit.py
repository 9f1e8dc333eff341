"""A cooling-tower cell with its fan loop, and what its instruments show."""

from __future__ import annotations

from collections.abc import Mapping

from simulators.board import Knobs
from simulators.machines.device import Channel, Value, exact, measured
from simulators.physics.tower import TowerFaults, TowerInput, TowerState, fan_power, step_tower
from simulators.physics.water import clamp, lag
from simulators.sensors import CONDUCTIVITY, LEVEL, PIPE_TEMP, SMALL_FLOW, SMALL_POWER, SPEED, VIBRATION

TOWER_CHANNELS: Mapping[str, Channel] = {
    "fan_command": exact(),
    "fan_status": exact(),
    "blowdown_valve_command": exact(),
    "tower_leaving_temp_setpoint": exact(),
    "fan_speed_command": measured(SPEED),
    "fan_speed": measured(SPEED),
    "tower_entering_temp": measured(PIPE_TEMP),
    "tower_leaving_temp": measured(PIPE_TEMP),
    "basin_temp": measured(PIPE_TEMP),
    "fan_active_power": measured(SMALL_POWER),
    "fan_vibration": measured(VIBRATION),
    "basin_level": measured(LEVEL),
    "makeup_flow": measured(SMALL_FLOW),
    "conductivity": measured(CONDUCTIVITY),
}

_APPROACH_K = 4.0
_GAIN_PER_K = 0.15
_INTEGRAL_S = 300.0
_SLOWEST = 0.2
_SPEED_LAG_S = 10.0
_AT_REST = 0.02
_SETPOINT_LAG_S = 1800.0


class TowerUnit:
    """One cell; its fan holds wet bulb + 4 K within 20 … 32 °C by a PI loop."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._state = TowerState(basin_temp=28.0)
        self._entering = 32.0
        self._setpoint = 28.0
        self._integral = 0.6
        self._command = 0.6
        self._speed = 0.6
        self._power = 0.0
        self._enabled = True

    @property
    def leaving(self) -> float:
        """Water to the chiller, °C."""
        return self._state.basin_temp

    def step(self, entering: float, flow: float, wet_bulb: float, knobs: Knobs, dt: float, *, enabled: bool) -> None:
        """Advance by `dt` seconds with warm water of [°C, m³/h]; not enabled the fan stands."""
        self._enabled = enabled
        faults = TowerFaults(
            fill=1 - knobs.get(self.path, "fill_loss"),
            airflow=1 - knobs.get(self.path, "airflow_loss"),
            makeup=1 - knobs.get(self.path, "makeup_loss"),
        )
        self._entering = entering
        self._setpoint = lag(self._setpoint, clamp(wet_bulb + _APPROACH_K, 20.0, 32.0), _SETPOINT_LAG_S, dt)
        error = self.leaving - self._setpoint
        self._integral = clamp(self._integral + _GAIN_PER_K * error * dt / _INTEGRAL_S, _SLOWEST, 1.0)
        self._command = clamp(self._integral + _GAIN_PER_K * error, _SLOWEST, 1.0)
        if not enabled:
            self._integral, self._command = _SLOWEST, 0.0
        self._speed = lag(self._speed, self._command, _SPEED_LAG_S, dt)
        if self._speed < _AT_REST:
            self._speed = 0.0
        self._power = fan_power(self._speed, faults)
        self._state = step_tower(self._state, TowerInput(entering, flow, wet_bulb, self._speed), faults=faults, dt=dt)

    def values(self) -> Mapping[str, Value]:
        """True values of every point."""
        state = self._state
        return {
            "fan_command": self._enabled,
            "fan_status": self._enabled,
            "blowdown_valve_command": 100.0 if state.blowdown > 0 else 0.0,
            "tower_leaving_temp_setpoint": round(self._setpoint, 1),
            "fan_speed_command": 100 * self._command,
            "fan_speed": 100 * self._speed,
            "tower_entering_temp": self._entering,
            "tower_leaving_temp": state.basin_temp,
            "basin_temp": state.basin_temp,
            "fan_active_power": self._power,
            "fan_vibration": 0.6 + 1.5 * self._speed**2,
            "basin_level": state.level,
            "makeup_flow": state.makeup,
            "conductivity": state.conductivity,
        }

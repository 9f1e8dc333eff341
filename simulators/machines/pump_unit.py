"""A pump with its drive: speed, bearings, what its instruments show."""

from __future__ import annotations

import math
from collections.abc import Mapping

from simulators.board import Knobs
from simulators.machines.device import Channel, Value, exact, measured
from simulators.physics.pump import Duty, PumpCurve, duty
from simulators.physics.water import lag
from simulators.sensors import CURRENT, FLOW, MOTOR_POWER, PRESSURE, SPEED, SURFACE_TEMP, VIBRATION

PUMP_CHANNELS: Mapping[str, Channel] = {
    "pump_command": exact(),
    "pump_status": exact(),
    "speed_command": exact(),
    "speed": measured(SPEED),
    "pump_flow": measured(FLOW),
    "suction_pressure": measured(PRESSURE),
    "discharge_pressure": measured(PRESSURE),
    "active_power": measured(MOTOR_POWER),
    "current_avg": measured(CURRENT),
    "bearing_temp_de": measured(SURFACE_TEMP),
    "bearing_temp_nde": measured(SURFACE_TEMP),
    "motor_winding_temp": measured(SURFACE_TEMP),
    "vibration_rms": measured(VIBRATION),
}

_SPEED_LAG_S = 5.0
_METAL_LAG_S = 1800.0
_KPA_PER_M = 9.807
_PLANT_ROOM = 28.0


class PumpUnit:
    """One pump at `path`; `suction` is the pressure before it [kPa]."""

    __slots__ = (
        "_curve",
        "_rated_kw",
        "_running",
        "_suction",
        "_warmth",
        "command",
        "duty",
        "path",
        "speed",
        "speed_command",
    )

    def __init__(self, path: str, curve: PumpCurve, suction: float) -> None:
        self.path = path
        self._curve = curve
        self._suction = suction
        self._running = True
        self.command = True
        self._rated_kw = duty(curve, 1.0).power
        self._warmth = 0.7
        self.speed_command = 1.0
        self.speed = 1.0
        self.duty: Duty = duty(curve, 1.0)

    def step(self, speed_command: float, knobs: Knobs, dt: float, *, command: bool) -> None:
        """Advance by `dt` seconds towards `speed_command` (0–1), or to rest without the start command."""
        self.command = command
        self._running = command and knobs.get(self.path, "dead") < 0.5
        self.speed_command = speed_command if command else 0.0
        self.speed = lag(self.speed, speed_command if self._running else 0.0, _SPEED_LAG_S, dt)
        if self.speed < 0.02:
            self.speed = 0.0
        valve = 1 + knobs.get(self.path, "restriction")
        turning = duty(self._curve, self.speed, valve=valve, impeller=1 - knobs.get(self.path, "impeller_loss"))
        self.duty = turning if self._running else Duty(turning.flow, turning.head, 0.0)
        self._warmth = lag(self._warmth, self.duty.power / self._rated_kw, _METAL_LAG_S, dt)

    def values(self) -> Mapping[str, Value]:
        """True values of every point."""
        return {
            "pump_command": self.command,
            "pump_status": self._running,
            "speed_command": round(100 * self.speed_command, 1),
            "speed": 100 * self.speed,
            "pump_flow": self.duty.flow,
            "suction_pressure": self._suction,
            "discharge_pressure": self._suction + _KPA_PER_M * self.duty.head,
            "active_power": self.duty.power,
            "current_avg": self.duty.power / (math.sqrt(3) * 0.38 * 0.86),
            "bearing_temp_de": _PLANT_ROOM + 24 * self._warmth,
            "bearing_temp_nde": _PLANT_ROOM + 19 * self._warmth,
            "motor_winding_temp": _PLANT_ROOM + 48 * self._warmth,
            "vibration_rms": 1.6 * self.speed**2,
        }

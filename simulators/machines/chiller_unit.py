"""A chiller with its own controller: flow interlock, restart inhibit, meters, and what its panel shows."""

from __future__ import annotations

import math
from collections.abc import Mapping

from simulators.board import Knobs
from simulators.machines.device import Channel, Value, counter, exact, measured
from simulators.physics.chiller import (
    CHW_FLOW_DESIGN,
    CW_FLOW_DESIGN,
    RATED_POWER_KW,
    ChillerFaults,
    ChillerState,
    ChillerWater,
    step_chiller,
)
from simulators.sensors import (
    FLOW,
    LOAD,
    MATCHED_TEMP,
    POWER,
    PRESSURE,
    REFRIGERANT_PRESSURE,
    SATURATION_TEMP,
    SURFACE_TEMP,
)

CHILLER_CHANNELS: Mapping[str, Channel] = {
    "chiller_enable_command": exact(),
    "chiller_run_status": exact(),
    "chiller_alarm_status": exact(),
    "evap_flow_status": exact(),
    "cond_flow_status": exact(),
    "chw_supply_temp_setpoint": exact(),
    "chw_supply_temp": measured(MATCHED_TEMP),
    "chw_return_temp": measured(MATCHED_TEMP),
    "chw_flow": measured(FLOW),
    "cw_flow": measured(FLOW),
    "cw_entering_temp": measured(MATCHED_TEMP),
    "cw_leaving_temp": measured(MATCHED_TEMP),
    "evap_sat_temp": measured(SATURATION_TEMP),
    "cond_sat_temp": measured(SATURATION_TEMP),
    "evap_pressure": measured(REFRIGERANT_PRESSURE),
    "cond_pressure": measured(REFRIGERANT_PRESSURE),
    "compressor_discharge_temp": measured(SURFACE_TEMP),
    "liquid_line_temp": measured(SATURATION_TEMP),
    "suction_temp": measured(SATURATION_TEMP),
    "oil_pressure_diff": measured(PRESSURE),
    "oil_temp": measured(SURFACE_TEMP),
    "compressor_load_percent": measured(LOAD),
    "active_power": measured(POWER),
    "energy_active_total": counter(),
    "start_count_total": counter(),
    "run_hours_total": counter(),
}

_FLOW_LOST = 0.40
_FLOW_PROVEN = 0.45
_TRIP_DELAY_S = 10.0
_RESTART_INHIBIT_S = 600.0
_RECYCLE_K = 1.5
"""At minimum load the water runs this far under the set point before the machine stops, and over before it starts."""


class ChillerUnit:
    """One chiller at `path`. Enabled, it runs while both waters flow."""

    def __init__(self, path: str, *, enabled: bool) -> None:
        self.path = path
        self.enabled = enabled
        self._water = ChillerWater(12.0, CHW_FLOW_DESIGN, 28.0, CW_FLOW_DESIGN)
        self._no_flow_s = 0.0
        self._off_s = _RESTART_INHIBIT_S
        self._superheat = 0.0
        self._subcooling = 0.0
        self._energy = 812_400.0
        self._starts = 413
        self._hours = 6_120.0
        self._evap_flow = self._cond_flow = True
        self.setpoint = 7.0
        self.running = False
        self.tripped = False
        self.state = ChillerState.at_rest(10.0, 28.0)

    def step(self, water: ChillerWater, setpoint: float, knobs: Knobs, dt: float, *, enabled: bool) -> None:
        """Advance by `dt` seconds in this water; controls first, then physics, then meters."""
        self.enabled = enabled
        loss = 1 - knobs.get(self.path, "cw_flow_loss")
        self._water = ChillerWater(water.chw_return, water.chw_flow, water.cw_entering, water.cw_flow * loss)
        self.setpoint = setpoint
        self._superheat = knobs.get(self.path, "superheat")
        self._subcooling = knobs.get(self.path, "subcooling")
        self._control(dt)
        faults = ChillerFaults(
            condenser_fouling=knobs.get(self.path, "condenser_fouling"),
            evaporator_fouling=knobs.get(self.path, "evaporator_fouling"),
            noncondensable=knobs.get(self.path, "noncondensable"),
            capacity=1 - knobs.get(self.path, "capacity_loss"),
            power=1 + knobs.get(self.path, "power_gain"),
        )
        target = setpoint if self.running else None
        self.state = step_chiller(self.state, self._water, setpoint=target, faults=faults, dt=dt)
        self._energy += self.state.power * dt / 3600
        self._hours += dt / 3600 if self.running else 0.0

    def _control(self, dt: float) -> None:
        """Lost flow trips an enabled machine after 10 s; with flow proven and 10 min over it starts by itself."""
        self._evap_flow = _proven(self._evap_flow, self._water.chw_flow / CHW_FLOW_DESIGN)
        self._cond_flow = _proven(self._cond_flow, self._water.cw_flow / CW_FLOW_DESIGN)
        flows = self._evap_flow and self._cond_flow
        self._no_flow_s = 0.0 if flows else self._no_flow_s + dt
        self._off_s = 0.0 if self.running else self._off_s + dt
        if not self.enabled:
            self.running = self.tripped = False
        elif self.running:
            lost = self._no_flow_s >= _TRIP_DELAY_S
            self.tripped = self.tripped or lost
            self.running = not lost and self.state.chw_supply > self.setpoint - _RECYCLE_K
        elif flows:
            self.tripped = False
            wanted = self._water.chw_return > self.setpoint + _RECYCLE_K
            self.running = wanted and self._off_s >= _RESTART_INHIBIT_S
            self._starts += self.running

    def values(self) -> Mapping[str, Value]:
        """True values of every point."""
        state, water = self.state, self._water
        superheat = 5.0 + self._superheat if self.running else 0.0
        subcooling = 5.5 - self._subcooling if self.running else 0.0
        discharge = 12 + 18 * state.part_load + 4 * self._superheat if self.running else 0.0
        return {
            "chiller_enable_command": self.enabled,
            "chiller_run_status": self.running,
            "chiller_alarm_status": self.tripped,
            "evap_flow_status": self._evap_flow,
            "cond_flow_status": self._cond_flow,
            "chw_supply_temp_setpoint": self.setpoint,
            "chw_supply_temp": state.chw_supply,
            "chw_return_temp": water.chw_return,
            "chw_flow": water.chw_flow,
            "cw_flow": water.cw_flow,
            "cw_entering_temp": water.cw_entering,
            "cw_leaving_temp": state.cw_leaving,
            "evap_sat_temp": state.evap_sat,
            "cond_sat_temp": state.cond_sat,
            "evap_pressure": saturation_pressure(state.evap_sat),
            "cond_pressure": saturation_pressure(state.cond_sat),
            "compressor_discharge_temp": state.cond_sat + discharge,
            "liquid_line_temp": state.cond_sat - subcooling,
            "suction_temp": state.evap_sat + superheat,
            "oil_pressure_diff": 180.0 if self.running else 0.0,
            "oil_temp": 46.0 + 6 * state.part_load,
            "compressor_load_percent": 100 * state.power / RATED_POWER_KW,
            "active_power": state.power,
            "energy_active_total": self._energy,
            "start_count_total": float(self._starts),
            "run_hours_total": self._hours,
        }


def _proven(before: bool, share: float) -> bool:
    """A flow switch with hysteresis, on the share of design flow."""
    return share >= (_FLOW_LOST if before else _FLOW_PROVEN)


def saturation_pressure(temp: float) -> float:
    """R134a, kPa absolute: the Clausius–Clapeyron line through 350 kPa at 5 °C and 912 kPa at 36 °C (DOMAIN §2.1)."""
    return 350 * math.exp(2656.5 * (1 / 278.15 - 1 / (temp + 273.15)))

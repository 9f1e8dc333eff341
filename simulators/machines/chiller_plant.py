"""The demo's cooling plant: one chiller, a pump on each side, one tower, and the building as its load."""

from __future__ import annotations

import math
from collections.abc import Mapping
from random import Random

from simulators.board import Knobs
from simulators.demand import cooling_demand
from simulators.machines.chiller_unit import CHILLER_CHANNELS, ChillerUnit
from simulators.machines.device import Device, Value
from simulators.machines.pump_unit import PUMP_CHANNELS, PumpUnit
from simulators.machines.system import Moment
from simulators.machines.tower_unit import TOWER_CHANNELS, TowerUnit
from simulators.physics.chiller import CHW_FLOW_DESIGN, ChillerWater
from simulators.physics.pump import CHW_PUMP, CW_PUMP, speed_for
from simulators.physics.water import HEAT_PER_M3, clamp, lag

CHILLER, CHW, CW, TOWER = "plant/chiller-1", "plant/chw-pump-1", "plant/cw-pump-1", "plant/tower-1"
GATEWAY = "plant/gateway-1"

PEAK_KW = 1150.0
"""Load at 35 °C and wet bulb 28 °C: one machine of 1200 kW carries it alone."""

_RETURN_M3 = 12.0
_SUPPLY_M3 = 8.0
_GAIN_KW_PER_K = 0.4
_ROOM = 28.0
_DESIGN_DELTA_K = 5.0
_LEAST_FLOW = 0.6
_RESET_LAG_S = 3600.0
_UNREST = 0.04
_UNREST_S = 240.0
"""Coil valves and doors: the load wanders by 4 % within minutes, so that no water temperature is ever quite still."""


class ChillerPlant:
    """Constant staging: chiller and both pumps are commanded on all summer."""

    period = 5

    def __init__(self, seed: int) -> None:
        self._chiller = ChillerUnit(CHILLER)
        self._chw = PumpUnit(CHW, CHW_PUMP, suction=250.0)
        self._cw = PumpUnit(CW, CW_PUMP, suction=45.0)
        self._tower = TowerUnit(TOWER)
        self._supply = 8.0
        self._return = 12.0
        self._setpoint = 8.0
        self._speed = 0.8
        self._unrest = 0.0
        self._rng = Random(f"{seed}/load")
        self.devices = (
            Device(CHILLER, CHILLER_CHANNELS, gateway=GATEWAY, seed=seed),
            Device(CHW, PUMP_CHANNELS, gateway=GATEWAY, seed=seed),
            Device(CW, PUMP_CHANNELS, gateway=GATEWAY, seed=seed),
            Device(TOWER, TOWER_CHANNELS, gateway=GATEWAY, seed=seed),
        )

    def step(self, moment: Moment, knobs: Knobs, dt: float) -> None:
        """Pumps, building, chiller, tower: each sees the water the one before it has left."""
        keep = math.exp(-dt / _UNREST_S)
        self._unrest = self._unrest * keep + _UNREST * math.sqrt(1 - keep * keep) * self._rng.gauss(0, 1)
        load = cooling_demand(moment.weather, moment.hour, PEAK_KW) * (1 + self._unrest)
        wanted = clamp(load / HEAT_PER_M3 / _DESIGN_DELTA_K, _LEAST_FLOW * CHW_FLOW_DESIGN, CHW_FLOW_DESIGN)
        self._speed = lag(self._speed, speed_for(CHW_PUMP, wanted), 60.0, dt)
        self._chw.step(self._speed, knobs, dt)
        self._cw.step(1.0, knobs, dt)
        flow = self._chw.duty.flow
        self._loop(load, flow, wanted, dt)
        reset = 9 - 2 * clamp((load / PEAK_KW - 0.3) / 0.5, 0.0, 1.0)
        self._setpoint = lag(self._setpoint, reset, _RESET_LAG_S, dt)
        water = ChillerWater(self._return, flow, self._tower.leaving, self._cw.duty.flow)
        self._chiller.step(water, round(self._setpoint, 1), knobs, dt)
        self._tower.step(self._chiller.state.cw_leaving, self._cw.duty.flow, moment.weather.wet_bulb, knobs, dt)

    def _loop(self, load: float, flow: float, wanted: float, dt: float) -> None:
        """Supply pipe, coils, return pipe; coils give up as the water warms or stops."""
        coils = load * clamp((24 - self._supply) / 12, 0.0, 1.0) * clamp(flow / wanted, 0.0, 1.0)
        warmed = self._supply + coils / (HEAT_PER_M3 * flow) if flow > 0 else self._return
        hours = dt / 3600
        self._return += clamp(flow * hours / _RETURN_M3, 0.0, 1.0) * (warmed - self._return)
        gain = _GAIN_KW_PER_K * (_ROOM - self._supply) * hours / (HEAT_PER_M3 * _SUPPLY_M3)
        leaving = self._chiller.state.chw_supply
        self._supply += clamp(flow * hours / _SUPPLY_M3, 0.0, 1.0) * (leaving - self._supply) + gain

    def values(self, path: str) -> Mapping[str, Value]:
        """True values of every point of one machine."""
        units: Mapping[str, ChillerUnit | PumpUnit | TowerUnit] = {
            CHILLER: self._chiller,
            CHW: self._chw,
            CW: self._cw,
            TOWER: self._tower,
        }
        return units[path].values()

    def urgent(self, path: str) -> bool:
        """Nothing here is ever sent every second."""
        return False

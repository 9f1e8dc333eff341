"""The cooling plant: two chillers piped one to one with pumps and towers, a sequencer, and the campus as their load."""

from __future__ import annotations

import math
from collections.abc import Mapping
from random import Random

from simulators.board import Knobs
from simulators.demand import cooling_demand
from simulators.machines.chiller_line import GATEWAY, ChillerLine
from simulators.machines.device import Value
from simulators.machines.sequencer import Sequencer
from simulators.machines.system import Instrumented, Moment
from simulators.physics.chiller import CHW_FLOW_DESIGN
from simulators.physics.water import HEAT_PER_M3, clamp, lag

PEAK_KW = 1400.0
"""Load at 35 °C and wet bulb 28 °C: more than one machine of 1200 kW carries; either alone carries a mild day."""

_RETURN_M3 = 12.0
_SUPPLY_M3 = 8.0
_GAIN_KW_PER_K = 0.4
_ROOM = 28.0
_DESIGN_DELTA_K = 5.0
_LEAST_FLOW = 0.6
_FLOW_LAG_S = 60.0
_RESET_LAG_S = 3600.0
_UNREST = 0.04
_UNREST_S = 240.0
"""Coil valves and doors: the load wanders by 4 % within minutes, so that no water temperature is ever quite still."""


class ChillerPlant(Instrumented):
    """Line 1 leads all summer; line 2 is started and stopped with the load, and stands in when line 1 has tripped."""

    period = 5
    voice = 5
    gateway = GATEWAY

    def __init__(self, seed: int) -> None:
        self._lines = (ChillerLine(1, seed, on=True), ChillerLine(2, seed, on=False))
        self._sequencer = Sequencer()
        self._supply = 8.0
        self._return = 12.0
        self._setpoint = 8.0
        self._wanted = CHW_FLOW_DESIGN * _LEAST_FLOW
        self._unrest = 0.0
        self._rng = Random(f"{seed}/load")
        self.devices = tuple(device for line in self._lines for device in line.devices)

    @property
    def supply(self) -> float:
        """Chilled water in the supply header, °C."""
        return self._supply

    def step(self, moment: Moment, knobs: Knobs, dt: float) -> None:
        """Sequencer, pumps, building, then each line."""
        keep = math.exp(-dt / _UNREST_S)
        self._unrest = self._unrest * keep + _UNREST * math.sqrt(1 - keep * keep) * self._rng.gauss(0, 1)
        load = cooling_demand(moment.weather, moment.hour, PEAK_KW) * (1 + self._unrest)
        lead, lag_line = self._lines
        lag_line.on = self._sequencer.step(lead.chiller, lag_line.chiller, dt)
        on = max(sum(line.pumping for line in self._lines), 1)
        share = clamp(load / HEAT_PER_M3 / _DESIGN_DELTA_K / on, _LEAST_FLOW * CHW_FLOW_DESIGN, CHW_FLOW_DESIGN)
        self._wanted = lag(self._wanted, share, _FLOW_LAG_S, dt)
        for line in self._lines:
            line.pump(self._wanted, knobs, dt)
        self._loop(load, self._wanted * on, dt)
        reset = 9 - 2 * clamp((load / PEAK_KW - 0.3) / 0.5, 0.0, 1.0)
        self._setpoint = lag(self._setpoint, reset, _RESET_LAG_S, dt)
        for line in self._lines:
            line.cool(self._return, round(self._setpoint, 1), moment.weather.wet_bulb, knobs, dt)

    def _loop(self, load: float, wanted: float, dt: float) -> None:
        """Supply header, coils, return pipe; coils give up as the water warms or stops."""
        flow = sum(line.flow for line in self._lines)
        coils = load * clamp((24 - self._supply) / 12, 0.0, 1.0) * clamp(flow / wanted, 0.0, 1.0)
        warmed = self._supply + coils / (HEAT_PER_M3 * flow) if flow > 0 else self._return
        hours = dt / 3600
        self._return += clamp(flow * hours / _RETURN_M3, 0.0, 1.0) * (warmed - self._return)
        gain = _GAIN_KW_PER_K * (_ROOM - self._supply) * hours / (HEAT_PER_M3 * _SUPPLY_M3)
        if flow > 0:
            leaving = sum(line.flow * line.chiller.state.chw_supply for line in self._lines) / flow
            self._supply += clamp(flow * hours / _SUPPLY_M3, 0.0, 1.0) * (leaving - self._supply)
        self._supply += gain

    def values(self, path: str) -> Mapping[str, Value]:
        """True values of every point of one machine."""
        return next(line for line in self._lines if path in line.paths).values(path)

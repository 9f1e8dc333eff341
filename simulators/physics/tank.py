"""The stratified hot-water tank with its electric heater loop and circulation (DOMAIN §4.6)."""

from __future__ import annotations

import math
from dataclasses import dataclass

from simulators.physics.water import HEAT_PER_KG

LAYERS = 10
VOLUME_M3 = 36.0
HEATER_KW = 400.0

_LAYER_KG = VOLUME_M3 * 1000 / LAYERS
_ROOM = 22.0
_SHELL_KW_PER_K = 0.05
_LOOP_KW_PER_K = 0.30
_CONDUCTION_KW_PER_K = 0.15
_SENSING_LAYER = 6
"""The layer whose top is at 60 % of the depth."""
_STOPPED_RETURN_S = 3.7 * 3600
_CUT_OUT = 92.0
"""The hard-wired high limit opens the circuit above this top temperature, °C."""
_LEAST_RISE = 0.1
"""Smallest rise the heater loop is asked for, K: keeps its flow finite when the bottom is hot."""


@dataclass(frozen=True, slots=True)
class TankFlows:
    """kg/s out of the top (`draw`, showers and leaks), kg/s round the loop, and the cold water's temperature [°C]."""

    draw: float
    circulation: float
    cold: float


@dataclass(frozen=True, slots=True)
class TankFaults:
    """`element` is the share of heater power that is left; `welded` keeps the heater on; `bias` is seen by control."""

    element: float = 1.0
    welded: bool = False
    bias: float = 0.0


@dataclass(frozen=True, slots=True)
class TankState:
    """Layers from top to bottom [°C], the heater's command and power [kW], and the circulation's return [°C]."""

    layers: tuple[float, ...]
    heating: bool
    heater_power: float
    return_temp: float

    @staticmethod
    def uniform(temp: float) -> TankState:
        """A tank of one temperature, heater off."""
        return TankState((temp,) * LAYERS, heating=False, heater_power=0.0, return_temp=temp - 4)

    @property
    def top(self) -> float:
        """Temperature of the layer water is drawn from, °C."""
        return self.layers[0]

    @property
    def middle(self) -> float:
        """Temperature at half depth, °C."""
        return self.layers[LAYERS // 2]

    @property
    def bottom(self) -> float:
        """Temperature of the layer cold water enters, °C."""
        return self.layers[-1]


def thermostat(state: TankState, setpoint: float, bias: float = 0.0) -> bool:
    """Whether the heater is asked to run: on when 60 % depth falls below SP − 8, off when the bottom passes SP − 3."""
    if state.bottom + bias > setpoint - 3:
        return False
    return state.heating or state.layers[_SENSING_LAYER] + bias < setpoint - 8


def step_tank(
    state: TankState, flows: TankFlows, *, setpoint: float, faults: TankFaults | None = None, dt: float
) -> TankState:
    """Advance by `dt` seconds (≤ 30): thermostat, upwind advection, losses, conduction, then overturning."""
    faults = faults or TankFaults()
    heating = thermostat(state, setpoint, faults.bias)
    closed = heating or faults.welded
    power = HEATER_KW * faults.element if closed and state.top < _CUT_OUT else 0.0
    lift = max(setpoint - state.bottom, 6.0 if faults.welded else _LEAST_RISE)
    loop = power / (HEAT_PER_KG * lift)
    returned = _return_temp(state, flows.circulation, dt)
    heat = _advect(state.layers, flows, loop)
    heat[0] += loop * HEAT_PER_KG * (state.bottom + lift)
    heat[LAYERS - 2] += flows.circulation * HEAT_PER_KG * returned
    capacity = _LAYER_KG * HEAT_PER_KG
    shell = _SHELL_KW_PER_K / LAYERS
    layers = [t + dt * (q - shell * (t - _ROOM)) / capacity for t, q in zip(state.layers, heat, strict=True)]
    _overturn(layers)
    return TankState(tuple(layers), heating, power, returned)


def _return_temp(state: TankState, circulation: float, dt: float) -> float:
    """Return of the loop after its losses; standing water in it cools to the room with τ = 3.7 h."""
    if circulation <= 0:
        return _ROOM + (state.return_temp - _ROOM) * math.exp(-dt / _STOPPED_RETURN_S)
    return _ROOM + (state.top - _ROOM) * math.exp(-_LOOP_KW_PER_K / (circulation * HEAT_PER_KG))


def _advect(layers: tuple[float, ...], flows: TankFlows, loop: float) -> list[float]:
    """kW into each layer by vertical flow (upwind) and conduction, cold water in, and draw, loops out."""
    heat = [0.0] * LAYERS
    for j in range(LAYERS - 1):
        upward = flows.draw - loop + (flows.circulation if j < LAYERS - 2 else 0.0)
        carried = upward * HEAT_PER_KG * (layers[j + 1] if upward > 0 else layers[j])
        moved = carried + _CONDUCTION_KW_PER_K * (layers[j + 1] - layers[j])
        heat[j] += moved
        heat[j + 1] -= moved
    heat[0] -= (flows.draw + flows.circulation) * HEAT_PER_KG * layers[0]
    heat[-1] += HEAT_PER_KG * (flows.draw * flows.cold - loop * layers[-1])
    return heat


def _overturn(layers: list[float]) -> None:
    """Mix every run of layers that is warmer below than above, in place: warm water rises at once.

    Neighbours in the wrong order are pooled to their mean until the order is right; heat is conserved.
    """
    pools: list[tuple[float, int]] = []
    for temp in layers:
        mean, count = temp, 1
        while pools and pools[-1][0] < mean:
            above, size = pools.pop()
            mean = (above * size + mean * count) / (size + count)
            count += size
        pools.append((mean, count))
    layers[:] = [mean for mean, count in pools for _ in range(count)]

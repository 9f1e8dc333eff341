"""One cooling-tower cell with its basin: effectiveness, evaporation, blow-down, salt and level (DOMAIN §2.7)."""

from __future__ import annotations

from dataclasses import dataclass

from simulators.physics.chiller import CW_FLOW_DESIGN
from simulators.physics.water import clamp

FAN_RATED_KW = 15.0
MAKEUP_CONDUCTIVITY = 450.0
"""κ of the make-up water, µS/cm."""

_BASIN_M3 = 4.0
_LEVEL_M3 = 5.0
"""Basin volume at 100 % level."""
_CYCLES = 4.0
_MAKEUP_MAX = 8.0


@dataclass(frozen=True, slots=True)
class TowerInput:
    """Warm water in [°C, m³/h], outdoor wet bulb [°C], fan speed (0–1)."""

    entering: float
    flow: float
    wet_bulb: float
    fan: float


@dataclass(frozen=True, slots=True)
class TowerFaults:
    """`fill` ≤ 1 scales the effectiveness, `airflow` ≤ 1 is air lost to a slipping belt, `makeup` 0 is a shut valve."""

    fill: float = 1.0
    airflow: float = 1.0
    makeup: float = 1.0


@dataclass(frozen=True, slots=True)
class TowerState:
    """Basin temperature [°C], level [%], conductivity [µS/cm] and the water flows of the last step [m³/h]."""

    basin_temp: float
    level: float = 65.0
    conductivity: float = MAKEUP_CONDUCTIVITY * _CYCLES
    makeup: float = 0.0
    blowdown: float = 0.0


def effectiveness(fan: float, flow_ratio: float, fill: float = 1.0) -> float:
    """ε of the cell at fan speed n and water flow as a share of design; at most 0.92."""
    return min(0.92, 0.56 * fill * float(max(fan, 0.12) ** 0.45) * float(max(flow_ratio, 0.1) ** -0.4))


def fan_power(fan: float, faults: TowerFaults) -> float:
    """kW of the fan: 5 % idle, the rest with the cube of speed; a slipping belt sheds 60 % of the air it loses."""
    if fan <= 0:
        return 0.0
    return FAN_RATED_KW * (0.05 + 0.95 * fan**3) * (1 - 0.6 * (1 - faults.airflow))


def step_tower(state: TowerState, inlet: TowerInput, *, faults: TowerFaults | None = None, dt: float) -> TowerState:
    """Advance by `dt` seconds (≤ 50, the basin's turn-over time at design flow)."""
    faults = faults or TowerFaults()
    share = effectiveness(inlet.fan * faults.airflow, inlet.flow / CW_FLOW_DESIGN, faults.fill)
    cooled = inlet.entering - share * (inlet.entering - inlet.wet_bulb)
    turnover = clamp(inlet.flow * dt / 3600 / _BASIN_M3, 0.0, 1.0)
    temp = state.basin_temp + turnover * (cooled - state.basin_temp)
    evaporation = 0.00153 * max(inlet.entering - cooled, 0.0) * inlet.flow
    drift = 0.00002 * inlet.flow
    blowdown = evaporation / (_CYCLES - 1) if state.conductivity > 0.9 * MAKEUP_CONDUCTIVITY * _CYCLES else 0.0
    makeup = clamp((75.0 - state.level) / 20.0, 0.0, 1.0) * _MAKEUP_MAX * faults.makeup
    hours = dt / 3600
    level = clamp(state.level + (makeup - evaporation - blowdown - drift) * hours / _LEVEL_M3 * 100, 0.0, 100.0)
    salt = makeup * MAKEUP_CONDUCTIVITY - (blowdown + drift) * state.conductivity
    conductivity = max(state.conductivity + salt * hours / _BASIN_M3, MAKEUP_CONDUCTIVITY)
    return TowerState(temp, level, conductivity, makeup, blowdown)

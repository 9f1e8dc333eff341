"""Which points the bathhouse's machines send, and what a heater's instruments show."""

from __future__ import annotations

import math
from collections.abc import Mapping

from simulators.machines.device import FAST_S, Channel, Value, counter, exact, measured
from simulators.physics.tank import TankState
from simulators.sensors import (
    CURRENT,
    LEVEL,
    OUTLET_TEMP,
    PIPE_TEMP,
    POWER,
    PRESSURE,
    PROBE_TEMP,
    SMALL_FLOW,
    SPEED,
    SURFACE_TEMP,
    VOLTAGE,
)

TANK_CHANNELS: Mapping[str, Channel] = {
    "circ_pump_command": exact(),
    "circ_pump_status": exact(),
    "tank_temp_setpoint": exact(),
    "tank_temp_top": measured(PIPE_TEMP),
    "tank_temp_middle": measured(PIPE_TEMP),
    "tank_temp_bottom": measured(PIPE_TEMP),
    "dhw_supply_temp": measured(OUTLET_TEMP),
    "circ_return_temp": measured(OUTLET_TEMP),
    "tank_level": measured(LEVEL),
    "circ_flow": measured(SMALL_FLOW),
    "hot_water_flow": measured(SMALL_FLOW),
    "cold_makeup_flow": measured(SMALL_FLOW),
    "cold_water_temp": measured(OUTLET_TEMP),
    "tank_volume": measured(SMALL_FLOW),
    "makeup_valve_command": exact(),
    "water_total": counter(),
    "makeup_water_total": counter(),
    "heat_energy_total": counter(),
}

HEATER_CHANNELS: Mapping[str, Channel] = {
    "heater_command": exact(),
    "heater_status": exact(),
    "heater_power": measured(POWER),
    "heater_current_l1": measured(CURRENT),
    "heater_current_l2": measured(CURRENT),
    "heater_current_l3": measured(CURRENT),
    "element_temp": measured(SURFACE_TEMP),
    "dry_burn_status": exact(),
    "voltage": measured(VOLTAGE),
    "energy_active_total": counter(),
}

MIXING_CHANNELS: Mapping[str, Channel] = {
    "mixed_water_temp": measured(PROBE_TEMP, FAST_S),
    "mixed_water_flow": measured(SMALL_FLOW, FAST_S),
    "mixing_valve_position": measured(SPEED, FAST_S),
    "mixing_valve_command": measured(SPEED, FAST_S),
    "mixed_water_temp_setpoint": exact(),
    "cold_water_temp": measured(OUTLET_TEMP),
    "hot_water_temp": measured(OUTLET_TEMP),
    "cold_supply_pressure": measured(PRESSURE, FAST_S),
    "hot_supply_pressure": measured(PRESSURE, FAST_S),
}

_LINE_KV = 0.38
_BUNDLES = 8
_SHEATH_KW_PER_K = 2.0


def heater_values(tank: TankState, energy: float, *, closed: bool) -> Mapping[str, Value]:
    """True values of the heater; `energy` is its meter [kW·h], `closed` says where its contactor stands."""
    current = tank.heater_power / (math.sqrt(3) * _LINE_KV)
    return {
        "heater_command": tank.heating,
        "heater_status": closed,
        "heater_power": tank.heater_power,
        "heater_current_l1": current,
        "heater_current_l2": current,
        "heater_current_l3": current,
        "element_temp": tank.top + tank.heater_power / _BUNDLES / _SHEATH_KW_PER_K,
        "dry_burn_status": False,
        "voltage": 220.0,
        "energy_active_total": energy,
    }

"""Which points a meter in the low-voltage room sends: electricity every 10 s, heat and quality every minute."""

from __future__ import annotations

from collections.abc import Mapping

from simulators.machines.device import Channel, counter, measured
from simulators.sensors import (
    BUS_VOLTAGE,
    FREQUENCY,
    HARMONICS,
    HUMIDITY,
    JOINT_TEMP,
    METER_CURRENT,
    METER_POWER,
    POWER_FACTOR,
    RESIDUAL,
    STILL_AIR,
    UNBALANCE,
)

ELEC_S = 10

PHASES = ("l1", "l2", "l3")
LINES = ("l1_l2", "l2_l3", "l3_l1")
JOINTS = ("incoming", "outgoing")
"""Bolted joints on each phase: to the busbar, and to the outgoing cable."""

QUICK_CHANNELS: Mapping[str, Channel] = {
    **{f"voltage_{phase}": measured(BUS_VOLTAGE, ELEC_S) for phase in PHASES},
    **{f"current_{phase}": measured(METER_CURRENT, ELEC_S) for phase in PHASES},
    "current_n": measured(METER_CURRENT, ELEC_S),
    "active_power": measured(METER_POWER, ELEC_S),
    "reactive_power": measured(METER_POWER, ELEC_S),
    "power_factor": measured(POWER_FACTOR, ELEC_S),
}
SLOW_CHANNELS: Mapping[str, Channel] = {
    **{f"voltage_{line}": measured(BUS_VOLTAGE) for line in LINES},
    **{f"active_power_{phase}": measured(METER_POWER) for phase in PHASES},
    **{f"reactive_power_{phase}": measured(METER_POWER) for phase in PHASES},
    "apparent_power": measured(METER_POWER),
    "frequency": measured(FREQUENCY),
    "harmonic_current_3": measured(HARMONICS),
    "harmonic_current_5": measured(HARMONICS),
    **{f"thd_voltage_{phase}": measured(HARMONICS) for phase in PHASES},
    **{f"thd_current_{phase}": measured(HARMONICS) for phase in PHASES},
    "voltage_unbalance_u2": measured(UNBALANCE),
    "residual_current": measured(RESIDUAL),
    "cable_temp": measured(JOINT_TEMP),
    "panel_ambient_temp": measured(STILL_AIR),
    "panel_humidity": measured(HUMIDITY),
    **{f"joint_temp_{joint}_{phase}": measured(JOINT_TEMP) for joint in JOINTS for phase in PHASES},
    "energy_active_import_total": counter(),
    "energy_reactive_total": counter(),
    "demand_active_15min": measured(METER_POWER),
}

BOARD_FLAGS = ("breaker_status", "breaker_trip_status")

"""Two air handlers in the office building, as arrays: one by timetable, one for the control room day and night."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from simulators.board import Knobs
from simulators.demand import offices_occupied
from simulators.machines.air_control import AirControl, Demand
from simulators.machines.bank import Bank, Bools, Floats
from simulators.machines.device import Channel, exact, measured
from simulators.machines.system import Frames, Moment
from simulators.physics.air import (
    AIRFLOW_M3H,
    ZoneInput,
    Zones,
    airflow,
    cool,
    duct_pressure,
    fan_power,
    filter_drop,
    step_zones,
    valve_flow,
)
from simulators.physics.electric import approach
from simulators.sensors import AIR_FLOW, AIR_PRESSURE, AIR_TEMP, CO2, FILTER_PRESSURE, OUTLET_TEMP, SMALL_POWER, SPEED

GATEWAY = "office/gateway-1"
UNITS = ("office/ahu-1", "office/ahu-2")

_HEATING_K = 25.0
"""Rise over the heating coil at full valve and airflow."""
_HEATING_ENDS, _HEATING_BEGINS = 74, 319
"""Hot water from the district only in the heating season of North China, 15 November to 15 March."""
_DUCT_TAU_S = 60.0
_STANDING_TAU_S = 1800.0

_CHANNELS: Mapping[str, Channel] = {
    **{point: measured(AIR_TEMP) for point in ("oat", "mat", "rat", "sat")},
    "zone_temp": measured(AIR_TEMP, 300),
    "sat_setpoint": exact(),
    **{
        f"{part}_{end}": measured(SPEED)
        for part in ("clg_valve", "htg_valve", "oa_damper")
        for end in ("command", "position")
    },
    "sf_speed_command": measured(SPEED),
    "sf_speed": measured(SPEED),
    "duct_static_pressure": measured(AIR_PRESSURE),
    "duct_static_pressure_setpoint": exact(),
    "filter_dp": measured(FILTER_PRESSURE),
    "supply_airflow": measured(AIR_FLOW),
    "co2": measured(CO2),
    "chw_coil_entering_temp": measured(OUTLET_TEMP),
    "chw_coil_leaving_temp": measured(OUTLET_TEMP),
    "active_power": measured(SMALL_POWER),
}
_FLAGS = ("sf_command", "sf_status", "schedule_status", "occupancy_status")


class AirHandlers:
    """`chilled_water` gives the temperature in the supply header, °C."""

    period = 10
    voice = 10
    gateway = GATEWAY
    paths = UNITS

    def __init__(self, seed: int, chilled_water: Callable[[], float]) -> None:
        count = len(UNITS)
        self._chilled_water = chilled_water
        self._bank = Bank(UNITS, _CHANNELS, _FLAGS, seed)
        self._control = AirControl(count)
        self._zones = Zones(np.full(count, 25.0), np.full(count, 500.0))
        self._outdoors = 25.0
        self._water = 8.0
        self._mixed = np.full(count, 25.0)
        self._supply = np.full(count, 18.0)
        self._leaving = np.full(count, 12.0)
        self._air = np.zeros(count)
        self._filter = np.ones(count)
        self._slip = np.zeros(count)
        self._occupied = np.zeros(count)
        self._schedule: Bools = np.ones(count, dtype=bool)

    def power(self) -> float:
        """Both fans, kW."""
        return float(fan_power(self._control.speed, self._slip).sum())

    def step(self, moment: Moment, knobs: Knobs, dt: float) -> None:
        """Controls on what the sensors said, then air, coil and rooms."""
        weather, hour = moment.weather, moment.hour
        work = 0.0 if moment.sunday else offices_occupied(hour)
        self._occupied = np.array([work, max(0.35, 0.6 * work)])
        self._schedule = np.array([not moment.sunday and 7 <= hour < 19, True])
        self._outdoors, self._water = weather.temp, self._chilled_water()
        self._filter = np.array([1 + knobs.get(path, "filter_clog") for path in UNITS])
        self._slip = np.array([knobs.get(path, "belt_slip") for path in UNITS])
        control = self._control
        pressure = duct_pressure(self._air)
        heating = not _HEATING_ENDS < moment.day < _HEATING_BEGINS
        seen = Demand(self._schedule, self._supply, pressure, self._zones.temp, weather.temp, heating)
        control.step(seen, knobs, UNITS, dt)
        self._air = airflow(control.speed, self._filter, self._slip)
        share = control.damper
        mixed = share * weather.temp + (1 - share) * self._zones.temp
        leak = np.array([knobs.get(path, "valve_leak") for path in UNITS])
        coil = cool(mixed, self._water, valve_flow(control.cooling, leak), self._air, humid=weather.dew_point > 10)
        moving = control.running
        supply = coil.supply + _HEATING_K * control.heating
        self._mixed = np.where(moving, approach(self._mixed, mixed, 20.0, dt), self._standing(self._mixed, dt))
        self._supply = np.where(
            moving, approach(self._supply, supply, _DUCT_TAU_S, dt), self._standing(self._supply, dt)
        )
        self._leaving = np.where(moving, coil.water, self._standing(self._leaving, dt))
        inlet = ZoneInput(weather.temp, hour, self._occupied, self._supply, self._air, share)
        self._zones = step_zones(self._zones, inlet, dt)

    def _standing(self, temp: Floats, dt: float) -> Floats:
        """Air and water that stand take the temperature of the room."""
        return approach(temp, self._zones.temp, _STANDING_TAU_S, dt)

    def _values(self) -> Mapping[str, Floats | Bools]:
        """True values of every point, over the units."""
        control, count = self._control, len(UNITS)
        return {
            "oat": np.full(count, self._outdoors),
            "mat": self._mixed,
            "rat": self._zones.temp,
            "sat": self._supply,
            "zone_temp": self._zones.temp,
            "sat_setpoint": control.setpoint,
            "clg_valve_command": 100 * control.cooling_command,
            "clg_valve_position": 100 * control.cooling,
            "htg_valve_command": 100 * control.heating_command,
            "htg_valve_position": 100 * control.heating,
            "oa_damper_command": 100 * control.damper_command,
            "oa_damper_position": 100 * control.damper,
            "sf_speed_command": 100 * control.speed_command,
            "sf_speed": 100 * control.speed,
            "duct_static_pressure": duct_pressure(self._air),
            "duct_static_pressure_setpoint": control.pressure_setpoint,
            "filter_dp": filter_drop(self._air, self._filter),
            "supply_airflow": AIRFLOW_M3H * self._air,
            "co2": self._zones.co2,
            "chw_coil_entering_temp": np.where(control.running, self._water, self._leaving),
            "chw_coil_leaving_temp": self._leaving,
            "active_power": fan_power(control.speed, self._slip),
            "sf_command": self._schedule,
            "sf_status": control.running,
            "schedule_status": self._schedule,
            "occupancy_status": self._occupied > 0.1,
        }

    def settle(self, dt: float) -> None:
        """Let the sensors follow."""
        self._bank.follow(self._values(), dt)

    def say(self, second: int, knobs: Knobs, *, heard: bool, first: bool) -> Frames:
        """Each minute, flags at once."""
        self._bank.follow(self._values(), float(self.period))
        if not heard:
            self._bank.refresh()
            return []
        return self._bank.frames(second, knobs)

"""The demo's bathhouse: hot-water tank, electric heater, mixing valve, circulation, and shifts that come to shower."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from simulators.board import Knobs
from simulators.demand import BathDemand, mixed_demand
from simulators.machines.bath_points import HEATER_CHANNELS, MIXING_CHANNELS, TANK_CHANNELS, heater_values
from simulators.machines.device import Device, Value
from simulators.machines.system import Instrumented, Moment
from simulators.physics.mixing import MixingFaults, MixingState, MixingWater, hot_share, step_mixing
from simulators.physics.tank import VOLUME_M3, TankFaults, TankFlows, TankState, step_tank
from simulators.physics.water import clamp, lag

TANK, HEATER, VALVE = "bath/tank-1", "bath/heater-1", "bath/mixing-valve-1"
GATEWAY = "bath/gateway-1"

_MIXED_C = 40.0
_SETPOINT_C = 60.0
_DISINFECTION_C = 68.0
_CIRCULATION_KG_S = 1.0
_MAKEUP_M3_H = 36.0
_TANK_EVERY_S = 5.0
_PIPE_SWING_K = 0.25
_PIPE_PERIOD_MS = 5_400_000
"""The mains wander a little in 90 min; the mass and heat balance is struck at their mean."""
_SHOWERING = 0.1
"""Share of the peak flow above which showers count as running."""
_IDLE_S = 5
"""Nobody showers: valve and its probe are looked at as often as they are sent."""


@dataclass(frozen=True, slots=True)
class BathSite:
    """What differs between bathhouses: shower heads, temperature of the cold water [°C]."""

    heads: int = 60
    cold: float = 12.0


class Bathhouse(Instrumented):
    """One hall on one tank. While showers run the mixing valve moves every second, else every five like the tank."""

    period = 1
    voice = 1
    gateway = GATEWAY

    def __init__(self, seed: int, site: BathSite) -> None:
        self._site = site
        self._tank = TankState.uniform(_SETPOINT_C)
        self._valve = MixingState(hot_share(_SETPOINT_C, site.cold, _MIXED_C), _MIXED_C)
        self._closed = False
        self._setpoint = _SETPOINT_C
        self._mixed = self._draw = 0.0
        self._makeup = False
        self._filling = 0.0
        self._level = 80.0
        self._circulation = _CIRCULATION_KG_S
        self._cold_kpa, self._hot_kpa = 255.0, 250.0
        self._water = self._cold_water = 0.0
        self._heat = 0.0
        self._cold_pipe = site.cold
        self._waiting = self._idle = 0.0
        self.devices = (
            Device(TANK, TANK_CHANNELS, gateway=GATEWAY, seed=seed),
            Device(HEATER, HEATER_CHANNELS, gateway=GATEWAY, seed=seed),
            Device(VALVE, MIXING_CHANNELS, gateway=GATEWAY, seed=seed, period=1),
        )

    def step(self, moment: Moment, knobs: Knobs, dt: float) -> None:
        """Valve every call; tank, level and meters once five seconds have gathered."""
        self._idle += dt
        if not self.urgent(VALVE) and self._idle < _IDLE_S:
            return
        dt, self._idle = self._idle, 0.0
        demand = BathDemand(heads=self._site.heads, factor=0.8 if moment.sunday else 1.0)
        self._mixed = mixed_demand(demand, moment.hour)
        lost = knobs.get(VALVE, "cold_lost")
        stuck = knobs.get(VALVE, "stuck_at")
        faults = MixingFaults(cold_lost=lost, stuck_at=stuck if stuck > 0 else None)
        self.devices[-1].period = 1 if self.urgent(VALVE) else _IDLE_S
        water = MixingWater(self._tank.top, self._site.cold, _MIXED_C)
        self._valve = step_mixing(self._valve, water, faults, dt)
        busy = clamp(self._mixed / self._peak, 0.0, 1.0)
        self._cold_kpa = lag(self._cold_kpa, (255 - 8 * busy) * (1 - lost), 2.0, dt)
        self._hot_kpa = lag(self._hot_kpa, 250 - 7 * busy, 2.0, dt)
        share = self._valve.position + (1 - self._valve.position) * lost
        self._draw = self._mixed * share + knobs.get(TANK, "leak")
        self._waiting += dt
        if self._waiting >= _TANK_EVERY_S:
            self._step_tank(moment, knobs, self._waiting)
            self._waiting = 0.0

    def _step_tank(self, moment: Moment, knobs: Knobs, dt: float) -> None:
        disinfecting = moment.sunday and 3 <= moment.hour < 5
        normal = _DISINFECTION_C if disinfecting else _SETPOINT_C
        self._setpoint = normal - knobs.get(TANK, "setpoint_drop")
        opened = knobs.get(HEATER, "open_contactor") > 0
        element = 0.0 if opened else 1 - knobs.get(HEATER, "element_loss")
        faults = TankFaults(element=element, welded=knobs.get(HEATER, "welded") > 0)
        self._circulation = 0.0 if knobs.get(TANK, "circulation_off") > 0 else _CIRCULATION_KG_S
        flows = TankFlows(self._draw, self._circulation, self._site.cold)
        self._tank = step_tank(self._tank, flows, setpoint=self._setpoint, faults=faults, dt=dt)
        self._closed = (self._tank.heating or faults.welded) and not opened
        hours = dt / 3600
        self._makeup = (self._level < 90) if self._makeup else (self._level < 70)
        self._filling = _MAKEUP_M3_H if self._makeup and knobs.get(TANK, "makeup_off") == 0 else 0.0
        change = (self._filling - self._draw * 3.6) * hours
        self._level = clamp(self._level + 100 * change / VOLUME_M3, 0.0, 100.0)
        wandering = self._site.cold + _PIPE_SWING_K * math.sin(2 * math.pi * moment.now / _PIPE_PERIOD_MS)
        self._cold_pipe = lag(self._cold_pipe, wandering, 600.0, dt)
        self._water += self._mixed * dt / 1000
        self._cold_water += self._filling * hours
        self._heat += self._tank.heater_power * hours

    @property
    def power(self) -> float:
        """Electric heat now, kW."""
        return self._tank.heater_power

    @property
    def _peak(self) -> float:
        return self._site.heads * 540 * 0.75 / 3600

    def values(self, path: str) -> Mapping[str, Value]:
        """True values of every point of one machine."""
        if path == VALVE:
            return self._valve_values()
        if path == HEATER:
            return heater_values(self._tank, self._heat, closed=self._closed)
        return self._tank_values()

    def _valve_values(self) -> Mapping[str, Value]:
        wanted = hot_share(self._tank.top, self._site.cold, _MIXED_C)
        return {
            "mixed_water_temp": self._valve.temp,
            "mixed_water_temp_setpoint": _MIXED_C,
            "mixing_valve_position": 100 * self._valve.position,
            "mixing_valve_command": 100 * wanted,
            "mixed_water_flow": self._mixed * 3.6,
            "cold_water_temp": self._cold_pipe,
            "hot_water_temp": self._tank.top,
            "cold_supply_pressure": self._cold_kpa,
            "hot_supply_pressure": self._hot_kpa,
        }

    def _tank_values(self) -> Mapping[str, Value]:
        tank = self._tank
        return {
            "tank_temp_top": tank.top,
            "tank_temp_middle": tank.middle,
            "tank_temp_bottom": tank.bottom,
            "tank_temp_setpoint": self._setpoint,
            "tank_level": self._level,
            "dhw_supply_temp": tank.top,
            "circ_return_temp": tank.return_temp,
            "circ_pump_command": True,
            "circ_pump_status": self._circulation > 0,
            "circ_flow": self._circulation,
            "hot_water_flow": self._draw * 3.6,
            "cold_makeup_flow": self._filling,
            "cold_water_temp": self._cold_pipe,
            "tank_volume": VOLUME_M3 * self._level / 100,
            "makeup_valve_command": self._makeup,
            "water_total": self._water,
            "makeup_water_total": self._cold_water,
            "heat_energy_total": self._heat,
        }

    def urgent(self, path: str) -> bool:
        """Mixed water is sent every second while showers run."""
        return path == VALVE and self._mixed > _SHOWERING * self._peak

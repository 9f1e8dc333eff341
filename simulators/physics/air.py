"""Air handlers and the zones behind them, as arrays over units: coil, fan, filter, room (DOMAIN §2.7)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

AIR_KW_PER_K = 20_000 * 1.2 / 3600 * 1.006
"""ṁ cp of the unit at full airflow, 20,000 m³/h."""
AIRFLOW_M3H = 20_000.0
COIL_KG_S = 6.0
FAN_KW = 11.0

_WATER_KJ = 4.187
_EFFECTIVENESS = 0.78
_RANGEABILITY = 30.0
_CURVE = 2.2
_FAN_HEAT_K = 0.8
_HUMID_SHARE = 0.75
_FILTER_PA = 60.0
_DUCT_PA = 250.0
_DUCT_AT = 0.8
_TOTAL_PA = 600.0
"""What the fan overcomes at full airflow with a clean filter: sets how much air a dirty one costs."""
_ZONE_KJ_PER_K = 6e4
_ENVELOPE_KW_PER_K = 3.5
_PEOPLE_KW = 30.0
_BASE_KW = 8.0
_SUN_KW = 20.0
_ROOM_M3 = 4000.0
_BREATH_M3_S = 5e-6
_PEOPLE = 90.0


@dataclass(frozen=True, slots=True)
class Coil:
    """What leaves the coil: supply air behind the fan [°C], kW moved from air and water together, water [°C]."""

    supply: Floats
    cooling: Floats
    water: Floats


def valve_flow(position: Floats, leak: Floats) -> Floats:
    """Share of design water flow at valve stem `position` 0–1 (equal percentage, R = 30); a leak holds it open."""
    flow: Floats = np.maximum(leak, _RANGEABILITY ** (position - 1) - (1 - position) / _RANGEABILITY)
    return flow


def cool(mixed: Floats, water_in: float, flow: Floats, air: Floats, *, humid: bool) -> Coil:
    """Coil at water flow share `flow` and airflow share `air`; the supply fan's heat is in the supply air."""
    wetted = np.divide(1 - np.exp(-_CURVE * flow), 1 - math.exp(-_CURVE))
    share = np.minimum(_EFFECTIVENESS * wetted * np.maximum(air, 0.1) ** -0.25, 0.95)
    drop = share * np.maximum(mixed - water_in, 0.0)
    sensible = AIR_KW_PER_K * air * drop
    total = sensible / (_HUMID_SHARE if humid else 1.0)
    through = np.maximum(flow, 1e-3) * COIL_KG_S * _WATER_KJ
    warmed = np.minimum(water_in + total / through, np.maximum(mixed, water_in))
    return Coil(mixed - drop + _FAN_HEAT_K * air**2, total, warmed)


def airflow(speed: Floats, filter_factor: Floats, slip: Floats) -> Floats:
    """Airflow share at fan speed share `speed`: the filter's extra resistance and a slipping belt cost air."""
    resistance = 1 + _FILTER_PA * (filter_factor - 1) / _TOTAL_PA
    flow: Floats = speed * (1 - slip) / np.sqrt(resistance)
    return flow


def filter_drop(air: Floats, filter_factor: Floats) -> Floats:
    """Pa across the filter."""
    drop: Floats = _FILTER_PA * air**2 * filter_factor
    return drop


def duct_pressure(air: Floats) -> Floats:
    """Pa of static pressure at the sensor."""
    pressure: Floats = _DUCT_PA * (air / _DUCT_AT) ** 2
    return pressure


def fan_power(speed: Floats, slip: Floats) -> Floats:
    """kW of the fan; a slipping belt sheds load."""
    power: Floats = FAN_KW * speed**3 * (1 - slip)
    return power


@dataclass(frozen=True, slots=True)
class Zones:
    """Room air behind each unit: °C and ppm CO2."""

    temp: Floats
    co2: Floats


@dataclass(frozen=True, slots=True)
class ZoneInput:
    """Outdoors [°C], local hour, occupied share of each zone, supply air [°C], airflow and outdoor-air shares."""

    outdoors: float
    hour: float
    occupied: Floats
    supply: Floats
    air: Floats
    outdoor_air: Floats


def step_zones(zones: Zones, inlet: ZoneInput, dt: float) -> Zones:
    """Advance by `dt` seconds (≤ 60)."""
    sun = _SUN_KW * max(0.0, math.sin(math.pi * (inlet.hour - 6) / 12)) if 6 < inlet.hour < 18 else 0.0
    gains = _ENVELOPE_KW_PER_K * (inlet.outdoors - zones.temp) + _PEOPLE_KW * inlet.occupied + sun + _BASE_KW
    removed = AIR_KW_PER_K * inlet.air * (zones.temp - inlet.supply)
    temp = zones.temp + dt * (gains - removed) / _ZONE_KJ_PER_K
    fresh = AIRFLOW_M3H / 3600 * inlet.air * inlet.outdoor_air
    breath = _BREATH_M3_S * _PEOPLE * inlet.occupied * 1e6
    co2 = zones.co2 + dt * (breath - (fresh + 0.05) * (zones.co2 - 420)) / _ROOM_M3
    return Zones(temp, co2)

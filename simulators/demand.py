"""What people ask of the plant: showers after each shift, and cooling through the day (DOMAIN §4.6 and §5)."""

from __future__ import annotations

from dataclasses import dataclass

from simulators.physics.water import clamp
from simulators.physics.weather import Weather

LITRES_PER_HEAD_HOUR = 540.0
_OCCUPIED_HEADS = 0.75


@dataclass(frozen=True, slots=True)
class BathDemand:
    """Shower heads of the hall, local hours of shift change, and a factor for quiet days (Sunday 0.8)."""

    heads: int = 60
    shifts: tuple[float, ...] = (0.0, 8.0, 16.0)
    factor: float = 1.0


def mixed_demand(demand: BathDemand, hour: float) -> float:
    """Mixed water [kg/s] at local `hour`: trapezoid after each shift change, and a base of 60 L/h (15 at night)."""
    base = 60.0 if 6 <= hour < 23 else 15.0
    peak = demand.heads * LITRES_PER_HEAD_HOUR * _OCCUPIED_HEADS * demand.factor
    share = max(_trapezoid((hour - change) % 24 * 60) for change in demand.shifts)
    return (peak * share + base) / 3600


def _trapezoid(minute: float) -> float:
    """0 for 15 min after the change of shift, then 15 min rise, 45 min plateau, 30 min fall."""
    return clamp(min((minute - 15) / 15, (105 - minute) / 30), 0.0, 1.0)


def cooling_demand(weather: Weather, hour: float, peak_kw: float) -> float:
    """Cooling load [kW] at local `hour`: envelope, people, sun, moisture, and a floor for the control room.

    `peak_kw` is reached at 35 °C with wet bulb 28 °C on an occupied afternoon; the weights of the four terms
    are this simulator's own (DOMAIN §5 gives the form and the peak).
    """
    envelope = 600 * (weather.temp - 25) / 10
    people = 500 * max(offices_occupied(hour), dormitory_use(hour), 0.35)
    sun = 300 * weather.sun / 800
    moisture = 400 * max(0.0, weather.dew_point - 14) / 11.6
    return max((envelope + people + sun + moisture) * peak_kw / 1800, 0.28 * peak_kw)


def offices_occupied(hour: float) -> float:
    """Occupied 08:00–18:00 with half an hour of coming and going, and a lunch dip to 0.7."""
    present = clamp(min((hour - 7.75) / 0.5, (18.25 - hour) / 0.5), 0.0, 1.0)
    lunch = clamp(min((hour - 11.75) / 0.5, (13.75 - hour) / 0.5), 0.0, 1.0)
    return present * (1 - 0.3 * lunch)


def dormitory_use(hour: float) -> float:
    """Air conditioners in the dormitory: full 13–15 h and 20–24 h, with an hour of ramp, else 0.3."""
    noon = clamp(min(hour - 12, 16 - hour), 0.0, 1.0)
    night = clamp(hour - 19, 0.0, 1.0)
    after_midnight = clamp(1 - hour, 0.0, 1.0)
    return max(0.3, noon, night, after_midnight)

"""Weather of a North-China campus: seasonal and daily swing with slow noise, humidity, wet bulb, sun (DOMAIN §5)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from random import Random

_DAILY_SWING_K = 5.0


@dataclass(frozen=True, slots=True)
class WeatherNoise:
    """Slow departures from the normal day: of the air [K], of the dew point [K], and the cloud factor (0.3–1)."""

    air: float = 0.0
    dew: float = 0.0
    cloud: float = 0.8


@dataclass(frozen=True, slots=True)
class Weather:
    """Outdoors now: °C, % and W/m²."""

    temp: float
    dew_point: float
    humidity: float
    wet_bulb: float
    sun: float


def wet_bulb(temp: float, humidity: float) -> float:
    """Wet bulb [°C] from air temperature [°C] and relative humidity [%] (Stull 2011)."""
    return (
        temp * math.atan(0.151977 * math.sqrt(humidity + 8.313659))
        + math.atan(temp + humidity)
        - math.atan(humidity - 1.676331)
        + 0.00391838 * math.pow(humidity, 1.5) * math.atan(0.023101 * humidity)
        - 4.686035
    )


def relative_humidity(temp: float, dew_point: float) -> float:
    """Relative humidity [%] from air and dew point [°C] (Magnus)."""

    def vapour(t: float) -> float:
        return math.exp(17.62 * t / (243.12 + t))

    return min(100.0, 100 * vapour(dew_point) / vapour(temp))


def step_noise(noise: WeatherNoise, rng: Random, dt: float) -> WeatherNoise:
    """Advance the Ornstein–Uhlenbeck departures (1.2 K over 6 h, 1.5 K over 24 h, cloud over 3 h) by `dt` seconds."""

    def wander(value: float, mean: float, sigma: float, tau: float) -> float:
        keep = math.exp(-dt / tau)
        return mean + (value - mean) * keep + sigma * math.sqrt(1 - keep * keep) * rng.gauss(0, 1)

    cloud = wander(noise.cloud, 0.8, 0.15, 3 * 3600)
    return WeatherNoise(
        air=wander(noise.air, 0.0, 1.2, 6 * 3600),
        dew=wander(noise.dew, 0.0, 1.5, 24 * 3600),
        cloud=min(1.0, max(0.3, cloud)),
    )


def weather_at(noise: WeatherNoise, hour: float, day: int, shift: float = 0.0) -> Weather:
    """Weather at local `hour` (0–24) of the `day` of the year; `shift` [K] makes a heat wave or a cold spell."""
    mean = 13.5 + 15 * math.cos(2 * math.pi * (day - 200) / 365) + shift
    temp = mean + _DAILY_SWING_K * math.cos(2 * math.pi * (hour - 15) / 24) + noise.air
    dew = min(mean - 6 + noise.dew, temp)
    humidity = relative_humidity(temp, dew)
    sun = 800 * noise.cloud * max(0.0, math.sin(math.pi * (hour - 6) / 12)) if 6 < hour < 18 else 0.0
    return Weather(temp, dew, humidity, min(wet_bulb(temp, humidity), temp), sun)

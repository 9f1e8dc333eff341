"""The weather station on the roof."""

from __future__ import annotations

from collections.abc import Mapping

from simulators.board import Knobs
from simulators.machines.device import Channel, Device, Value, measured
from simulators.machines.system import Instrumented, Moment
from simulators.physics.weather import Weather
from simulators.sensors import AIR_TEMP, HUMIDITY

STATION = "site/weather"

_CHANNELS: Mapping[str, Channel] = {"outdoor_temp": measured(AIR_TEMP), "outdoor_humidity": measured(HUMIDITY)}


class WeatherStation(Instrumented):
    """Passes the weather of the moment through its two sensors."""

    period = 60
    voice = 60

    def __init__(self, seed: int, *, gateway: str) -> None:
        self._weather: Weather | None = None
        self.gateway = gateway
        self.devices = (Device(STATION, _CHANNELS, gateway=gateway, seed=seed, period=self.period),)

    def step(self, moment: Moment, knobs: Knobs, dt: float) -> None:
        """Take the weather of the moment."""
        self._weather = moment.weather

    def values(self, path: str) -> Mapping[str, Value]:
        """True values; empty before the first step."""
        if self._weather is None:
            return {}
        return {"outdoor_temp": self._weather.temp, "outdoor_humidity": self._weather.humidity}

"""The gateways in the switch rooms: what they say about themselves."""

from __future__ import annotations

from collections.abc import Mapping

from simulators.board import Knobs
from simulators.machines.device import Channel, Device, Value, measured
from simulators.machines.system import Instrumented, Moment
from simulators.sensors import LEVEL, SURFACE_TEMP, VOLTAGE

_CHANNELS: Mapping[str, Channel] = {
    "supply_voltage": measured(VOLTAGE),
    "board_temp": measured(SURFACE_TEMP, 300),
    "signal_quality": measured(LEVEL, 300),
}


class GatewayBox(Instrumented):
    """A gateway is its own gateway: it falls silent with everything behind it. Its board follows the air outside."""

    period = 60
    voice = 60

    def __init__(self, path: str, seed: int) -> None:
        self._outdoors = 25.0
        self.gateway = path
        self.devices = (Device(path, _CHANNELS, gateway=path, seed=seed, period=self.period),)

    def step(self, moment: Moment, knobs: Knobs, dt: float) -> None:
        """Take the outdoor temperature of the moment."""
        self._outdoors = moment.weather.temp

    def values(self, path: str) -> Mapping[str, Value]:
        """True values of every point."""
        return {"supply_voltage": 24.1, "board_temp": 30 + 0.5 * self._outdoors, "signal_quality": 88.0}

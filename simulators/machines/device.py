"""A device as the network sees it: which points it sends, how often, and through which sensors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

from simulators.board import Knobs
from simulators.sensors import Sensor, SensorSpec, quantise

Value = float | bool

HVAC_S = 60
FAST_S = 5


@dataclass(frozen=True, slots=True)
class Channel:
    """One point as it is sent: every `every` seconds, and at once on change where it has no sensor.

    Without a sensor the value is exact (command, set point, status) or a counter, rounded to `quantum`; a counter
    is not sent on change.
    """

    every: int
    sensor: SensorSpec | None = None
    quantum: float = 0.01
    counter: bool = False


def measured(spec: SensorSpec, every: int = HVAC_S) -> Channel:
    """A sensor's channel."""
    return Channel(every, spec)


def exact(every: int = HVAC_S) -> Channel:
    """A command, set point or status: on change and as a heartbeat."""
    return Channel(every)


def counter(every: int = HVAC_S) -> Channel:
    """A meter."""
    return Channel(every, counter=True)


class Device:
    """Turns the true values of one machine into the frames it sends. `period` is its observation step, s."""

    __slots__ = ("_channels", "_fresh", "_quick", "_sensors", "_sent", "gateway", "path", "period")

    def __init__(
        self, path: str, channels: Mapping[str, Channel], *, gateway: str, seed: int, period: int = FAST_S
    ) -> None:
        self.path = path
        self.gateway = gateway
        self.period = period
        self._channels = channels
        self._sensors = {
            point: Sensor(channel.sensor, Random(f"{seed}/{path}/{point}"))
            for point, channel in channels.items()
            if channel.sensor is not None
        }
        self._quick = tuple(point for point, channel in channels.items() if channel.sensor is None)
        self._sent: dict[str, Value] = {}
        self._fresh = True

    def refresh(self) -> None:
        """Send everything at the next observation, as a device does that has just connected."""
        self._fresh = True

    def observe(self, values: Mapping[str, Value], dt: float) -> None:
        """Let the sensors follow the true values for `dt` seconds."""
        for point, sensor in self._sensors.items():
            sensor.follow(float(values[point]), dt)

    def frame(
        self, second: int, values: Mapping[str, Value], knobs: Knobs, *, urgent: bool = False
    ) -> dict[str, Value]:
        """Points to send at plant second `second`; empty when none is due.

        `urgent` sends what is otherwise sent every five seconds every second (showers are running).
        """
        points: dict[str, Value] = {}
        for point, channel in self._channels.items():
            every = 1 if urgent and channel.every == FAST_S else channel.every
            if self._fresh or second % every == 0:
                value = self._read(point, channel, values[point], knobs)
                if value is not None:
                    points[point] = value
            elif channel.sensor is None and not channel.counter and values[point] != self._sent.get(point):
                points[point] = values[point]
        self._fresh = False
        for point in self._quick:
            self._sent[point] = points.get(point, self._sent.get(point, values[point]))
        return points

    def _read(self, point: str, channel: Channel, value: Value, knobs: Knobs) -> Value | None:
        sensor = self._sensors.get(point)
        if sensor is not None:
            return sensor.read(knobs.sensor(self.path, point))
        faults = knobs.sensor(self.path, point)
        if faults.dropout:
            return None
        if faults.stuck and point in self._sent:
            return self._sent[point]
        return value if isinstance(value, bool) else quantise(value, channel.quantum)

"""What the simulation asks of a group of machines that share water, air or a busbar."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from simulators.board import Knobs
from simulators.machines.device import Device, Value
from simulators.physics.weather import Weather

Frames = list[tuple[str, dict[str, Value]]]
"""(path, points by name) of every machine that speaks now."""


@dataclass(frozen=True, slots=True)
class Moment:
    """Now, on site: ms UTC, local hour (0–24), day of the year, Sunday or not, and the weather."""

    now: int
    hour: float
    day: int
    sunday: bool
    weather: Weather


class System(Protocol):
    """Machines coupled by physics, advanced together, behind one gateway."""

    @property
    def period(self) -> int:
        """Seconds of plant time between steps."""

    @property
    def voice(self) -> int:
        """Seconds of plant time between the times at which a machine may speak."""

    @property
    def gateway(self) -> str:
        """Path of the gateway they speak through."""

    @property
    def paths(self) -> tuple[str, ...]:
        """Paths of the machines."""

    def step(self, moment: Moment, knobs: Knobs, dt: float) -> None:
        """Advance the physics to `moment` by `dt` seconds."""

    def settle(self, dt: float) -> None:
        """Let the sensors follow the machines as they are, for `dt` seconds, unheard."""

    def say(self, second: int, knobs: Knobs, *, heard: bool, first: bool) -> Frames:
        """What the machines send at `second`: a multiple of `voice`, or the `first`, when all is sent.

        Unheard they only observe.
        """


class Instrumented(ABC):
    """A system whose machines are `Device`s, each with instruments of its own and a period in multiples of `voice`."""

    period: int
    voice: int
    gateway: str
    devices: tuple[Device, ...]

    @property
    def paths(self) -> tuple[str, ...]:
        """Paths of the machines."""
        return tuple(device.path for device in self.devices)

    @abstractmethod
    def values(self, path: str) -> Mapping[str, Value]:
        """The true values of every point of one machine."""

    def urgent(self, path: str) -> bool:
        """Whether the machine's fast points are sent every second now."""
        return False

    def settle(self, dt: float) -> None:
        """Let the sensors follow."""
        for device in self.devices:
            device.observe(self.values(device.path), dt)

    def say(self, second: int, knobs: Knobs, *, heard: bool, first: bool) -> Frames:
        """Observe with every device whose turn it is, and collect what it sends."""
        frames: Frames = []
        for device in self.devices:
            if second % device.period and not first:
                continue
            values = self.values(device.path)
            device.observe(values, float(device.period))
            if not heard:
                device.refresh()
                continue
            points = device.frame(second, values, knobs, urgent=self.urgent(device.path))
            if points:
                frames.append((device.path, points))
        return frames

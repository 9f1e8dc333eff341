"""What the simulation asks of a group of machines that share water or air."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from simulators.board import Knobs
from simulators.machines.device import Device, Value
from simulators.physics.weather import Weather


@dataclass(frozen=True, slots=True)
class Moment:
    """Now, on site: ms UTC, local hour (0–24), day of the year, Sunday or not, and the weather."""

    now: int
    hour: float
    day: int
    sunday: bool
    weather: Weather


class System(Protocol):
    """Machines coupled by physics, advanced together."""

    @property
    def period(self) -> int:
        """Seconds of plant time between steps."""

    @property
    def devices(self) -> tuple[Device, ...]:
        """The machines as the network sees them."""

    def step(self, moment: Moment, knobs: Knobs, dt: float) -> None:
        """Advance the physics to `moment` by `dt` seconds."""

    def values(self, path: str) -> Mapping[str, Value]:
        """The true values of every point of one machine."""

    def urgent(self, path: str) -> bool:
        """Whether the machine's fast points are sent every second now."""

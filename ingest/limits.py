"""What the catalogue says about each series, as arrays by series number."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from plant.catalogue import Kind, Point
from plant.site import Equipment, Plant

_SPARE = 1.2
_ENERGY = frozenset({"kW.h", "kvar.h"})
_POWERS = ("active_power", "heater_power")


@dataclass(frozen=True, slots=True)
class SeriesLimits:
    """The limits of one series; see Limits."""

    high: float
    jump: float
    meter: bool
    tolerance: float
    slack: float


@dataclass(frozen=True, slots=True)
class Limits:
    """Shape (n,) each, n series; `sentinels` is (n, k) padded with NaN.

    `jump` is the largest believable change per minute, infinite where any is. `tolerance` is half the point's
    resolution: a meter that "falls" by less has only been rounded. `slack` may be added to any change:
    registers count in steps that may be many minutes' worth. `checked` marks series whose readings are compared with
    the one before: meters and those with a jump. `typical` are the ends of the normal band, NaN where none is known;
    `temperature` marks series in Cel.
    """

    low: NDArray[np.float64]
    high: NDArray[np.float64]
    jump: NDArray[np.float64]
    meter: NDArray[np.bool_]
    tolerance: NDArray[np.float64]
    slack: NDArray[np.float64]
    sentinels: NDArray[np.float64]
    checked: NDArray[np.bool_]
    typical: tuple[NDArray[np.float64], NDArray[np.float64]]
    temperature: NDArray[np.bool_]

    @staticmethod
    def of(plant: Plant) -> Limits:
        """The limits of every series of the plant, in the order of its SeriesTable."""
        machines = {machine.id: plant.points(machine) for machine in plant.site.equipment.values()}
        points = [machines[key.equipment][key.point] for key in plant.series.keys]
        width = max((len(point.sentinels) for point in points), default=0)
        sentinels = np.full((len(points), width), np.nan)
        for row, point in enumerate(points):
            sentinels[row, : len(point.sentinels)] = point.sentinels
        speeds = [
            _believable(plant, plant.site.equipment[key.equipment], point)
            for key, point in zip(plant.series.keys, points, strict=True)
        ]
        jump, slack = (np.array([speed[column] for speed in speeds], np.float64) for column in (0, 1))
        meter = np.array([point.kind is Kind.METER for point in points], np.bool_)
        return Limits(
            low=np.array([point.low for point in points], np.float64),
            high=np.array([point.high for point in points], np.float64),
            jump=jump,
            meter=meter,
            tolerance=np.array([0.5 * 10.0**-point.decimals for point in points], np.float64),
            slack=slack,
            sentinels=sentinels,
            checked=meter | np.isfinite(jump),
            typical=(
                np.array([math.nan if point.typical is None else point.typical[0] for point in points], np.float64),
                np.array([math.nan if point.typical is None else point.typical[1] for point in points], np.float64),
            ),
            temperature=np.array([point.unit == "Cel" for point in points], np.bool_),
        )

    def one(self, series: int) -> SeriesLimits:
        """The limits of one series as plain numbers."""
        return SeriesLimits(
            float(self.high[series]),
            float(self.jump[series]),
            bool(self.meter[series]),
            float(self.tolerance[series]),
            float(self.slack[series]),
        )


def _believable(plant: Plant, machine: Equipment, point: Point) -> tuple[float, float]:
    """The largest change per minute, and what may always be added to it.

    A meter of energy that says nothing of itself can count no faster than its machine takes power, with a fifth to
    spare (DOMAIN §1.5 DQ-08), and an hour's worth at once: a register behind a current transformer counts in big steps.
    """
    if point.jump is not None:
        return point.jump, 0.0
    power = _most_power(plant, machine) if point.kind is Kind.METER and point.unit in _ENERGY else None
    return (math.inf, 0.0) if power is None else (_SPARE * power / 60, _SPARE * power)


def _most_power(plant: Plant, machine: Equipment) -> float | None:
    """What the machine takes at most, kW: as its parameter says, else as far as the range of its power goes."""
    rated = machine.parameters.get("rated_power")
    if rated is not None:
        return rated
    points = plant.points(machine)
    return max((points[name].high for name in _POWERS if name in points), default=None)

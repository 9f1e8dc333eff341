"""What the catalogue says about each series, as arrays by series number."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from plant.catalogue import Kind
from plant.site import Plant


@dataclass(frozen=True, slots=True)
class SeriesLimits:
    """The limits of one series; see Limits."""

    high: float
    jump: float
    meter: bool
    tolerance: float


@dataclass(frozen=True, slots=True)
class Limits:
    """Shape (n,) each, n series; `sentinels` is (n, k) padded with NaN.

    `jump` is the largest believable change per minute, infinite where any is. `tolerance` is half the point's
    resolution: a meter that "falls" by less has only been rounded. `checked` marks series whose readings are
    compared with the one before: meters and those with a jump.
    """

    low: NDArray[np.float64]
    high: NDArray[np.float64]
    jump: NDArray[np.float64]
    meter: NDArray[np.bool_]
    tolerance: NDArray[np.float64]
    sentinels: NDArray[np.float64]
    checked: NDArray[np.bool_]

    @staticmethod
    def of(plant: Plant) -> Limits:
        """The limits of every series of the plant, in the order of its SeriesTable."""
        machines = {machine.id: plant.points(machine) for machine in plant.site.equipment.values()}
        points = [machines[key.equipment][key.point] for key in plant.series.keys]
        width = max((len(point.sentinels) for point in points), default=0)
        sentinels = np.full((len(points), width), np.nan)
        for row, point in enumerate(points):
            sentinels[row, : len(point.sentinels)] = point.sentinels
        jump = np.array([math.inf if point.jump is None else point.jump for point in points], np.float64)
        meter = np.array([point.kind is Kind.METER for point in points], np.bool_)
        return Limits(
            low=np.array([point.low for point in points], np.float64),
            high=np.array([point.high for point in points], np.float64),
            jump=jump,
            meter=meter,
            tolerance=np.array([0.5 * 10.0**-point.decimals for point in points], np.float64),
            sentinels=sentinels,
            checked=meter | np.isfinite(jump),
        )

    def one(self, series: int) -> SeriesLimits:
        """The limits of one series as plain numbers."""
        return SeriesLimits(
            float(self.high[series]), float(self.jump[series]), bool(self.meter[series]), float(self.tolerance[series])
        )

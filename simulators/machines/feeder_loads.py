"""What hangs on the three feeders besides metered machines: lights, sockets, small motors, as arrays over feeders."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from simulators.demand import dormitory_use, offices_occupied
from simulators.machines.bank import Floats, generator
from simulators.machines.system import Moment

_WEIGHTS = np.array([[1.00, 1.00, 1.00], [1.03, 1.00, 0.97], [1.02, 0.99, 0.99]]) / 3
"""Shares of the phases on the feeders of bathhouse, dormitory and offices."""
_TAN_PHI = np.tan(np.arccos([0.85, 0.95, 0.92]))
_UNREST = 0.02
_UNREST_S = 300.0


class FeederLoads:
    """kW and kvar by feeder and phase. `heater` and `fans` give the power of metered machines, kW."""

    def __init__(self, seed: int, heater: Callable[[], float], fans: Callable[[], float]) -> None:
        self._heater, self._fans = heater, fans
        self._rng = generator(seed, "feeders")
        self._unrest = np.zeros((3, 3))

    def step(self, moment: Moment, rooms: tuple[Floats, Floats], dt: float) -> tuple[Floats, Floats]:
        """Advance by `dt` seconds; `rooms` are kW and kvar by phase of the metered rooms in the dormitory."""
        keep = math.exp(-dt / _UNREST_S)
        fresh = self._rng.standard_normal((3, 3))
        self._unrest = self._unrest * keep + _UNREST * math.sqrt(1 - keep * keep) * fresh
        hour = moment.hour
        work = 0.0 if moment.sunday else offices_occupied(hour)
        base = np.array([14.0, 24 + 66 * dormitory_use(hour), 18 + 95 * work + self._fans()])
        power: Floats = base[:, None] * _WEIGHTS * (1 + self._unrest)
        reactive: Floats = power * _TAN_PHI[:, None]
        power[0] += self._heater() / 3
        power[1] += rooms[0]
        reactive[1] += rooms[1]
        return power, reactive

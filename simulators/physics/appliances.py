"""What people plug in: power, power factor, inrush, and how long it runs (DOMAIN §3.4)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

NOMINAL_V = 220.0
WIRING_OHM = 0.25
"""From the riser to the sockets of a room."""


class Kind(IntEnum):
    """Appliances of a room, in the order of the arrays' columns."""

    LIGHT = 0
    CHARGER = 1
    PC = 2
    FRIDGE = 3
    AC = 4


@dataclass(frozen=True, slots=True)
class Appliance:
    """W and power factor when running, current of the first instants over running current, median minutes on and off.

    Durations are lognormal with σ `spread`; powers are normal with 3 %.
    """

    power: float
    factor: float
    inrush: float
    on_minutes: float
    off_minutes: float
    spread: float

    @property
    def tangent(self) -> float:
        """tan φ: var for a watt."""
        return math.tan(math.acos(self.factor))


APPLIANCES = {
    Kind.LIGHT: Appliance(55.0, 0.95, 1.0, 150.0, 40.0, 0.5),
    Kind.CHARGER: Appliance(40.0, 0.60, 1.0, 80.0, 90.0, 0.6),
    Kind.PC: Appliance(190.0, 0.68, 2.0, 90.0, 70.0, 0.6),
    Kind.FRIDGE: Appliance(100.0, 0.60, 5.0, 15.0, 32.0, 0.15),
    Kind.AC: Appliance(900.0, 0.93, 4.0, 12.0, 8.0, 0.1),
}


@dataclass(frozen=True, slots=True)
class RoomLoad:
    """Loads of rooms at nominal voltage, as arrays: W that do not care for the voltage, W of resistances, and var."""

    constant: Floats
    resistive: Floats
    reactive: Floats


@dataclass(frozen=True, slots=True)
class RoomMeter:
    """What the meters of the rooms see: V, A, W, var."""

    voltage: Floats
    current: Floats
    power: Floats
    reactive: Floats


def solve_rooms(head: Floats, load: RoomLoad) -> RoomMeter:
    """Working point of each room behind `head` volts and its wiring; three rounds settle the voltage within 1 mV."""
    voltage = head
    for _ in range(3):
        scale = np.square(voltage / NOMINAL_V)
        live = voltage > 1.0
        power = (load.constant + load.resistive * scale) * live
        reactive = load.reactive * live
        current = np.divide(np.hypot(power, reactive), voltage, out=np.zeros_like(voltage), where=live)
        share = np.divide(power, np.maximum(np.hypot(power, reactive), 1e-9))
        voltage = np.maximum(head - WIRING_OHM * current * share, 0.0)
    return RoomMeter(voltage, current, power, reactive)

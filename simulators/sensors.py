"""The sensor between the physics and the message: lag, bias, noise, resolution, and how it can fail (DOMAIN §2.7)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from random import Random


@dataclass(frozen=True, slots=True)
class SensorSpec:
    """A make of sensor.

    `sigma` is the noise of one reading in units of the point, or a share of the value where `relative`.
    `quantum` is the resolution, `tau` the lag [s], `bias` the half-width of the commissioning error, `low` and
    `high` the ends of its range, at which it saturates.
    """

    sigma: float
    quantum: float
    tau: float = 0.0
    relative: bool = False
    bias: float = 0.0
    low: float = -math.inf
    high: float = math.inf


PIPE_TEMP = SensorSpec(0.05, 0.1, tau=20.0, bias=0.3)
OUTLET_TEMP = SensorSpec(0.1, 0.1, tau=20.0, bias=0.3)
"""In a pipe behind a tank or a main, where warmer and colder water pass in turn."""
MATCHED_TEMP = SensorSpec(0.05, 0.1, tau=20.0, bias=0.05)
"""A chiller's own probes: calibrated as a set, since their differences are what is judged."""
SATURATION_TEMP = SensorSpec(0.08, 0.1, tau=20.0, bias=0.05)
"""Looked up from a pressure by the chiller's controller, hence noisier."""
PROBE_TEMP = SensorSpec(0.05, 0.1, tau=3.0, bias=0.3)
"""Mixed water: fast enough to see a scald coming (τ ≤ 5 s, DOMAIN §8.13)."""
SURFACE_TEMP = SensorSpec(0.1, 0.1, tau=60.0, bias=0.3)
AIR_TEMP = SensorSpec(0.1, 0.1, tau=45.0, bias=0.3)
FLOW = SensorSpec(0.01, 0.1, relative=True)
SMALL_FLOW = SensorSpec(0.01, 0.01, relative=True)
PRESSURE = SensorSpec(1.8, 0.1, low=0.0)
"""0.3 % of a 600 kPa transmitter."""
REFRIGERANT_PRESSURE = SensorSpec(4.0, 0.1, low=0.0)
POWER = SensorSpec(0.005, 0.1, relative=True)
MOTOR_POWER = SensorSpec(0.005, 0.01, relative=True)
"""In tens of watts: at 0.1 kW the 0.5 % noise of a slow pump (5 kW) would vanish and its power look stuck."""
CURRENT = SensorSpec(0.005, 0.1, relative=True)
SMALL_POWER = SensorSpec(0.02, 0.01, low=0.0)
VOLTAGE = SensorSpec(0.003, 0.1, relative=True)
HUMIDITY = SensorSpec(1.5, 1.0, low=0.0, high=100.0)
LEVEL = SensorSpec(0.3, 0.1, low=0.0, high=100.0)
LOAD = SensorSpec(0.3, 0.1, low=0.0)
SPEED = SensorSpec(0.05, 0.1, low=0.0, high=100.0)
VIBRATION = SensorSpec(0.05, 0.01, relative=True)
CONDUCTIVITY = SensorSpec(0.005, 1.0, relative=True)
BUS_VOLTAGE = SensorSpec(0.2, 0.1, low=0.0)
"""Absolute noise: a dead phase reads a few tenths of a volt, not a perfect zero."""
METER_CURRENT = SensorSpec(0.002, 0.1, relative=True)
METER_POWER = SensorSpec(0.002, 0.01, relative=True)
POWER_FACTOR = SensorSpec(0.001, 0.001, low=-1.0, high=1.0)
FREQUENCY = SensorSpec(0.003, 0.001)
HARMONICS = SensorSpec(0.05, 0.1, low=0.0)
UNBALANCE = SensorSpec(0.01, 0.01, low=0.0)
RESIDUAL = SensorSpec(1.0, 1.0, low=0.0)
JOINT_TEMP = SensorSpec(0.5, 0.1, tau=60.0, bias=0.3)
STILL_AIR = SensorSpec(0.2, 0.1, tau=45.0, bias=0.3)
AIR_PRESSURE = SensorSpec(2.0, 0.1)
FILTER_PRESSURE = SensorSpec(1.0, 0.1, low=0.0)
AIR_FLOW = SensorSpec(0.02, 1.0, relative=True)
CO2 = SensorSpec(8.0, 1.0, tau=60.0, low=0.0)


@dataclass(frozen=True, slots=True)
class SensorFaults:
    """What is wrong with one sensor: held value, no value, an added bias, noise `noise` times the normal."""

    stuck: bool = False
    dropout: bool = False
    bias: float = 0.0
    noise: float = 1.0


SOUND = SensorFaults()


class Sensor:
    """One installed sensor: follows the true value, and is read now and then."""

    __slots__ = ("_bias", "_last", "_rng", "_spec", "_value")

    def __init__(self, spec: SensorSpec, rng: Random) -> None:
        self._spec = spec
        self._rng = rng
        self._bias = rng.uniform(-spec.bias, spec.bias)
        self._value: float | None = None
        self._last: float | None = None

    def follow(self, value: float, dt: float) -> None:
        """Let `dt` seconds pass with the medium at `value`; the first call starts in equilibrium."""
        if self._value is None or self._spec.tau == 0.0:
            self._value = value
        else:
            self._value = value + (self._value - value) * math.exp(-dt / self._spec.tau)

    def read(self, faults: SensorFaults = SOUND) -> float | None:
        """What the sensor says now; None when it says nothing. The lag acts on the medium, the noise on the reading."""
        if faults.dropout or self._value is None:
            return None
        if faults.stuck and self._last is not None:
            return self._last
        spec = self._spec
        sigma = spec.sigma * abs(self._value) if spec.relative else spec.sigma
        noisy = self._value + self._bias + faults.bias + self._rng.gauss(0.0, sigma * faults.noise)
        self._last = quantise(min(max(noisy, spec.low), spec.high), spec.quantum)
        return self._last


def quantise(value: float, quantum: float) -> float:
    """The nearest multiple of `quantum`, written without binary dust (quanta are powers of ten)."""
    return round(round(value / quantum) * quantum, 6)

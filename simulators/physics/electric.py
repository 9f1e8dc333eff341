"""Transformer, cables, joints and the grid in front of them, per phase as arrays (DOMAIN §3.2, §3.6)."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

RATED_KVA = 1000.0
NO_LOAD_KW = 1.5
LOAD_KW = 10.3
U_R = 0.0103
U_X = 0.0591
"""Resistive and reactive part of the short-circuit voltage of 6 %."""

CABLE_OHM_PER_KM = 0.3 + 0.08j
JOINT_RISE_K = 35.0
"""Rise of a sound joint over its air at rated current."""
BUSBAR_TAU_S = 2400.0
CABLE_RISE_K = 40.0
CABLE_TAU_S = 1200.0
CAPACITOR_STEPS = 8

_STEP_KVAR = 20.0
_STEP_RATED_V = 480.0
_REACTOR = 0.07


def voltage_drop_percent(apparent_kva: Floats, power_factor: Floats) -> Floats:
    """ΔU% of the transformer at S [kV·A] and cos φ lagging: (S/Sn)(u_r cos φ + u_x sin φ)·100."""
    sine = np.sqrt(np.maximum(0.0, 1 - np.square(power_factor)))
    result: Floats = 100 * apparent_kva / RATED_KVA * (U_R * power_factor + U_X * sine)
    return result


def transformer_loss(apparent_kva: float) -> float:
    """kW lost in iron and copper: P0 + (S/Sn)²·Pk."""
    return NO_LOAD_KW + (apparent_kva / RATED_KVA) ** 2 * LOAD_KW


def joint_target(ambient: Floats, loading: Floats, looseness: Floats) -> Floats:
    """Where a joint's temperature [°C] settles at I/In = `loading`; `looseness` k is 1 when sound."""
    result: Floats = ambient + JOINT_RISE_K * looseness * np.square(loading)
    return result


def approach(value: Floats, target: Floats, tau: float, dt: float) -> Floats:
    """First-order approach of arrays over `dt` seconds, exact."""
    result: Floats = target + (value - target) * math.exp(-dt / tau)
    return result


def neutral_current(currents: Floats, angles: Floats, third: Floats) -> Floats:
    """A in the neutral of each board: phasor sum of the phases, and the third harmonics, which add arithmetically.

    Arrays are boards × 3 phases: A, lag φ [rad], and A of third harmonic.
    """
    turns = np.exp(-1j * (np.arange(3) * 2 * math.pi / 3 + angles))
    result: Floats = np.sqrt(np.abs((currents * turns).sum(axis=-1)) ** 2 + third.sum(axis=-1) ** 2)
    return result


def line_voltages(phases: Floats) -> Floats:
    """L1-L2, L2-L3, L3-L1 from phase voltages 120° apart (last axis), V."""
    other = np.roll(phases, -1, axis=-1)
    result: Floats = np.sqrt(phases**2 + other**2 + phases * other)
    return result


def unbalance_u2(lines: Floats) -> Floats:
    """Negative-sequence unbalance [%] of line voltages (last axis), IEC 61000-4-30; 0 without voltage."""
    square = np.square(lines).sum(axis=-1) ** 2
    beta = np.divide((lines**4).sum(axis=-1), square, out=np.full(square.shape, 1 / 3), where=square > 0)
    root = np.sqrt(np.maximum(0.0, 3 - 6 * beta))
    result: Floats = 100 * np.sqrt(np.maximum(0.0, (1 - root) / (1 + root)))
    return result


def capacitor_kvar(steps: int, line_voltage: float) -> float:
    """What `steps` detuned capacitor steps of 20 kvar at 480 V give at this voltage."""
    return steps * _STEP_KVAR * (line_voltage / _STEP_RATED_V) ** 2 / (1 - _REACTOR)


def switch_capacitors(steps: int, power: float, reactive: float) -> int:
    """The controller's next number of steps: one more below 0.95 lagging, one less above 0.98 or when leading."""
    factor = power / math.hypot(power, reactive) if power > 0 else 1.0
    if reactive > 0 and factor < 0.95:
        return min(steps + 1, CAPACITOR_STEPS)
    if reactive < 0 or factor > 0.98:
        return max(steps - 1, 0)
    return steps


class GridNoise:
    """The medium-voltage grid: slow noise (σ 0.6 %, τ 600 s), +1.5 % at 03:00, −1.5 % at 19:00."""

    __slots__ = ("_rng", "_wander", "frequency")

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        self._wander = 0.0
        self.frequency = 50.0

    def step(self, hour: float, dt: float) -> float:
        """The factor on the no-load voltage after `dt` seconds, at local `hour`."""
        keep = math.exp(-dt / 600.0)
        spread = math.sqrt(1 - keep * keep)
        self._wander = self._wander * keep + 0.006 * spread * float(self._rng.standard_normal())
        self.frequency = 50.0 + (self.frequency - 50.0) * keep + 0.02 * spread * float(self._rng.standard_normal())
        return 1.0 + self._wander + 0.015 * _diurnal(hour)


def _diurnal(hour: float) -> float:
    """+1 at 03:00, −1 at 19:00, a half cosine between."""
    since = (hour - 3) % 24
    return math.cos(math.pi * since / 16) if since < 16 else -math.cos(math.pi * (since - 16) / 8)

"""Water as the equations see it, and the exact first-order lag."""

from __future__ import annotations

import math

HEAT_PER_M3 = 1.163
"""kW·h per m³ and K, so kW = 1.163 · m³/h · K (DOMAIN §2.2)."""

HEAT_PER_KG = 4.1868
"""kJ per kg and K: the same constant per kilogram (1.163 · 3.6)."""


def clamp(value: float, low: float, high: float) -> float:
    """The value, kept inside [low, high]."""
    return low if value < low else min(value, high)


def lag(value: float, target: float, tau: float, dt: float) -> float:
    """First-order approach to `target` with time constant `tau` [s] over `dt` [s]; exact, so stable for every dt."""
    return target + (value - target) * math.exp(-dt / tau)

"""What a value that cannot be would be in another unit or scale: recognising a wrong binding (DOMAIN §1.5 DQ-13)."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_KELVIN = 273.15

READINGS: Mapping[str, Callable[[Floats], Floats]] = {
    "x10": lambda value: value / 10,
    "x100": lambda value: value / 100,
    "x1000": lambda value: value / 1000,
    "/10": lambda value: value * 10,
    "/100": lambda value: value * 100,
    "/1000": lambda value: value * 1000,
    "degF": lambda value: (value - 32) / 1.8,
    "K": lambda value: value - _KELVIN,
}
"""How the value came to be wrong → what it is really. The last two are for temperatures alone."""

TEMPERATURES = ("degF", "K")


def in_another_scale(
    value: Floats, typical: tuple[Floats, Floats], temperature: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Whether each value would lie in its normal band if it were in another unit or scale; arrays of shape (n,).

    `typical` are the ends of the band, NaN where none is known: then nothing can be said.
    """
    low, high = typical
    found = np.zeros(len(value), np.bool_)
    for name, reading in READINGS.items():
        really = reading(value)
        inside = (really >= low) & (really <= high)
        found |= inside & temperature if name in TEMPERATURES else inside
    return found

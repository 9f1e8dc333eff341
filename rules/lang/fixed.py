"""Exact numbers: decimal fixed point in int64 (SEMANTICS §4).

A value of `decimals` d is an integer count of 10^-d of its unit. Every rounding here is half away from zero, so a
result never depends on how a block was cut, on the order of a sum or on the machine.
"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

QUOTIENT_DECIMALS = 6
"""Resolution of products, quotients and functions: 1e-6 of the result's unit."""

LIMIT = 2**62
"""No intermediate may reach this; `rules check` proves it from the hard ranges."""


def rounded_division(numerator: Ints, denominator: Ints | int) -> Ints:
    """numerator / denominator, half away from zero; the denominator is nowhere zero."""
    size = np.abs(denominator)
    quotient: Ints = (2 * np.abs(numerator) + size) // (2 * size)
    negative = (numerator < 0) != (np.asarray(denominator) < 0)
    return np.where(negative, -quotient, quotient)


def rescale(value: Ints, decimals: int, to: int) -> Ints:
    """The same numbers counted in 10^-to instead of 10^-decimals."""
    if to == decimals:
        return value
    if to > decimals:
        return value * np.int64(10 ** (to - decimals))
    return rounded_division(value, 10 ** (decimals - to))


def from_float(value: NDArray[np.float64], decimals: int) -> Ints:
    """Measured values to counts; the nearest count of the float product (ties to even, as IEEE rint)."""
    counts: Ints = np.rint(value * 10.0**decimals).astype(np.int64)
    return counts


def exact(number: float | int) -> Fraction:
    """A constant as its shortest decimal says it, not as its binary neighbour: 0.1 is 1/10."""
    return Fraction(Decimal(repr(number)))


def count_of(number: Fraction, decimals: int) -> int:
    """An exact constant as a count, half away from zero."""
    scaled = number * Fraction(10) ** decimals
    size: int = (2 * abs(scaled.numerator) + scaled.denominator) // (2 * scaled.denominator)
    return -size if scaled < 0 else size


def any_along(flags: Bools, axis: int) -> Bools:
    """Where any flag along an axis is true."""
    result: Bools = np.logical_or.reduce(flags, axis=axis)
    return result


def all_along(flags: Bools, axis: int) -> Bools:
    """Where all flags along an axis are true."""
    result: Bools = np.logical_and.reduce(flags, axis=axis)
    return result


def decimal_text(count: int, decimals: int) -> str:
    """A count as decimal text with all its digits: 7120 of 3 decimals is `7.120`."""
    if decimals <= 0:
        return str(count * 10**-decimals)
    digits = f"{abs(count):0{decimals + 1}d}"
    return f"{'-' if count < 0 else ''}{digits[:-decimals]}.{digits[-decimals:]}"

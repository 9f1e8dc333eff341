"""How far a reading can be trusted, and why (NAMUR NE 107 in spirit, DOMAIN DQ-01…14)."""

from __future__ import annotations

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray


class Quality(IntEnum):
    """The three qualities of a reading. The numbers are stored; never renumber."""

    GOOD = 0
    UNCERTAIN = 1
    BAD = 2


class Reason(IntEnum):
    """Why a reading is not plainly good. The numbers are stored; never renumber."""

    NONE = 0
    OUT_OF_RANGE = 1
    """Outside the point's hard range (DQ-01)."""
    SENTINEL = 2
    """A device's code for a broken sensor: -127, 85.0, 850, 32767, 65535 (DQ-01)."""
    NOT_A_NUMBER = 3
    """NaN, infinite, or a word where a number belongs (DQ-01)."""
    JUMP = 4
    """Changed faster than the medium can; held back until the next reading confirms or denies it (DQ-03)."""
    CLOCK_FAULT = 5
    """The device's time was in the future; the time of receipt was taken (DQ-05)."""
    DELAYED = 6
    """More than 60 s old at receipt; keeps its own time (DQ-07)."""
    HISTORICAL = 7
    """More than 24 h old, or marked so by the device: stored, never evaluated (DQ-07)."""
    NO_TIME_IN_BACKLOG = 8
    """Without own time, received while a backlog drained: stored, never evaluated."""
    RETAINED = 9
    """A retained message: sensors and meters are never evaluated; others hold until a live one comes."""
    DEVICE_FAILURE = 10
    """The device itself says failure or function check (NE 107 F, C)."""
    OUT_OF_SPECIFICATION = 11
    """The device itself says out of specification (NE 107 S)."""
    COUNTER_FAULT = 12
    """A meter ran backwards or faster than its machine can (DQ-08)."""
    UNIT_OR_SCALE = 13
    """The value looks to be in another unit or scale (DQ-13)."""
    FLOOD = 14
    """From a device that sends far more than it should (DQ-14)."""
    CONFLICT = 15
    """Overrules a reading of the same time that had another value (DQ-06)."""
    DEVICE_OFFLINE = 16
    """The device, or the edge node it hangs on, has said that it is gone; its values are no longer kept up."""


_NEVER_IN_FORCE = (Reason.HISTORICAL, Reason.NO_TIME_IN_BACKLOG)


def takes_effect(reason: NDArray[np.uint8], holds: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which readings may enter a frame at all (SEMANTICS §6).

    `holds` is true where the point is a status, command or set-point: of these a retained reading counts
    until a live one comes, while a retained sensor or meter reading never does. All arrays have shape (n,).
    """
    allowed: NDArray[np.bool_] = ~np.isin(reason, np.array(_NEVER_IN_FORCE, np.uint8))
    live_or_held: NDArray[np.bool_] = holds | (reason != Reason.RETAINED)
    return np.logical_and(allowed, live_or_held)

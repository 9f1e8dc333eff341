"""Which of two sensors is the warm one: supply and return, entering and leaving, suction and discharge."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from maintenance.commissioning.report import Cause, Check, Fault, Outcome, Result, result
from maintenance.commissioning.scaling import IMPOSSIBLE, running
from maintenance.commissioning.window import LEAST, Window
from plant.site import Equipment

PAIRS: Mapping[str, tuple[tuple[str, str, float], ...]] = {
    "chiller": (("chw_return_temp", "chw_supply_temp", 0.5), ("cw_leaving_temp", "cw_entering_temp", 0.5)),
    "cooling_tower": (("tower_entering_temp", "tower_leaving_temp", 0.5),),
    "pump": (("discharge_pressure", "suction_pressure", 10.0),),
    "ahu": (("chw_coil_leaving_temp", "chw_coil_entering_temp", 0.5),),
    "hot_water_tank": (("tank_temp_top", "tank_temp_bottom", 0.5), ("dhw_supply_temp", "circ_return_temp", 0.5)),
    "mixing_valve": (("hot_water_temp", "cold_water_temp", 2.0),),
}
"""Type → (the higher, the lower, how far apart they must be to tell), K or kPa, while the machine runs."""

_MARGIN = 3.0


def direction(window: Window, machine: Equipment) -> Result | None:
    """The higher of two is the higher; None where the machine has no such pair of points."""
    faults, judged, there = [], 0, 0
    runs = running(window, machine) == 1
    for above, below, margin in PAIRS.get(machine.type, ()):
        if window.of_point(machine, above) is None or window.of_point(machine, below) is None:
            continue
        there += 1
        apart = (window.held(machine, above, even=IMPOSSIBLE) - window.held(machine, below, even=IMPOSSIBLE))[runs]
        apart = apart[np.isfinite(apart)]
        middle = float(np.median(apart)) if len(apart) >= LEAST else 0.0
        if middle < -margin:
            faults.append(Fault(Cause.SWAPPED, (above, below), middle, -middle))
        judged += abs(middle) >= margin
    if not there:
        return None
    found = result(Check.DIRECTION, faults, judged)
    # One pair that rests says nothing of the other.
    return found if faults or judged == there else Result(Check.DIRECTION, Outcome.NOT_ENOUGH)


def explains(window: Window, machine: Equipment, fault: Fault) -> bool:
    """Whether exchanging the two puts both into their normal bands, where these are known: they are not misscaled."""
    runs = running(window, machine) == 1
    points = window.plant.points(machine)
    for name, other in (fault.points, fault.points[::-1]):
        band = points[name].typical
        value = window.held(machine, other, even=IMPOSSIBLE)[runs]
        if band is None or not np.isfinite(value).any():
            continue
        if not band[0] - _MARGIN <= float(np.nanmedian(value)) <= band[1] + _MARGIN:
            return False
    return True

"""Values in another unit or scale, by what the machine's nameplate or its normal band lets expect (DQ-13)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ingest.scales import READINGS, TEMPERATURES
from maintenance.commissioning.report import Cause, Check, Fault, Result, result
from maintenance.commissioning.window import LEAST, Floats, Mask, Window
from plant.quality import Reason
from plant.site import Equipment

FACTORS = {"x10": 10.0, "x100": 100.0, "x1000": 1000.0, "/10": 0.1, "/100": 0.01, "/1000": 0.001}
"""How much too large the value comes, by the name of its reading."""

_UNITS = {"degF": Cause.FAHRENHEIT, "K": Cause.KELVIN}
_ORDER = ("degF", *FACTORS, "K")
"""309 may be 30.9 Cel tenfold or 36 Cel in K: registers with a decimal are the more common."""

_NEAR = 0.03
_WIDEST = 8.0
"""A band wider than this holds a value and its tenth both: nothing can be told from it."""

_MARGIN_K = 3.0
_SOME = 20.0
_FAST = 70.0
_FAULTY_SHARE = 0.01
IMPOSSIBLE = (Reason.UNIT_OR_SCALE, Reason.OUT_OF_RANGE)
"""Bad, but numbers that were measured: a wrong unit or a wrong place makes them."""

NAMEPLATE: Mapping[tuple[str, str], tuple[str, float, float]] = {
    ("chiller", "active_power"): ("rated_power", 0.15, 1.15),
    ("chiller", "chw_flow"): ("design_chw_flow", 0.3, 1.5),
    ("chiller", "cw_flow"): ("design_cw_flow", 0.3, 1.5),
    ("pump", "active_power"): ("rated_power", 0.16, 1.2),
    ("pump", "pump_flow"): ("design_flow", 0.3, 1.5),
    ("pump", "current_avg"): ("rated_current", 0.2, 1.3),
    ("electric_heater", "heater_power"): ("rated_power", 0.3, 1.2),
    ("cooling_tower", "fan_active_power"): ("rated_fan_power", 0.16, 1.2),
}
"""(type, point) → the parameter it is compared with while the machine runs, and the share of it that is usual [EJ]."""

RUNNING: Mapping[str, str] = {
    "chiller": "chiller_run_status",
    "pump": "pump_status",
    "cooling_tower": "fan_status",
    "ahu": "sf_status",
    "electric_heater": "heater_status",
}
"""Type → the proof that it runs; types without one are looked at all the time."""

SPEEDS: Mapping[str, tuple[str, str]] = {
    "pump": ("speed", "speed_command"),
    "cooling_tower": ("fan_speed", "fan_speed_command"),
    "ahu": ("sf_speed", "sf_speed_command"),
}
"""Type → speed measured and asked for, both in % (a drive of 50 Hz read as % shows half)."""


def running(window: Window, machine: Equipment) -> Floats:
    """1 where it is proven to run, 0 where not, NaN where nothing is known; shape (minutes,)."""
    status = RUNNING.get(machine.type)
    held = window.held(machine, status) if status else np.ones(max(0, -(-(window.end - window.start) // 60_000)))
    return np.where(np.isnan(held), np.nan, (held > 0).astype(np.float64))


def scale(window: Window, machine: Equipment) -> Result | None:
    """No value is usual only in another unit or scale; None where nothing says what is usual."""
    faults, judged = _speed(window, machine)
    there = machine.type in SPEEDS and judged > 0
    runs = _loaded(window, machine)
    for name, point in sorted(window.plant.points(machine).items()):
        series = window.of_point(machine, name)
        if series is None or point.unit == "bool":
            continue
        band = _expected(machine, name) or point.typical
        if band is None:
            continue
        there = True
        impossible = np.isin(series.reason, IMPOSSIBLE)
        if float(np.mean(impossible)) > _FAULTY_SHARE:
            faults += _scaled(name, float(np.median(series.value[impossible])), band, temperature=point.unit == "Cel")
            judged += 1
            continue
        value = window.held(machine, name)[runs]
        value = value[np.isfinite(value)]
        if len(value) >= LEAST:
            judged += 1
            faults += _scaled(name, float(np.median(value)), band, temperature=point.unit == "Cel")
    return result(Check.SCALE, faults, judged) if there else None


def decade(ratio: float) -> float | None:
    """The power of ten (10, 100, 1000 or their inverse) a ratio is within 3 % of; None where it is none."""
    return next((factor for factor in FACTORS.values() if abs(ratio / factor - 1) <= _NEAR), None)


def _expected(machine: Equipment, point: str) -> tuple[float, float] | None:
    found = NAMEPLATE.get((machine.type, point))
    if found is None or found[0] not in machine.parameters:
        return None
    rated = machine.parameters[found[0]]
    return found[1] * rated, found[2] * rated


def _scaled(name: str, value: float, band: tuple[float, float], *, temperature: bool) -> list[Fault]:
    low, high = band
    margin = _MARGIN_K if temperature else _NEAR * abs(high)
    if low - margin <= value <= high + margin:
        return []
    for word in _ORDER:
        reading = READINGS[word]
        if word in TEMPERATURES and not temperature:
            continue
        if word in FACTORS and (low <= 0 or high > _WIDEST * low):
            continue
        really = float(reading(np.array([value]))[0])
        if low <= really <= high:
            cause = _UNITS.get(word, Cause.SCALE)
            return [Fault(cause, (name,), value, really, FACTORS.get(word))]
    return []


def _loaded(window: Window, machine: Equipment) -> Mask:
    """Where it runs, and no slower than makes its nameplate a measure: power falls with the cube of the speed."""
    runs: Mask = running(window, machine) == 1
    pair = SPEEDS.get(machine.type)
    if pair is None:
        return runs
    speed = window.held(machine, pair[0])
    return runs & (np.isnan(speed) | (speed >= _FAST))


def _speed(window: Window, machine: Equipment) -> tuple[list[Fault], int]:
    pair = SPEEDS.get(machine.type)
    if pair is None:
        return [], 0
    speed, asked = (window.held(machine, name) for name in pair)
    both = (running(window, machine) == 1) & (asked > _SOME) & np.isfinite(speed)
    if np.count_nonzero(both) < LEAST:
        return [], 0
    ratio = float(np.median(speed[both] / asked[both]))
    middle = float(np.median(speed[both]))
    if abs(ratio / 0.5 - 1) <= _NEAR:
        return [Fault(Cause.HERTZ, (pair[0],), middle, 2 * middle, 0.5)], 1
    if abs(ratio / 2 - 1) <= _NEAR:
        return [Fault(Cause.HERTZ, (pair[1],), middle / 2, middle, 0.5)], 1
    return [], 1

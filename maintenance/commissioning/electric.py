"""Three phases by their own arithmetic: direction and order of current transformers, sums, ratios."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from maintenance.commissioning.report import Cause, Check, Fault, Result, result
from maintenance.commissioning.scaling import decade
from maintenance.commissioning.window import LEAST, Floats, Window, related
from plant.site import Equipment

PHASES = ("l1", "l2", "l3")

_LOADED_A, _LOADED_SHARE = 1.0, 0.02
_LIVE_V = 50.0
_LEAST_FACTOR = 0.5
_ANGLE = 25.0
_NEAR = 0.03
_SUM = 0.05


@dataclass(frozen=True, slots=True)
class _Phase:
    """Medians over the minutes in which the phase is loaded: power kW, apparent power by U·I kVA, angle of S, degrees.

    `angle` is None where the meter gives no reactive power.
    """

    name: str
    power: float
    apparent: float
    angle: float | None


def phases(window: Window, machine: Equipment) -> Result | None:
    """Each phase's power fits its voltage and current, and all of them the total; None where the meter has no power."""
    if machine.type != "lv_feeder" or window.of_point(machine, "active_power") is None:
        return None
    found = [phase for name in PHASES if (phase := _phase(window, machine, name)) is not None]
    if len(found) == len(PHASES):
        faults = _turned(found) or _ratios(found) or _total(window, machine)
        return result(Check.PHASES, faults, 1)
    whole = _whole(window, machine)
    return result(Check.PHASES, *whole)


def balance(window: Window, machine: Equipment) -> Result | None:
    """Feeders sum up to their incomer, if this one is not off by a factor of 2 or 10; None where nothing is to sum.

    What is not metered does not count as a fault: only a factor that closes the balance within 3 % does.
    """
    group = related(window.plant, machine)
    if len(group) < 2:
        return None
    powers = {one.id: _power(window, one) for one in group}
    head, feeders = group[0].id, [one.id for one in group[1:]]
    known = np.all([np.isfinite(power) for power in powers.values()], axis=0) & (powers[head] > 1.0)
    if np.count_nonzero(known) < LEAST:
        return result(Check.BALANCE, [], 0)
    total, parts = powers[head][known], {id: powers[id][known] for id in feeders}
    summed = np.sum(list(parts.values()), axis=0)
    if abs(float(np.median(summed / total)) - 1) <= _SUM:
        return result(Check.BALANCE, [], 1)
    mine = powers[machine.id][known]
    for factor in (0.5, 2.0, 10.0, 100.0, 1000.0, 0.1, 0.01, 0.001):
        whole, sums = (total / factor, summed) if machine.id == head else (total, summed - mine + mine / factor)
        if abs(float(np.median(sums / whole)) - 1) <= _NEAR:
            now = float(np.median(mine))
            return result(Check.BALANCE, [Fault(Cause.CT_RATIO, ("active_power",), now, now / factor, factor)], 1)
    return result(Check.BALANCE, [], 1)


def _phase(window: Window, machine: Equipment, name: str) -> _Phase | None:
    voltage, current, power, reactive = (
        window.held(machine, f"{quantity}_{name}")
        for quantity in ("voltage", "current", "active_power", "reactive_power")
    )
    least = max(_LOADED_A, _LOADED_SHARE * machine.parameters.get("rated_current", 0.0))
    loaded = (voltage > _LIVE_V) & (current > least) & np.isfinite(power)
    if np.count_nonzero(loaded) < LEAST:
        return None
    apparent = float(np.median(voltage[loaded] * current[loaded])) / 1000
    both = loaded & np.isfinite(reactive)
    middle = float(np.median(power[loaded]))
    angle = None
    if np.count_nonzero(both) >= LEAST:
        angle = float(np.degrees(np.arctan2(np.median(reactive[both]), np.median(power[both]))))
    return _Phase(name, middle, apparent, angle)


def _turned(found: list[_Phase]) -> list[Fault]:
    """Transformers the wrong way round (the angle is off by 180°) or on another phase (by 120°)."""
    crossed, turned = [], []
    for phase in found:
        if phase.angle is None:
            if phase.power < 0:
                turned.append(phase)
            continue
        off = [abs((phase.angle - step - _usual(found) + 180) % 360 - 180) for step in (120, -120, 180)]
        if min(off[:2]) <= _ANGLE < off[2] or (
            min(off[:2]) < off[2] and phase.power < 0 and min(off[:2]) <= 2 * _ANGLE
        ):
            crossed.append(phase)
        elif off[2] <= _ANGLE:
            turned.append(phase)
    if len(crossed) >= 2:
        names = tuple(f"current_{phase.name}" for phase in crossed)
        return [Fault(Cause.PHASES_CROSSED, names)]
    return [Fault(Cause.CT_REVERSED, (f"active_power_{phase.name}",), phase.power, -phase.power) for phase in turned]


def _usual(found: list[_Phase]) -> float:
    """The angle of the phases that take power as loads do, degrees; 20 (a power factor of 0.94) where none does."""
    angles = [phase.angle for phase in found if phase.angle is not None and abs(phase.angle) <= 60]
    return float(np.median(angles)) if angles else 20.0


def _ratios(found: list[_Phase]) -> list[Fault]:
    """Power against U·I of its own phase: never more than it, seldom less than half of it."""
    ratios = {phase.name: phase.power / phase.apparent for phase in found}
    usual = sorted(ratios.values())[1]
    if usual > 1 + _NEAR or usual < _LEAST_FACTOR * 0.4:
        factor = next((f for f in (10.0, 100.0, 1000.0, 0.1, 0.01, 0.001) if 0.5 <= usual / f <= 1 + _NEAR), None)
        names = tuple(f"active_power_{phase.name}" for phase in found)
        power = sum(phase.power for phase in found)
        if factor is not None:
            return [Fault(Cause.SCALE, names, power, power / factor, factor)]
    faults = []
    for phase in found:
        factor = ratios[phase.name] / usual if usual > 0 else 1.0
        match = next((f for f in (0.5, 2.0) if abs(factor / f - 1) <= _NEAR), None) or decade(factor)
        if match is not None:
            points = (f"active_power_{phase.name}", f"current_{phase.name}")
            faults.append(Fault(Cause.CT_RATIO, points, phase.power, phase.power / match, match))
    return faults


def _total(window: Window, machine: Equipment) -> list[Fault]:
    """The phases sum up to the total (DQ-12: within 5 %)."""
    parts = np.sum([window.held(machine, f"active_power_{name}") for name in PHASES], axis=0)
    total = window.held(machine, "active_power")
    known = np.isfinite(parts) & np.isfinite(total) & (np.abs(parts) > 1.0)
    if np.count_nonzero(known) < LEAST:
        return []
    ratio = float(np.median(total[known] / parts[known]))
    if abs(ratio - 1) <= _SUM:
        return []
    now, factor = float(np.median(total[known])), decade(ratio)
    if factor is not None:
        return [Fault(Cause.SCALE, ("active_power",), now, now / factor, factor)]
    if abs(ratio + 1) <= _SUM:
        return [Fault(Cause.CT_REVERSED, ("active_power",), now, -now)]
    return [Fault(Cause.PHASE_SUM, ("active_power",), now, float(np.median(parts[known])))]


def _whole(window: Window, machine: Equipment) -> tuple[list[Fault], int]:
    """P ≈ √3·U·I·pf, where the meter gives no power by phase; U is the phase voltage, so 3·U·I·pf of means."""
    voltage, current = (
        np.mean([window.held(machine, f"{quantity}_{name}") for name in PHASES], axis=0)
        for quantity in ("voltage", "current")
    )
    factor, power = np.abs(window.held(machine, "power_factor")), window.held(machine, "active_power")
    should = 3 * voltage * current * factor / 1000
    known = np.isfinite(should) & np.isfinite(power) & (current > _LOADED_A) & (should > 0.1)
    if np.count_nonzero(known) < LEAST:
        return [], 0
    ratio, now = float(np.median(power[known] / should[known])), float(np.median(power[known]))
    right = float(np.median(should[known]))
    if abs(ratio - 1) <= _SUM:
        return [], 1
    if ratio < 0:
        return [Fault(Cause.CT_REVERSED, ("active_power",), now, -now)], 1
    match = next((f for f in (0.5, 2.0) if abs(ratio / f - 1) <= _NEAR), None)
    if match is not None:
        return [Fault(Cause.CT_RATIO, ("active_power",), now, right, match)], 1
    tens = decade(ratio)
    return ([Fault(Cause.SCALE, ("active_power",), now, right, tens)], 1) if tens else ([], 1)


def _power(window: Window, machine: Equipment) -> Floats:
    return window.held(machine, "active_power")

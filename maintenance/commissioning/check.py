"""All checks of one machine, in order; the electric ones only where values are in scale."""

from __future__ import annotations

from dataclasses import replace

from maintenance.commissioning.direction import direction, explains
from maintenance.commissioning.electric import balance, phases
from maintenance.commissioning.report import Check, Fault, Outcome, Report, Result
from maintenance.commissioning.scaling import scale
from maintenance.commissioning.signals import clock, heard, in_range, rate
from maintenance.commissioning.window import Window
from plant.site import Equipment


def check(window: Window, equipment: str) -> Report:
    """Check one machine of the site over the window's readings."""
    machine = window.plant.site.equipment[equipment]
    found = heard(window, machine)
    results = [found]
    if not found.silent:
        made = (of(window, machine) for of in (rate, clock, in_range, scale, direction, phases))
        results = _each_blamed_once(window, machine, [found, *(one for one in made if one is not None)])
        # A feeder whose own arithmetic is wrong is not blamed a second time for the balance.
        wrong = {one.check for one in results if one.outcome is Outcome.FAILED}
        summed = None if wrong & {Check.SCALE, Check.PHASES} else balance(window, machine)
        results += [] if summed is None else [summed]
    return Report(equipment, window.start, window.end, tuple(results))


def _each_blamed_once(window: Window, machine: Equipment, results: list[Result]) -> list[Result]:
    """A value in another scale is also out of range and on the wrong side of its pair: the best explanation stays.

    Where exchanging a pair makes both usual, they are swapped; else a wrong scale explains the rest.
    """
    faults = {one.check: one.faults for one in results}
    swapped = [one for one in faults.get(Check.DIRECTION, ()) if explains(window, machine, one)]
    pairs = {name for one in swapped for name in one.points}
    scaled = [one for one in faults.get(Check.SCALE, ()) if not pairs & set(one.points)]
    points = pairs | {name for one in scaled for name in one.points}
    kept: dict[Check, list[Fault]] = {Check.SCALE: scaled}
    kept[Check.RANGE] = [one for one in faults.get(Check.RANGE, ()) if not points & set(one.points)]
    wrong = {name for check in (Check.SCALE, Check.RANGE) for one in kept[check] for name in one.points}
    kept[Check.DIRECTION] = [one for one in faults.get(Check.DIRECTION, ()) if not wrong & set(one.points)]
    return [one if one.check not in kept else _with(one, kept[one.check]) for one in results]


def _with(one: Result, faults: list[Fault]) -> Result:
    if len(faults) == len(one.faults):
        return one
    outcome = Outcome.PASSED if one.check is not Check.DIRECTION else Outcome.NOT_ENOUGH
    return replace(one, outcome=Outcome.FAILED if faults else outcome, faults=tuple(faults))

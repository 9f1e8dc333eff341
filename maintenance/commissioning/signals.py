"""What a point shows by itself: is it heard, how often, by which clock, within its range."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from maintenance.commissioning.report import Cause, Check, Fault, Outcome, Result, result
from maintenance.commissioning.window import LEAST, Series, Window
from plant.catalogue import Point
from plant.quality import Reason
from plant.site import Equipment

_STALE_TIMES, _LEAST_STALE_MS = 3, 90_000
_FAST_TIMES = 5
_CLOCK_SHARE = 0.2
_FAULTY_SHARE = 0.01
_FAULTY = {
    Reason.SENTINEL: Cause.SENTINEL,
    Reason.NOT_A_NUMBER: Cause.SENTINEL,
    Reason.OUT_OF_RANGE: Cause.OUT_OF_RANGE,
}


def heard(window: Window, machine: Equipment) -> Result:
    """Every bound point has come; of a machine that speaks the native format anything has."""
    bound = list(dict.fromkeys(binding.point for binding in machine.bindings))
    silent = [point for point in bound if window.of_point(machine, point) is None]
    there = [point for point in window.plant.points(machine) if window.of_point(machine, point) is not None]
    if not there:
        return Result(Check.HEARD, Outcome.FAILED, (Fault(Cause.NEVER_SEEN, tuple(bound)),), silent=True)
    return result(Check.HEARD, [Fault(Cause.NEVER_SEEN, (point,)) for point in silent], len(there))


def rate(window: Window, machine: Equipment) -> Result | None:
    """Readings come as declared: neither staler than rules hold them, nor five times as often (DQ-04, DQ-14).

    Points of one rate are one fault: they come in one message.
    """
    judged, measured = 0, _measured(window, machine)
    found: dict[tuple[Cause, float, float], list[str]] = {}
    for name, point, series in measured:
        spacing = np.diff(np.unique(series.ts))
        if len(spacing) < LEAST:
            continue
        judged += 1
        usual = float(np.median(spacing))
        expected = float(machine.interval_ms or point.sampling.interval_ms)
        if usual > max(_STALE_TIMES * expected, _LEAST_STALE_MS):
            found.setdefault((Cause.TOO_SLOW, usual, expected), []).append(name)
        elif machine.interval_ms is not None and usual * _FAST_TIMES < expected:
            found.setdefault((Cause.TOO_FAST, usual, expected), []).append(name)
    faults = [Fault(cause, tuple(names), at / 1000, due / 1000) for (cause, at, due), names in found.items()]
    return result(Check.RATE, faults, judged) if measured else None


def clock(window: Window, machine: Equipment) -> Result | None:
    """The device's time is right: one fault for the machine, for its points share a clock (DQ-05)."""
    measured = _measured(window, machine)
    if not measured:
        return None
    series = [found for _, _, found in measured if len(found) >= LEAST]
    if not series:
        return result(Check.CLOCK, [], 0)
    reasons = np.concatenate([found.reason for found in series])
    if float(np.mean(reasons == Reason.CLOCK_FAULT)) >= _CLOCK_SHARE:
        return result(Check.CLOCK, [Fault(Cause.CLOCK_AHEAD, ())], 1)
    late = np.concatenate([(found.seen - found.ts)[found.reason == Reason.DELAYED] for found in series])
    if len(late) >= _CLOCK_SHARE * len(reasons):
        known = late[late > 0]
        found = float(np.median(known)) / 1000 if len(known) else None
        return result(Check.CLOCK, [Fault(Cause.CLOCK_BEHIND, (), found, 60.0)], 1)
    return result(Check.CLOCK, [], len(series))


def in_range(window: Window, machine: Equipment) -> Result | None:
    """Values can be: no device codes, no words, nothing outside the hard range (DQ-01)."""
    faults, judged, measured = [], 0, _measured(window, machine)
    for name, point, series in measured:
        if len(series) < LEAST:
            continue
        judged += 1
        for reason, cause in _FAULTY.items():
            if series.share(reason) > _FAULTY_SHARE:
                value = series.value[series.reason == reason]
                middle = float(np.nanmedian(value)) if np.isfinite(value).any() else None
                faults.append(
                    Fault(cause, (name,), middle, point.high if middle and middle > point.high else point.low)
                )
                break
    return result(Check.RANGE, faults, judged) if measured else None


def _measured(window: Window, machine: Equipment) -> list[tuple[str, Point, Series]]:
    """Points that measure, with their readings, by name; states that hold have no rate."""
    points: Mapping[str, Point] = window.plant.points(machine)
    found = ((name, points[name], window.of_point(machine, name)) for name in sorted(points))
    return [(name, point, series) for name, point, series in found if series is not None and not point.kind.holds]

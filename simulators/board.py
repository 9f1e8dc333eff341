"""Which faults act at a time, and how far each turns the knobs of the machines' models."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from simulators.errors import ScenarioError
from simulators.faultkind import FaultKind
from simulators.sensors import SOUND, SensorFaults


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault planned or running: times are ms UTC, `ramp` ms to full strength, `end` None while unrepaired."""

    name: str
    kind: FaultKind
    at: str
    onset: int
    ramp: int = 0
    severity: float = 1.0
    end: int | None = None
    point: str | None = None

    def strength(self, now: int) -> float:
        """0 … severity at `now`: zero before the onset and from the end on."""
        if now < self.onset or (self.end is not None and now >= self.end):
            return 0.0
        return self.severity * min(1.0, (now - self.onset) / self.ramp) if self.ramp else self.severity


class Knobs:
    """The model's knobs at one time; a knob no fault turns reads 0."""

    __slots__ = ("_sensors", "_values")

    def __init__(self, faults: Iterable[Fault], now: int) -> None:
        self._values: dict[tuple[str, str], float] = {}
        self._sensors: dict[tuple[str, str], SensorFaults] = {}
        for fault in faults:
            strength = fault.strength(now)
            if strength == 0.0:
                continue
            turned = {knob: gain * strength for knob, gain in fault.kind.knobs.items()}
            if fault.point is None:
                self._values.update({(fault.at, knob): value for knob, value in turned.items()})
            else:
                self._sensors[fault.at, fault.point] = _sensor_faults(turned)

    def get(self, path: str, knob: str) -> float:
        """Value of a knob of the machine at `path`."""
        return self._values.get((path, knob), 0.0)

    @property
    def turned(self) -> Mapping[tuple[str, str], float]:
        """Every turned knob by (path, knob)."""
        return self._values

    @property
    def sensors(self) -> Mapping[tuple[str, str], SensorFaults]:
        """Every broken sensor by (path, point)."""
        return self._sensors

    def sensor(self, path: str, point: str) -> SensorFaults:
        """What is wrong with one sensor."""
        return self._sensors.get((path, point), SOUND)


def _sensor_faults(knobs: Mapping[str, float]) -> SensorFaults:
    return SensorFaults(
        stuck=knobs.get("stuck", 0.0) > 0,
        dropout=knobs.get("dropout", 0.0) > 0,
        bias=knobs.get("bias", 0.0),
        noise=1.0 + knobs.get("noise", 0.0),
    )


class FaultBoard:
    """All faults of a run by name; the only place that adds and ends them."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self._faults = {fault.name: fault for fault in faults}

    def knobs(self, now: int) -> Knobs:
        """Every knob at `now` [ms UTC]."""
        return Knobs(self._faults.values(), now)

    def active(self, now: int) -> tuple[Fault, ...]:
        """The faults that act at `now`."""
        return tuple(fault for fault in self._faults.values() if fault.strength(now) > 0)

    def inject(self, fault: Fault) -> None:
        """Add a fault, or replace the one of the same name."""
        self._faults[fault.name] = fault

    def repair(self, name: str, now: int) -> None:
        """End the fault called `name` now; an earlier end stands. Raises ScenarioError when there is none."""
        fault = self._faults.get(name)
        if fault is None:
            known = ", ".join(sorted(self._faults)) or "none"
            raise ScenarioError(f"no fault called {name!r} in this run; there are: {known}")
        if fault.end is None or fault.end > now:
            self._faults[name] = replace(fault, end=now)

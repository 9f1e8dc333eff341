"""Scenarios: a start, machines' conditions, faults with their times, and the truth that rules are judged by."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib import resources
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from simulators.board import Fault
from simulators.errors import ScenarioError
from simulators.faults import FAULTS

_FOLDER = resources.files("simulators") / "scenarios"
_PART = re.compile(r"(\d+(?:\.\d+)?)(s|m|h|d)")
_MS = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}


def duration_ms(text: object) -> int:
    """`90s`, `30m`, `1h30m`, `2d` to milliseconds; an int passes as it is. Raises ValueError for anything else."""
    if isinstance(text, int):
        return text
    parts = _PART.findall(text) if isinstance(text, str) else []
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise ValueError(f"{text!r} is no duration such as 90s, 30m or 1h30m")
    return round(sum(float(number) * _MS[unit] for number, unit in parts))


def _instant_ms(value: object) -> int:
    """ISO text with a zone, or a YAML timestamp with one, to ms UTC."""
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    if not isinstance(moment, datetime) or moment.tzinfo is None:
        raise ValueError(f"{value!r} is no time with a zone such as 2026-07-20T06:00:00+08:00 (quote it)")
    return round(moment.timestamp() * 1000)


Duration = Annotated[int, BeforeValidator(duration_ms)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Title(_Strict):
    """One text in both languages."""

    zh: str
    en: str


class FaultPlan(_Strict):
    """One fault of a scenario. Times count from the scenario's start; `ramp` is the time to full severity."""

    kind: str
    name: str | None = None
    at: str | None = None
    point: str | None = None
    onset: Duration = 0
    ramp: Duration = 0
    severity: float = Field(default=1.0, gt=0, le=1)
    end: Duration | None = None

    @model_validator(mode="after")
    def _known(self) -> FaultPlan:
        kind = FAULTS.get(self.kind)
        if kind is None:
            raise ValueError(f"unknown fault {self.kind!r}; known: {', '.join(sorted(FAULTS))}")
        if kind.of_point != (self.point is not None):
            need = "needs" if kind.of_point else "takes no"
            raise ValueError(f"{self.kind} {need} `point`")
        return self

    def fault(self, start: int) -> Fault:
        """The fault in plant time, with a scenario that starts at `start` [ms UTC]."""
        kind = FAULTS[self.kind]
        return Fault(
            name=self.name or self.kind,
            kind=kind,
            at=self.at or kind.at,
            onset=start + self.onset,
            ramp=self.ramp,
            severity=self.severity,
            end=None if self.end is None else start + self.end,
            point=self.point,
        )


class Expectation(_Strict):
    """A rule that must raise on an equipment within `within` of the onset of `fault` (None: of the start)."""

    rule: str
    equipment: str
    within: Duration
    fault: str | None = None
    severity: str | None = Field(default=None, pattern=r"^P[1-4]$")


class Forbidden(_Strict):
    """A rule that must not raise in the whole run; `equipment` None means nowhere."""

    rule: str
    equipment: str | None = None


class Conditions(_Strict):
    """What the scenario sets on site: weather shifted [K], shower heads, cold water [°C]."""

    weather_shift: float = 0.0
    heads: int = Field(default=60, ge=1, le=500)
    cold_water: float = Field(default=12.0, ge=1, le=30)


class Scenario(_Strict):
    """One simulated run and what is true about it. `start` is ms UTC; `zone` decides shifts and office hours."""

    id: str
    title: Title
    seed: int
    start: Annotated[int, BeforeValidator(_instant_ms)]
    duration: Duration
    site: str = "demo"
    zone: str = "Asia/Shanghai"
    conditions: Conditions = Conditions()
    faults: tuple[FaultPlan, ...] = ()
    expect: tuple[Expectation, ...] = ()
    must_not: tuple[Forbidden, ...] = ()

    @model_validator(mode="after")
    def _consistent(self) -> Scenario:
        ZoneInfo(self.zone)
        if self.start % 60_000 or self.duration < 60_000:
            raise ValueError("a scenario starts on a whole minute and lasts at least one")
        names = [plan.name or plan.kind for plan in self.faults]
        if len(set(names)) != len(names):
            raise ValueError(f"two faults share a name in {names}; give each its own `name`")
        unknown = [item.fault for item in self.expect if item.fault is not None and item.fault not in names]
        if unknown:
            raise ValueError(f"expect names faults the scenario does not have: {', '.join(unknown)}")
        return self

    def planned(self, start: int | None = None) -> tuple[Fault, ...]:
        """All faults in plant time; `start` [ms UTC] moves the run."""
        return tuple(plan.fault(self.start if start is None else start) for plan in self.faults)


@dataclass(frozen=True, slots=True)
class Deadline:
    """An expectation in plant time: `rule` must have raised on `equipment` in [onset, latest], ms UTC."""

    rule: str
    equipment: str
    onset: int
    latest: int
    severity: str | None


def deadlines(scenario: Scenario, start: int | None = None) -> tuple[Deadline, ...]:
    """The scenario's expectations in plant time; `start` [ms UTC] moves the run."""
    begin = scenario.start if start is None else start
    onsets = {fault.name: fault.onset for fault in scenario.planned(begin)}
    return tuple(
        Deadline(item.rule, item.equipment, onset, onset + item.within, item.severity)
        for item in scenario.expect
        for onset in (begin if item.fault is None else onsets[item.fault],)
    )


def parse_scenario(text: str, where: str) -> Scenario:
    """A scenario from YAML text; `where` names it in errors. Raises ScenarioError."""
    try:
        return Scenario.model_validate(YAML(typ="safe", pure=True).load(text))
    except YAMLError as error:
        raise ScenarioError(f"{where}: not YAML: {error}") from None
    except ValidationError as error:
        lines = (f"{where}: {'.'.join(map(str, item['loc'])) or 'scenario'}: {item['msg']}" for item in error.errors())
        raise ScenarioError("\n".join(lines)) from None


def load_scenario(name: str) -> Scenario:
    """A packaged scenario by its id, or a file by its path. Raises ScenarioError naming what there is."""
    if name in names():
        return parse_scenario((_FOLDER / f"{name}.yaml").read_text("utf-8"), f"{name}.yaml")
    path = Path(name)
    if path.suffix in (".yaml", ".yml") and path.is_file():
        return parse_scenario(path.read_text("utf-8"), str(path))
    raise ScenarioError(f"no scenario {name!r}: give a YAML file or one of {', '.join(names())}")


def names() -> tuple[str, ...]:
    """Ids of the packaged scenarios, in order; each is in a file of its name."""
    return tuple(sorted(item.name.removesuffix(".yaml") for item in _FOLDER.iterdir() if item.name.endswith(".yaml")))


def builtin() -> Mapping[str, Scenario]:
    """Every packaged scenario by id, in order of id."""
    return {name: load_scenario(name) for name in names()}

"""The shape of a rule file: which keys it may hold and of what kind; meaning is checked by the loader."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from plant.catalogue import Text
from plant.errors import BadInput
from plant.instants import parse_duration
from plant.typefile import Decimals, HouseUnit
from plant.yamlfile import Duration, Strict

Grade = Literal["P1", "P2", "P3", "P4"]
Situation = Literal[
    "normal",
    "obvious",
    "borderline",
    "missing_point",
    "bad_sensor",
    "wrong_unit",
    "before_for",
    "after_for",
    "clearing",
]


def _after_start(value: object) -> int:
    if not isinstance(value, str) or not value.startswith("+"):
        raise ValueError(f"{value!r} is no time after the start such as +30m")
    try:
        return parse_duration(value[1:])
    except BadInput as error:
        raise ValueError(str(error)) from None


AfterStart = Annotated[int, BeforeValidator(_after_start)]
"""A time written as `+30m` after the start of a case, held as ms."""


class TextFile(Strict):
    """A text in both languages."""

    zh: str = Field(min_length=1)
    en: str = Field(min_length=1)

    def text(self) -> Text:
        """As the rest of the house knows it."""
        return Text(self.zh, self.en)


class ParamFile(TextFile):
    """One threshold."""

    unit: str
    default: float
    range: tuple[float, float]


class DerivedFile(TextFile):
    """A quantity of the rule itself."""

    unit: HouseUnit
    expression: str
    decimals: Decimals = 6


class LevelFile(Strict):
    """One grade of the fault; `clear` or `hysteresis`, not both."""

    when: str
    for_: Duration = Field(alias="for")
    clear: str | None = None
    hysteresis: float | None = Field(default=None, gt=0)
    clear_for: Duration | None = None
    severity: Grade


class ForEachFile(Strict):
    """Which points `p` stands for; one of the four."""

    points: tuple[str, ...] = ()
    kinds: tuple[Literal["sensor", "command", "setpoint", "status", "meter"], ...] = ()
    flatline: bool = False
    jump: bool = False


class ComparableFile(Strict):
    """What must be alike before and after a repair."""

    expression: str
    within: float = Field(gt=0)


class ExpectedFile(Strict):
    """One alarm a case expects, in time after the start; `cleared` null: still active at the end."""

    severity: Grade
    onset: AfterStart
    raised: AfterStart
    cleared: AfterStart | None


class CaseFile(Strict):
    """One tested situation: series in, alarms out.

    A series is a list of samples `interval` apart: `7x30` (30 times 7), `0+1x120` (120 samples from 0 in steps of 1),
    `_x5` (nothing for 5 intervals), `850!sentinelx3` (readings that ingest has judged, with its reason). `related`
    gives series to equipment at the other end of a relation.
    """

    situation: Situation
    about: str = ""
    type: str | None = None
    start: str = "2026-07-01T00:00:00Z"
    interval: Duration = 60_000
    parameters: dict[str, float] = Field(default_factory=dict)
    members: dict[str, dict[str, tuple[str, ...]]] = Field(default_factory=dict)
    series: dict[str, str]
    related: dict[str, dict[str, str]] = Field(default_factory=dict)
    alarms: tuple[ExpectedFile, ...]


class RuleFile(Strict):
    """One document of a rule file."""

    id: str = Field(pattern=r"^[A-Z]{2}-[A-Z]{0,4}[0-9]{1,3}$")
    title: TextFile
    applies_to: tuple[str, ...] | Literal["*"]
    every: Duration | None = None
    gate: str | None = None
    needs: tuple[str, ...] = ()
    params: dict[str, ParamFile] = Field(default_factory=dict)
    derived: dict[str, DerivedFile] = Field(default_factory=dict)
    levels: tuple[LevelFile, ...]
    latching: bool = False
    for_each: ForEachFile | None = None
    comparable: tuple[ComparableFile, ...] = ()
    verify_for: Duration | None = None
    suppressed_by: tuple[str, ...] = ()
    points: tuple[str, ...] = ()
    causes: tuple[TextFile, ...]
    first_check: tuple[TextFile, ...]
    source: str = Field(min_length=1)
    mode: Literal["observe", "live"] | None = None
    judges_points: bool = False
    safety: bool = False
    cases: tuple[CaseFile, ...] = ()

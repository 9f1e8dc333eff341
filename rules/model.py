"""A rule as data: what the YAML files of the pack say, checked and typed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from plant.catalogue import Derived, Text
from plant.severity import Severity
from plant.site import Mode


@dataclass(frozen=True, slots=True)
class RuleParam:
    """A threshold of a rule with its unit, default and allowed range; equipment may override it within the range."""

    name: str
    unit: str
    default: float
    low: float
    high: float
    text: Text


@dataclass(frozen=True, slots=True)
class Level:
    """One grade of a fault: raised after `when` has held `for_ms`, cleared after `clear` has held `clear_for_ms`."""

    when: str
    for_ms: int
    clear: str
    clear_for_ms: int
    severity: Severity


@dataclass(frozen=True, slots=True)
class ForEach:
    """Runs a rule over several points of an equipment, bound to the name `p` in its expressions.

    `points` are names or family names (`joint_temp_{loc}_{phase}`); `kinds` and `flatline` select among all points
    instead: those of these kinds, (flatline) only points that declare when they count as stuck, (jump) only those
    that declare how fast they can change.
    """

    points: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    flatline: bool = False
    jump: bool = False


@dataclass(frozen=True, slots=True)
class Comparable:
    """A verification counts only while `expression` is within `within` of its value when the alarm was raised."""

    expression: str
    within: float


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of the pack.

    `applies_to` names equipment types (`*`: every type). `needs` names points and parameters without which it is not
    installed on an equipment. `gate` closed or unknown makes the verdict unknown. `suppressed_by` lists causes: a
    rule id on the same equipment, or `relation:ID` on related equipment. `points` are shown in the evidence.
    `derived` are quantities of the rule itself, which its expressions use by name; they may use `p`.
    `judges_points` marks data-quality rules whose pending or active verdict makes the points unknown to other rules.
    """

    id: str
    title: Text
    applies_to: tuple[str, ...]
    levels: tuple[Level, ...]
    every_ms: int | None
    gate: str | None
    latching: bool
    needs: tuple[str, ...]
    points: tuple[str, ...]
    params: Mapping[str, RuleParam]
    for_each: ForEach | None
    comparable: tuple[Comparable, ...]
    verify_for_ms: int
    suppressed_by: tuple[str, ...]
    causes: tuple[Text, ...]
    first_check: tuple[Text, ...]
    source: str
    mode: Mode | None = None
    judges_points: bool = False
    safety: bool = False
    version: str = field(default="")
    derived: Mapping[str, Derived] = field(default_factory=dict)

"""What kinds of equipment exist and which points each has. The data is in `plant/types/*.yaml`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Kind(StrEnum):
    """What a point is (DOMAIN §1.1)."""

    SENSOR = "sensor"
    COMMAND = "command"
    SETPOINT = "setpoint"
    STATUS = "status"
    METER = "meter"

    @property
    def holds(self) -> bool:
        """Reported on change: its value holds as long as its equipment is alive (SEMANTICS §1)."""
        return self in (Kind.COMMAND, Kind.SETPOINT, Kind.STATUS)


class Fold(StrEnum):
    """Which of several readings for one instant counts."""

    LAST = "last"
    MAX = "max"


class SamplingClass(StrEnum):
    """How often a point is expected (DOMAIN §1.4)."""

    FAST = "fast"
    ELEC = "elec"
    HVAC = "hvac"
    SLOW = "slow"

    @property
    def interval_ms(self) -> int:
        """Expected spacing of readings, ms."""
        return {"fast": 5_000, "elec": 10_000, "hvac": 60_000, "slow": 300_000}[self.value]


@dataclass(frozen=True, slots=True)
class Text:
    """One text in both languages."""

    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Flatline:
    """When a sensor counts as stuck (DQ-02): max − min ≤ `tolerance` over `window_ms` while the equipment is active."""

    tolerance: float
    window_ms: int


@dataclass(frozen=True, slots=True)
class Point:
    """One point of an equipment type.

    `unit` is a symbol of `plant.units` (`bool` for status words of two values). `low` and `high` are the hard range:
    what lies outside is not physical (DQ-01). `decimals` is the resolution the engine counts in (3 = 0.001 of the
    unit). `jump` is the largest believable change per minute (DQ-03), None where any change is. `sentinels` are
    device codes that look like values. `members` names the family members of a point made from a family, e.g.
    {"loc": "incoming", "phase": "l2"}; `family` is the family's name or None. `typical` is where the value lies while
    the machine works well (the normal band of pages; no rule reads it).
    """

    name: str
    unit: str
    kind: Kind
    low: float
    high: float
    text: Text
    decimals: int = 3
    fold: Fold = Fold.LAST
    sampling: SamplingClass = SamplingClass.HVAC
    flatline: Flatline | None = None
    jump: float | None = None
    sentinels: tuple[float, ...] = ()
    brick: str | None = None
    typical: tuple[float, float] | None = None
    family: str | None = None
    members: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PointFamily:
    """A pattern of points such as `joint_temp_{loc}_{phase}`.

    `fixed` gives a placeholder's members for every equipment ({"phase": ("l1", "l2", "l3")}); the other
    placeholders are declared by each equipment.
    """

    name: str
    point: Point
    placeholders: tuple[str, ...]
    fixed: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Parameter:
    """A property of one machine (design flow, rated power). `default` None means: unknown unless declared."""

    name: str
    unit: str
    low: float
    high: float
    text: Text
    default: float | None = None


@dataclass(frozen=True, slots=True)
class Derived:
    """A quantity computed from points and parameters by an expression of the rule language.

    The result is in `unit`, rounded to `decimals`; constants in the expression carry the factors between units
    (1.163 kW·h/(m³·K)), so the declared unit is taken on trust after the parts have been checked.
    """

    name: str
    unit: str
    expression: str
    text: Text
    decimals: int = 6


@dataclass(frozen=True, slots=True)
class EquipmentType:
    """One kind of equipment. `step_ms` ∈ {1000, 5000, 10000, 60000} is the grid its rules are evaluated on.

    `active` is an expression of the rule language that is true while the machine works (None: always);
    `relations` names the relations equipment of this type may declare and the type at their other end. `by_service`:
    the service itself says its points; nothing is bound to equipment of this type.
    """

    name: str
    text: Text
    step_ms: int
    points: Mapping[str, Point]
    families: Mapping[str, PointFamily] = field(default_factory=dict)
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    derived: Mapping[str, Derived] = field(default_factory=dict)
    active: str | None = None
    relations: Mapping[str, str] = field(default_factory=dict)
    by_service: bool = False


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All equipment types by name."""

    types: Mapping[str, EquipmentType]

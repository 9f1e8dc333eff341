"""How an equipment type is written down: the models of `types/<type>.yaml` and of `types/media.yaml`."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from plant.catalogue import Fold, Kind, SamplingClass
from plant.errors import BadInput
from plant.units import HOUSE, unit_symbol
from plant.yamlfile import Duration, Strict, did_you_mean

LARGEST_COUNT = 2**53
"""Counts (value × 10^decimals) stay below this, so that they are exact as doubles on their way in and out."""


def _range(value: tuple[float, ...]) -> tuple[float, ...]:
    if len(value) != 2 or value[0] > value[1]:
        raise ValueError("a range is [low, high]")
    return value


def _house_unit(value: str) -> str:
    if value in HOUSE:
        return value
    try:
        symbol = unit_symbol(value)
    except BadInput:
        symbol = value
    hint = f"did you mean {symbol!r}?" if symbol in HOUSE else did_you_mean(value, HOUSE)
    raise ValueError(f"{value!r} is no unit of the catalogue; {hint}")


def _decimals(value: int) -> int:
    if not 0 <= value <= 9:
        raise ValueError("decimals is 0 to 9")
    return value


Range = Annotated[tuple[float, ...], AfterValidator(_range)]
HouseUnit = Annotated[str, AfterValidator(_house_unit)]
Decimals = Annotated[int, AfterValidator(_decimals)]


class FlatlineFile(Strict):
    """When a sensor counts as stuck."""

    tolerance: float
    window: Duration


class Medium(Strict):
    """What points of one medium share; what a point itself says goes before it."""

    unit: HouseUnit | None = None
    kind: Kind | None = None
    range: Range | None = None
    decimals: Decimals | None = None
    fold: Fold | None = None
    sampling: SamplingClass | None = None
    flatline: FlatlineFile | None = None
    jump: float | None = None
    sentinels: tuple[float, ...] | None = None


class MediaFile(Strict):
    """`media.yaml`."""

    media: dict[str, Medium]


class PointFile(Medium):
    """One point; its name is its key. `typical` is where it lies while the machine works well."""

    zh: str
    en: str
    typical: Range | None = None
    medium: str | None = None
    brick: str | None = None


class FamilyFile(Strict):
    """A family of points."""

    fixed: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    point: PointFile


class ParameterFile(Strict):
    """A property of one machine."""

    unit: HouseUnit
    range: Range
    zh: str
    en: str
    default: float | None = None


class DerivedFile(Strict):
    """A computed quantity."""

    unit: HouseUnit
    expression: str
    zh: str
    en: str
    decimals: Decimals = 6


class TypeFile(Strict):
    """One file of `types/`. `sampling` is the class of points that name none; `by_service`: nothing is bound to it."""

    name: str
    zh: str
    en: str
    step: Duration
    points: dict[str, PointFile]
    sampling: SamplingClass = SamplingClass.HVAC
    families: dict[str, FamilyFile] = Field(default_factory=dict)
    parameters: dict[str, ParameterFile] = Field(default_factory=dict)
    derived: dict[str, DerivedFile] = Field(default_factory=dict)
    active: str | None = None
    relations: dict[str, str] = Field(default_factory=dict)
    by_service: bool = False

"""Routes about what exists: equipment, its points, and the rules that watch it."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query
from pydantic import Field

from api.office import AnOffice
from api.shapes import KeysAsk, Page, SeverityName, Shape, Words, page_after
from plant.catalogue import Kind, Point
from plant.reading import SeriesKey
from plant.site import Equipment, Mode
from rules.model import Rule


class EquipmentAsk(KeysAsk):
    """Which equipment."""

    type: str | None = None
    retired: bool | None = None


class EquipmentOut(Shape):
    """One machine; `id` never changes, `path` is where it is called."""

    id: str
    path: str
    type: str
    name: Words
    parameters: dict[str, float] = Field(description="as declared; the type's defaults are not repeated")
    relations: dict[str, list[str]]
    retired: bool


class PointsAsk(KeysAsk):
    """Which points."""

    equipment: str | None = None
    kind: Kind | None = None


class PointOut(Shape):
    """One point of one machine. `low` and `high` are what is physically possible."""

    equipment: str
    point: str
    name: Words
    unit: str
    kind: Kind
    low: float
    high: float
    decimals: int


class RulesAsk(KeysAsk):
    """Which rules."""

    type: str | None = Field(None, description="those that apply to this equipment type")


class ParamOut(Shape):
    """A threshold of a rule; an equipment may override it within its range."""

    name: str
    unit: str
    default: float
    low: float
    high: float
    text: Words


class LevelOut(Shape):
    """Raised when `when` has held `for_ms`, cleared when `clear` has held `clear_for_ms`."""

    severity: SeverityName
    when: str
    for_ms: int
    clear: str
    clear_for_ms: int


class RuleOut(Shape):
    """One rule of the pack."""

    id: str
    title: Words
    applies_to: list[str]
    levels: list[LevelOut]
    gate: str | None
    latching: bool
    safety: bool
    needs: list[str]
    points: list[str]
    params: list[ParamOut]
    suppressed_by: list[str]
    verify_for_ms: int
    causes: list[Words]
    first_check: list[Words]
    source: str
    mode: Mode | None = Field(description="null: the site's mode")
    version: str


async def list_equipment(office: AnOffice, ask: Annotated[EquipmentAsk, Query()]) -> Page[EquipmentOut]:
    """Equipment, by id."""
    found = [
        machine
        for machine in office.deps.configuration.plant().site.equipment.values()
        if (ask.type is None or machine.type == ask.type) and (ask.retired is None or machine.retired is ask.retired)
    ]
    items, following = page_after(found, lambda machine: machine.id, ask)
    return Page(items=[_equipment(machine) for machine in items], next=following)


async def list_points(office: AnOffice, ask: Annotated[PointsAsk, Query()]) -> Page[PointOut]:
    """Points of equipment that is not retired, by equipment and name."""
    plant = office.deps.configuration.plant()
    keys = [key for key in plant.series.keys if ask.equipment is None or key.equipment == ask.equipment]
    points = {id: plant.points(plant.site.equipment[id]) for id in dict.fromkeys(key.equipment for key in keys)}
    found = [key for key in keys if ask.kind is None or points[key.equipment][key.point].kind is ask.kind]
    items, following = page_after(found, _point_name, ask)
    return Page(items=[_point(key, points[key.equipment][key.point]) for key in items], next=following)


async def list_rules(office: AnOffice, ask: Annotated[RulesAsk, Query()]) -> Page[RuleOut]:
    """Rules, by id."""
    rules = office.deps.configuration.rules()
    found = [rule for rule in rules if ask.type is None or {ask.type, "*"} & set(rule.applies_to)]
    items, following = page_after(found, lambda rule: rule.id, ask)
    return Page(items=[_rule(rule) for rule in items], next=following)


def _equipment(machine: Equipment) -> EquipmentOut:
    return EquipmentOut(
        id=machine.id,
        path=machine.path,
        type=machine.type,
        name=Words.model_validate(machine.text),
        parameters=dict(machine.parameters),
        relations={name: list(others) for name, others in machine.relations.items()},
        retired=machine.retired,
    )


def _point_name(key: SeriesKey) -> str:
    return f"{key.equipment}/{key.point}"


def _point(key: SeriesKey, point: Point) -> PointOut:
    return PointOut(
        equipment=key.equipment,
        point=key.point,
        name=Words.model_validate(point.text),
        unit=point.unit,
        kind=point.kind,
        low=point.low,
        high=point.high,
        decimals=point.decimals,
    )


def _rule(rule: Rule) -> RuleOut:
    return RuleOut(
        id=rule.id,
        title=Words.model_validate(rule.title),
        applies_to=list(rule.applies_to),
        levels=[LevelOut.model_validate(level) for level in rule.levels],
        gate=rule.gate,
        latching=rule.latching,
        safety=rule.safety,
        needs=list(rule.needs),
        points=list(rule.points),
        params=[ParamOut.model_validate(param) for param in rule.params.values()],
        suppressed_by=list(rule.suppressed_by),
        verify_for_ms=rule.verify_for_ms,
        causes=[Words.model_validate(cause) for cause in rule.causes],
        first_check=[Words.model_validate(step) for step in rule.first_check],
        source=rule.source,
        mode=rule.mode,
        version=rule.version,
    )

"""Derived quantities of a machine (condenser approach, load ratio) over a stretch of time, for drawing: pure.

The expression is compiled by the rule language and computed by the engine's own nodes, in its exact numbers. What looks
back over time cannot be computed from the values of one instant and is not drawn.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from plant.catalogue import Kind, Point
from plant.site import Equipment, Plant
from rules.compile import Roster, parameters_of
from rules.lang import nodes as at
from rules.lang.fixed import Ints, from_float
from rules.lang.functions import Functions
from rules.lang.nodes import Block, Node, Num, NumNode, State
from rules.lang.parse import Parser, Scope

_INSTANTANEOUS = (
    at.Signal, at.SignalTruth, at.ConstNode, at.Pointwise, at.Scaled, at.Quotient, at.Rounded, at.Default, at.Where,
    at.Compare, at.Not, at.Every, at.Some, at.Known, at.Fixed,
)  # fmt: skip

Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Quantity:
    """A derived quantity of one machine. `point` describes it as if it were measured; `sources` are the points it is
    worked out from, as the expression names them, each with the equipment that has it."""

    point: Point
    node: NumNode
    sources: Mapping[str, tuple[Equipment, Point]]
    step_ms: int

    def over(self, instants: Ints, values: Mapping[str, Values]) -> Values:
        """The quantity at each of (n,) instants from the values of its sources there, NaN where they are not known."""

        def read(name: str) -> Num:
            known = np.isfinite(values[name])
            counts = from_float(np.where(known, values[name], 0.0), self.sources[name][1].decimals)
            return Num(counts[np.newaxis, :], known[np.newaxis, :])

        block = Block(instants, 1, self.step_ms, read, _nothing, _nothing, State(1))
        found = self.node.num(block)
        return np.where(found.known[0], found.value[0] / 10.0**self.node.shape.decimals, np.nan)


def quantity(plant: Plant, machine: Equipment, name: str) -> Quantity | None:
    """The derived quantity of that name; None where the type has none, or it looks back over time.

    Also None where this machine lacks a point or parameter that it is worked out from.
    """
    kind = plant.catalogue.types[machine.type]
    if name not in kind.derived:
        return None
    roster = Roster(plant, kind, (machine,), kind.step_ms, {})
    points = roster.points()
    consts = parameters_of(kind.parameters, (machine,))
    scope = Scope(1, kind.step_ms, points, kind.derived, consts, kind.active, zone=plant.site.zone)
    node = Parser(name, scope, Functions(scope)).parse()
    if not isinstance(node, NumNode) or not all(isinstance(part, _INSTANTANEOUS) for part in _parts(node)):
        return None
    names = {part.name for part in _parts(node) if isinstance(part, at.Signal | at.SignalTruth)}
    sources = {found: source for found in sorted(names) if (source := _source(plant, machine, found)) is not None}
    if not names or len(sources) < len(names) or not _known(node):
        return None
    slowest = max((point for _, point in sources.values()), key=lambda point: point.sampling.interval_ms)
    derived = kind.derived[name]
    decimals = min(derived.decimals, 3)
    point = Point(name, derived.unit, Kind.SENSOR, -np.inf, np.inf, derived.text, decimals, sampling=slowest.sampling)
    return Quantity(point, node, sources, kind.step_ms)


def quantities(plant: Plant, machine: Equipment) -> Iterator[Quantity]:
    """All that can be drawn of a machine."""
    for name in plant.catalogue.types[machine.type].derived:
        found = quantity(plant, machine, name)
        if found is not None:
            yield found


def _parts(node: Node) -> Iterator[Node]:
    waiting = [node]
    while waiting:
        part = waiting.pop()
        yield part
        waiting += part.children


def _known(node: Node) -> bool:
    """Whether every parameter in it is declared, but for those that `default` stands in for."""
    if isinstance(node, at.ConstNode):
        return bool(node.column.known.all())
    if isinstance(node, at.Scaled) and not node.known.all():
        return False
    if isinstance(node, at.Default):
        return any(_known(part) for part in node.children)
    return all(_known(part) for part in node.children)


def _source(plant: Plant, machine: Equipment, name: str) -> tuple[Equipment, Point] | None:
    """Whose point a name of an expression is: `oil_temp` or `cooled_by.cond_sat_temp`."""
    relation, _, own = name.rpartition(".")
    if relation:
        others = machine.relations.get(relation, ())
        if len(others) != 1 or others[0] not in plant.site.equipment:
            return None
        machine = plant.site.equipment[others[0]]
    point = plant.points(machine).get(own)
    return None if point is None else (machine, point)


def _nothing(name: str) -> NoReturn:
    raise TypeError(f"{name}: what is drawn has neither reasons nor ages")

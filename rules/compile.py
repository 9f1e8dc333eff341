"""Rules become nodes for the equipment of one type on one grid; the same work checks a rule against the catalogue."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from plant.catalogue import Catalogue, EquipmentType, Parameter, Point
from plant.site import Equipment, Plant, expand
from plant.units import Dimension
from rules.lang.arithmetic import ONE
from rules.lang.fixed import Bools, count_of, exact
from rules.lang.functions import Functions
from rules.lang.nodes import BoolNode, Const, Node, NumNode
from rules.lang.parse import ExpressionError, Parser, Scope, Term
from rules.model import ForEach, Rule, RuleParam


@dataclass(frozen=True, slots=True)
class ExpressionProblem:
    """A mistake in an expression of a rule; `where` is its key path, e.g. ("levels", 0, "when")."""

    where: tuple[str | int, ...]
    column: int
    message: str
    text: str
    expected: str
    hint: str


@dataclass(frozen=True, slots=True)
class CompiledLevel:
    """Nodes of one level of one member."""

    when: BoolNode
    clear: BoolNode


@dataclass(frozen=True, slots=True)
class CompiledRule:
    """A rule for the equipment of a roster.

    `members` are the points it runs over (one None where it runs once); `gates` and `levels` follow them.
    `installed` (members, equipment) is false where a needed point or parameter is missing. `comparable` pairs an
    expression with the count it may differ by.
    """

    rule: Rule
    members: tuple[str | None, ...]
    gates: tuple[BoolNode | None, ...]
    levels: tuple[tuple[CompiledLevel, ...], ...]
    installed: Bools
    comparable: tuple[tuple[NumNode, int], ...]


@dataclass(frozen=True, slots=True)
class Roster:
    """The equipment of one type that a rule set is compiled for, in the order of the planes' rows."""

    plant: Plant
    kind: EquipmentType
    equipment: tuple[Equipment, ...]
    step_ms: int
    nodes: dict[str, Node]

    def points(self) -> dict[str, Point]:
        """Own points of any of the equipment, and those of related types as `relation.point`."""
        points: dict[str, Point] = {}
        for machine in self.equipment:
            points.update(self.plant.points(machine))
        for relation, target in self.kind.relations.items():
            for name, point in self.plant.catalogue.types[target].points.items():
                points[f"{relation}.{name}"] = point
        return points


def every_ms(rule: Rule, kind: EquipmentType) -> int:
    """The grid a rule is evaluated on for a type."""
    return rule.every_ms or kind.step_ms


def applies(rule: Rule, kind: str) -> bool:
    """Whether a rule is written for a type."""
    return "*" in rule.applies_to or kind in rule.applies_to


def compile_rule(rule: Rule, roster: Roster) -> CompiledRule:
    """Nodes of a rule for a roster; raises ExpressionError (what `check_rule` reports is not compiled)."""
    points = roster.points()
    consts = parameters_of(roster.kind.parameters, roster.equipment) | _rule_params(rule, roster.equipment)
    scope = Scope(
        len(roster.equipment),
        roster.step_ms,
        points,
        roster.kind.derived,
        consts,
        roster.kind.active,
        nodes=roster.nodes,
        zone=roster.plant.site.zone,
        own=rule.derived,
        intervals=tuple(machine.interval_ms for machine in roster.equipment),
    )
    members = tuple(select(rule.for_each, points)) if rule.for_each else (None,)
    gates, levels = [], []
    for member in members:
        inner = replace(scope, member=points[member]) if member else scope
        gates.append(_truth(rule.gate, inner) if rule.gate else None)
        levels.append(tuple(CompiledLevel(_truth(v.when, inner), _truth(v.clear, inner)) for v in rule.levels))
    comparable = []
    for item in rule.comparable:
        term = _number(item.expression, scope)
        comparable.append((term, count_of(exact(item.within), term.shape.decimals)))
    return CompiledRule(
        rule, members, tuple(gates), tuple(levels), _installed(rule, members, roster, consts), tuple(comparable)
    )


def check_rule(rule: Rule, catalogue: Catalogue) -> list[ExpressionProblem]:
    """Every mistake in the expressions of a rule, for each type it applies to; each place is reported once."""
    problems: dict[tuple[str | int, ...], ExpressionProblem] = {}
    for kind in catalogue.types.values():
        if applies(rule, kind.name):
            for where, error in _check_for(rule, kind, catalogue):
                hint = error.hint or f"(for type {kind.name})"
                problems.setdefault(
                    where,
                    ExpressionProblem(where, error.column, error.message, error.text, error.expected, hint),
                )
    return list(problems.values())


def select(chosen: ForEach, points: Mapping[str, Point]) -> Iterator[str]:
    """The points a for_each runs over, in a stable order."""
    for name in sorted(points):
        point = points[name]
        if "." in name or name == "online_status":
            continue
        if chosen.points and name not in chosen.points and point.family not in chosen.points:
            continue
        if chosen.kinds and point.kind.value not in chosen.kinds:
            continue
        if chosen.flatline and point.flatline is None:
            continue
        if not chosen.jump or point.jump is not None:
            yield name


def _check_for(
    rule: Rule, kind: EquipmentType, catalogue: Catalogue
) -> Iterator[tuple[tuple[str | int, ...], ExpressionError]]:
    points = dict(kind.points)
    for family in kind.families.values():
        for point in expand(family, {holder: ("x",) for holder in family.placeholders if holder not in family.fixed}):
            points[point.name] = point
    for relation, target in kind.relations.items():
        for name, point in catalogue.types[target].points.items():
            points[f"{relation}.{name}"] = point
    consts = parameters_of(kind.parameters, ()) | _rule_params(rule, ())
    scope = Scope(0, every_ms(rule, kind), points, kind.derived, consts, kind.active, own=rule.derived)
    members = tuple(select(rule.for_each, points)) if rule.for_each else (None,)
    if rule.for_each and rule.for_each.points and not members:
        yield ("for_each",), ExpressionError(1, f"type {kind.name} has none of these points")
    for member in members:
        inner = replace(scope, member=points[member], nodes={}) if member else scope
        wrong = [*_check_derived(rule, kind, inner)]
        yield from wrong
        for where, text in _texts(rule) if not wrong else ():
            try:
                _truth(text, inner)
            except ExpressionError as error:
                yield where, error
    for number, item in enumerate(rule.comparable):
        try:
            _number(item.expression, scope)
        except ExpressionError as error:
            yield ("comparable", number, "expression"), error
    for number, name in enumerate(rule.needs):
        if name not in points and name not in consts and name not in kind.families:
            text = f"type {kind.name} has no point or parameter {name!r}"
            yield ("needs", number), ExpressionError(1, text, text=name)


def _check_derived(
    rule: Rule, kind: EquipmentType, scope: Scope
) -> Iterator[tuple[tuple[str | int, ...], ExpressionError]]:
    """The rule's own quantities, each at its own place: what uses a wrong one would only repeat the mistake."""
    taken = {*scope.points, *kind.derived, *scope.consts, "active", "p"}
    for name, derived in rule.derived.items():
        if name in taken:
            yield ("derived", name), ExpressionError(1, f"type {kind.name} knows {name!r} already", text=name)
        try:
            _parse(derived.expression, replace(scope, resolving=(name,)))
        except ExpressionError as error:
            yield ("derived", name, "expression"), error


def _texts(rule: Rule) -> Iterator[tuple[tuple[str | int, ...], str]]:
    if rule.gate:
        yield ("gate",), rule.gate
    for number, level in enumerate(rule.levels):
        yield ("levels", number, "when"), level.when
        yield ("levels", number, "clear"), level.clear


def _parse(text: str, scope: Scope) -> Term:
    return Parser(text, scope, Functions(scope)).parse()


def _truth(text: str, scope: Scope) -> BoolNode:
    term = _parse(text, scope)
    if not isinstance(term, BoolNode):
        raise ExpressionError(1, "this is a number", text=text, expected="a condition, such as `x > 3`")
    return term


def _number(text: str, scope: Scope) -> NumNode:
    term = _parse(text, scope)
    if not isinstance(term, NumNode):
        raise ExpressionError(1, "this is not a number that changes", text=text, expected="a point or derived quantity")
    return term


def parameters_of(parameters: Mapping[str, Parameter], equipment: Sequence[Equipment]) -> dict[str, Const]:
    """The parameters of a type as constants, with a value for each equipment."""
    found = {}
    for name, parameter in parameters.items():
        values = tuple(
            None if number is None else exact(number)
            for number in (machine.parameters.get(name, parameter.default) for machine in equipment)
        )
        found[name] = _const(name, values, parameter.unit, (parameter.low, parameter.high))
    return found


def _rule_params(rule: Rule, equipment: Sequence[Equipment]) -> dict[str, Const]:
    return {name: _rule_param(rule.id, param, equipment) for name, param in rule.params.items()}


def _rule_param(rule_id: str, param: RuleParam, equipment: Sequence[Equipment]) -> Const:
    values = tuple(exact(m.rule_params.get(rule_id, {}).get(param.name, param.default)) for m in equipment)
    return _const(param.name, values, param.unit, (param.low, param.high))


def _const(name: str, values: tuple[Fraction | None, ...], unit: str, bounds: tuple[float, float]) -> Const:
    """A constant whose key holds its values: another value is another state (SEMANTICS §3)."""
    digest = hashlib.sha256(repr(values).encode()).hexdigest()[:12]
    dimension = ONE if unit == "1" else Dimension.of(unit)
    return Const(values, dimension, *bounds, f"{name}@{digest}")


def _installed(rule: Rule, members: tuple[str | None, ...], roster: Roster, consts: Mapping[str, Const]) -> Bools:
    """Where every needed point and parameter is there (and the member, where the rule runs over members)."""
    installed = np.ones((len(members), len(roster.equipment)), bool)
    for row, machine in enumerate(roster.equipment):
        own = roster.plant.points(machine)
        families = {point.family for point in own.values() if point.family}
        for name in rule.needs:
            relation, _, point = name.partition(".")
            if point:
                there = bool(machine.relations.get(relation))
            elif name in consts:
                there = consts[name].values[row] is not None
            else:
                there = name in own or name in families
            if not there:
                installed[:, row] = False
        for number, member in enumerate(members):
            if member is not None and member not in own:
                installed[number, row] = False
    return installed

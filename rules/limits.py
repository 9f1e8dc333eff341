"""The limits that rules set to a value, for drawing: what stands as a dashed line on a chart and a post on a bar."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from plant.catalogue import Text
from plant.severity import Severity
from plant.site import Equipment, Plant
from rules.model import Level, Rule

_SMOOTHED = frozenset({"mean", "min", "max", "median", "ewma"})
_MEMBER = "p"


@dataclass(frozen=True, slots=True)
class Limit:
    """A rule asks for attention when the value lies above (`upper`) or below `value`, in the value's own unit."""

    rule: str
    title: Text
    severity: Severity
    value: float
    upper: bool


def limits_on(plant: Plant, machine: Equipment, what: str, rules: Sequence[Rule]) -> tuple[Limit, ...]:
    """The limits of all rules on one point or derived quantity of a machine, the gravest first, each once.

    Only a comparison of the value itself (or its window mean, minimum, …) with a number counts; what depends on other
    values that move has no line to draw.
    """
    kind = plant.catalogue.types[machine.type]
    point = plant.points(machine).get(what)
    families = {what} if point is None or point.family is None else {what, point.family}
    found: dict[tuple[float, bool], Limit] = {}
    for rule in rules:
        if machine.type not in rule.applies_to:
            continue
        names = {what} | ({_MEMBER} if rule.for_each is not None and families & set(rule.for_each.points) else set())
        constants = {name: param.default for name, param in kind.parameters.items() if param.default is not None}
        constants |= dict(machine.parameters) | {name: param.default for name, param in rule.params.items()}
        constants |= dict(machine.rule_params.get(rule.id, {}))
        for level in rule.levels:
            for value, upper in _compared(level, names, constants):
                limit = Limit(rule.id, rule.title, level.severity, value, upper)
                known = found.get((value, upper))
                if known is None or limit.severity < known.severity:
                    found[value, upper] = limit
    return tuple(sorted(found.values(), key=lambda limit: (limit.severity, limit.value)))


def _compared(level: Level, names: set[str], constants: Mapping[str, float]) -> Iterator[tuple[float, bool]]:
    for left, upper, right in _comparisons(level.when):
        if _is_value(left, names):
            value = _number(right, constants)
        elif _is_value(right, names):
            value, upper = _number(left, constants), not upper
        else:
            continue
        if value is not None:
            yield value, upper


@lru_cache(maxsize=2_048)
def _comparisons(when: str) -> tuple[tuple[ast.expr, bool, ast.expr], ...]:
    """The comparisons of a condition as (left, whether left is to be the greater, right)."""
    return tuple(
        (node.left, isinstance(node.ops[0], ast.Gt | ast.GtE), node.comparators[0])
        for node in ast.walk(ast.parse(when.strip(), mode="eval"))
        if isinstance(node, ast.Compare) and len(node.ops) == 1
    )


def _is_value(node: ast.expr, names: set[str]) -> bool:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _SMOOTHED and node.args:
        return _is_value(node.args[0], names)
    return isinstance(node, ast.Name) and node.id in names


def _number(node: ast.expr, constants: Mapping[str, float]) -> float | None:
    """The value of an expression of numbers and parameters; None when anything else is in it."""
    match node:
        case ast.Constant(value=int() | float() as value):
            return float(value)
        case ast.Name(id=name):
            return constants.get(name)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            found = _number(operand, constants)
            return None if found is None else -found
        case ast.BinOp(left=left, op=op, right=right):
            return _worked_out(op, _number(left, constants), _number(right, constants))
    return None


def _worked_out(op: ast.operator, left: float | None, right: float | None) -> float | None:
    if left is None or right is None:
        return None
    match op:
        case ast.Add():
            return left + right
        case ast.Sub():
            return left - right
        case ast.Mult():
            return left * right
        case ast.Div() if right:
            return left / right
    return None

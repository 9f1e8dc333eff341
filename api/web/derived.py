"""Derived quantities of a machine (condenser approach, load ratio) worked out from its readings, for drawing."""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from plant.catalogue import Point, Text
from plant.site import Equipment, Plant

_NAME = re.compile(r"[A-Za-z_]\w*")

Numbers = npt.NDArray[np.float64]
Readings = Callable[[str], Numbers | None]
"""A point's values by its name, NaN where unknown; None for a point that has none at all."""

_OPERATORS: Mapping[type[ast.operator], Callable[[Numbers, Numbers], Numbers]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


class Quantities:
    """Points, parameters and derived quantities of one machine as arrays of one length."""

    def __init__(self, plant: Plant, machine: Equipment, readings: Readings) -> None:
        kind = plant.catalogue.types[machine.type]
        self._points = plant.points(machine)
        self._derived = kind.derived
        defaults = {name: one.default for name, one in kind.parameters.items() if one.default is not None}
        self._parameters = {**defaults, **machine.parameters}
        self._readings = readings

    def of(self, what: str) -> Numbers | None:
        """A point, a parameter, a derived quantity, or arithmetic over such; None for anything else."""
        if what in self._points:
            return self._readings(what)
        if what in self._parameters:
            return np.array(self._parameters[what], np.float64)
        if what in self._derived:
            return self._evaluated(self._derived[what].expression)
        return self._evaluated(what)

    def point(self, name: str) -> Point | None:
        """The point of a name; None for what is none."""
        return self._points.get(name)

    def points_in(self, what: str) -> frozenset[str]:
        """The points that a quantity is worked out from."""
        if what in self._points:
            return frozenset({what})
        text = self._derived[what].expression if what in self._derived else what
        tree = _parsed(text)
        names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)} if tree is not None else set()
        return frozenset().union(*(self.points_in(name) for name in names - {what} if self._known(name)))

    def _known(self, name: str) -> bool:
        return name in self._points or name in self._derived

    def _evaluated(self, text: str) -> Numbers | None:
        tree = _parsed(text)
        if tree is None:
            return None
        with np.errstate(divide="ignore", invalid="ignore"):
            return self._value(tree)

    def _value(self, node: ast.expr) -> Numbers | None:
        match node:
            case ast.Constant(value=int() | float() as number):
                return np.array(number, np.float64)
            case ast.Name(id=name) if self._known(name) or name in self._parameters:
                return self.of(name)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                value = self._value(operand)
                return None if value is None else -value
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
                first, second = self._value(left), self._value(right)
                return None if first is None or second is None else _OPERATORS[type(op)](first, second)
        return None


@dataclass(frozen=True, slots=True)
class Spoken:
    """What an expression is about, for people: its name, its unit, and the quantity to draw for it."""

    name: Text
    unit: str
    what: str


def spoken(what: str, unit: str, names: Mapping[str, tuple[Text, str]]) -> Spoken | None:
    """An expression as people say it: a quantity by its name, smoothed or not (`mean(sat, "5m")`), or two set apart.

    None for what would take a formula to say. `names` are name and unit of each quantity.
    """
    if what in names:
        return Spoken(names[what][0], names[what][1], what)
    found = list(dict.fromkeys(name for name in _NAME.findall(what) if name in names))
    if len(found) == 1:
        return Spoken(names[found[0]][0], unit, found[0])
    if len(found) == 2 and "-" in what:
        first, second = (names[name][0] for name in found)
        name = Text(f"{first.zh} − {second.zh}", f"{first.en} − {second.en}")
        return Spoken(name, unit, f"{found[0]} - {found[1]}")
    return None


@lru_cache(maxsize=512)
def _parsed(text: str) -> ast.expr | None:
    try:
        return ast.parse(text.strip(), mode="eval").body
    except SyntaxError:
        return None

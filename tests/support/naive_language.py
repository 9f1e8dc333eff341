"""The rule language, one expression at one instant at a time, in fractions; None is unknown."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction
from zoneinfo import ZoneInfo

from plant.catalogue import Point


@dataclass(frozen=True)
class Number:
    """A number (None: unknown) counted in 10^-decimals; decimals None marks a constant."""

    value: Fraction | None
    decimals: int | None


Value = Number | bool | None
Call = Callable[["Reader", ast.Call, int], Value]


def rounded(value: Fraction, decimals: int) -> Fraction:
    """Half away from zero."""
    lift = Fraction(10) ** decimals
    count = (abs(value) * lift * 2 + 1) // 2
    return (count if value >= 0 else -count) / lift


@dataclass
class Past:
    """What one instant (`at`, ms) looked like: points and reasons of one equipment and of those it is related to."""

    at: int
    values: dict[str, Fraction | None]
    reasons: dict[str, int]


@dataclass
class Reader:
    """Evaluates expressions of one equipment over its past; `past[-1]` is now."""

    points: dict[str, Point]
    constants: dict[str, Fraction | None]
    step: int
    zone: str = "UTC"
    past: list[Past] = field(default_factory=list)
    member: str | None = None
    calls: Mapping[str, Call] = field(default_factory=dict)
    memo: dict[tuple[int, int, str | None], Value] = field(default_factory=dict)
    trees: dict[str, ast.expr] = field(default_factory=dict)
    shown: dict[int, datetime] = field(default_factory=dict)

    def truth(self, text: str, member: str | None = None) -> bool | None:
        """A condition now."""
        self.member = member
        tree = self.trees.get(text)
        if tree is None:
            tree = self.trees[text] = ast.parse(text, mode="eval").body
        found = self.at(tree, len(self.past) - 1)
        if isinstance(found, Number):
            raise TypeError(f"{text} is a number")
        return found

    def at(self, node: ast.expr, when: int) -> Value:
        """A part of an expression at one of the past instants; before the first there is none to evaluate it at."""
        if when < 0:
            raise IndexError(f"{ast.unparse(node)} is read {-when} instants before the first")
        # Trees are kept, so a node's identity is its own for good.
        key = (id(node), when, self.member)
        if key not in self.memo:
            self.memo[key] = self._at(node, when)
        return self.memo[key]

    def _at(self, node: ast.expr, when: int) -> Value:
        match node:
            case ast.Constant(value=bool() as flag):
                return flag
            case ast.Constant(value=int() | float() as number):
                return Number(Fraction(repr(number)), None)
            case ast.Name(id=name):
                return self._name(self.member if name == "p" and self.member else name, when)
            case ast.Attribute(value=ast.Name(id=relation), attr=attr):
                return self._name(f"{relation}.{attr}", when)
            case ast.UnaryOp(op=ast.Not(), operand=inner):
                flag_now = self.flag(inner, when)
                return None if flag_now is None else not flag_now
            case ast.UnaryOp(op=ast.USub(), operand=inner):
                number_now = self.number(inner, when)
                return Number(None if number_now.value is None else -number_now.value, number_now.decimals)
            case ast.BinOp(left=left, op=op, right=right):
                return binary(op, self.number(left, when), self.number(right, when))
            case ast.BoolOp(op=ast.And(), values=values):
                return kleene([self.flag(value, when) for value in values], decisive=False)
            case ast.BoolOp(values=values):
                return kleene([self.flag(value, when) for value in values], decisive=True)
            case ast.Compare(left=left, ops=[op], comparators=[right]):
                return compare(op, self.number(left, when), self.number(right, when))
            case ast.Call(func=ast.Name(id=name)):
                return self.calls[name](self, node, when)
        raise TypeError(ast.dump(node))

    def number(self, node: ast.expr, when: int) -> Number:
        """A part that is a number."""
        found = self.at(node, when)
        if not isinstance(found, Number):
            raise TypeError(f"{ast.unparse(node)} is a condition")
        return found

    def flag(self, node: ast.expr, when: int) -> bool | None:
        """A part that is a condition."""
        found = self.at(node, when)
        if isinstance(found, Number):
            raise TypeError(f"{ast.unparse(node)} is a number")
        return found

    def clock(self, when: int) -> datetime:
        """What the site's clock shows at one of the past instants."""
        if when not in self.shown:
            self.shown[when] = datetime.fromtimestamp(self.past[when].at / 1000, ZoneInfo(self.zone))
        return self.shown[when]

    def _name(self, name: str, when: int) -> Value:
        if name in self.constants:
            return Number(self.constants[name], None)
        point = self.points[name]
        value = self.past[when].values.get(name)
        if point.unit == "bool":
            return None if value is None else value != 0
        return Number(value, point.decimals)


def binary(op: ast.operator, left: Number, right: Number) -> Number:
    """+ − at the coarser resolution, × ÷ at 1e-6."""
    if isinstance(op, ast.Add | ast.Sub):
        first, second, decimals = aligned(left, right)
        if first is None or second is None:
            return Number(None, decimals)
        return Number(first + second if isinstance(op, ast.Add) else first - second, decimals)
    constant = left.decimals is None and right.decimals is None
    decimals = None if constant else 6
    if left.value is None or right.value is None or (isinstance(op, ast.Div) and right.value == 0):
        return Number(None, decimals)
    result = left.value * right.value if isinstance(op, ast.Mult) else left.value / right.value
    return Number(result if decimals is None else rounded(result, decimals), decimals)


def aligned(left: Number, right: Number) -> tuple[Fraction | None, Fraction | None, int | None]:
    """Both at the coarser resolution; a constant takes that of the other."""
    known = [number.decimals for number in (left, right) if number.decimals is not None]
    decimals = min(known) if known else None
    first, second = (
        number.value if number.value is None or decimals is None else rounded(number.value, decimals)
        for number in (left, right)
    )
    return first, second, decimals


def compare(op: ast.cmpop, left: Number, right: Number) -> bool | None:
    """Strict and unstrict, unknown where either side is."""
    first, second, _ = aligned(left, right)
    if first is None or second is None:
        return None
    match op:
        case ast.Gt():
            return first > second
        case ast.GtE():
            return first >= second
        case ast.Lt():
            return first < second
        case ast.LtE():
            return first <= second
    raise TypeError(ast.dump(op))


def kleene(flags: list[bool | None], *, decisive: bool) -> bool | None:
    """`or` with decisive true, `and` with decisive false."""
    if decisive in flags:
        return decisive
    return None if None in flags else not decisive

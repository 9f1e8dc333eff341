"""The rule language, one expression at one instant at a time, in fractions; None is unknown."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction

from plant.catalogue import Point
from plant.instants import parse_duration
from plant.quality import Reason


@dataclass(frozen=True)
class Number:
    """A number (None: unknown) counted in 10^-decimals; decimals None marks a constant."""

    value: Fraction | None
    decimals: int | None


Value = Number | bool | None


def rounded(value: Fraction, decimals: int) -> Fraction:
    """Half away from zero."""
    lift = Fraction(10) ** decimals
    count = (abs(value) * lift * 2 + 1) // 2
    return (count if value >= 0 else -count) / lift


@dataclass
class Past:
    """What one instant looked like: points and reasons of one equipment and of those it is related to."""

    values: dict[str, Fraction | None]
    reasons: dict[str, int]


@dataclass
class Reader:
    """Evaluates expressions of one equipment over its past; `past[-1]` is now."""

    points: dict[str, Point]
    constants: dict[str, Fraction | None]
    step: int
    past: list[Past] = field(default_factory=list)
    member: str | None = None
    memo: dict[tuple[str, int, str | None], Value] = field(default_factory=dict)
    trees: dict[str, ast.expr] = field(default_factory=dict)

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
        """A part of an expression at one of the past instants; before the first, all is unknown."""
        key = (ast.dump(node), when, self.member)
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
                return CALLS[name](self, node, when)
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

    def _name(self, name: str, when: int) -> Value:
        if name in self.constants:
            return Number(self.constants[name], None)
        point = self.points[name]
        value = self.past[when].values.get(name) if when >= 0 else None
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


def duration(node: ast.expr) -> int:
    """A quoted duration, ms."""
    if not isinstance(node, ast.Constant):
        raise TypeError(ast.dump(node))
    return parse_duration(str(node.value))


def _span(reader: Reader, node: ast.Call, when: int) -> tuple[range, int]:
    """Indices of the window's instants that are in the past at all, and how many of the window must be known."""
    width = duration(node.args[-1]) // reader.step
    return range(max(0, when - width + 1), when + 1), max(1, -(-width * 4 // 5))


def _numbers(reader: Reader, node: ast.Call, when: int) -> tuple[list[Fraction], bool, int | None]:
    span, need = _span(reader, node, when)
    found = [reader.number(node.args[0], index) for index in span]
    known = [number.value for number in found if number.value is not None]
    return known, len(known) >= need, reader.number(node.args[0], when).decimals


def _mean(values: list[Fraction]) -> Fraction:
    return sum(values, Fraction(0)) / len(values)


def _statistic(work: Callable[[list[Fraction]], Fraction]) -> Callable[[Reader, ast.Call, int], Value]:
    def call(reader: Reader, node: ast.Call, when: int) -> Value:
        known, enough, decimals = _numbers(reader, node, when)
        if not enough or decimals is None:
            return Number(None, decimals)
        return Number(rounded(work(known), decimals), decimals)

    return call


def _lag(reader: Reader, node: ast.Call, when: int) -> Number:
    back = when - duration(node.args[1]) // reader.step
    return reader.number(node.args[0], back)


def _delta(reader: Reader, node: ast.Call, when: int) -> Value:
    return binary(ast.Sub(), reader.number(node.args[0], when), _lag(reader, node, when))


def _held(reader: Reader, node: ast.Call, when: int) -> Value:
    now = reader.flag(node.args[0], when)
    if not now:
        return now
    instants = duration(node.args[1]) // reader.step + 1
    if when + 1 < instants:
        return False
    return all(reader.flag(node.args[0], when - back) is True for back in range(instants))


def _since(reader: Reader, node: ast.Call, when: int) -> Value:
    for back in range(when + 1):
        if reader.flag(node.args[0], when - back) is True:
            return Number(Fraction(back * reader.step // 1000), 0)
    return Number(None, 0)


def _flags(reader: Reader, node: ast.Call, when: int) -> tuple[list[bool], bool]:
    span, need = _span(reader, node, when)
    known = [flag for flag in (reader.flag(node.args[0], index) for index in span) if flag is not None]
    return known, len(known) >= need


def _share(reader: Reader, node: ast.Call, when: int) -> Value:
    known, enough = _flags(reader, node, when)
    return Number(rounded(Fraction(sum(known), len(known)), 6) if enough else None, 6)


def _rises(reader: Reader, node: ast.Call, when: int) -> Value:
    """A rise is a true instant right after a false one; it belongs to the instant at which it is true."""
    span, _ = _span(reader, node, when)
    _, enough = _flags(reader, node, when)
    inner = node.args[0]
    rises = sum(reader.flag(inner, i) is True and i > 0 and reader.flag(inner, i - 1) is False for i in span)
    return Number(Fraction(rises) if enough else None, 0)


def _stuck(reader: Reader, node: ast.Call, when: int) -> Value:
    known, enough, decimals = _numbers(reader, node, when)
    tolerance = reader.number(node.args[1], when).value
    if not enough or decimals is None or tolerance is None:
        return None
    return max(known) - min(known) <= rounded(tolerance, decimals)


def _pick(choose: Callable[[Fraction, Fraction], Fraction]) -> Callable[[Reader, ast.Call, int], Value]:
    def call(reader: Reader, node: ast.Call, when: int) -> Value:
        left, right, decimals = aligned(reader.number(node.args[0], when), reader.number(node.args[1], when))
        return Number(None if left is None or right is None else choose(left, right), decimals)

    return call


def _default(reader: Reader, node: ast.Call, when: int) -> Value:
    left, right, decimals = aligned(reader.number(node.args[0], when), reader.number(node.args[1], when))
    return Number(right if left is None else left, decimals)


def _abs(reader: Reader, node: ast.Call, when: int) -> Value:
    number = reader.number(node.args[0], when)
    return Number(None if number.value is None else abs(number.value), number.decimals)


def _any_of(reader: Reader, node: ast.Call, when: int) -> Value:
    return kleene([reader.flag(part, when) for part in node.args], decisive=True)


def _known(reader: Reader, node: ast.Call, when: int) -> Value:
    found = reader.at(node.args[0], when)
    return (found.value if isinstance(found, Number) else found) is not None


def _quality(reader: Reader, node: ast.Call, when: int) -> Value:
    if when < 0 or not isinstance(node.args[0], ast.Name):
        return False
    name = reader.member if node.args[0].id == "p" and reader.member else node.args[0].id
    wanted = {int(Reason[str(part.value).upper()]) for part in node.args[1:] if isinstance(part, ast.Constant)}
    return reader.past[when].reasons.get(name, 0) in wanted


CALLS: dict[str, Callable[[Reader, ast.Call, int], Value]] = {
    "mean": _statistic(_mean),
    "min": _statistic(min),
    "max": _statistic(max),
    "lag": _lag,
    "delta": _delta,
    "held": _held,
    "since": _since,
    "share_true": _share,
    "count_rises": _rises,
    "stuck": _stuck,
    "least": _pick(min),
    "greatest": _pick(max),
    "default": _default,
    "abs": _abs,
    "any_of": _any_of,
    "known": _known,
    "quality": _quality,
}

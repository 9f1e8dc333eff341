"""Arithmetic, comparison and logic of the language: units and ranges are checked here, nodes are made here."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from fractions import Fraction
from operator import eq, ge, gt, le, lt, ne
from typing import NoReturn, Protocol

import numpy as np

from plant.units import Dimension
from rules.lang.fixed import LIMIT, QUOTIENT_DECIMALS, Bools, Ints, rescale
from rules.lang.nodes import (
    BoolNode,
    Compare,
    Const,
    ConstNode,
    Every,
    Node,
    Not,
    NumNode,
    Pointwise,
    Quotient,
    Rounded,
    Scaled,
    Shape,
    Some,
)

Number = Const | NumNode

ONE = Dimension.of("1")

_TESTS: dict[type[ast.cmpop], tuple[str, Callable[[Ints, Ints], Bools]]] = {
    ast.Gt: (">", gt),
    ast.GtE: (">=", ge),
    ast.Lt: ("<", lt),
    ast.LtE: ("<=", le),
    ast.Eq: ("==", eq),
    ast.NotEq: ("!=", ne),
}


class Blame(Protocol):
    """Raises an ExpressionError at the part of the text that is being worked on."""

    def __call__(self, message: str, *, expected: str = "", hint: str = "") -> NoReturn: ...


class Arithmetic:
    """Builds nodes for the operators; `rows` equipment, equal nodes shared through `nodes`."""

    def __init__(self, rows: int, nodes: dict[str, Node]) -> None:
        self.rows = rows
        self.nodes = nodes

    def shared(self, node: NumNode) -> NumNode:
        """The node of this key that is already there, or this one."""
        found = self.nodes.setdefault(node.key, node)
        return found if isinstance(found, NumNode) else node

    def shared_truth(self, node: BoolNode) -> BoolNode:
        """As `shared`, for conditions."""
        found = self.nodes.setdefault(node.key, node)
        return found if isinstance(found, BoolNode) else node

    def at(self, term: Number, decimals: int, blame: Blame) -> NumNode:
        """A term as a node of `decimals`; a literal finer than that is refused."""
        if isinstance(term, NumNode):
            return term if term.shape.decimals == decimals else self.shared(Rounded(term, decimals))
        if term.dimension is None and (term.values[0] or Fraction(0)) * 10**decimals % 1:
            blame(f"{term.key} is finer than the resolution here", expected=f"at most {decimals} decimals")
        shape = Shape(decimals, term.dimension or ONE, term.low, term.high)
        return self.shared(ConstNode(term, shape, self.rows))

    def aligned(self, left: Number, right: Number, blame: Blame) -> tuple[NumNode, NumNode, int]:
        """Both terms at the coarser resolution of the two; constants take that of the other side."""
        decimals = min(
            (term.shape.decimals for term in (left, right) if isinstance(term, NumNode)), default=QUOTIENT_DECIMALS
        )
        return self.at(left, decimals, blame), self.at(right, decimals, blame), decimals

    def alike(self, terms: Sequence[Number], blame: Blame) -> tuple[list[NumNode], Shape]:
        """Terms of one unit at the coarsest resolution among them, and the shape of any choice between them."""
        dimension: Dimension | None = None
        for term in terms:
            mine = term.dimension if isinstance(term, Const) else term.shape.dimension
            if dimension is not None and mine is not None and mine != dimension:
                blame(f"{dimension} and {mine} are mixed", expected="the same unit for all of them")
            dimension = dimension or mine
        decimals = min((t.shape.decimals for t in terms if isinstance(t, NumNode)), default=QUOTIENT_DECIMALS)
        parts = [self.at(term, decimals, blame) for term in terms]
        low, high = min(part.shape.low for part in parts), max(part.shape.high for part in parts)
        return parts, Shape(decimals, dimension or ONE, low, high)

    def add(self, left: Number, right: Number, sign: int, blame: Blame) -> Number:
        """left + sign · right."""
        dimension = _sum_dimension(left, right, sign, blame)
        word = "+" if sign > 0 else "-"
        low, high = _bounds(left)
        right_low, right_high = _bounds(right)
        low, high = (low + right_low, high + right_high) if sign > 0 else (low - right_high, high - right_low)
        if isinstance(left, Const) and isinstance(right, Const):
            values = _each(left, right, lambda a, b: a + sign * b)
            return Const(values, dimension, low, high, f"({left.key}{word}{right.key})")
        first, second, decimals = self.aligned(left, right, blame)
        shape = _fits(Shape(decimals, dimension or ONE, low, high), blame)
        work = np.add if sign > 0 else np.subtract
        return self.shared(Pointwise(f"({first.key}{word}{second.key})", (first, second), shape, work))

    def multiply(self, left: Number, right: Number, blame: Blame) -> Number:
        """left · right."""
        dimension = _dimension(left).times(_dimension(right))
        low, high = _product_bounds(_bounds(left), _bounds(right))
        if isinstance(left, Const) and isinstance(right, Const):
            both = left.dimension is None and right.dimension is None
            values = _each(left, right, lambda a, b: a * b)
            return Const(values, None if both else dimension, low, high, f"({left.key}*{right.key})")
        if isinstance(left, Const):
            left, right = right, left
        shape = _fits(Shape(QUOTIENT_DECIMALS, dimension, low, high), blame)
        if isinstance(right, Const):
            return self._scaled(left, right, f"({_key(left)}*{right.key})", shape, blame)
        assert isinstance(left, NumNode)  # noqa: S101 - two constants were folded above
        decimals = left.shape.decimals + right.shape.decimals
        _room(left.shape.most * right.shape.most, blame)

        def work(a: Ints, b: Ints) -> Ints:
            return rescale(a * b, decimals, QUOTIENT_DECIMALS)

        return self.shared(Pointwise(f"({left.key}*{right.key})", (left, right), shape, work))

    def divide(self, left: Number, right: Number, blame: Blame) -> Number:
        """left ÷ right; unknown where right is zero."""
        dimension = _dimension(left).over(_dimension(right))
        key = f"({_key(left)}/{_key(right)})"
        if isinstance(right, Const):
            low, high = _product_bounds(_bounds(left), _inverse_bounds(right))
            values = tuple(None if v is None or v == 0 else 1 / v for v in right.values)
            inverse = Const(values, right.dimension, *_inverse_bounds(right), right.key)
            if isinstance(left, Const):
                both = left.dimension is None and right.dimension is None
                folded = _each(left, inverse, lambda a, b: a * b)
                return Const(folded, None if both else dimension, low, high, key)
            return self._scaled(left, inverse, key, _fits(Shape(QUOTIENT_DECIMALS, dimension, low, high), blame), blame)
        over = self.at(left, QUOTIENT_DECIMALS, blame) if isinstance(left, Const) else left
        power = QUOTIENT_DECIMALS + right.shape.decimals - over.shape.decimals
        _room(over.shape.most * 10.0 ** max(power, 0) * 2, blame)
        smallest = 10.0**-right.shape.decimals
        if right.shape.low > 0 or right.shape.high < 0:
            smallest = min(abs(right.shape.low), abs(right.shape.high))
        reach = max(abs(over.shape.low), abs(over.shape.high)) / smallest
        shape = _fits(Shape(QUOTIENT_DECIMALS, dimension, -reach, reach), blame)
        return self.shared(Quotient(key, over, right, shape))

    def _scaled(self, part: Number, factor: Const, key: str, shape: Shape, blame: Blame) -> NumNode:
        assert isinstance(part, NumNode)  # noqa: S101 - two constants are folded by the callers
        power = Fraction(10) ** (shape.decimals - part.shape.decimals)
        for value in factor.values:
            if value is not None:
                scaled = value * power
                _room(2 * part.shape.most * abs(scaled.numerator) + 2 * scaled.denominator, blame)
        return self.shared(Scaled(key, part, factor.values, shape, self.rows))

    def compare(self, op: ast.cmpop, left: Number, right: Number, blame: Blame) -> BoolNode:
        """left <op> right, both of one unit."""
        if type(op) not in _TESTS:
            blame(f"{type(op).__name__} is not part of the rule language", expected="> >= < <= == !=")
        if isinstance(left, Const) and isinstance(right, Const):
            blame("this compares two constants", expected="a point or derived quantity on one side")
        _sum_dimension(left, right, 0, blame)
        first, second, _ = self.aligned(left, right, blame)
        symbol, test = _TESTS[type(op)]
        return self.shared_truth(Compare(symbol, first, second, test))

    def combine(self, op: ast.boolop, parts: list[BoolNode]) -> BoolNode:
        """Kleene and / or."""
        return self.shared_truth(Every(parts) if isinstance(op, ast.And) else Some(parts))

    def negate(self, part: BoolNode) -> BoolNode:
        """Kleene not."""
        return self.shared_truth(Not(part))


def _key(term: Number) -> str:
    return term.key


def _dimension(term: Number) -> Dimension:
    return (term.dimension or ONE) if isinstance(term, Const) else term.shape.dimension


def _bounds(term: Number) -> tuple[float, float]:
    return (term.low, term.high) if isinstance(term, Const) else (term.shape.low, term.shape.high)


def _sum_dimension(left: Number, right: Number, sign: int, blame: Blame) -> Dimension | None:
    """Unit of a sum (sign 1), difference (−1) or comparison (0); a bare literal takes the other side's unit."""
    one = left.dimension if isinstance(left, Const) else left.shape.dimension
    two = right.dimension if isinstance(right, Const) else right.shape.dimension
    if one is None or two is None:
        return one or two
    found = one.plus(two) if sign > 0 else one.minus(two) if sign < 0 else (one if one == two else None)
    if found is None:
        act = {1: "added to", -1: "taken from", 0: "compared with"}[sign]
        pair = (one, two) if sign == 0 else (two, one)
        blame(
            f"{pair[1] if sign == 0 else pair[0]} cannot be {act} {pair[0] if sign == 0 else pair[1]}",
            expected="the same unit on both sides",
            hint="multiply by a parameter that carries the unit",
        )
    return found


def _each(left: Const, right: Const, work: Callable[[Fraction, Fraction], Fraction]) -> tuple[Fraction | None, ...]:
    count = max(len(left.values), len(right.values)) if left.values and right.values else 0
    pairs = zip(
        left.values * (count if len(left.values) == 1 else 1),
        right.values * (count if len(right.values) == 1 else 1),
        strict=False,
    )
    return tuple(None if a is None or b is None else work(a, b) for a, b in pairs)


def _product_bounds(left: tuple[float, float], right: tuple[float, float]) -> tuple[float, float]:
    corners = [a * b for a in left for b in right]
    return min(corners), max(corners)


def _inverse_bounds(const: Const) -> tuple[float, float]:
    """Bounds of 1/const; a range that touches zero counts from the smallest value the resolution knows."""
    least = 10.0**-QUOTIENT_DECIMALS
    if const.values and all(v for v in const.values if v is not None):
        sizes = [float(v) for v in const.values if v]
        if sizes:
            return min(1 / s for s in sizes), max(1 / s for s in sizes)
    low, high = const.low, const.high
    if low > 0 or high < 0:
        return min(1 / low, 1 / high), max(1 / low, 1 / high)
    return (-1 / least if low < 0 else 0.0), 1 / least


def _room(size: float, blame: Blame) -> None:
    if size >= LIMIT:
        blame(
            "numbers here could pass 2^62",
            expected="a smaller range, resolution or window",
            hint="narrow the point's hard range or its decimals in the catalogue",
        )


def _fits(shape: Shape, blame: Blame) -> Shape:
    _room(shape.most, blame)
    return shape

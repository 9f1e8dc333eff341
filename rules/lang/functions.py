"""The functions of the language, in one table: name → how its arguments are read and which node it makes."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from functools import partial
from typing import NoReturn

import numpy as np

from plant.quality import Reason
from plant.units import Dimension
from rules.lang.arithmetic import ONE, Arithmetic, Blame
from rules.lang.fixed import LIMIT, QUOTIENT_DECIMALS, Ints, count_of, exact
from rules.lang.nodes import (
    BoolNode,
    Const,
    Default,
    Known,
    NumNode,
    Pointwise,
    QualityIs,
    Shape,
    Silence,
    Some,
)
from rules.lang.parse import Parser, Scope, Term
from rules.lang.windowed import (
    COVERAGE_PERCENT,
    Held,
    Lag,
    Rises,
    ShareTrue,
    Since,
    Span,
    Stuck,
    Window,
)

Make = Callable[["Functions", ast.Call, Parser], Term]

SECONDS_LIMIT = 1e12
"""No age in seconds is larger."""


class Functions:
    """Hands the parser nodes for operators and calls (`parse.Operations`)."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.arithmetic = Arithmetic(scope.rows, scope.nodes)

    def unary(self, op: ast.unaryop, term: Term, at: ast.expr, parser: Parser) -> Term:
        """-x, +x, not x."""
        blame = _blamer(parser, at)
        if isinstance(op, ast.Not):
            if not isinstance(term, BoolNode):
                blame("`not` needs a condition", expected="a condition, such as `x > 3`")
            return self.arithmetic.negate(term)
        if isinstance(term, BoolNode):
            blame("this is a condition", expected="a number")
        if isinstance(op, ast.USub):
            minus = Const((exact(-1),), None, -1.0, -1.0, "-1")
            if isinstance(term, NumNode):
                return self.arithmetic.multiply(term, minus, blame)
            return self.arithmetic.multiply(minus, term, blame)
        if isinstance(op, ast.UAdd):
            return term
        raise parser.fail(at, f"{type(op).__name__} is not part of the rule language")

    def binary(self, op: ast.operator, left: Term, right: Term, at: ast.expr, parser: Parser) -> Term:
        """+ − × ÷ and whole powers up to 4."""
        blame = _blamer(parser, at)
        if isinstance(left, BoolNode) or isinstance(right, BoolNode):
            blame("arithmetic on a condition", expected="numbers on both sides")
        match op:
            case ast.Add():
                return self.arithmetic.add(left, right, 1, blame)
            case ast.Sub():
                return self.arithmetic.add(left, right, -1, blame)
            case ast.Mult():
                return self.arithmetic.multiply(left, right, blame)
            case ast.Div():
                return self.arithmetic.divide(left, right, blame)
            case ast.Pow() if isinstance(right, Const) and right.values[0] in (2, 3, 4):
                power = left
                for _ in range(int(right.values[0] or 0) - 1):
                    power = self.arithmetic.multiply(power, left, blame)
                return power
        raise parser.fail(at, f"{type(op).__name__} is not part of the rule language", expected="+ - * / or ** 2, 3, 4")

    def compare(self, op: ast.cmpop, left: Term, right: Term, at: ast.expr, parser: Parser) -> BoolNode:
        """One comparison."""
        blame = _blamer(parser, at)
        if isinstance(left, BoolNode) or isinstance(right, BoolNode):
            blame("a condition is compared", expected="numbers on both sides", hint="write `x` or `not x`")
        return self.arithmetic.compare(op, left, right, blame)

    def combine(self, op: ast.boolop, parts: list[BoolNode]) -> BoolNode:
        """and / or."""
        return self.arithmetic.combine(op, parts)

    def quality(self, node: ast.Compare, parser: Parser) -> BoolNode | None:
        """`quality(p) == out_of_range`, or None when this is another comparison."""
        call = node.left
        if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "quality"):
            return None
        right = node.comparators[0]
        if len(node.ops) != 1 or not isinstance(node.ops[0], ast.Eq) or not isinstance(right, ast.Name):
            raise parser.fail(node, "a quality is compared like this: quality(p) == out_of_range")
        return self._quality(call, [right.id], parser)

    def call(self, node: ast.Call, parser: Parser) -> Term:
        """A function of the table."""
        if not isinstance(node.func, ast.Name) or node.func.id not in TABLE:
            raise parser.fail(node, "unknown function", expected=", ".join(sorted(TABLE)))
        return TABLE[node.func.id](self, node, parser)

    def _quality(self, call: ast.Call, words: list[str], parser: Parser) -> BoolNode:
        if not call.args or not isinstance(call.args[0], ast.Name):
            raise parser.fail(call, "quality needs a point", expected='quality(p, "out_of_range")')
        name = call.args[0].id
        point = self.scope.member.name if name == "p" and self.scope.member else name
        if point not in self.scope.points:
            raise parser.fail(call.args[0], f"unknown point {name!r}", expected="a point of the type")
        codes = []
        for word in words:
            if word.upper() not in Reason.__members__:
                known = ", ".join(reason.name.lower() for reason in Reason)
                raise parser.fail(call, f"unknown reason {word!r}", expected=known)
            codes.append(int(Reason[word.upper()]))
        return self.arithmetic.shared_truth(QualityIs(point, tuple(codes)))


def _blamer(parser: Parser, at: ast.expr) -> Blame:
    def blame(message: str, *, expected: str = "", hint: str = "") -> NoReturn:
        raise parser.fail(at, message, expected=expected, hint=hint)

    return blame


def _arity(node: ast.Call, parser: Parser, count: int, usage: str) -> None:
    if len(node.args) != count:
        raise parser.fail(node, f"{len(node.args)} arguments", expected=usage)


def _part(functions: Functions, node: ast.expr, parser: Parser) -> NumNode:
    """An argument as a node of numbers; a constant has no history."""
    term = parser.number(node)
    if isinstance(term, Const):
        raise parser.fail(node, "a constant does not change", expected="a point or derived quantity")
    return term


def _span(functions: Functions, node: ast.Call, parser: Parser, duration: ast.expr) -> Span:
    """The window of a call: its duration in instants and its coverage."""
    width = parser.duration(duration) // functions.scope.step_ms
    percent = COVERAGE_PERCENT
    for word in node.keywords:
        if word.arg != "coverage" or not isinstance(word.value, ast.Constant):
            raise parser.fail(node, f"unknown argument {word.arg!r}", expected="coverage=0.8")
        share = word.value.value
        if not isinstance(share, int | float) or not 0 < share <= 1:
            raise parser.fail(word.value, "not a share", expected="a number above 0 and at most 1")
        percent = round(share * 100)
    return Span(width, percent)


def _window(kind: str, functions: Functions, node: ast.Call, parser: Parser) -> Term:
    _arity(node, parser, 2, f'{kind}(x, "5m")')
    part = _part(functions, node.args[0], parser)
    span = _span(functions, node, parser, node.args[1])
    blame, most, shape = _blamer(parser, node), part.shape.most, part.shape
    squares = kind in ("std", "slope")
    if most * span.width >= (2**31 if squares else LIMIT):
        blame("numbers here could pass 2^62", expected="a smaller range or window")
    if kind == "std":
        shape = Shape(QUOTIENT_DECIMALS, shape.dimension.minus(shape.dimension) or shape.dimension, 0.0, shape.high)
    if kind == "slope":
        size = (shape.high - shape.low) * 3_600_000 / functions.scope.step_ms
        per_hour = (shape.dimension.minus(shape.dimension) or shape.dimension).over(Dimension.of("h"))
        shape = Shape(QUOTIENT_DECIMALS, per_hour, -size, size)
    key = f"{kind}({part.key},{span.width},{span.need})"
    return functions.arithmetic.shared(Window(key, part, shape, kind, span))


def _lag(functions: Functions, node: ast.Call, parser: Parser) -> NumNode:
    _arity(node, parser, 2, 'lag(x, "5m")')
    part = _part(functions, node.args[0], parser)
    rows = parser.duration(node.args[1]) // functions.scope.step_ms
    return functions.arithmetic.shared(Lag(f"lag({part.key},{rows})", part, rows))


def _delta(functions: Functions, node: ast.Call, parser: Parser) -> Term:
    part = _part(functions, node.args[0], parser) if node.args else None
    before = _lag(functions, node, parser)
    assert part is not None  # noqa: S101 - _lag has refused a call without arguments
    return functions.arithmetic.add(part, before, -1, _blamer(parser, node))


def _rate(functions: Functions, node: ast.Call, parser: Parser) -> Term:
    """Change per hour over the window."""
    change = _delta(functions, node, parser)
    hours = exact(parser.duration(node.args[1])) / 3_600_000
    length = Const((hours,), Dimension.of("h"), float(hours), float(hours), str(hours))
    assert not isinstance(change, BoolNode)  # noqa: S101 - a difference is a number
    return functions.arithmetic.divide(change, length, _blamer(parser, node))


def _held(functions: Functions, node: ast.Call, parser: Parser) -> Term:
    _arity(node, parser, 2, 'held(condition, "15m")')
    part = parser.truth(node.args[0])
    length = parser.duration(node.args[1])
    return functions.arithmetic.shared_truth(Held(f"held({part.key},{length})", part, length))


def _since(functions: Functions, node: ast.Call, parser: Parser) -> Term:
    _arity(node, parser, 1, "since(condition)")
    part = parser.truth(node.args[0])
    shape = Shape(0, Dimension.of("s"), 0.0, SECONDS_LIMIT)
    return functions.arithmetic.shared(Since(f"since({part.key})", part, shape))


def _count_rises(functions: Functions, node: ast.Call, parser: Parser) -> Term:
    _arity(node, parser, 2, 'count_rises(condition, "1h")')
    part = parser.truth(node.args[0])
    span = _span(functions, node, parser, node.args[1])
    shape = Shape(0, ONE, 0.0, float(span.width))
    return functions.arithmetic.shared(Rises(f"rises({part.key},{span.width},{span.need})", part, shape, span))


def _share_true(functions: Functions, node: ast.Call, parser: Parser) -> Term:
    _arity(node, parser, 2, 'share_true(condition, "1h")')
    part = parser.truth(node.args[0])
    span = _span(functions, node, parser, node.args[1])
    shape = Shape(QUOTIENT_DECIMALS, ONE, 0.0, 1.0)
    return functions.arithmetic.shared(ShareTrue(f"share({part.key},{span.width},{span.need})", part, shape, span))


def _stuck(functions: Functions, node: ast.Call, parser: Parser) -> Term:
    _arity(node, parser, 3, 'stuck(x, 0.1, "1h")')
    part = _part(functions, node.args[0], parser)
    tolerance = parser.number(node.args[1])
    if not isinstance(tolerance, Const) or len(tolerance.values) != 1 or tolerance.values[0] is None:
        raise parser.fail(node.args[1], "a tolerance is needed here", expected="a number")
    span = _span(functions, node, parser, node.args[2])
    count = count_of(tolerance.values[0], part.shape.decimals)
    key = f"stuck({part.key},{count},{span.width},{span.need})"
    return functions.arithmetic.shared_truth(Stuck(key, part, count, span))


def _flat(functions: Functions, node: ast.Call, parser: Parser) -> Term:
    """`flat(p)`: stuck by the tolerance and window the point itself declares (DQ-02)."""
    _arity(node, parser, 1, "flat(p)")
    part = _part(functions, node.args[0], parser)
    point = functions.scope.points.get(part.key)
    if point is None or point.flatline is None:
        raise parser.fail(node, "this point declares no flatline", expected="a point with `flatline` in the catalogue")
    width = max(1, point.flatline.window_ms // functions.scope.step_ms)
    span = Span(width, COVERAGE_PERCENT)
    count = count_of(exact(point.flatline.tolerance), part.shape.decimals)
    key = f"stuck({part.key},{count},{span.width},{span.need})"
    return functions.arithmetic.shared_truth(Stuck(key, part, count, span))


def _pick(kind: str, functions: Functions, node: ast.Call, parser: Parser) -> Term:
    """least(a, b), greatest(a, b)."""
    _arity(node, parser, 2, f"{kind}(a, b)")
    blame = _blamer(parser, node)
    left, right, decimals = functions.arithmetic.aligned(
        parser.number(node.args[0]), parser.number(node.args[1]), blame
    )
    bounds = [left.shape.low, left.shape.high, right.shape.low, right.shape.high]
    dimension = left.shape.dimension if left.shape.dimension != ONE else right.shape.dimension
    shape = Shape(decimals, dimension, min(bounds), max(bounds))
    work = np.minimum if kind == "least" else np.maximum
    return functions.arithmetic.shared(Pointwise(f"{kind}({left.key},{right.key})", (left, right), shape, work))


def _abs(functions: Functions, node: ast.Call, parser: Parser) -> Term:
    _arity(node, parser, 1, "abs(x)")
    part = _part(functions, node.args[0], parser)
    size = max(abs(part.shape.low), abs(part.shape.high))
    shape = Shape(part.shape.decimals, part.shape.dimension, 0.0, size)
    return functions.arithmetic.shared(Pointwise(f"abs({part.key})", (part,), shape, np.abs))


def _smooth(kind: str, functions: Functions, node: ast.Call, parser: Parser) -> Term:
    """sqrt and atan, by IEEE doubles and rounded to 1e-6, far coarser than a double's last place."""
    _arity(node, parser, 1, f"{kind}(x)")
    part = _part(functions, node.args[0], parser)
    lift = 10.0**part.shape.decimals

    def work(value: Ints) -> Ints:
        plain = value / lift
        result = np.sqrt(np.maximum(plain, 0.0)) if kind == "sqrt" else np.arctan(plain)
        return np.rint(result * 10.0**QUOTIENT_DECIMALS).astype(np.int64)

    root = kind == "sqrt"
    high = max(part.shape.high, 0.0) ** 0.5 if root else 1.6
    shape = Shape(QUOTIENT_DECIMALS, part.shape.dimension.root() if root else ONE, 0.0 if root else -1.6, high)
    return functions.arithmetic.shared(Pointwise(f"{kind}({part.key})", (part,), shape, work))


def _known(functions: Functions, node: ast.Call, parser: Parser) -> Term:
    _arity(node, parser, 1, "known(x)")
    term = parser.visit(node.args[0])
    if isinstance(term, Const):
        term = functions.arithmetic.at(term, QUOTIENT_DECIMALS, _blamer(parser, node))
    return functions.arithmetic.shared_truth(Known(term))


def _default(functions: Functions, node: ast.Call, parser: Parser) -> Term:
    _arity(node, parser, 2, "default(x, y)")
    blame = _blamer(parser, node)
    first, second = parser.number(node.args[0]), parser.number(node.args[1])
    left, right, decimals = functions.arithmetic.aligned(first, second, blame)
    bounds = [left.shape.low, left.shape.high, right.shape.low, right.shape.high]
    shape = Shape(decimals, left.shape.dimension, min(bounds), max(bounds))
    return functions.arithmetic.shared(Default(f"default({left.key},{right.key})", left, right, shape))


def _any_of(functions: Functions, node: ast.Call, parser: Parser) -> Term:
    return functions.arithmetic.shared_truth(Some([parser.truth(part) for part in node.args]))


def _age(name: str, functions: Functions, node: ast.Call, parser: Parser) -> Term:
    """silent() and stale_after(), s."""
    _arity(node, parser, 0, f"{name}()")
    shape = Shape(3, Dimension.of("s"), 0.0, SECONDS_LIMIT)
    return functions.arithmetic.shared(Silence(name, (), shape))


def _quality(functions: Functions, node: ast.Call, parser: Parser) -> Term:
    words = [part.value for part in node.args[1:] if isinstance(part, ast.Constant) and isinstance(part.value, str)]
    if not words or len(words) != len(node.args) - 1:
        raise parser.fail(node, "quality needs reasons", expected='quality(p, "out_of_range", "sentinel")')
    return functions._quality(node, words, parser)


TABLE: Mapping[str, Make] = {
    **{kind: partial(_window, kind) for kind in ("mean", "min", "max", "std", "median", "slope")},
    **{kind: partial(_pick, kind) for kind in ("least", "greatest")},
    **{kind: partial(_smooth, kind) for kind in ("sqrt", "atan")},
    **{name: partial(_age, name) for name in ("silent", "stale_after")},
    "abs": _abs,
    "any_of": _any_of,
    "count_rises": _count_rises,
    "default": _default,
    "delta": _delta,
    "flat": _flat,
    "held": _held,
    "known": _known,
    "lag": _lag,
    "quality": _quality,
    "rate": _rate,
    "share_true": _share_true,
    "since": _since,
    "stuck": _stuck,
}

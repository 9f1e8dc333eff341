"""Calls whose value at an instant follows from that instant alone: choices, functions, qualities, the site's clock."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np

from plant.quality import Reason
from plant.units import Dimension
from rules.lang.arithmetic import ONE
from rules.lang.calling import Make, Workshop, arity, blamer, changing
from rules.lang.fixed import QUOTIENT_DECIMALS, Ints, rounded_division
from rules.lang.localtime import LocalHour, LocalMonth
from rules.lang.looking_back import SECONDS_LIMIT
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
    Where,
)
from rules.lang.parse import Parser, Term

_HOLDER = re.compile(r"\{(\w+)\}")
_DAY_COUNTS = 24 * 10**QUOTIENT_DECIMALS


def _alike(
    shop: Workshop, node: ast.Call, parser: Parser, arguments: Sequence[ast.expr]
) -> tuple[list[NumNode], Shape]:
    """Arguments of one unit as nodes of one resolution, and the shape of whatever is chosen among them."""
    return shop.arithmetic.alike([parser.number(argument) for argument in arguments], blamer(parser, node))


def _pick(kind: str, shop: Workshop, node: ast.Call, parser: Parser) -> Term:
    """least(a, b), greatest(a, b)."""
    arity(node, parser, 2, f"{kind}(a, b)")
    (left, right), shape = _alike(shop, node, parser, node.args)
    # Either bound is the choice among the bounds: least(x, 12) is never above 12.
    choose, work = (min, np.minimum) if kind == "least" else (max, np.maximum)
    low, high = choose(left.shape.low, right.shape.low), choose(left.shape.high, right.shape.high)
    shape = Shape(shape.decimals, shape.dimension, low, high)
    return shop.arithmetic.shared(Pointwise(f"{kind}({left.key},{right.key})", (left, right), shape, work))


def _median_of(shop: Workshop, node: ast.Call, parser: Parser) -> Term:
    """The middle of several numbers at one instant; unknown where any of them is."""
    if len(node.args) < 3:
        raise parser.fail(node, f"{len(node.args)} arguments", expected="median_of(a, b, c), three or more")
    parts, shape = _alike(shop, node, parser, node.args)
    low, high = (len(parts) - 1) // 2, len(parts) // 2

    def work(*values: Ints) -> Ints:
        ordered: Ints = np.sort(np.stack(values), axis=0)
        return rounded_division(ordered[low] + ordered[high], 2)

    key = f"median_of({','.join(part.key for part in parts)})"
    return shop.arithmetic.shared(Pointwise(key, parts, shape, work))


def _where(shop: Workshop, node: ast.Call, parser: Parser) -> Term:
    if len(node.args) not in (2, 3):
        raise parser.fail(node, f"{len(node.args)} arguments", expected="where(condition, x) or where(condition, x, y)")
    condition = parser.truth(node.args[0])
    parts, shape = _alike(shop, node, parser, node.args[1:])
    key = f"where({','.join([condition.key, *(part.key for part in parts)])})"
    return shop.arithmetic.shared(Where(key, condition, parts, shape))


def _point(shop: Workshop, node: ast.Call, parser: Parser) -> Term:
    """`point("current_{phase}")`: the point whose name is made from the members of `p` (its phase, its place)."""
    arity(node, parser, 1, 'point("current_{phase}")')
    pattern, member = node.args[0], shop.scope.member
    if not isinstance(pattern, ast.Constant) or not isinstance(pattern.value, str):
        raise parser.fail(
            node, "the name of a point is needed here", expected='a quoted name such as "current_{phase}"'
        )
    if member is None or not member.members:
        raise parser.fail(node, "point() needs a rule over a family", expected="for_each with the name of a family")
    missing = [holder for holder in _HOLDER.findall(pattern.value) if holder not in member.members]
    if missing:
        known = ", ".join(f"{{{holder}}}" for holder in member.members)
        raise parser.fail(pattern, f"{member.family} has no {{{missing[0]}}}", expected=known)
    name = _HOLDER.sub(lambda found: member.members[found[1]], pattern.value)
    if name not in shop.scope.points:
        # a check of the rule itself has no machines, and every member that a family can have
        if not shop.scope.rows or member.unit == "bool" or not _is_sister(name, member.family or ""):
            raise parser.fail(pattern, f"unknown point {name!r}", expected="a point of the type")
        # a member that no machine of the site has declared: nothing is known of it, anywhere
        return Const((None,), Dimension.of(member.unit), member.low, member.high, name)
    return parser.point(name, shop.scope.points[name])


def _is_sister(name: str, family: str) -> bool:
    """Whether a name is one of the family's, whoever has such a member."""
    return re.fullmatch("[a-z0-9]+".join(map(re.escape, _HOLDER.split(family)[::2])), name) is not None


def _local_hour(shop: Workshop, node: ast.Call, parser: Parser) -> NumNode:
    arity(node, parser, 0, "local_hour()")
    return shop.arithmetic.shared(LocalHour(shop.scope.zone, Shape(QUOTIENT_DECIMALS, Dimension.of("h"), 0.0, 24.0)))


def _local_month(shop: Workshop, node: ast.Call, parser: Parser) -> Term:
    arity(node, parser, 0, "local_month()")
    return shop.arithmetic.shared(LocalMonth(shop.scope.zone, Shape(0, ONE, 1.0, 12.0)))


def _hours_until(shop: Workshop, node: ast.Call, parser: Parser) -> Term:
    """`hours_until(t)`: h until the site's clock next shows the time of day t, 0 when it does; 0 ≤ x < 24."""
    arity(node, parser, 1, "hours_until(t)")
    clock = _local_hour(shop, ast.Call(func=node.func, args=[], keywords=[]), parser)
    (goal, hour), shape = shop.arithmetic.alike([parser.number(node.args[0]), clock], blamer(parser, node))
    to = shop.arithmetic.at(goal, QUOTIENT_DECIMALS, blamer(parser, node))

    def work(goal: Ints, hour: Ints) -> Ints:
        left: Ints = np.mod(goal - hour, _DAY_COUNTS)
        return left

    until = Shape(QUOTIENT_DECIMALS, shape.dimension, 0.0, 24.0)
    return shop.arithmetic.shared(Pointwise(f"hours_until({to.key},{hour.key})", (to, hour), until, work))


def _abs(shop: Workshop, node: ast.Call, parser: Parser) -> Term:
    arity(node, parser, 1, "abs(x)")
    part = changing(node.args[0], parser)
    size = max(abs(part.shape.low), abs(part.shape.high))
    shape = Shape(part.shape.decimals, part.shape.dimension, 0.0, size)
    return shop.arithmetic.shared(Pointwise(f"abs({part.key})", (part,), shape, np.abs))


def _smooth(kind: str, shop: Workshop, node: ast.Call, parser: Parser) -> Term:
    """sqrt and atan, by IEEE doubles and rounded to 1e-6, far coarser than a double's last place."""
    arity(node, parser, 1, f"{kind}(x)")
    part = changing(node.args[0], parser)
    lift = 10.0**part.shape.decimals

    def work(value: Ints) -> Ints:
        plain = value / lift
        result = np.sqrt(np.maximum(plain, 0.0)) if kind == "sqrt" else np.arctan(plain)
        return np.rint(result * 10.0**QUOTIENT_DECIMALS).astype(np.int64)

    root = kind == "sqrt"
    high = max(part.shape.high, 0.0) ** 0.5 if root else 1.6
    shape = Shape(QUOTIENT_DECIMALS, part.shape.dimension.root() if root else ONE, 0.0 if root else -1.6, high)
    return shop.arithmetic.shared(Pointwise(f"{kind}({part.key})", (part,), shape, work))


def _known(shop: Workshop, node: ast.Call, parser: Parser) -> Term:
    arity(node, parser, 1, "known(x)")
    term = parser.visit(node.args[0])
    if isinstance(term, Const):
        term = shop.arithmetic.at(term, QUOTIENT_DECIMALS, blamer(parser, node))
    return shop.arithmetic.shared_truth(Known(term))


def _default(shop: Workshop, node: ast.Call, parser: Parser) -> Term:
    arity(node, parser, 2, "default(x, y)")
    (left, right), shape = _alike(shop, node, parser, node.args)
    return shop.arithmetic.shared(Default(f"default({left.key},{right.key})", left, right, shape))


def _any_of(shop: Workshop, node: ast.Call, parser: Parser) -> Term:
    return shop.arithmetic.shared_truth(Some([parser.truth(part) for part in node.args]))


def _age(name: str, shop: Workshop, node: ast.Call, parser: Parser) -> Term:
    """silent() and stale_after(), s."""
    arity(node, parser, 0, f"{name}()")
    shape = Shape(3, Dimension.of("s"), 0.0, SECONDS_LIMIT)
    return shop.arithmetic.shared(Silence(name, (), shape))


def _quality(shop: Workshop, node: ast.Call, parser: Parser) -> Term:
    words = [part.value for part in node.args[1:] if isinstance(part, ast.Constant) and isinstance(part.value, str)]
    if not words or len(words) != len(node.args) - 1:
        raise parser.fail(node, "quality needs reasons", expected='quality(p, "out_of_range", "sentinel")')
    return quality_of(shop, node, words, parser)


def quality_of(shop: Workshop, call: ast.Call, words: list[str], parser: Parser) -> BoolNode:
    """Whether the reading in force of a point has one of the reasons."""
    if not call.args or not isinstance(call.args[0], ast.Name):
        raise parser.fail(call, "quality needs a point", expected='quality(p, "out_of_range")')
    name = call.args[0].id
    point = shop.scope.member.name if name == "p" and shop.scope.member else name
    if point not in shop.scope.points:
        raise parser.fail(call.args[0], f"unknown point {name!r}", expected="a point of the type")
    codes = []
    for word in words:
        if word.upper() not in Reason.__members__:
            known = ", ".join(reason.name.lower() for reason in Reason)
            raise parser.fail(call, f"unknown reason {word!r}", expected=known)
        codes.append(int(Reason[word.upper()]))
    return shop.arithmetic.shared_truth(QualityIs(point, tuple(codes)))


AT_INSTANT: Mapping[str, Make] = {
    **{kind: partial(_pick, kind) for kind in ("least", "greatest")},
    **{kind: partial(_smooth, kind) for kind in ("sqrt", "atan")},
    **{name: partial(_age, name) for name in ("silent", "stale_after")},
    "abs": _abs,
    "any_of": _any_of,
    "default": _default,
    "hours_until": _hours_until,
    "known": _known,
    "local_hour": _local_hour,
    "local_month": _local_month,
    "median_of": _median_of,
    "point": _point,
    "quality": _quality,
    "where": _where,
}
"""Functions without a memory."""

"""Calls that look back over time: windows (plain or in panes), lags, runs, counts and the first-order filter."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from functools import partial

from plant.instants import duration_text
from plant.units import Dimension
from rules.lang.arithmetic import ONE
from rules.lang.calling import Make, Workshop, arity, blamer, changing, coverage, plain
from rules.lang.filters import REACH, Ewma, weights
from rules.lang.fixed import LIMIT, QUOTIENT_DECIMALS, exact
from rules.lang.nodes import BoolNode, Const, NumNode, Shape
from rules.lang.paned import PaneLag, PaneRises, PaneShare, PaneWindow
from rules.lang.parse import Parser, Term
from rules.lang.spans import MOST_ROWS, PLAIN_MS, LongSpan, Panes, Span
from rules.lang.windowed import Held, Lag, Last, Rises, ShareTrue, Since, Window

SECONDS_LIMIT = 1e12
"""No age in seconds is larger."""


def _panes(shop: Workshop, parser: Parser, node: ast.expr) -> Panes | None:
    """How a duration is cut into panes; None where it is short enough to move by instants."""
    length = parser.duration(node)
    if length <= PLAIN_MS:
        return None
    panes = Panes.of(length, shop.scope.zone)
    if panes is None:
        raise parser.fail(
            node,
            f"{duration_text(length)} cannot be cut into panes",
            expected="whole hours or, over a week, whole days",
        )
    return panes


def _span(shop: Workshop, node: ast.Call, parser: Parser, duration: ast.expr) -> Span | LongSpan:
    """The window of a call: its duration in instants, its coverage, and its panes where it is long."""
    span = Span.of(parser.duration(duration) // shop.scope.step_ms, coverage(node, parser))
    panes = _panes(shop, parser, duration)
    return span if panes is None else LongSpan(span.width, span.need, panes)


def _text(span: Span | LongSpan) -> str:
    panes = f",{span.panes}" if isinstance(span, LongSpan) else ""
    return f"{span.width},{span.need}{panes}"


def _window(kind: str, shop: Workshop, node: ast.Call, parser: Parser) -> Term:
    arity(node, parser, 2, f'{kind}(x, "5m")')
    part = changing(node.args[0], parser)
    squares = kind in ("std", "slope")
    if squares:
        plain(node.args[1], parser, kind)
    span = _span(shop, node, parser, node.args[1])
    blame, most, shape = blamer(parser, node), part.shape.most, part.shape
    if most * span.width >= (2**31 if squares else LIMIT):
        blame("numbers here could pass 2^62", expected="a smaller range or window")
    if kind == "std":
        shape = Shape(QUOTIENT_DECIMALS, shape.dimension.minus(shape.dimension) or shape.dimension, 0.0, shape.high)
    if kind == "slope":
        size = (shape.high - shape.low) * 3_600_000 / shop.scope.step_ms
        per_hour = (shape.dimension.minus(shape.dimension) or shape.dimension).over(Dimension.of("h"))
        shape = Shape(QUOTIENT_DECIMALS, per_hour, -size, size)
    key = f"{kind}({part.key},{_text(span)})"
    if isinstance(span, LongSpan):
        return shop.arithmetic.shared(PaneWindow(key, part, shape, kind, span))
    return shop.arithmetic.shared(Window(key, part, shape, kind, span))


def _lag(shop: Workshop, node: ast.Call, parser: Parser) -> NumNode:
    arity(node, parser, 2, 'lag(x, "5m")')
    part = changing(node.args[0], parser)
    panes = _panes(shop, parser, node.args[1])
    if panes is not None:
        return shop.arithmetic.shared(PaneLag(f"lag({part.key},{panes})", part, panes))
    rows = parser.duration(node.args[1]) // shop.scope.step_ms
    return shop.arithmetic.shared(Lag(f"lag({part.key},{rows})", part, rows))


def _delta(shop: Workshop, node: ast.Call, parser: Parser) -> Term:
    part = changing(node.args[0], parser) if node.args else None
    before = _lag(shop, node, parser)
    assert part is not None  # noqa: S101 - _lag has refused a call without arguments
    return shop.arithmetic.add(part, before, -1, blamer(parser, node))


def _rate(shop: Workshop, node: ast.Call, parser: Parser) -> Term:
    """Change per hour over the window."""
    change = _delta(shop, node, parser)
    hours = exact(plain(node.args[1], parser, "rate")) / 3_600_000
    length = Const((hours,), Dimension.of("h"), float(hours), float(hours), str(hours))
    assert not isinstance(change, BoolNode)  # noqa: S101 - a difference is a number
    return shop.arithmetic.divide(change, length, blamer(parser, node))


def _held(shop: Workshop, node: ast.Call, parser: Parser) -> Term:
    arity(node, parser, 2, 'held(condition, "15m")')
    part = parser.truth(node.args[0])
    length = parser.duration(node.args[1])
    return shop.arithmetic.shared_truth(Held(f"held({part.key},{length})", part, length))


def _since(shop: Workshop, node: ast.Call, parser: Parser) -> Term:
    arity(node, parser, 1, "since(condition)")
    part = parser.truth(node.args[0])
    shape = Shape(0, Dimension.of("s"), 0.0, SECONDS_LIMIT)
    return shop.arithmetic.shared(Since(f"since({part.key})", part, shape))


def _last(shop: Workshop, node: ast.Call, parser: Parser) -> Term:
    arity(node, parser, 2, "last(x, condition)")
    part, condition = changing(node.args[0], parser), parser.truth(node.args[1])
    return shop.arithmetic.shared(Last(f"last({part.key},{condition.key})", part, condition))


def _count_rises(shop: Workshop, node: ast.Call, parser: Parser) -> Term:
    arity(node, parser, 2, 'count_rises(condition, "1h")')
    part = parser.truth(node.args[0])
    span = _span(shop, node, parser, node.args[1])
    shape, key = Shape(0, ONE, 0.0, float(span.width)), f"rises({part.key},{_text(span)})"
    if isinstance(span, LongSpan):
        return shop.arithmetic.shared(PaneRises(key, part, shape, span))
    return shop.arithmetic.shared(Rises(key, part, shape, span))


def _share_true(shop: Workshop, node: ast.Call, parser: Parser) -> Term:
    arity(node, parser, 2, 'share_true(condition, "1h")')
    part = parser.truth(node.args[0])
    span = _span(shop, node, parser, node.args[1])
    shape, key = Shape(QUOTIENT_DECIMALS, ONE, 0.0, 1.0), f"share({part.key},{_text(span)})"
    if isinstance(span, LongSpan):
        return shop.arithmetic.shared(PaneShare(key, part, shape, span))
    return shop.arithmetic.shared(ShareTrue(key, part, shape, span))


def _ewma(shop: Workshop, node: ast.Call, parser: Parser) -> Term:
    arity(node, parser, 2, 'ewma(x, "40m")')
    part, step = changing(node.args[0], parser), shop.scope.step_ms
    tau = plain(node.args[1], parser, "ewma")
    if REACH * tau // step > MOST_ROWS:
        longest = duration_text(MOST_ROWS // REACH * step)
        raise parser.fail(
            node.args[1], f"a filter on a grid of {duration_text(step)} has at most {longest}", expected="a shorter τ"
        )
    percent, weight = coverage(node, parser), weights(tau, step)
    if 2 * part.shape.most * sum(weight) >= LIMIT:
        blamer(parser, node)("numbers here could pass 2^62", expected="a smaller range or a shorter τ")
    return shop.arithmetic.shared(Ewma(f"ewma({part.key},{tau},{percent})", part, weight, percent))


LOOKING_BACK: Mapping[str, Make] = {
    **{kind: partial(_window, kind) for kind in ("mean", "min", "max", "std", "median", "slope")},
    "count_rises": _count_rises,
    "delta": _delta,
    "ewma": _ewma,
    "held": _held,
    "lag": _lag,
    "last": _last,
    "rate": _rate,
    "share_true": _share_true,
    "since": _since,
}
"""Functions whose value depends on instants before."""

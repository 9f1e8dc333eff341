"""Readings that do not move: `stuck` with a given window, and `flat` with the one that the point itself declares."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence

import numpy as np

from plant.catalogue import Flatline
from rules.lang.calling import Make, Workshop, arity, blamer, changing, coverage, plain
from rules.lang.fixed import count_of, exact
from rules.lang.nodes import Block, BoolNode, Const, NumNode, Truth
from rules.lang.paned import PaneWindow
from rules.lang.parse import Parser, Term
from rules.lang.spans import COVERAGE_PERCENT, LONGEST_MS, PLAIN_MS, LongSpan, Panes, Span
from rules.lang.windowed import Stuck

MINUTE_MS = 60_000
"""The catalogue's windows are for samples a minute apart (DOMAIN §1.5, §1.2)."""

_HOUR_MS, _DAY_MS = 3_600_000, 86_400_000


def still_window(flatline: Flatline, interval_ms: int) -> int:
    """How long a point sampled each `interval_ms` must stand still, ms.

    A slower point needs as many samples as one a minute: 15 min of exactly one value are 15 samples there and a
    single one at an interval of 15 min, which proves nothing. Rounded up to what panes can be cut from.
    """
    window = flatline.window_ms * max(interval_ms, MINUTE_MS) // MINUTE_MS
    if window <= PLAIN_MS:
        return window
    hours = -(-window // _HOUR_MS) * _HOUR_MS
    whole = hours if Panes.of(hours, "UTC") is not None else -(-window // _DAY_MS) * _DAY_MS
    return min(whole, LONGEST_MS)


class ByRow(BoolNode):
    """Of each equipment the condition that is its own: `choice` (rows,) numbers the parts."""

    def __init__(self, parts: Sequence[BoolNode], choice: tuple[int, ...]) -> None:
        super().__init__(f"by_row({','.join(part.key for part in parts)};{choice})", parts)
        self.parts, self.choice = tuple(parts), np.array(choice, np.int64)

    def compute(self, block: Block) -> Truth:
        planes = [part.truth(block) for part in self.parts]
        rows = np.arange(block.rows)
        true = np.stack([plane.true for plane in planes])[self.choice, rows]
        return Truth(true, np.stack([plane.false for plane in planes])[self.choice, rows])


def _stuck(shop: Workshop, node: ast.Call, parser: Parser) -> Term:
    arity(node, parser, 3, 'stuck(x, 0.1, "1h")')
    part = changing(node.args[0], parser)
    tolerance = parser.number(node.args[1])
    if not isinstance(tolerance, Const) or len(tolerance.values) != 1 or tolerance.values[0] is None:
        raise parser.fail(node.args[1], "a tolerance is needed here", expected="a number")
    width = plain(node.args[2], parser, "stuck") // shop.scope.step_ms
    count = count_of(tolerance.values[0], part.shape.decimals)
    return _plain(shop, part, count, Span.of(width, coverage(node, parser)))


def _flat(shop: Workshop, node: ast.Call, parser: Parser) -> Term:
    """`flat(p)`: stuck by the tolerance and window the point itself declares, for the interval it is sampled at."""
    arity(node, parser, 1, "flat(p)")
    part = changing(node.args[0], parser)
    point = shop.scope.points.get(part.key)
    if point is None or point.flatline is None:
        raise parser.fail(node, "this point declares no flatline", expected="a point with `flatline` in the catalogue")
    usual = point.sampling.interval_ms
    windows = [still_window(point.flatline, usual if own is None else own) for own in shop.scope.intervals]
    distinct = sorted(set(windows) or {still_window(point.flatline, usual)})
    count = count_of(exact(point.flatline.tolerance), part.shape.decimals)
    parts = [_still(shop, part, count, window, node, parser) for window in distinct]
    if len(parts) == 1:
        return parts[0]
    return shop.arithmetic.shared_truth(ByRow(parts, tuple(distinct.index(window) for window in windows)))


def _still(shop: Workshop, part: NumNode, count: int, window_ms: int, node: ast.Call, parser: Parser) -> BoolNode:
    """max − min ≤ `count` over a window; in panes where it is long."""
    span = Span.of(max(1, window_ms // shop.scope.step_ms), COVERAGE_PERCENT)
    panes = Panes.of(window_ms, shop.scope.zone) if window_ms > PLAIN_MS else None
    if panes is None:
        return _plain(shop, part, count, span)
    long = LongSpan(span.width, span.need, panes)
    most, least = (
        shop.arithmetic.shared(
            PaneWindow(f"{kind}({part.key},{span.width},{span.need},{panes})", part, part.shape, kind, long)
        )
        for kind in ("max", "min")
    )
    blame = blamer(parser, node)
    spread = shop.arithmetic.add(most, least, -1, blame)
    limit = exact(count) / 10**part.shape.decimals
    bound = Const((limit,), None, float(limit), float(limit), str(limit))
    return shop.arithmetic.compare(ast.LtE(), spread, bound, blame)


def _plain(shop: Workshop, part: NumNode, tolerance: int, span: Span) -> BoolNode:
    key = f"stuck({part.key},{tolerance},{span.width},{span.need})"
    return shop.arithmetic.shared_truth(Stuck(key, part, tolerance, span))


STILLNESS: Mapping[str, Make] = {"flat": _flat, "stuck": _stuck}
"""Functions that ask whether something stands still."""

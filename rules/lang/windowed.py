"""Nodes that look back: windows, lags and runs, each with the rows it carries from block to block."""

from __future__ import annotations

import numpy as np

from rules.lang.fixed import Bools, Ints, rounded_division
from rules.lang.nodes import Block, BoolNode, Num, NumNode, Shape, Truth
from rules.lang.spans import Span
from rules.lang.windows import (
    run_length,
    window_count,
    window_max,
    window_median_twice,
    window_min,
    window_sum,
)


def _carry(block: Block, key: str, value: Ints, width: int) -> Ints:
    """The `width` rows before the block followed by the block's; the last `width` are carried on."""
    rows = np.concatenate([block.state.get(key, width), value], axis=1)
    block.state.put(key, rows[:, rows.shape[1] - width :])
    return rows


def _carry_flags(block: Block, key: str, flags: Bools, width: int) -> Bools:
    """As `_carry`, for flags."""
    rows = np.concatenate([block.state.flags(key, width), flags], axis=1)
    block.state.put(key, rows[:, rows.shape[1] - width :])
    return rows


def look_back(block: Block, key: str, plane: Num, width: int) -> tuple[Ints, Bools]:
    """Value and mask of the `width` rows before the block followed by the block's."""
    value = _carry(block, f"{key}|v", np.where(plane.known, plane.value, 0), width)
    return value, _carry_flags(block, f"{key}|k", plane.known, width)


class Window(NumNode):
    """A statistic of the known instants of a window; unknown below the coverage demanded.

    `width` instants; `need` of them known. kind: mean, min, max, std, median, slope (per hour).
    """

    def __init__(self, key: str, part: NumNode, shape: Shape, kind: str, span: Span) -> None:
        super().__init__(key, (part,), shape)
        self.part, self.kind, self.span = part, kind, span

    def compute(self, block: Block) -> Num:
        width = self.span.width
        value, known = look_back(block, self.key, self.part.num(block), width - 1)
        count = window_count(known, width)
        enough = count >= self.span.need
        result = self._statistic(value, known, np.maximum(count, 1), block.step_ms)
        return Num(np.where(enough, result, 0), enough)

    def _statistic(self, value: Ints, known: Bools, count: Ints, step_ms: int) -> Ints:
        width = self.span.width
        if self.kind == "min":
            return window_min(value, known, width)
        if self.kind == "max":
            return window_max(value, known, width)
        if self.kind == "median":
            return rounded_division(window_median_twice(value, known, width), 2)
        total = window_sum(value, width)
        if self.kind == "mean":
            return rounded_division(total, count)
        if self.kind == "std":
            spread = count * window_sum(value * value, width) - total * total
            lift = 10.0 ** (self.shape.decimals - self.part.shape.decimals)
            return np.rint(np.sqrt(np.maximum(spread, 0).astype(np.float64)) / count * lift).astype(np.int64)
        return self._slope(value, known, count, step_ms)

    def _slope(self, value: Ints, known: Bools, count: Ints, step_ms: int) -> Ints:
        """Least-squares slope per hour over the known instants, from exact sums."""
        width = self.span.width
        place = np.arange(value.shape[1], dtype=np.int64)[None, :]
        first = np.arange(value.shape[1] - width + 1, dtype=np.int64)[None, :]
        seen = known.astype(np.int64)
        n, sy = window_sum(seen, width), window_sum(value, width)
        sx = window_sum(seen * place, width) - first * n
        sxx = window_sum(seen * place * place, width) - 2 * first * (sx + first * n) + first * first * n
        sxy = window_sum(value * place, width) - first * sy
        top = (n * sxy - sx * sy).astype(np.float64)
        bottom = np.maximum(n * sxx - sx * sx, 1).astype(np.float64)
        lift = 10.0 ** (self.shape.decimals - self.part.shape.decimals) * 3_600_000.0 / step_ms
        return np.rint(top / bottom * lift).astype(np.int64)


class Lag(NumNode):
    """The value `rows` instants ago."""

    def __init__(self, key: str, part: NumNode, rows: int) -> None:
        super().__init__(key, (part,), part.shape)
        self.part, self.rows = part, rows

    def compute(self, block: Block) -> Num:
        value, known = look_back(block, self.key, self.part.num(block), self.rows)
        return Num(value[:, : block.n], known[:, : block.n])


class Stuck(BoolNode):
    """max − min ≤ tolerance over a window (counts of the part's resolution); unknown below the coverage."""

    def __init__(self, key: str, part: NumNode, tolerance: int, span: Span) -> None:
        super().__init__(key, (part,))
        self.part, self.tolerance, self.span = part, tolerance, span

    def compute(self, block: Block) -> Truth:
        width = self.span.width
        value, known = look_back(block, self.key, self.part.num(block), width - 1)
        enough = window_count(known, width) >= self.span.need
        spread = np.where(enough, window_max(value, known, width), 0) - np.where(
            enough, window_min(value, known, width), 0
        )
        still = spread <= self.tolerance
        return Truth(enough & still, enough & ~still)


class Held(BoolNode):
    """`held(cond, d)`: the condition has held for d; n instants hold (n − 1) steps. False while it is false."""

    def __init__(self, key: str, part: BoolNode, duration_ms: int) -> None:
        super().__init__(key, (part,))
        self.part, self.duration_ms = part, duration_ms

    def compute(self, block: Block) -> Truth:
        plane = self.part.truth(block)
        run = run_length(plane.true, block.state.get(self.key, 1)[:, 0])
        block.state.put(self.key, run[:, -1:])
        held = (run > 0) & ((run - 1) * block.step_ms >= self.duration_ms)
        return Truth(held, plane.known & ~held)


class Since(NumNode):
    """`since(cond)`: s since the condition was last true; unknown until it has been."""

    def __init__(self, key: str, part: BoolNode, shape: Shape) -> None:
        super().__init__(key, (part,), shape)
        self.part = part

    def compute(self, block: Block) -> Num:
        # 0 (1970) is never, so that the row of equipment that joined later says never too.
        at = np.where(self.part.truth(block).true, block.instants[None, :], 0)
        last = np.maximum(np.maximum.accumulate(at, axis=1), block.state.get(self.key, 1))
        block.state.put(self.key, last[:, -1:])
        known = last > 0
        return Num(np.where(known, (block.instants[None, :] - last) // 1000, 0), known)


class Last(NumNode):
    """`last(x, cond)`: x at the last instant at which the condition was true; unknown before, or if x was then."""

    def __init__(self, key: str, part: NumNode, condition: BoolNode) -> None:
        super().__init__(key, (part, condition), part.shape)
        self.part, self.condition = part, condition

    def compute(self, block: Block) -> Num:
        plane, when = self.part.num(block), self.condition.truth(block).true
        place = np.where(when, np.arange(1, block.n + 1, dtype=np.int64), 0)
        np.maximum.accumulate(place, axis=1, out=place)
        before = block.state.get(self.key, 2)
        values = np.concatenate([before[:, :1], np.where(plane.known, plane.value, 0)], axis=1)
        flags = np.concatenate([before[:, 1:], plane.known.astype(np.int64)], axis=1)
        value, known = np.take_along_axis(values, place, axis=1), np.take_along_axis(flags, place, axis=1)
        block.state.put(self.key, np.concatenate([value[:, -1:], known[:, -1:]], axis=1))
        return Num(value, known != 0)


def rises(block: Block, key: str, plane: Truth) -> Ints:
    """1 where a condition is true right after an instant at which it was false, else 0; (e, n)."""
    false = _carry_flags(block, f"{key}|f", plane.false, 1)[:, : block.n]
    rose: Ints = (false & plane.true).astype(np.int64)
    return rose


class Rises(NumNode):
    """`count_rises(cond, d)`: changes from false to true within the window, once it has been covered."""

    def __init__(self, key: str, part: BoolNode, shape: Shape, span: Span) -> None:
        super().__init__(key, (part,), shape)
        self.part, self.span = part, span

    def compute(self, block: Block) -> Num:
        plane = self.part.truth(block)
        rose = rises(block, self.key, plane)
        count = window_sum(_carry(block, f"{self.key}|r", rose, self.span.width - 1), self.span.width)
        seen = _carry_flags(block, f"{self.key}|k", plane.known, self.span.width - 1)
        enough = window_count(seen, self.span.width) >= self.span.need
        return Num(np.where(enough, count, 0), enough)


class ShareTrue(NumNode):
    """`share_true(cond, d)`: share of the known instants of the window at which the condition was true, 0…1."""

    def __init__(self, key: str, part: BoolNode, shape: Shape, span: Span) -> None:
        super().__init__(key, (part,), shape)
        self.part, self.span = part, span

    def compute(self, block: Block) -> Num:
        plane, width = self.part.truth(block), self.span.width
        true = window_count(_carry_flags(block, f"{self.key}|t", plane.true, width - 1), width)
        seen = window_count(_carry_flags(block, f"{self.key}|k", plane.known, width - 1), width)
        enough = seen >= self.span.need
        share = rounded_division(true * 10**self.shape.decimals, np.maximum(seen, 1))
        return Num(np.where(enough, share, 0), enough)

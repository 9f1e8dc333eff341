"""Windows longer than two hours: they move in panes that end when the site's clock strikes (decision 0006).

A pane is the run of instants after one stroke of the clock up to and including the next. A window of N panes covers
the N that ended last: at a stroke it is the plain window of that length, between strokes it stands still. Of a pane
only sums are kept (how many instants were known, their sum, extremes, rises, the last value), so a week costs at
most 192 numbers for each equipment.
"""

from __future__ import annotations

import numpy as np

from rules.lang.fixed import Bools, Ints, rounded_division
from rules.lang.nodes import Block, BoolNode, Num, NumNode, Shape
from rules.lang.spans import LongSpan, Panes
from rules.lang.windowed import rises
from rules.lang.windows import HIGHEST, LOWEST, window_max, window_median_twice, window_min, window_sum


class _Folds:
    """Gathers the values of a block into panes; what is unfinished or still needed is carried under a node's key."""

    def __init__(self, block: Block, key: str, panes: Panes) -> None:
        self.block, self.key, self.panes = block, key, panes
        self.ends = panes.ends(block)
        self.starts = np.concatenate([[0], np.flatnonzero(self.ends) + 1])

    def rows(self, name: str, values: Ints, work: np.ufunc, fill: np.int64 | int) -> Ints:
        """One number of each pane: the `count` − 1 before the block's first stroke, then those that end in it.

        `fill` is what `work` (add, minimum, maximum) leaves everything as it is with.
        """
        state, key = self.block.state, f"{self.key}|{name}"
        padded = np.concatenate([values, np.full((self.block.rows, 1), fill, np.int64)], axis=1)
        folded: Ints = work.reduceat(padded, self.starts, axis=1)
        # Carried as the distance from `fill` (it may wrap), so that a fresh row of zeros is an empty pane.
        folded[:, :1] = work(folded[:, :1], state.get(f"{key}|now", 1) + fill)
        state.put(f"{key}|now", folded[:, -1:] - fill)
        return self.kept(name, folded[:, :-1], self.panes.count - 1)

    def kept(self, name: str, finished: Ints, count: int) -> Ints:
        """The `count` panes carried so far, then the finished ones; the newest `count` are carried on."""
        key = f"{self.key}|{name}|past"
        rows = np.concatenate([self.block.state.get(key, count), finished], axis=1)
        self.block.state.put(key, rows[:, rows.shape[1] - count :])
        return rows

    def shown(self, value: Ints, known: Bools) -> Num:
        """Results at the strokes of the block (e, strokes) as they stand at each of its instants."""
        state = self.block.state
        before = state.get(f"{self.key}|shown", 2)
        values = np.concatenate([before[:, :1], np.where(known, value, 0)], axis=1)
        flags = np.concatenate([before[:, 1:], known.astype(np.int64)], axis=1)
        state.put(f"{self.key}|shown", np.concatenate([values[:, -1:], flags[:, -1:]], axis=1))
        place = np.cumsum(self.ends)
        return Num(values[:, place], flags[:, place] != 0)


class PaneWindow(NumNode):
    """mean, min, max or median over panes; unknown below the coverage demanded of the window's instants.

    The median is that of the panes' means (each over its known instants, rounded as `mean` is); panes of which
    nothing is known do not count.
    """

    def __init__(self, key: str, part: NumNode, shape: Shape, kind: str, span: LongSpan) -> None:
        super().__init__(key, (part,), shape)
        self.part, self.kind, self.span = part, kind, span

    def compute(self, block: Block) -> Num:
        panes = self.span.panes
        folds = _Folds(block, self.key, panes)
        plane = self.part.num(block)
        seen = folds.rows("known", plane.known.astype(np.int64), np.add, 0)
        gathered = self._gather(folds, plane)
        count = window_sum(seen, panes.count)
        return folds.shown(self._statistic(gathered, seen, count, panes.count), count >= self.span.need)

    def _gather(self, folds: _Folds, plane: Num) -> Ints:
        if self.kind == "min":
            return folds.rows("min", np.where(plane.known, plane.value, HIGHEST), np.minimum, HIGHEST)
        if self.kind == "max":
            return folds.rows("max", np.where(plane.known, plane.value, LOWEST), np.maximum, LOWEST)
        return folds.rows("sum", np.where(plane.known, plane.value, 0), np.add, 0)

    def _statistic(self, gathered: Ints, seen: Ints, count: Ints, width: int) -> Ints:
        if not count.shape[1]:
            return count
        if self.kind == "min":
            return window_min(gathered, seen > 0, width)
        if self.kind == "max":
            return window_max(gathered, seen > 0, width)
        if self.kind == "mean":
            return rounded_division(window_sum(gathered, width), np.maximum(count, 1))
        means = rounded_division(gathered, np.maximum(seen, 1))
        return rounded_division(window_median_twice(means, seen > 0, width), 2)


class PaneShare(NumNode):
    """`share_true` over panes: share of the known instants of the window at which the condition was true."""

    def __init__(self, key: str, part: BoolNode, shape: Shape, span: LongSpan) -> None:
        super().__init__(key, (part,), shape)
        self.part, self.span = part, span

    def compute(self, block: Block) -> Num:
        panes = self.span.panes
        folds = _Folds(block, self.key, panes)
        plane = self.part.truth(block)
        true = window_sum(folds.rows("true", plane.true.astype(np.int64), np.add, 0), panes.count)
        seen = window_sum(folds.rows("known", plane.known.astype(np.int64), np.add, 0), panes.count)
        share = rounded_division(true * 10**self.shape.decimals, np.maximum(seen, 1))
        return folds.shown(share, seen >= self.span.need)


class PaneRises(NumNode):
    """`count_rises` over panes: a rise counts in the pane of the instant at which the condition is true."""

    def __init__(self, key: str, part: BoolNode, shape: Shape, span: LongSpan) -> None:
        super().__init__(key, (part,), shape)
        self.part, self.span = part, span

    def compute(self, block: Block) -> Num:
        panes = self.span.panes
        folds = _Folds(block, self.key, panes)
        plane = self.part.truth(block)
        rose = folds.rows("rises", rises(block, self.key, plane), np.add, 0)
        seen = folds.rows("known", plane.known.astype(np.int64), np.add, 0)
        return folds.shown(window_sum(rose, panes.count), window_sum(seen, panes.count) >= self.span.need)


class PaneLag(NumNode):
    """`lag` over panes: the last known value of the pane that ended one window before the newest ended one."""

    def __init__(self, key: str, part: NumNode, panes: Panes) -> None:
        super().__init__(key, (part,), part.shape)
        self.part, self.panes = part, panes

    def compute(self, block: Block) -> Num:
        folds = _Folds(block, self.key, self.panes)
        plane = self.part.num(block)
        edge = np.zeros((block.rows, 1), np.int64)
        place = np.where(plane.known, np.arange(block.n, dtype=np.int64), -1)
        newest: Ints = np.maximum.reduceat(np.concatenate([place, edge - 1], axis=1), folds.starts, axis=1)
        value = np.take_along_axis(np.concatenate([plane.value, edge], axis=1), np.maximum(newest, 0), axis=1)
        known = newest >= 0
        before = block.state.get(f"{self.key}|now", 2)
        value[:, :1] = np.where(known[:, :1], value[:, :1], before[:, :1])
        known[:, :1] |= before[:, 1:] != 0
        flags = known.astype(np.int64)
        block.state.put(f"{self.key}|now", np.concatenate([value[:, -1:], flags[:, -1:]], axis=1))
        values = folds.kept("last", value[:, :-1], self.panes.count)
        seen = folds.kept("seen", flags[:, :-1], self.panes.count)
        strokes = flags.shape[1] - 1
        return folds.shown(values[:, :strokes], seen[:, :strokes] != 0)

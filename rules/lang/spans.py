"""How far an operator looks back: plain windows of instants, long windows cut into panes, and their limits."""

from __future__ import annotations

from dataclasses import dataclass

from rules.lang.fixed import Bools
from rules.lang.localtime import strikes
from rules.lang.nodes import Block

COVERAGE_PERCENT = 80
"""Share of a window's instants that must be known (DOMAIN §1.2)."""

PLAIN_MS = 2 * 3_600_000
"""Longer windows move in panes (SEMANTICS §1)."""

LONGEST_MS = 31 * 86_400_000
"""No operator looks further back."""

MOST_ROWS = PLAIN_MS // 1_000
"""Rows a plain window carries at most: two hours on the finest grid."""

MOST_PANES = 192
_LENGTHS_MS = tuple(60_000 * minutes for minutes in (1, 2, 5, 10, 15, 20, 30, 60, 120, 180, 240, 360, 480, 720, 1_440))
"""Lengths a pane may have: each divides a day, so panes end at the same times every day."""


@dataclass(frozen=True, slots=True)
class Span:
    """A window in instants and how many of them must be known."""

    width: int
    need: int

    @staticmethod
    def of(width: int, coverage_percent: int) -> Span:
        """A window of `width` instants and its coverage."""
        return Span(width, max(1, -(-width * coverage_percent // 100)))


@dataclass(frozen=True, slots=True)
class Panes:
    """How a long window is cut: `count` panes of `length_ms` by the clock of `zone`."""

    length_ms: int
    count: int
    zone: str

    @staticmethod
    def of(window_ms: int, zone: str) -> Panes | None:
        """The shortest panes of which at most 192 make the window exactly; None where there are none."""
        for length in _LENGTHS_MS:
            if window_ms % length == 0 and window_ms // length <= MOST_PANES:
                return Panes(length, window_ms // length, zone)
        return None

    def __str__(self) -> str:
        return f"{self.count}x{self.length_ms}@{self.zone}"

    def ends(self, block: Block) -> Bools:
        """Where a pane ends, (n,)."""
        return strikes(self.zone, block.instants, self.length_ms)


@dataclass(frozen=True, slots=True)
class LongSpan:
    """A window cut into panes: its nominal instants, how many of them must be known, and the panes."""

    width: int
    need: int
    panes: Panes

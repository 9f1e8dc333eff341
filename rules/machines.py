"""Alarm timers: one machine for each level, member and equipment, run over spans of equal verdict (SEMANTICS §5).

    normal ─true→ pending ─held ≥ for→ active ─clear→ recovering ─held ≥ clear_for (and reset, if latching)→ normal
    pending ─false or unknown→ normal        recovering ─clear not true→ active

A span of n instants holds (n − 1) steps. Work is per change of verdict, not per instant, so a year of quiet costs
nothing and a live block of one instant looks only at machines that are not at rest.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from rules.lang.fixed import Bools, Ints


class Phase(IntEnum):
    """State of one machine. The numbers are kept in snapshots; never renumber."""

    NORMAL = 0
    PENDING = 1
    ACTIVE = 2
    RECOVERING = 3


class Code(IntEnum):
    """Verdict of one instant: unknown, fault, neither fault nor clear, clear."""

    UNKNOWN = 0
    FAULT = 1
    HELD = 2
    CLEAR = 3


@dataclass(frozen=True, slots=True)
class Timing:
    """A level's times, ms, and whether it stays until a person resets it."""

    for_ms: int
    clear_for_ms: int
    latching: bool


@dataclass(frozen=True, slots=True)
class Transition:
    """Machine `row` of equipment `column` entered `phase` at instant `at`; `onset` as known then."""

    at: int
    row: int
    column: int
    phase: Phase
    onset: int


class Machines:
    """All machines of a rule: rows are members × levels, columns equipment; state arrays have shape (rows, columns)."""

    def __init__(self, timings: tuple[Timing, ...], columns: int) -> None:
        self.timings = timings
        size = (len(timings), columns)
        self.phase: NDArray[np.int8] = np.zeros(size, np.int8)
        self.since: Ints = np.zeros(size, np.int64)
        self.onset: Ints = np.zeros(size, np.int64)
        self.reset: Bools = np.zeros(size, bool)

    def run(self, codes: NDArray[np.int8], instants: Ints, step_ms: int) -> list[Transition]:
        """Advance over codes (rows, columns, n); transitions in order of (row, column, time)."""
        restless = (self.phase != Phase.NORMAL) | (codes == Code.FAULT).any(axis=2)
        found: list[Transition] = []
        for row, column in np.argwhere(restless).tolist():
            series = codes[row, column]
            cuts = np.flatnonzero(series[1:] != series[:-1]) + 1
            starts = [0, *cuts.tolist()]
            ends = [*cuts.tolist(), len(series)]
            for start, end in zip(starts, ends, strict=True):
                span = _Span(int(series[start]), int(instants[start]), int(instants[end - 1]), step_ms)
                found.extend(self._advance(row, column, span))
        return found

    def _advance(self, row: int, column: int, span: _Span) -> Iterator[Transition]:
        """One machine over one span of equal code; a span can bring at most two changes."""
        timing, phase = self.timings[row], int(self.phase[row, column])
        code = span.code
        if phase in (Phase.NORMAL, Phase.PENDING):
            if code != Code.FAULT:
                if phase == Phase.PENDING:
                    yield self._enter(row, column, Phase.NORMAL, span.first)
                return
            if phase == Phase.NORMAL:
                self.onset[row, column] = span.first
                yield self._enter(row, column, Phase.PENDING, span.first)
            due = span.at_or_after(int(self.since[row, column]) + timing.for_ms)
            if due is not None:
                yield self._enter(row, column, Phase.ACTIVE, due)
            return
        if code != Code.CLEAR:
            if phase == Phase.RECOVERING:
                yield self._enter(row, column, Phase.ACTIVE, span.first)
            return
        if phase == Phase.ACTIVE:
            yield self._enter(row, column, Phase.RECOVERING, span.first)
        due = span.at_or_after(int(self.since[row, column]) + timing.clear_for_ms)
        if due is not None and (not timing.latching or self.reset[row, column]):
            yield self._enter(row, column, Phase.NORMAL, due)

    def _enter(self, row: int, column: int, phase: Phase, at: int) -> Transition:
        self.phase[row, column] = phase
        self.since[row, column] = at
        if phase != Phase.RECOVERING:
            self.reset[row, column] = False
        return Transition(at, row, column, phase, int(self.onset[row, column]))

    def request_reset(self, column: int) -> bool:
        """A person resets a latched alarm: counts for machines on their way back; False when none is."""
        recovering = self.phase[:, column] == Phase.RECOVERING
        self.reset[:, column] |= recovering
        return bool(recovering.any())

    def restart(self) -> None:
        """Timers start anew (the clock was stepped): pending is forgotten, recovering is active again."""
        self.phase[self.phase == Phase.PENDING] = Phase.NORMAL
        self.phase[self.phase == Phase.RECOVERING] = Phase.ACTIVE
        self.reset[:] = False


@dataclass(frozen=True, slots=True)
class _Span:
    """Instants from `first` to `last` of one code."""

    code: int
    first: int
    last: int
    step_ms: int

    def at_or_after(self, moment: int) -> int | None:
        """The first instant of the span at or after a moment, None when the span ends before."""
        if moment <= self.first:
            return self.first
        at = self.first + -(-(moment - self.first) // self.step_ms) * self.step_ms
        return at if at <= self.last else None

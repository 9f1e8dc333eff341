"""Readings that wait for a tick to close their instant, less those of which nothing can come.

While a backlog drains there is no tick, so an hour of messages would wait whole. But of the readings of one series for
one instant a frame needs the last, and the greatest where the point folds so; the others go, and what is left is
compressed: memory is bounded by series and instants.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from plant.instants import NEVER
from plant.quality import Quality
from plant.reading import ReadingBatch
from rules.lang.fixed import Bools, Ints
from rules.pressed import Pressed

FRESH = 100_000
"""Readings that are thinned at once: 4 MB."""


def effect(ts: Ints, seen: Ints, step_ms: int, lateness_ms: int) -> Ints:
    """The instant at which each reading takes effect."""
    own = own_instant(ts, step_ms)
    first_open: Ints = ((np.maximum(seen, NEVER // 2) - lateness_ms) // step_ms + 1) * step_ms
    later: Ints = np.maximum(own, first_open)
    return later


def own_instant(ts: Ints, step_ms: int) -> Ints:
    """The first instant that is not before a reading's own time."""
    own: Ints = -(-ts // step_ms) * step_ms
    return own


class WaitingReadings:
    """Readings of one group in journal order, until their instant is closed."""

    def __init__(self, row: Ints, folds: Bools, step_ms: int, lateness_ms: int) -> None:
        """`row`, shape (number of series,), is the signal of each series number; `folds`, shape (s,), whether the
        greatest of a signal's readings counts.
        """
        self._row, self._folds = row, folds
        self._step_ms, self._lateness_ms = step_ms, lateness_ms
        self._thinned: list[Pressed] = []
        self._fresh: list[ReadingBatch] = []
        self._fresh_rows = 0
        self._seen = NEVER
        self._in_order = True

    def __len__(self) -> int:
        return sum(piece.count for piece in self._thinned) + self._fresh_rows

    def add(self, batch: ReadingBatch, in_force: Ints) -> int:
        """Readings of the group's signals; `in_force`, shape (s,), is the time of what holds now for each signal.

        Gives how many waiting readings were found late (one of a later time takes effect earlier) and left out.
        """
        self._fresh.append(batch)
        self._fresh_rows += len(batch)
        if self._fresh_rows < FRESH:
            return 0
        fresh, self._fresh, self._fresh_rows = ReadingBatch.concat(self._fresh), [], 0
        self._in_order = self._in_order and fresh.seen[0] >= self._seen and bool((np.diff(fresh.seen) >= 0).all())
        self._seen = int(fresh.seen[-1])
        if self._thinned and self._thinned[-1].count < FRESH // 2:
            fresh = ReadingBatch.concat([self._thinned.pop().batch(), fresh])
        piece, late = self._thin(fresh, in_force)
        self._thinned += self._pressed(piece)
        return late

    def held(self) -> tuple[list[Pressed], ReadingBatch]:
        """What waits, in journal order: first what was thinned, then what is fresh."""
        return list(self._thinned), ReadingBatch.concat(self._fresh)

    def clear(self) -> None:
        """Nothing waits any more."""
        self._thinned, self._fresh, self._fresh_rows = [], [], 0

    def first_effect(self) -> int | None:
        """The earliest instant at which one takes effect."""
        fresh = (int(self._effect(one).min()) for one in self._fresh)
        return min((*(piece.first for piece in self._thinned), *fresh), default=None)

    def take_due(self, last: int) -> ReadingBatch:
        """Remove and return those whose effect is not after `last`, in journal order."""
        due: list[ReadingBatch] = []
        thinned, self._thinned = self._thinned, []
        for piece in thinned:
            if piece.first > last:
                self._thinned.append(piece)
                continue
            for rest in self._split(piece.batch(), last, due):
                self._thinned += self._pressed(rest)
        self._fresh = self._split(ReadingBatch.concat(self._fresh), last, due) if self._fresh else []
        self._fresh_rows = sum(map(len, self._fresh))
        return ReadingBatch.concat(due)

    def _split(self, piece: ReadingBatch, last: int, due: list[ReadingBatch]) -> list[ReadingBatch]:
        """Add what is due to `due`; what is left, as a list of none or one."""
        ripe = self._effect(piece) <= last
        if ripe.all():
            due.append(piece)
            return []
        if ripe.any():
            due.append(piece.take(ripe))
            return [piece.take(~ripe)]
        return [piece]

    def _pressed(self, batch: ReadingBatch) -> list[Pressed]:
        """As a list of none or one."""
        at = self._effect(batch)
        return [Pressed.of(batch, int(at.min()), int(at.max()))] if len(batch) else []

    def _effect(self, batch: ReadingBatch) -> Ints:
        return effect(batch.ts, batch.seen, self._step_ms, self._lateness_ms)

    def _thin(self, batch: ReadingBatch, in_force: Ints) -> tuple[ReadingBatch, int]:
        """What is needed of a batch that is the newest, and how many late readings it had."""
        row, at = self._row[batch.series], self._effect(batch)
        punctual = at == own_instant(batch.ts, self._step_ms)
        # Nothing can be in force at an instant before that is younger, but where the clock was put back.
        sure = punctual & (batch.ts >= in_force[row])
        late = np.zeros(len(batch), np.bool_)
        if self._in_order and not punctual.all():
            # Plant time has only gone forward (in readings from a store it need not have): what is still to come takes
            # effect no earlier than the last of these, so it is known now whether they are late.
            newest = int(at[~punctual].max())
            shifted = ~punctual & (at == newest)
            late = shifted & (batch.ts < self._reached(batch, at, newest, in_force)[row])
            sure |= shifted & ~late
        return batch.take(self._needed(batch, (row, at), sure) & ~late), int(late.sum())

    def _reached(self, batch: ReadingBatch, at: Ints, before: int, in_force: Ints) -> Ints:
        """The youngest time of each signal that is in force before an instant; shape (s,)."""
        reached = in_force.copy()
        pieces = [piece.batch() for piece in self._thinned if piece.first < before]
        for piece, effects in [*((one, self._effect(one)) for one in pieces), (batch, at)]:
            earlier = effects < before
            np.maximum.at(reached, self._row[piece.series[earlier]], piece.ts[earlier])
        return reached

    def _needed(self, batch: ReadingBatch, place: tuple[Ints, Ints], sure: Bools) -> Bools:
        """All but those `sure` not to be late that another of the same `place` (signal, instant) stands for."""
        row, at = place
        keep = ~sure
        rows = np.flatnonzero(sure)
        keep[_last_of_each(rows, batch.ts, at, row)] = True
        folding = rows[self._folds[row[rows]]]
        if len(folding):
            number = (batch.quality != Quality.BAD) & ~np.isnan(batch.value)
            keep[_last_of_each(folding, np.where(number, batch.value, -np.inf), at, row)] = True
        return keep


def _last_of_each(
    rows: NDArray[np.intp], by: NDArray[np.int64] | NDArray[np.float64], at: Ints, row: Ints
) -> NDArray[np.intp]:
    """Of the readings at `rows` the one greatest in `by`, of equal ones the last, for each signal and instant."""
    order = rows[np.lexsort((by[rows], at[rows], row[rows]))]
    ends = np.ones(len(order), np.bool_)
    ends[:-1] = (row[order[1:]] != row[order[:-1]]) | (at[order[1:]] != at[order[:-1]])
    return order[ends]

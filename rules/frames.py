"""Readings become frames: all signals of a group of equipment, sampled at every instant (SEMANTICS §1).

One Assembler serves live, replay and backtest. When a reading takes effect follows from its own time and from the
plant time that had been seen before it, never from when a frame happens to be made:

    effect = max(ceil(ts / step) · step, (floor((seen − L) / step) + 1) · step)

In force at an instant is, among the readings of a series whose effect has come, the one with the greatest
(ts, journal order). A reading that is already overtaken when its effect comes is late: counted, never evaluated.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from plant.instants import NEVER
from plant.quality import Quality, takes_effect
from plant.reading import ReadingBatch
from rules.lang.fixed import Bools, Ints
from rules.waiting import WaitingReadings, effect


def lateness_live(step_ms: int) -> int:
    """How long after an instant it is closed while messages come from outside, ms."""
    return min(step_ms // 4, 5_000)


def lateness_file(step_ms: int) -> int:
    """Over files nothing is on its way."""
    return 0


@dataclass(frozen=True, slots=True)
class SignalSpec:
    """How the series of a group behave, in columns of shape (s,) over its series, equipment by equipment.

    `number` is the series' number in the site's SeriesTable, `owner` the row of its equipment in the group, `scale`
    10^decimals, `ttl` ms a sensor's value counts, `holds` marks status, command and set-point, `fold_max` the fold,
    `online` the `online_status` point. `alive_ttl` (e,) is per equipment: how long held points outlive the last word.
    `alive_of` lists (gateway row, row behind it).
    """

    number: NDArray[np.int32]
    owner: NDArray[np.int64]
    scale: NDArray[np.float64]
    ttl: Ints
    holds: Bools
    fold_max: Bools
    online: Bools
    alive_ttl: Ints
    alive_of: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Frames:
    """A block of frames. Signals have shape (s, n), equipment (e, n), instants (n,).

    `value` is fixed point at the point's resolution, `reason` that of the reading in force; `alive_at` the latest
    time in force of any reading of the equipment (NEVER before the first).
    """

    instants: Ints
    value: Ints
    known: Bools
    reason: NDArray[np.uint8]
    alive_at: Ints


@dataclass(slots=True)
class InForce:
    """What holds after the last closed instant; arrays of shape (s,). Part of the engine's snapshot."""

    ts: Ints
    value: Ints
    bad: Bools
    reason: NDArray[np.uint8]


class Assembler:
    """Makes the frames of one group of equipment on one grid."""

    def __init__(self, spec: SignalSpec, step_ms: int, lateness_ms: int) -> None:
        self.spec = spec
        self.step_ms = step_ms
        self.lateness_ms = lateness_ms
        count = len(spec.number)
        self.in_force = InForce(
            np.full(count, NEVER, np.int64), np.zeros(count, np.int64), np.ones(count, bool), np.zeros(count, np.uint8)
        )
        self.late = 0
        self.next_instant: int | None = None
        top = int(spec.number.max()) + 1 if count else 0
        self._row = np.full(top, -1, np.int64)
        self._row[spec.number] = np.arange(count)
        self.waiting = WaitingReadings(self._row, spec.fold_max, step_ms, lateness_ms)

    def feed(self, batch: ReadingBatch) -> None:
        """Take readings in journal order; those of foreign series or never to be evaluated are left out."""
        inside = batch.series < len(self._row)
        row = np.where(inside, self._row[np.where(inside, batch.series, 0)], -1) if len(self._row) else None
        if row is None:
            return
        mine = row >= 0
        mine &= takes_effect(batch.reason, self.spec.holds[np.maximum(row, 0)])
        if mine.any():
            self.late += self.waiting.add(batch.take(mine), self.in_force.ts)

    def rows_of(self, batch: ReadingBatch) -> Ints:
        """Rows of the group's signals that readings it has taken belong to."""
        return self._row[batch.series]

    def row_of_number(self) -> dict[int, int]:
        """Row of each series number."""
        return {number: row for row, number in enumerate(self.spec.number.tolist())}

    def last_closable(self, plant_time: int) -> int:
        """The last instant that a tick at `plant_time` closes."""
        return (plant_time - self.lateness_ms) // self.step_ms * self.step_ms

    def close(self, last: int) -> Frames:
        """Frames from the first open instant up to and including `last` (which is on the grid and not closed)."""
        if self.next_instant is None:
            raise ValueError("the first instant has not been set")
        instants = np.arange(self.next_instant, last + 1, self.step_ms, dtype=np.int64)
        self.next_instant = last + self.step_ms
        due = self.waiting.take_due(last)
        return self._sample(instants, due)

    def _sample(self, instants: Ints, due: ReadingBatch) -> Frames:
        """Forward-fill the readings in force over the instants and judge what is still known."""
        spec, now = self.spec, self.in_force
        count, n = len(spec.number), len(instants)
        changes = _Changes.of(due, self, int(instants[0]))
        self.late += changes.late
        source = np.full((count, n), -1, np.int64)
        column = (changes.effect - instants[0]) // self.step_ms
        source[changes.row, column] = np.arange(len(changes.row))
        np.maximum.accumulate(source, axis=1, out=source)
        carried = source < 0
        pick = np.where(carried, 0, source)
        if len(changes.row):
            ts = np.where(carried, now.ts[:, None], changes.ts[pick])
            value = np.where(carried, now.value[:, None], changes.value[pick])
            bad = np.where(carried, now.bad[:, None], changes.bad[pick])
            reason = np.where(carried, now.reason[:, None], changes.reason[pick])
        else:
            ts, value, bad, reason = (
                np.repeat(column_of[:, None], n, axis=1) for column_of in (now.ts, now.value, now.bad, now.reason)
            )
        self.in_force = InForce(ts[:, -1], value[:, -1], bad[:, -1], reason[:, -1])
        alive = self._alive(ts, value, bad)
        known = ~bad & self._fresh(instants, ts, value, alive)
        return Frames(instants, np.where(known, value, 0), known, reason, alive)

    def _alive(self, ts: Ints, value: Ints, bad: Bools) -> Ints:
        """Latest word of each equipment; a last will (`online_status` 0) is no sign of life."""
        spec = self.spec
        word = np.where(spec.online[:, None] & ((value == 0) | bad), NEVER, ts)
        alive = np.full((len(spec.alive_ttl), ts.shape[1]), NEVER, np.int64)
        if len(spec.owner):
            owners, starts = np.unique(spec.owner, return_index=True)
            alive[owners] = np.maximum.reduceat(word, starts, axis=0)
        for gateway, behind in spec.alive_of:
            np.maximum(alive[gateway], alive[behind], out=alive[gateway])
        return alive

    def _fresh(self, instants: Ints, ts: Ints, value: Ints, alive: Ints) -> Bools:
        """Sensors and meters live for their ttl; held points as long as their equipment is alive and online."""
        spec = self.spec
        age = instants[None, :] - ts
        heard = ts > NEVER
        fresh: Bools = heard & (age <= spec.ttl[:, None])
        if not spec.holds.any():
            return fresh
        offline = np.zeros(alive.shape, bool)
        rows = np.flatnonzero(spec.online)
        offline[spec.owner[rows]] = (ts[rows] > NEVER) & (value[rows] == 0)
        living = ((instants[None, :] - alive) <= spec.alive_ttl[:, None]) & ~offline
        held = heard & living[spec.owner]
        return np.where(spec.holds[:, None], np.where(spec.online[:, None], heard, held), fresh)


@dataclass(frozen=True, slots=True)
class _Changes:
    """At most one new value in force per (series, instant), sorted by them; arrays of shape (c,)."""

    row: Ints
    effect: Ints
    ts: Ints
    value: Ints
    bad: Bools
    reason: NDArray[np.uint8]
    late: int

    @staticmethod
    def of(due: ReadingBatch, assembler: Assembler, first_open: int) -> _Changes:
        spec, now = assembler.spec, assembler.in_force
        row = assembler._row[due.series]
        at = effect(due.ts, due.seen, assembler.step_ms, assembler.lateness_ms)
        at = np.maximum(at, first_open)  # a grid that has just begun has no earlier instant
        order = np.lexsort((np.arange(len(due)), due.ts, at, row))
        row, at, due = row[order], at[order], due.take(order)
        bad = due.quality == Quality.BAD
        scaled = np.where(bad, 0.0, due.value) * spec.scale[row]
        value = np.rint(scaled).astype(np.int64)
        late = _overtaken(row, at, due.ts, now.ts)
        kept = ~late
        row, at, value, bad, ts, reason = row[kept], at[kept], value[kept], bad[kept], due.ts[kept], due.reason[kept]
        if not len(row):
            return _Changes(row, at, ts, value, bad, reason, int(late.sum()))
        first = np.flatnonzero(np.r_[True, (row[1:] != row[:-1]) | (at[1:] != at[:-1])])
        last = np.r_[first[1:], len(row)] - 1
        chosen, chosen_bad = value[last], bad[last]
        folds = spec.fold_max[row[last]]
        if folds.any():
            highest = np.maximum.reduceat(np.where(bad, np.int64(-(2**63)), value), first)
            all_bad = np.logical_and.reduceat(bad, first)
            chosen = np.where(folds, np.where(all_bad, 0, highest), chosen)
            chosen_bad = np.where(folds, all_bad, chosen_bad)
        return _Changes(row[last], at[last], ts[last], chosen, chosen_bad, reason[last], int(late.sum()))


def _overtaken(row: Ints, at: Ints, ts: Ints, in_force: Ints) -> Bools:
    """Which readings (sorted by row, effect, ts) are older than one that came into force at an earlier instant."""
    if not len(row):
        return np.zeros(0, bool)
    starts = np.r_[True, (row[1:] != row[:-1]) | (at[1:] != at[:-1])]
    group = np.cumsum(starts) - 1
    first = np.flatnonzero(starts)
    newest = np.maximum.reduceat(ts, first)
    group_row = row[first]
    before = np.empty(len(first), np.int64)
    reached: dict[int, int] = {}
    for number, (series, top) in enumerate(zip(group_row.tolist(), newest.tolist(), strict=True)):
        ahead = reached.get(series, int(in_force[series]))
        before[number] = ahead
        reached[series] = max(ahead, top)
    late: Bools = ts < before[group]
    return late

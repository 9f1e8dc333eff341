"""The one door: values in columns come in, readings with times and qualities go out (SEMANTICS §1 and §6)."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ingest.columns import Columns
from ingest.limits import Limits
from ingest.memories import Memories, MemoriesState
from ingest.placing import OUT_OF_FORCE, judge_values, merge, place
from ingest.repairs import Finding, Repair
from ingest.succession import REMEMBERED, Repeat
from plant.instants import NEVER
from plant.quality import Quality, Reason
from plant.reading import ReadingBatch
from plant.site import Plant

_Ints = NDArray[np.int64]
_Mask = NDArray[np.bool_]
_MINUTE = 60_000


@dataclass(frozen=True, slots=True)
class Admitted:
    """What came through: readings in journal order, dropped duplicates, readings that overrule an earlier one.

    `repairs` are doubtful readings that these decided, in the order of the readings that did.
    """

    batch: ReadingBatch
    duplicates: int
    conflicts: int
    repairs: tuple[Repair, ...] = ()


@dataclass(frozen=True, slots=True)
class _Sorted:
    """The rows of one call sorted by series, journal order within; shape (n,) each. `first` begins each series."""

    order: _Ints
    series: NDArray[np.int32]
    ts: _Ints
    value: NDArray[np.float64]
    good: _Mask
    in_force: _Mask
    again: _Mask
    first: _Mask


class Door:
    """Judges values; its memory of each series is its only state. Cutting its input anywhere changes nothing."""

    def __init__(self, plant: Plant) -> None:
        self._table = plant.series
        self._limits = Limits.of(plant)
        self._memories = Memories(len(plant.series))

    def admit(self, columns: Columns) -> Admitted:
        """Judge values in journal order."""
        ts, doubt = place(columns)
        value, quality, reason = judge_values(columns, self._limits)
        quality, reason = merge(quality, reason, doubt)
        batch = ReadingBatch(columns.series, ts, value, quality, reason, columns.seen, columns.offset)
        in_force = ~np.isin(doubt, np.array(OUT_OF_FORCE, np.uint8))
        # Equal messages without a time of their own are two readings.
        return self._follow(batch, in_force=in_force, again=columns.again & (columns.own != NEVER))

    def forget(self) -> None:
        """Start every series anew: after a step of the plant clock, times before it compare with nothing."""
        self._memories = Memories(len(self._table))

    def state(self) -> MemoriesState:
        """The memory of every series heard so far."""
        return self._memories.state(self._table)

    def remember(self, state: MemoriesState) -> None:
        """Take up a memory, of this or another configuration; raises Corrupt."""
        self._memories = Memories.restore(state, self._table)

    def _follow(self, batch: ReadingBatch, *, in_force: _Mask, again: _Mask) -> Admitted:
        """Compare each reading with the ones before it in its series."""
        order = np.argsort(batch.series, kind="stable")
        series = batch.series[order]
        first = np.ones(len(series), np.bool_)
        first[1:] = series[1:] != series[:-1]
        good = batch.quality[order] != Quality.BAD
        rows = _Sorted(order, series, batch.ts[order], batch.value[order], good, in_force[order], again[order], first)
        odd = self._out_of_the_ordinary(rows)
        self._remember_ordinary(rows, ~odd)
        return self._walk(batch, rows, np.flatnonzero(odd))

    def _out_of_the_ordinary(self, rows: _Sorted) -> _Mask:
        """Rows of series in which anything but good, newer, believable readings came: these are walked one by one."""
        if not len(rows.series):
            return np.zeros(0, np.bool_)
        memory, series = self._memories, rows.series
        before = np.where(rows.first, memory.last[series], np.roll(rows.ts, 1))
        strange = ~rows.in_force | (rows.ts <= before)
        checked = self._limits.checked[series]
        if checked.any():
            ref_ts = np.where(rows.first, memory.ref_ts[series], np.roll(rows.ts, 1))
            ref = np.where(rows.first, memory.ref_value[series], np.roll(rows.value, 1))
            allowed = self._limits.jump[series] * np.maximum(rows.ts - ref_ts, _MINUTE) / _MINUTE
            allowed += self._limits.slack[series]
            change = rows.value - ref
            wild = np.abs(change) > allowed
            fell = self._limits.meter[series] & (change < 0)
            waiting = rows.first & (memory.held_ts[series] != NEVER)
            strange |= checked & (~rows.good | waiting | ((ref_ts != NEVER) & (wild | fell)))
        group = np.cumsum(rows.first) - 1
        strange_series: _Mask = np.logical_or.reduceat(strange, np.flatnonzero(rows.first))
        spread: _Mask = strange_series[group]
        return spread

    def _remember_ordinary(self, rows: _Sorted, ordinary: _Mask) -> None:
        memory = self._memories
        starts = np.flatnonzero(rows.first)
        sizes = np.diff(np.append(starts, len(rows.series)))
        group = np.cumsum(rows.first) - 1
        rank = np.arange(len(rows.series)) - starts[group]
        last = ordinary & (rank == sizes[group] - 1)
        series = rows.series[last]
        memory.last[series] = rows.ts[last]
        compared = last & self._limits.checked[rows.series]
        memory.ref_ts[rows.series[compared]] = rows.ts[compared]
        memory.ref_value[rows.series[compared]] = rows.value[compared]
        kept = ordinary & (rank >= sizes[group] - REMEMBERED)
        place = (memory.count[rows.series[kept]] + rank[kept]) % REMEMBERED
        memory.ring_ts[rows.series[kept], place] = rows.ts[kept]
        memory.ring_value[rows.series[kept], place] = rows.value[kept]
        memory.ring_force[rows.series[kept], place] = True
        memory.count[series] += sizes[group][last]

    def _walk(self, batch: ReadingBatch, rows: _Sorted, odd: _Ints) -> Admitted:
        """Take the rows out of the ordinary one by one; each series in journal order."""
        if not len(odd):
            return Admitted(batch, 0, 0)
        quality, reason = batch.quality.copy(), batch.reason.copy()
        keep = np.ones(len(batch), np.bool_)
        conflicts, found = 0, list[tuple[int, int, Finding]]()
        begins = np.flatnonzero(rows.first[odd])
        for piece in np.split(odd, begins[1:]):
            series = int(rows.series[piece[0]])
            memory, limits = self._memories.load(series), self._limits.one(series)
            checked = bool(self._limits.checked[series])
            for row in piece.tolist():
                index, ts, value = int(rows.order[row]), int(rows.ts[row]), float(rows.value[row])
                in_force = bool(rows.in_force[row])
                repeat = memory.repeat(ts, value, in_force=in_force)
                # A message that came before brings nothing new, even of a time the series no longer remembers.
                forgotten = repeat is Repeat.NEW and bool(rows.again[row]) and ts < memory.last
                if repeat is Repeat.DUPLICATE or forgotten:
                    keep[index] = False
                    continue
                if repeat is Repeat.CONFLICT:
                    conflicts += 1
                    _doubt(quality, reason, index)
                if checked and in_force and rows.good[row] and ts >= memory.last:
                    fault, finding = memory.follow(ts, value, limits)
                    if finding is not None:
                        found.append((index, series, finding))
                    if fault is not Reason.NONE:
                        quality[index], reason[index] = Quality.BAD, fault
                memory.remember(ts, value, in_force=in_force)
            self._memories.store(series, memory)
        judged = replace(batch, quality=quality, reason=reason)
        repairs = tuple(
            self._repair(int(batch.offset[index]), series, one) for index, series, one in sorted(found, key=_row)
        )
        return Admitted(judged.take(keep), int(np.count_nonzero(~keep)), conflicts, repairs)

    def _repair(self, offset: int, series: int, one: Finding) -> Repair:
        key = self._table.keys[series]
        return Repair(
            offset, key.equipment, key.point, one.kind, one.ts, one.original, one.repaired, one.before, one.shift
        )


def _row(found: tuple[int, int, Finding]) -> int:
    return found[0]


def _doubt(quality: NDArray[np.uint8], reason: NDArray[np.uint8], index: int) -> None:
    """Mark a reading that overrules another of its time; what it has against it already goes before (DQ-06)."""
    if reason[index] == Reason.NONE:
        quality[index] = max(int(quality[index]), Quality.UNCERTAIN)
        reason[index] = Reason.CONFLICT

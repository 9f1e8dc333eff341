"""Trends from DuckDB: a range cut into rollups of finished days, minutes of the hot file, and readings for the rest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np

from history import hotfile
from history.buckets import last_of_each
from history.cells import Cells, cells_of
from history.days import PeriodFiles
from history.duckroll import RollupFiles
from history.levels import DAY_MS, HOUR_MS, MINUTE_MS, Range, in_cells, inside, joined, runs, within, without
from history.protocols import Samples

_MINUTES = """SELECT w.number AS series, ts, min, mean, max, count, good, bad
              FROM minutes JOIN wanted w ON minutes.series = w.series WHERE ts >= ? AND ts < ?"""
_CELLS = """SELECT w.number AS series, ts, min, mean, max, count, good, bad FROM read_parquet(?) d
            JOIN wanted w ON d.equipment = w.equipment AND d.point = w.point WHERE ts >= ? AND ts < ?"""


@dataclass(frozen=True, slots=True)
class Standing:
    """What holds which part of history at one moment.

    `unrolled` are the hours whose rollups are not there or not right; `readings` and the `rollups` by step are files.
    """

    unrolled: frozenset[int]
    readings: Mapping[int, Path]
    rollups: Mapping[int, Mapping[int, Path]]

    @staticmethod
    def of(unrolled: frozenset[int], readings: PeriodFiles, rollups: RollupFiles) -> Standing:
        """As it is now; `unrolled` must have been read before."""
        return Standing(unrolled, readings.held, {step: files.held for step, files in rollups.files.items()})

    def same(self, other: Standing) -> bool:
        """Whether no file came or went between the two."""
        return self.readings is other.readings and all(
            held is other.rollups[step] for step, held in self.rollups.items()
        )


@dataclass(frozen=True, slots=True)
class Plan:
    """Where a range is read: ranges by source, each in order and without overlap."""

    readings: list[Range]
    minutes: list[Range]
    rollups: dict[int, list[Range]]


def plan(start: int, end: int, step: int, standing: Standing) -> Plan:
    """Which ranges of [start, end) come from where, in cells of at most `step` ms.

    A day whose readings were dropped by retention has its rollups alone, so they hold whatever came late for it.
    """
    if not step:
        return Plan([(start, end)], [], {})
    filed, rolled = set(standing.readings), set(standing.rollups[MINUTE_MS])
    kept_alone = runs(rolled - filed, DAY_MS)
    stale = [hour for first, last in runs(standing.unrolled, HOUR_MS) for hour in without(first, last, kept_alone)]
    readings = joined([*stale, *runs(filed - rolled, DAY_MS)])
    pieces = Plan([], [], {})
    in_files = runs(rolled, DAY_MS)
    pieces.readings.extend(within(readings, start, end))
    for first, last in without(start, end, readings):
        for low, high in within(in_files, first, last):
            for size, begin, stop in in_cells(low, high, step):
                (pieces.rollups.setdefault(size, []) if size else pieces.readings).append((begin, stop))
        for low, high in without(first, last, in_files):
            for size, begin, stop in in_cells(low, high, MINUTE_MS):
                (pieces.minutes if size else pieces.readings).append((begin, stop))
    return Plan(sorted(pieces.readings), sorted(pieces.minutes), {s: sorted(r) for s, r in pieces.rollups.items()})


@dataclass(frozen=True, slots=True)
class TrendQuery:
    """The cells of some series over a planned range. `wanted` is registered with `db`."""

    db: duckdb.DuckDBPyConnection
    plan: Plan
    standing: Standing
    readings: PeriodFiles
    rollups: RollupFiles

    def cells(self) -> Cells:
        """Every cell and reading of the plan, once. Raises duckdb.Error also where a file went meanwhile."""
        parts = [self._readings()]
        if self.plan.minutes:
            parts.append(self._cells(_MINUTES, [], self.plan.minutes))
        for step, ranges in self.plan.rollups.items():
            files = self.rollups.files[step].between(ranges)
            if files:
                parts.append(self._cells(_CELLS, [files], ranges))
        return Cells.concat(parts)

    def _cells(self, sql: str, params: list[object], ranges: Sequence[Range]) -> Cells:
        found = hotfile.fetch(self.db, sql, [*params, ranges[0][0], ranges[-1][1]])
        mine = inside(found["ts"], ranges)
        low, mean, high = (found[name][mine].astype(np.float64) for name in ("min", "mean", "max"))
        count, good, bad = (found[name][mine].astype(np.int64) for name in ("count", "good", "bad"))
        return Cells(found["series"][mine].astype(np.int32), found["ts"][mine], low, mean, high, count, good, bad)

    def _readings(self) -> Cells:
        """Readings one by one, each (series, ts) once."""
        parts = []
        for sql, params, ranges in self._sources():
            found = hotfile.fetch(self.db, sql, [*params, ranges[0][0], ranges[-1][1]])
            mine = inside(found["ts"], ranges)
            parts.append({name: column[mine] for name, column in found.items()})
        if not parts:
            return Cells.concat([])
        columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
        order = np.lexsort((columns["arrival"], columns["ts"], columns["series"]))
        order = order[last_of_each(columns["ts"][order], columns["series"][order])]
        ts, value, quality, reason = (columns[name][order] for name in ("ts", "value", "quality", "reason"))
        return cells_of(columns["series"][order].astype(np.int32), Samples(ts, value, quality, reason))

    def _sources(self) -> list[tuple[str, list[object], list[Range]]]:
        """Statement, its files and its ranges. The hot file is asked only where it may hold what no day file does."""
        filed = runs(self.standing.readings, DAY_MS)
        late = runs(self.standing.unrolled, HOUR_MS)
        recent = [part for first, last in self.plan.readings for part in without(first, last, filed)]
        recent += [part for first, last in self.plan.readings for part in within(late, first, last)]
        sources: list[tuple[str, list[object], list[Range]]] = []
        if recent:
            sources.append((hotfile.HOT_ROWS, [], joined(recent)))
        files = self.readings.between(self.plan.readings)
        if files:
            sources.append((hotfile.DAY_ROWS, [files], self.plan.readings))
        return sources

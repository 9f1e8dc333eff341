"""Trends from InfluxDB: rollup buckets where they are right, and readings reduced by the server where they are not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import httpx2
import numpy as np
from numpy.typing import NDArray

from history.cells import Cells, cells_of
from history.influxfields import readings
from history.influxql import Table, between, identifier, literal, query, select
from history.levels import HOUR_MS, MINUTE_MS, NAMES, READINGS, Range, in_cells, within, without
from history.protocols import Samples
from plant.quality import Quality
from plant.reading import SeriesKey

FLOATS = ("min", "mean", "max")
COUNTS = ("count", "good", "bad")
_SHORT_MS = 2 * HOUR_MS


def rollup_bucket(bucket: str, step: int) -> str:
    """`telemetry_1h`: the bucket beside ours that holds the rollup of that step."""
    return f"{bucket}_{NAMES[step]}"


def source(key: SeriesKey, site: str, start: int, end: int, bucket: str = "") -> str:
    """Measurement and condition for points of one equipment, in a bucket or in that of the request."""
    place = f'{identifier(bucket)}."autogen".' if bucket else ""
    return (
        f"{place}{identifier(key.type)} WHERE site = {literal(site)} AND equipment = {literal(key.equipment)} "
        f"AND {between(start, end)}"
    )


@dataclass(frozen=True, slots=True)
class _Piece:
    """A range of series of one equipment, each with its number; in cells of `width` ms that begin at `offset` of it.

    `rolled`: from the rollup of that step. Otherwise the server reduces readings, or sends them where they are few.
    """

    keys: Sequence[tuple[int, SeriesKey]]
    start: int
    end: int
    width: int
    offset: int = 0
    rolled: bool = False

    @property
    def short(self) -> bool:
        """One answer with all readings costs less than four reductions of each series."""
        return self.end - self.start <= _SHORT_MS and not self.offset


@dataclass(frozen=True, slots=True)
class TrendReader:
    """Reads cells of series of one site; `raw` gives the readings of a series in [start, end)."""

    http: httpx2.Client
    bucket: str
    site: str
    raw: Callable[[SeriesKey, int, int], Samples]

    def cells(self, keys: Sequence[SeriesKey], start: int, end: int, step: int, unrolled: Sequence[Range]) -> Cells:
        """[start, end) of the series in cells of at most `step` ms; `unrolled` is where no rollup is right."""
        stale = within(unrolled, start, end)
        whole = [piece for first, last in without(start, end, stale) for piece in in_cells(first, last, step)]
        pieces = []
        for group in _machines(keys):
            pieces += [_Piece(group, first, last, size, rolled=True) for size, first, last in whole if size]
            edges = [(first, last, MINUTE_MS) for size, first, last in whole if size == READINGS]
            for first, last, width in [*edges, *((first, last, step) for first, last in stale)]:
                pieces.append(_Piece(group, first, last, width))
        return self._read(pieces)

    def reduced(self, keys: Sequence[SeriesKey], start: int, end: int, width: int) -> Cells:
        """[start, end) of the series in cells of `width` ms from `start` on, reduced from readings."""
        return self._read([_Piece(group, start, end, width, start % width) for group in _machines(keys)])

    def _read(self, pieces: Sequence[_Piece]) -> Cells:
        single: list[_Piece] = []
        for piece in pieces:
            alone = not (piece.rolled or piece.short)
            single += [replace(piece, keys=[one]) for one in piece.keys] if alone else [piece]
        asked = [self._statements(piece) for piece in single]
        flat = [statement for statements in asked for statement in statements]
        tables = iter(query(self.http, self.bucket, flat) if flat else [])
        cells = []
        for piece, statements in zip(single, asked, strict=True):
            cells += self._answer(piece, [next(tables) for _ in statements])
        return Cells.concat(cells)

    def _statements(self, piece: _Piece) -> list[str]:
        if piece.rolled:
            fields = [f"{key.point}__{name}" for _, key in piece.keys for name in (*FLOATS, *COUNTS)]
            return [self._select(piece, fields, rollup_bucket(self.bucket, piece.width))]
        if piece.short:
            return [self._select(piece, [key.point + end for _, key in piece.keys for end in ("", "__q")])]
        return self._grouped(piece)

    def _select(self, piece: _Piece, fields: Sequence[str], bucket: str = "") -> str:
        where = source(piece.keys[0][1], self.site, piece.start, piece.end, bucket)
        return select(", ".join(identifier(field) for field in fields), where)

    def _answer(self, piece: _Piece, tables: Sequence[Table]) -> list[Cells]:
        if piece.rolled:
            return [rollup_cells(number, tables[0], key.point) for number, key in piece.keys]
        if piece.short:
            return [cells_of(number, readings(tables[0], key.point)[0]) for number, key in piece.keys]
        return [self._from_readings(piece, tables)]

    def _grouped(self, piece: _Piece) -> list[str]:
        """Each aggregate by itself: only so does the storage engine compute it. And which readings are not good."""
        ((_, key),) = piece.keys
        value = identifier(key.point)
        where = source(key, self.site, piece.start, piece.end)
        grouped = f"{where} GROUP BY time({piece.width}ms, {piece.offset}ms) fill(none)"
        asked = [select(f"{name}({value})", grouped) for name in ("min", "sum", "max", "count")]
        return [*asked, select(identifier(f"{key.point}__q"), where)]

    def _from_readings(self, piece: _Piece, tables: Sequence[Table]) -> Cells:
        """InfluxDB reduces the values; a cell with a reading that is not good is reduced again from its readings.

        The database cannot leave out a value by another field.
        """
        low, total, high, n, marked = tables
        ((order, key),) = piece.keys
        count = n.columns.get("count", np.empty(0)).astype(np.int64)
        ts = np.maximum(n.ts, piece.start)
        number = np.full(len(ts), order, np.int32)
        nothing = np.empty(0)
        found = Cells(
            number,
            ts,
            low.columns.get("min", nothing),
            total.columns.get("sum", nothing) / np.maximum(count, 1),
            high.columns.get("max", nothing),
            count,
            count.copy(),
            np.zeros(len(ts), np.int64),
        )
        spoilt = np.unique(_cell(marked.ts[_not_good(marked, key)], piece))
        if not len(spoilt):
            return found
        exact = self._reread(piece, spoilt)
        return Cells.concat([found.take(~np.isin(_cell(found.ts, piece), spoilt)), exact])

    def _reread(self, piece: _Piece, spoilt: NDArray[np.int64]) -> Cells:
        first, last = max(piece.start, int(spoilt[0])), min(piece.end, int(spoilt[-1]) + piece.width)
        ((number, key),) = piece.keys
        found = cells_of(number, self.raw(key, first, last))
        return found.take(np.isin(_cell(found.ts, piece), spoilt))


def _machines(keys: Sequence[SeriesKey]) -> list[list[tuple[int, SeriesKey]]]:
    """The series with their numbers, those of one equipment together."""
    groups: dict[str, list[tuple[int, SeriesKey]]] = {}
    for number, key in enumerate(keys):
        groups.setdefault(key.equipment, []).append((number, key))
    return list(groups.values())


def _cell(ts: NDArray[np.int64], piece: _Piece) -> NDArray[np.int64]:
    """First ms of the cell each time lies in."""
    return (ts - piece.offset) // piece.width * piece.width + piece.offset


def _not_good(marked: Table, key: SeriesKey) -> NDArray[np.bool_]:
    return marked.columns.get(f"{key.point}__q", np.empty(0)) > Quality.GOOD


def rollup_cells(number: int, table: Table, point: str) -> Cells:
    """The cells of one point in a table of a rollup bucket, numbered so."""
    columns = {name: table.columns.get(f"{point}__{name}", np.empty(0)) for name in (*FLOATS, *COUNTS)}
    there = np.isfinite(columns["count"])
    count, good, bad = (columns[name][there].astype(np.int64) for name in COUNTS)
    # A cell whose last usable reading was overwritten by a bad one keeps its old numbers in the database. One that
    # never had a usable reading has none, and where no cell has any there is not even a column.
    low, mean, high = (
        np.where(count > 0, columns[name][there] if len(columns[name]) else np.nan, np.nan) for name in FLOATS
    )
    ts = table.ts[there] if len(there) else np.empty(0, np.int64)
    return Cells(np.full(len(ts), number, np.int32), ts, low, mean, high, count, good, bad)

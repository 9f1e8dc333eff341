"""Trends from InfluxDB: rollup buckets where they are right, and readings reduced by the server where they are not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import httpx2
import numpy as np
from numpy.typing import NDArray

from history.cells import Cells, cells_of
from history.influxql import Table, between, identifier, literal, query, select
from history.levels import MINUTE_MS, NAMES, READINGS, Range, in_cells, within, without
from history.protocols import Samples
from plant.quality import Quality
from plant.reading import SeriesKey

FLOATS = ("min", "mean", "max")
COUNTS = ("count", "good", "bad")


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
    """A range of one series; in cells of `width` ms that begin at `offset` of it, by rollup where there is one."""

    number: int
    key: SeriesKey
    start: int
    end: int
    width: int
    offset: int = 0
    rolled: bool = False


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
        for number, key in enumerate(keys):
            pieces += [_Piece(number, key, first, last, size, rolled=True) for size, first, last in whole if size]
            edges = [(first, last, MINUTE_MS) for size, first, last in whole if size == READINGS]
            for first, last, width in [*edges, *((first, last, step) for first, last in stale)]:
                pieces.append(_Piece(number, key, first, last, width))
        return self._read(pieces)

    def reduced(self, keys: Sequence[SeriesKey], start: int, end: int, width: int) -> Cells:
        """[start, end) of the series in cells of `width` ms from `start` on, reduced from readings."""
        return self._read([_Piece(n, key, start, end, width, start % width) for n, key in enumerate(keys)])

    def _read(self, pieces: Sequence[_Piece]) -> Cells:
        statements: list[str] = []
        for piece in pieces:
            statements += self._rolled(piece) if piece.rolled else self._grouped(piece)
        tables = iter(query(self.http, self.bucket, statements) if statements else [])
        cells = []
        for piece in pieces:
            if piece.rolled:
                cells.append(rollup_cells(piece.number, next(tables), piece.key.point))
            else:
                cells.append(self._from_readings(piece, [next(tables) for _ in range(5)]))
        return Cells.concat(cells)

    def _rolled(self, piece: _Piece) -> list[str]:
        fields = ", ".join(identifier(f"{piece.key.point}__{name}") for name in (*FLOATS, *COUNTS))
        bucket = rollup_bucket(self.bucket, piece.width)
        return [select(fields, source(piece.key, self.site, piece.start, piece.end, bucket))]

    def _grouped(self, piece: _Piece) -> list[str]:
        """Each aggregate by itself: only so does the storage engine compute it. And which readings are not good."""
        value = identifier(piece.key.point)
        where = source(piece.key, self.site, piece.start, piece.end)
        grouped = f"{where} GROUP BY time({piece.width}ms, {piece.offset}ms) fill(none)"
        asked = [select(f"{name}({value})", grouped) for name in ("min", "sum", "max", "count")]
        return [*asked, select(identifier(f"{piece.key.point}__q"), where)]

    def _from_readings(self, piece: _Piece, tables: Sequence[Table]) -> Cells:
        """InfluxDB reduces the values; a cell with a reading that is not good is reduced again from its readings.

        The database cannot leave out a value by another field.
        """
        low, total, high, n, marked = tables
        count = n.columns.get("count", np.empty(0)).astype(np.int64)
        ts = np.maximum(n.ts, piece.start)
        number = np.full(len(ts), piece.number, np.int32)
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
        spoilt = np.unique(_cell(marked.ts[_not_good(marked, piece.key)], piece))
        if not len(spoilt):
            return found
        exact = self._reread(piece, spoilt)
        return Cells.concat([found.take(~np.isin(_cell(found.ts, piece), spoilt)), exact])

    def _reread(self, piece: _Piece, spoilt: NDArray[np.int64]) -> Cells:
        first, last = max(piece.start, int(spoilt[0])), min(piece.end, int(spoilt[-1]) + piece.width)
        readings = cells_of(piece.number, self.raw(piece.key, first, last))
        return readings.take(np.isin(_cell(readings.ts, piece), spoilt))


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

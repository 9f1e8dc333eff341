"""Reading the hot file and the day files as one, from any thread, while the writer moves days between them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
from numpy.typing import NDArray

from history import hotfile
from history.buckets import last_of_each
from history.cells import bucketed
from history.days import PeriodFiles
from history.duckroll import RollupFiles
from history.ducktrend import Standing, TrendQuery, plan
from history.levels import bucket_edges
from history.numbering import number_in
from history.protocols import Buckets, Samples
from plant.errors import Unavailable
from plant.instants import NEVER
from plant.reading import ReadingBatch, SeriesKey, SeriesTable

_NOT_NAMED = -1
_ALWAYS = (-(2**53), 2**53)

_Columns = dict[str, NDArray[Any]]
_Ask = Callable[[duckdb.DuckDBPyConnection, list[str]], list[_Columns]]


class DuckReading:
    """The reading half of DuckStore. `ids` gives the hot file's number of each (equipment, point)."""

    def __init__(self, db: duckdb.DuckDBPyConnection, folder: Path, ids: dict[tuple[str, str], int]) -> None:
        self._db = db
        self._days = PeriodFiles(folder / "days")
        self._rollups = RollupFiles(folder / "rollups")
        self._unrolled = frozenset(hour for (hour,) in db.execute(hotfile.UNROLLED).fetchall())
        self._ids = ids
        self._lending = threading.Lock()
        self._closed = False

    def close(self) -> None:
        """Flush and let go; further calls are errors."""
        with self._lending:
            if not self._closed:
                self._closed = True
                self._db.close()

    def raw(self, key: SeriesKey, start: int, end: int) -> Samples:
        """Readings with start ≤ ts < end."""
        number = self._ids.get((key.equipment, key.point), _NOT_NAMED)

        def ask(db: duckdb.DuckDBPyConnection, files: list[str]) -> list[_Columns]:
            found = [hotfile.fetch(db, hotfile.HOT_RAW, [number, start, end])]
            if files:
                found.append(hotfile.fetch(db, hotfile.DAY_RAW, [files, key.equipment, key.point, start, end]))
            return found

        found = self._consistent(ask, start, end)
        order = np.lexsort((found["arrival"], found["ts"]))
        order = order[last_of_each(found["ts"][order])]
        return Samples(
            found["ts"][order],
            found["value"][order].astype(np.float64),
            found["quality"][order].astype(np.uint8),
            found["reason"][order].astype(np.uint8),
        )

    def buckets(self, key: SeriesKey, start: int, end: int, count: int) -> Buckets:
        """The range [start, end) in `count` buckets of equal width; see `trends`."""
        return self.trends([key], start, end, count)[0]

    def trends(self, keys: Sequence[SeriesKey], start: int, end: int, count: int) -> list[Buckets]:
        """The range [start, end) in `count` buckets for each series, from the coarsest rollup that fits."""
        edges, step = bucket_edges(start, end, count)
        wanted = self._wanted(keys, range(len(keys)))
        while True:
            standing = self._standing()
            with self._cursor() as db:
                db.register("wanted", wanted)
                query = TrendQuery(db, plan(start, end, step, standing), standing, self._days, self._rollups)
                try:
                    cells = query.cells()
                except duckdb.Error as error:
                    if self._standing().same(standing):
                        raise hotfile.failure(error) from error
                    continue  # a file went while it was read
            if self._standing().same(standing):
                return [bucketed(cells.take(cells.series == number), edges, step) for number in range(len(keys))]

    def _standing(self) -> Standing:
        return Standing.of(self._unrolled, self._days, self._rollups)

    def rows(self, keys: Sequence[SeriesKey], table: SeriesTable, start: int, end: int) -> ReadingBatch:
        """All readings of the series with start ≤ ts < end, with their `seen`, ordered by (ts, series).

        `offset` of the result is the position in it. Raises NotFound for a key the table does not have.
        """
        wanted = self._wanted(keys, [number_in(table, key) for key in keys])

        def ask(db: duckdb.DuckDBPyConnection, files: list[str]) -> list[_Columns]:
            db.register("wanted", wanted)
            found = [hotfile.fetch(db, hotfile.HOT_ROWS, [start, end])]
            if files:
                found.append(hotfile.fetch(db, hotfile.DAY_ROWS, [files, start, end]))
            return found

        found = self._consistent(ask, start, end)
        order = np.lexsort((found["arrival"], found["series"], found["ts"]))
        order = order[last_of_each(found["ts"][order], found["series"][order])]
        return ReadingBatch(
            found["series"][order].astype(np.int32),
            found["ts"][order],
            found["value"][order].astype(np.float64),
            found["quality"][order].astype(np.uint8),
            found["reason"][order].astype(np.uint8),
            found["seen"][order],
            np.arange(len(order), dtype=np.int64),
        )

    def span(self, keys: Sequence[SeriesKey]) -> tuple[int, int] | None:
        """First and last ts held for the series; None when there is none."""
        wanted = self._wanted(keys, range(len(keys)))

        def ask(db: duckdb.DuckDBPyConnection, files: list[str]) -> list[_Columns]:
            db.register("wanted", wanted)
            found = [hotfile.fetch(db, hotfile.HOT_SPAN, [])]
            if files:
                found.append(hotfile.fetch(db, hotfile.DAY_SPAN, [files]))
            return found

        found = self._consistent(ask, *_ALWAYS)
        first, last = found["first"][found["first"] != NEVER], found["last"][found["last"] != NEVER]
        return (int(first.min()), int(last.max())) if len(first) else None

    @contextmanager
    def _cursor(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A connection of the caller's own to the open file."""
        with self._lending:
            if self._closed:
                raise Unavailable("the telemetry store is closed")
            cursor = self._db.cursor()
        try:
            yield cursor
        finally:
            cursor.close()

    def _consistent(self, ask: _Ask, start: int, end: int) -> _Columns:
        """Ask hot file and day files for one state of both: again where a day moved between them meanwhile."""
        while True:
            held, files = self._days.held, self._days.between([(start, end)])
            try:
                with self._cursor() as db:
                    parts = ask(db, files)
            except duckdb.Error as error:
                if self._days.held is held:
                    raise hotfile.failure(error) from error
                continue  # a day file went while it was read
            if self._days.held is held:
                return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

    def _wanted(self, keys: Sequence[SeriesKey], numbers: Sequence[int]) -> dict[str, NDArray[np.generic]]:
        """Keys as a table that hot file and day files can be joined with."""
        return {
            "number": np.array(numbers, np.int32),
            "series": np.array([self._ids.get((key.equipment, key.point), _NOT_NAMED) for key in keys], np.int32),
            "equipment": np.array([key.equipment for key in keys], np.object_),
            "point": np.array([key.point for key in keys], np.object_),
        }

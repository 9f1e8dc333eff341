"""The telemetry store on DuckDB: a hot file for two days, one Parquet file for each finished day."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import duckdb
import numpy as np
import structlog
from numpy.typing import NDArray

from history import hotfile
from history.days import day_name, day_of
from history.duckread import DuckReading
from history.duckroll import roll_hour
from history.latest import LatestValues, only_numbers
from history.levels import DAY_MS, HOUR_MS
from plant.errors import DutyroomError
from plant.reading import ReadingBatch, SeriesTable

_ROW_GROUP = 122_880

log = structlog.get_logger()


class DuckStore(DuckReading):
    """TelemetryStore in `folder` (`hot.duckdb`, `days/*.parquet`, `rollups/*/*.parquet`).

    One thread writes (`write`, `tend`); any thread reads meanwhile. DuckDB lets no other process open the
    hot file, not even to read; the day files are free for all.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        db = hotfile.open_hot(folder)
        named = db.execute("SELECT series, equipment, point FROM series").fetchall()
        super().__init__(db, folder, {(equipment, point): number for number, equipment, point in named})
        self._offset: int = db.execute("SELECT done FROM progress").fetchall()[0][0]
        self._arrival: int = db.execute("SELECT coalesce(max(arrival), 0) FROM hot").fetchall()[0][0]
        self._table: SeriesTable | None = None
        self._numbers: NDArray[np.int32] = np.empty(0, np.int32)
        newest = db.execute(hotfile.NEWEST_KEPT).fetchall() + db.execute(hotfile.NEWEST_HOT).fetchall()
        names = {number: (equipment, point) for number, equipment, point in named}
        self._latest = LatestValues((*names[number], (ts, value, q, r)) for number, ts, value, q, r in newest)

    def offset(self) -> int:
        """The last offset remembered by write; 0 when none."""
        return self._offset

    def latest(self, equipment: str) -> dict[str, tuple[int, float, int, int]]:
        """Point → (ts, value, quality, reason) of its newest reading; from memory."""
        return self._latest.of(equipment)

    def write(self, batch: ReadingBatch, table: SeriesTable, offset: int) -> None:
        """Store the batch and the offset in one transaction.

        A value that is no finite number is stored as NaN. Raises StorageFull or Unavailable when the file cannot take
        it; nothing is stored then.
        """
        batch = only_numbers(batch)
        numbers, added = self._number(table)
        rows = {
            "series": numbers[batch.series],
            "ts": batch.ts,
            "value": batch.value,
            "quality": batch.quality,
            "reason": batch.reason,
            # A tick before the reading's own ts decides nothing about it, so it need not be kept.
            "seen": np.ma.masked_array(batch.seen, batch.seen < batch.ts),
            "arrival": np.arange(self._arrival + 1, self._arrival + 1 + len(batch), dtype=np.int64),
        }
        hours = frozenset(np.unique(batch.ts // HOUR_MS).tolist()) - self._unrolled
        with self._marked(hours), self._transaction() as db:
            if hours:
                db.register("hours", {"hour": np.array(sorted(hours), np.int64)})
                db.execute(hotfile.ADD_UNROLLED)
            if added:
                numbered, equipment, point = zip(*added, strict=True)
                named = {"series": np.array(numbered, np.int32), "equipment": _texts(equipment), "point": _texts(point)}
                db.register("added", named)
                db.execute("INSERT INTO series SELECT * FROM added")
            if len(batch):
                db.register("batch", rows)
                db.execute(hotfile.INSERT)
            db.execute("UPDATE progress SET done = ?", [offset])
        self._arrival += len(batch)
        self._offset = offset
        self._ids.update({(owner, name): number for number, owner, name in added})
        self._table, self._numbers = table, numbers
        self._latest.update(batch, table)

    def tend(self, now: int, keep_ms: int) -> bool:
        """One bounded step of upkeep at plant time `now`; true when more is to be done.

        In turn: a day before yesterday leaves the hot file; an hour that is over is rolled up; readings older than
        `keep_ms` are dropped; a day that an earlier version filed without rollups gets them, the newest first.
        """
        finished = self._finished_days(now)
        if finished:
            self._file_day(finished[0])
            return True
        hours = sorted(hour for hour in self._unrolled if (hour + 1) * HOUR_MS <= now)
        if hours:
            self._roll_hour(hours[0])
            return True
        self.retire(now, keep_ms)
        wanting = self._rollups.wanting(self._days.held)
        if wanting:
            self._roll_day(wanting[0])
            log.info("history rolled up", day=day_name(wanting[0]), days_left=len(wanting) - 1)
        return len(wanting) > 1

    def roll(self, now: int) -> list[str]:
        """Move days before yesterday (UTC, at plant time `now`) from the hot file into day files; returns them.

        A day that has its file already gets a new one with its late readings in it. May be killed at any point and
        called again: a day's readings leave the hot file only after its file is safe, and are equal in both till then.
        """
        days = self._finished_days(now)
        for day in days:
            self._file_day(day)
        return [day_name(day) for day in days]

    def retire(self, now: int, keep_ms: int) -> list[str]:
        """Remove day files that end `keep_ms` or longer before `now`; returns their days. Rollups stay."""
        return [day_name(day) for day in self._days.remove_before(day_of(now - keep_ms))]

    def _finished_days(self, now: int) -> list[int]:
        """Days before yesterday in the hot file, and those that have their file and got something late."""
        with self._cursor() as db:
            found = db.execute(hotfile.FINISHED_DAYS, [(day_of(now) - 1) * DAY_MS]).fetchall()
        late = {hour // 24 for hour in self._unrolled} & self._days.held.keys()
        return sorted(late | {day for (day,) in found})

    def _file_day(self, day: int) -> None:
        """Readings into the day's file, rollups from it, then out of the hot file with both."""
        dropped = day in self._rollups.days.held and day not in self._days.held
        self._write_day(day)
        self._days.publish(day)
        if not dropped:  # of a day whose readings retention took, the rollups know more than the late readings do
            self._roll_day(day)
        bounds = [day * DAY_MS, (day + 1) * DAY_MS]
        hours = range(day * 24, (day + 1) * 24)
        with self._transaction() as db:
            db.execute(hotfile.KEEP_NEWEST, bounds)
            db.execute(hotfile.FORGET_OLDER)
            for forget in hotfile.FORGET_DAY:
                db.execute(forget, bounds)
            db.execute(hotfile.ROLLED_DAY, [hours.start, hours.stop])
        self._unrolled -= frozenset(hours)
        with self._cursor() as db:
            db.execute("CHECKPOINT")

    def _roll_day(self, day: int) -> None:
        with self._cursor() as db:
            try:
                self._rollups.roll(db, day, self._days.held[day])
            except duckdb.Error as error:
                raise hotfile.failure(error) from error

    def _roll_hour(self, hour: int) -> None:
        with self._transaction() as db:
            roll_hour(db, hour)
        self._unrolled -= {hour}

    def _write_day(self, day: int) -> None:
        bounds = [day * DAY_MS, (day + 1) * DAY_MS]
        existing = self._days.held.get(day)
        with self._cursor() as db:
            try:
                if existing is None:
                    found = db.sql(hotfile.ROLL_NEW, params=bounds)
                else:
                    found = db.sql(hotfile.ROLL_MERGE, params=[*bounds, [str(existing)]])
                found.write_parquet(str(self._days.beside(day)), compression="zstd", row_group_size=_ROW_GROUP)
            except duckdb.Error as error:
                raise hotfile.failure(error) from error

    @contextmanager
    def _marked(self, hours: frozenset[int]) -> Iterator[None]:
        """Hours are unrolled from before the commit on: who reads after it must not trust a rollup without these."""
        self._unrolled |= hours
        try:
            yield
        except DutyroomError:
            self._unrolled -= hours  # so that the next try writes them down
            raise

    def _number(self, table: SeriesTable) -> tuple[NDArray[np.int32], list[tuple[int, str, str]]]:
        """The hot file's number of each series of the table, and those that are new to it."""
        if table is self._table:
            return self._numbers, []
        numbers = np.empty(len(table), np.int32)
        added: list[tuple[int, str, str]] = []
        for index, key in enumerate(table.keys):
            number = self._ids.get((key.equipment, key.point))
            if number is None:
                number = len(self._ids) + len(added)
                added.append((number, key.equipment, key.point))
            numbers[index] = number
        return numbers, added

    @contextmanager
    def _transaction(self) -> Iterator[duckdb.DuckDBPyConnection]:
        with self._cursor() as db:
            try:
                db.execute("BEGIN")
                yield db
                db.execute("COMMIT")
            except duckdb.Error as error:
                with suppress(duckdb.Error):  # after a fatal error even this is refused; the first error says why
                    db.execute("ROLLBACK")
                raise hotfile.failure(error) from error


def _texts(texts: Sequence[str]) -> NDArray[np.object_]:
    return np.array(texts, np.object_)

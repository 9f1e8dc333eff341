"""Rollups of the DuckDB store: minutes of recent hours in the hot file, of finished days all steps in Parquet files."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import duckdb

from history.days import Period, PeriodFiles
from history.levels import DAY_MS, HOUR_MS, MINUTE_MS, NAMES, QUARTER_MS

_ROW_GROUP = 30_720
_LEAST_ROW_GROUP = 8_192
_ROW_GROUPS = 100
"""About so many in a file of a coarse step: a trend wants one series of all, and looks at each group's least and
greatest. Measured, a month of hours: 50 series 9 ms in groups of 8,192 rows and 13 in 30,720; 5,000 series 10 and 4.
"""

_PERIODS = {DAY_MS: Period.YEAR, HOUR_MS: Period.MONTH, QUARTER_MS: Period.MONTH, MINUTE_MS: Period.DAY}

_USABLE = "quality <> 2 AND isfinite(value)"
_REDUCED = f"""min(value) FILTER ({_USABLE}) AS min, avg(value) FILTER ({_USABLE}) AS mean,
               max(value) FILTER ({_USABLE}) AS max, (count(*) FILTER ({_USABLE}))::INTEGER AS count,
               (count(*) FILTER ({_USABLE} AND quality = 0))::INTEGER AS good,
               (count(*) FILTER (NOT ({_USABLE})))::INTEGER AS bad"""
_MINUTE = f"floor(ts / {MINUTE_MS})::BIGINT * {MINUTE_MS}"

_HOUR_ROLL = f"""
    INSERT INTO minutes SELECT series, {_MINUTE} AS minute, {_REDUCED} FROM (
        SELECT series, ts, arg_max(value, arrival) AS value, arg_max(quality, arrival) AS quality
        FROM hot WHERE ts >= $first AND ts < $last GROUP BY series, ts)
    GROUP BY series, minute ORDER BY series, minute"""  # noqa: S608  # of constants of this file
_DAY_ROLL = f"""
    SELECT equipment, point, {_MINUTE} AS ts, {_REDUCED} FROM read_parquet($days)
    GROUP BY ALL ORDER BY 1, 2, 3"""  # noqa: S608
_JOINED = """SELECT equipment, point, floor(ts / $step)::BIGINT * $step AS ts, min(min) AS min,
                    sum(mean * count) / nullif(sum(count), 0) AS mean, max(max) AS max,
                    sum(count)::INTEGER AS count, sum(good)::INTEGER AS good, sum(bad)::INTEGER AS bad
             FROM read_parquet($minutes) GROUP BY ALL"""
_NEW_FILE = f"{_JOINED} ORDER BY 1, 2, 3"
_MERGED_FILE = f"""
    SELECT * FROM read_parquet($old) WHERE floor(ts / {DAY_MS})::BIGINT <> $day
    UNION ALL {_JOINED} ORDER BY 1, 2, 3"""  # noqa: S608


def roll_hour(db: duckdb.DuckDBPyConnection, hour: int) -> None:
    """Make the minutes of an hour of the hot file anew; inside the caller's transaction."""
    first, last = hour * HOUR_MS, (hour + 1) * HOUR_MS
    db.execute("DELETE FROM minutes WHERE ts >= $first AND ts < $last", {"first": first, "last": last})
    db.execute(_HOUR_ROLL, {"first": first, "last": last})
    db.execute("DELETE FROM unrolled WHERE hour = ?", [hour])


class RollupFiles:
    """Rollups of finished days in `folder`: a file a day of minutes, a month of quarters and hours, a year of days.

    A day is rolled up when its file of minutes is there: that is published last.
    """

    def __init__(self, folder: Path) -> None:
        self.files = {step: PeriodFiles(folder / NAMES[step], period) for step, period in _PERIODS.items()}

    @property
    def days(self) -> PeriodFiles:
        """The files of minutes, one for each day that is rolled up."""
        return self.files[MINUTE_MS]

    def roll(self, db: duckdb.DuckDBPyConnection, day: int, readings: Path) -> None:
        """Roll a day up, or once more, from its file of readings. Raises duckdb.Error.

        May be killed at any point and called again.
        """
        minutes = self.days.beside(day)
        found = db.sql(_DAY_ROLL, params={"days": [str(readings)]})
        found.write_parquet(str(minutes), compression="zstd", row_group_size=_ROW_GROUP)
        for step, files in self.files.items():
            if step == MINUTE_MS:
                continue
            number = files.period.of(day)
            params: dict[str, object] = {"minutes": [str(minutes)], "step": step}
            old, size = files.held.get(number), _LEAST_ROW_GROUP
            if old is None:
                found = db.sql(_NEW_FILE, params=params)
            else:
                found = db.sql(_MERGED_FILE, params={**params, "old": [str(old)], "day": day})
                size = max(size, _rows(db, old) // _ROW_GROUPS)
            # snappy: read in two thirds of the time of zstd
            found.write_parquet(str(files.beside(number)), compression="snappy", row_group_size=size)
            files.publish(number)
        self.days.publish(day)

    def wanting(self, days: Iterable[int]) -> list[int]:
        """Those of the days that are not rolled up, the newest first."""
        return sorted(set(days) - self.days.held.keys(), reverse=True)


def _rows(db: duckdb.DuckDBPyConnection, file: Path) -> int:
    """How many a file holds, by its footer."""
    return int(db.execute("SELECT sum(num_rows) FROM parquet_file_metadata(?)", [str(file)]).fetchall()[0][0])

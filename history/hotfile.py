"""The DuckDB file with today's and yesterday's readings: its tables and its statements."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
from numpy.typing import NDArray

from plant.errors import Conflict, Corrupt, DutyroomError, StorageFull, Unavailable
from plant.instants import NEVER

# `arrival` is the running number of readings: of two for the same series and ts the greater one wins, and any in
# this file wins over a day file. `latest` holds, for series whose readings left this file, their newest one.
# `minutes` is the rollup of readings in this file; `unrolled` names the hours it does not hold, or no longer rightly.
_SCHEMA = """
CREATE TABLE IF NOT EXISTS series (series INTEGER, equipment VARCHAR, point VARCHAR);
CREATE TABLE IF NOT EXISTS progress (done BIGINT);
CREATE TABLE IF NOT EXISTS latest (
    series INTEGER, ts BIGINT, value DOUBLE, quality UTINYINT, reason UTINYINT);
CREATE TABLE IF NOT EXISTS hot (
    series INTEGER, ts BIGINT, value DOUBLE, quality UTINYINT, reason UTINYINT, seen BIGINT, arrival BIGINT);
CREATE TABLE IF NOT EXISTS minutes (
    series INTEGER, ts BIGINT, min DOUBLE, mean DOUBLE, max DOUBLE, count INTEGER, good INTEGER, bad INTEGER);
INSERT INTO progress SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM progress);
"""

# DuckDB takes a NaN of numpy's for NULL, which arg_max would pass over.
INSERT = """INSERT INTO hot SELECT series, ts, coalesce(value, 'nan'::DOUBLE), quality, reason, seen, arrival
            FROM batch"""

HOT_RAW = "SELECT ts, value, quality, reason, arrival FROM hot WHERE series = ? AND ts >= ? AND ts < ?"
DAY_RAW = """SELECT ts, value, quality, reason, 0::BIGINT AS arrival FROM read_parquet(?)
             WHERE equipment = ? AND point = ? AND ts >= ? AND ts < ?"""

HOT_ROWS = """SELECT w.number AS series, ts, value, quality, reason, seen, arrival
              FROM hot JOIN wanted w ON hot.series = w.series WHERE ts >= ? AND ts < ?"""
DAY_ROWS = """SELECT w.number AS series, ts, value, quality, reason, seen, 0::BIGINT AS arrival
              FROM read_parquet(?) d JOIN wanted w ON d.equipment = w.equipment AND d.point = w.point
              WHERE ts >= ? AND ts < ?"""

UNROLLED = "SELECT hour FROM unrolled"
ADD_UNROLLED = "INSERT INTO unrolled SELECT hour FROM hours"
FORGET_DAY = ("DELETE FROM hot WHERE ts >= ? AND ts < ?", "DELETE FROM minutes WHERE ts >= ? AND ts < ?")
ROLLED_DAY = "DELETE FROM unrolled WHERE hour >= ? AND hour < ?"

HOT_SPAN = "SELECT min(ts) AS first, max(ts) AS last FROM hot JOIN wanted w ON hot.series = w.series"
DAY_SPAN = """SELECT min(ts) AS first, max(ts) AS last FROM read_parquet(?) d
              JOIN wanted w ON d.equipment = w.equipment AND d.point = w.point"""

NEWEST_HOT = """SELECT series, max(ts) AS ts, arg_max(value, (ts, arrival)) AS value,
                       arg_max(quality, (ts, arrival)) AS quality, arg_max(reason, (ts, arrival)) AS reason
                FROM hot GROUP BY series"""
NEWEST_KEPT = "SELECT series, ts, value, quality, reason FROM latest ORDER BY rowid"
KEEP_NEWEST = """INSERT INTO latest
                 SELECT series, max(ts), arg_max(value, (ts, arrival)), arg_max(quality, (ts, arrival)),
                        arg_max(reason, (ts, arrival))
                 FROM hot WHERE ts >= ? AND ts < ? GROUP BY series"""
FORGET_OLDER = """DELETE FROM latest USING (SELECT series, max(ts) AS ts FROM latest GROUP BY series) AS newest
                  WHERE latest.series = newest.series AND latest.ts < newest.ts"""

# A day's readings, each (series, ts) once; with the day's file where there is one already.
ROLL_NEW = """SELECT equipment, point, ts, value, quality, reason, seen FROM hot JOIN series USING (series)
              WHERE ts >= ? AND ts < ?
              QUALIFY row_number() OVER (PARTITION BY series, ts ORDER BY arrival DESC) = 1
              ORDER BY equipment, point, ts"""
ROLL_MERGE = """SELECT equipment, point, ts, value, quality, reason, seen FROM (
                    SELECT equipment, point, ts, value, quality, reason, seen, arrival
                    FROM hot JOIN series USING (series) WHERE ts >= ? AND ts < ?
                    UNION ALL
                    SELECT equipment, point, ts, value, quality, reason, seen, 0 AS arrival FROM read_parquet(?))
                QUALIFY row_number() OVER (PARTITION BY equipment, point, ts ORDER BY arrival DESC) = 1
                ORDER BY equipment, point, ts"""
FINISHED_DAYS = "SELECT DISTINCT floor(ts / 86400000)::BIGINT AS day FROM hot WHERE ts < ? ORDER BY day"


# A file of a version without rollups gets the table with every hour it holds in it.
_UNROLLED = """CREATE TABLE IF NOT EXISTS unrolled AS
               SELECT DISTINCT floor(ts / 3600000)::BIGINT AS hour FROM hot"""


def open_hot(folder: Path) -> duckdb.DuckDBPyConnection:
    """The one connection of the process that owns the file; others are its cursors.

    Raises Conflict when another process has it open, Corrupt when it is no DuckDB file of a version we can read.
    """
    path = folder / "hot.duckdb"
    try:
        db = duckdb.connect(
            str(path),
            config={
                "memory_limit": "1GB",  # the service must not starve its neighbours; larger work spills
                "temp_directory": str(folder / "spill"),
                "enable_external_file_cache": "false",  # the system caches files already
                "checkpoint_threshold": "64MB",
                "autoinstall_known_extensions": "false",
                "autoload_known_extensions": "false",
            },
        )
    except duckdb.IOException as error:
        if "lock" in str(error):
            raise Conflict(f"{path} is open in another process; stop it or use another data folder") from error
        raise Corrupt(f"{path} cannot be opened ({error}); remove it: it is rebuilt from the journal") from error
    except duckdb.Error as error:
        raise Corrupt(f"{path} cannot be opened ({error}); remove it: it is rebuilt from the journal") from error
    db.execute(_SCHEMA)
    db.execute(_UNROLLED)
    return db


def fetch(db: duckdb.DuckDBPyConnection, sql: str, params: Sequence[object]) -> dict[str, NDArray[Any]]:
    """The result in columns; NULL becomes NaN, or NEVER where integers are (`seen`, the span of nothing)."""
    found = db.execute(sql, params).fetchnumpy()
    return {
        name: column.filled(np.nan if column.dtype.kind == "f" else NEVER)
        if isinstance(column, np.ma.MaskedArray)
        else column
        for name, column in found.items()
    }


def failure(error: duckdb.Error) -> DutyroomError:
    """What a failed write means to the caller."""
    if "No space left" in str(error):
        return StorageFull(
            f"no room to write the telemetry store: nothing was stored; free space on its disk ({error})"
        )
    return Unavailable(f"the telemetry store cannot be used now ({error}); look at its disk, then restart the service")

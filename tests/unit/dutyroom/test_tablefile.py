"""Recordings in CSV files: what becomes of their rows, and what is said of a file that does not fit."""

from __future__ import annotations

import gzip
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from dutyroom.tablefile import Table, TableOptions, read_table
from history.entries import Message, Tick
from ingest.intake import Intake
from plant.cataloguefile import load_catalogue
from plant.errors import BadInput, ConfigError
from plant.instants import parse_instant

CATALOGUE = load_catalogue()
OPTIONS = TableOptions([("A", "ahu")], None, {}, {}, None, UTC)


def table(folder: Path, lines: Sequence[str], options: TableOptions = OPTIONS) -> Table:
    file = folder / "rows.csv"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return read_table(file, options, CATALOGUE)


def test_blank_cells_are_no_readings_and_words_are_numbers(tmp_path: Path) -> None:
    found = table(tmp_path, ["ts,sat,sf_status", "2025-01-01T00:00:00,12.5,ON", "2025-01-01T00:15:00,,off"])
    assert [dict(row.points) for row in found.rows] == [{"sat": 12.5, "sf_status": 1.0}, {"sf_status": 0.0}]


def test_interval_is_the_median_spacing(tmp_path: Path) -> None:
    found = table(tmp_path, ["ts,sat"] + [f"2025-01-01T00:{minute:02d}:00,1" for minute in (0, 15, 16, 31, 46)])
    assert found.interval_ms == 15 * 60_000
    assert found.plant.site.equipment["A"].interval_ms == 15 * 60_000


def test_columns_that_are_no_point_are_left_out_and_named(tmp_path: Path) -> None:
    found = table(tmp_path, ["ts,unit,sat,nonsense", "2025-01-01T00:00:00,A,12,1"])
    assert found.left_out == ("unit", "nonsense")


def test_times_without_zone_are_local_to_the_given_zone(tmp_path: Path) -> None:
    options = replace(OPTIONS, zone=ZoneInfo("Asia/Shanghai"))
    found = table(tmp_path, ["ts,sat", "2025-01-01T08:00:00,1"], options)
    assert found.rows[0].ts == parse_instant("2025-01-01T00:00:00Z")


def test_each_row_is_a_message_and_each_time_a_tick(tmp_path: Path) -> None:
    options = replace(OPTIONS, equipment=[("*", "ahu")], rows_of="unit")
    lines = ["ts,unit,sat", "2025-01-01T00:00:00,A,1", "2025-01-01T00:00:00,B,2", "2025-01-01T00:01:00,A,3"]
    found = table(tmp_path, lines, options)
    kinds = [type(entry) for _, entry in found.entries()]
    assert kinds == [Message, Message, Tick, Message, Tick]
    batch = Intake(found.plant).feed_many(list(found.entries())).batch
    assert batch.value.tolist() == [1.0, 2.0, 3.0]


def test_gzipped_files_are_read(tmp_path: Path) -> None:
    file = tmp_path / "rows.csv.gz"
    file.write_bytes(gzip.compress(b"ts,sat\n2025-01-01T00:00:00,12\n"))
    assert len(read_table(file, OPTIONS, CATALOGUE).rows) == 1


def test_from_and_to_cut_rows_out(tmp_path: Path) -> None:
    lines = ["ts,sat"] + [f"2025-01-0{day}T00:00:00,{day}" for day in (1, 2, 3)]
    options = replace(OPTIONS, start=parse_instant("2025-01-02"), end=parse_instant("2025-01-03"))
    assert [row.points["sat"] for row in table(tmp_path, lines, options).rows] == [2.0]


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        pytest.param(["time,sat", "x,1"], "first column", id="no ts"),
        pytest.param(["ts,unit,sat", "2025-01-01,A,1", "2025-01-02,B,1"], "--rows-of unit", id="several units"),
        pytest.param(["ts,sat"], "no row", id="empty"),
    ],
)
def test_a_file_that_does_not_fit_is_refused(tmp_path: Path, lines: list[str], words: str) -> None:
    with pytest.raises(BadInput, match=words):
        table(tmp_path, lines)


@pytest.mark.parametrize(
    ("lines", "place"),
    [
        pytest.param(["ts,sat", "yesterday,1"], ":2:1: 'yesterday' is no ISO-8601 time", id="bad time"),
        pytest.param(["ts,sat", "2025-01-01,1,2"], ":2:1: 3 cells", id="too many cells"),
        pytest.param(["ts,sat", "2025-01-02,1", "2025-01-01,1"], ":3:1: goes back in time", id="backwards"),
    ],
)
def test_a_bad_row_is_named_with_file_and_line(tmp_path: Path, lines: list[str], place: str) -> None:
    with pytest.raises(ConfigError) as caught:
        table(tmp_path, lines)
    assert f"rows.csv{place}" in str(caught.value)


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        pytest.param({"x": "sat"}, "which is not there", id="no column"),
        pytest.param({"sat": "y"}, "no point", id="no point"),
    ],
)
def test_a_mapping_that_does_not_fit_is_refused(tmp_path: Path, columns: Mapping[str, str], words: str) -> None:
    with pytest.raises(BadInput, match=words):
        table(tmp_path, ["ts,sat", "2025-01-01,1"], replace(OPTIONS, columns=columns))

"""Readings a second through intake and engine over a recording, as `rules backtest` takes them."""

from __future__ import annotations

import csv
import time
from collections.abc import Callable
from datetime import UTC
from pathlib import Path
from random import Random

from benchmarks.rows import Row, row
from dutyroom.tablefile import TableOptions, read_table
from ingest.intake import Intake
from plant.cataloguefile import load_catalogue
from plant.instants import iso
from rules.backtest import backtest as over
from rules.loader import load_pack

RECORDING = Path("data", "lbnl_ahu", "MZVAV-2-2.csv.gz")
_MADE_ROWS = 37_440
_MADE_START = 1_750_000_020_000
_HEALTHY = {"sat": 14.0, "sat_setpoint": 14.0, "oat": 30.0, "mat": 25.0, "rat": 24.0, "clg_valve_command": 55.0,
            "htg_valve_command": 0.0, "sf_speed_command": 80.0, "duct_static_pressure": 300.0}  # fmt: skip

Say = Callable[[str], None]


def backtest(folder: Path, runs: int, say: Say) -> list[Row]:
    """A year of an air handler at one minute, in pieces, through the whole pack."""
    recorded = Path(__file__).resolve().parents[2] / "shared" / RECORDING
    file = recorded if recorded.exists() else _made(folder / "made.csv")
    options = TableOptions([("AHU", "ahu")], None, {}, {}, None, UTC)
    table = read_table(file, options, load_catalogue())
    rules, entries = load_pack(), list(table.entries())
    whole, engine = [], []
    count = 0
    for _ in range(runs):
        began = time.perf_counter()
        batch = Intake(table.plant).feed_many(entries).batch
        between = time.perf_counter()
        alarms = over(table.plant, rules, batch, table.last)
        ended = time.perf_counter()
        count = len(batch)
        whole.append(count / (ended - began))
        engine.append(count / (ended - between))
        say(f"{whole[-1]:,.0f} readings/s, the engine alone {engine[-1]:,.0f}; {len(alarms)} alarms")
    what = f"{file.name}: {len(table.rows)} rows, {count} readings, {len(rules)} rules in the pack"
    return [
        row("backtest", "readings/s", whole, note=f"intake and engine; {what}"),
        row("backtest_engine", "readings/s", engine, note=f"engine alone; {what}"),
    ]


def _made(file: Path) -> Path:
    """A recording of as many rows where the shared one is not there."""
    random = Random(1)
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w", newline="") as out:
        lines = csv.writer(out)
        lines.writerow(["ts", *_HEALTHY, "sf_status"])
        for number in range(_MADE_ROWS):
            values = [round(value + random.uniform(-0.5, 0.5), 3) if value else 0.0 for value in _HEALTHY.values()]
            lines.writerow([iso(_MADE_START + number * 60_000), *values, 1])
    return file

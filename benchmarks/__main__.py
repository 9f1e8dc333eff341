"""`python -m benchmarks [--only NAME] [--json FILE]`: measures, prints a row a figure, keeps nothing."""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from benchmarks.against import against_telegraf_w1, against_telegraf_w2
from benchmarks.edges import sparkplug_intake
from benchmarks.ingest import ingest_duckdb, ingest_influx
from benchmarks.parts import engine_tick, journal_append
from benchmarks.past import backtest
from benchmarks.rows import Row, missing
from benchmarks.steady import backlog, publish_to_queryable, rules_share, soak
from benchmarks.ticket import publish_to_ticket
from benchmarks.trend import trend_duckdb, trend_influx
from benchmarks.viewers import live_viewers
from benchmarks.web import page_times
from tests.support.programs import ProgramMissing

Say = Callable[[str], None]
Bench = Callable[[Path, int, Say], list[Row]]

RUNS = 5
BENCHES: Mapping[str, tuple[Bench, str]] = {
    "journal_append": (journal_append, "entries/s"),
    "engine_tick": (engine_tick, "µs"),
    "backtest": (backtest, "readings/s"),
    "ingest_duckdb_w1": (ingest_duckdb, "msg/s"),
    "ingest_influx_w1": (ingest_influx, "msg/s"),
    "ingest_w1": (against_telegraf_w1, "msg/s"),
    "ingest_w2": (against_telegraf_w2, "msg/s"),
    "sparkplug_intake": (sparkplug_intake, "msg/s"),
    "publish_to_queryable": (publish_to_queryable, "ms"),
    "ingest_rules_share": (rules_share, "×"),
    "publish_to_ticket": (publish_to_ticket, "ms"),
    "pages": (page_times, "ms"),
    "live_viewers": (live_viewers, "%"),
    "trend_duckdb": (trend_duckdb, "ms"),
    "trend_influx": (trend_influx, "ms"),
}

LONG: Mapping[str, tuple[Bench, str]] = {"backlog": (backlog, "× real time"), "soak": (soak, "MB")}
"""These run only when they are asked for by name: together some twenty minutes."""


def main(arguments: Sequence[str]) -> int:
    """Run what is asked for; exit 0 when every figure has a value, 1 when one is void or was not measured."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("--only", choices=[*BENCHES, *LONG], help="this one alone")
    parser.add_argument("--runs", type=int, default=RUNS, help=f"runs of each; default {RUNS}")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the rows there too, one JSON object a line")
    options = parser.parse_args(arguments)
    talk(f"{machine()}; load average {os.getloadavg()[0]:.2f}")
    rows: list[Row] = []
    for name in [options.only] if options.only else list(BENCHES):
        bench, unit = BENCHES.get(name) or LONG[name]
        talk(f"{name}: {options.runs} runs")
        with tempfile.TemporaryDirectory(prefix="dutyroom-bench-") as folder:
            try:
                rows += bench(Path(folder), options.runs, lambda text: talk(f"  {text}"))
            except ProgramMissing as absent:
                rows.append(missing(name, unit, str(absent)))
    for row in rows:
        print(row.as_text())
    if options.json:
        options.json.write_text("".join(f"{row.as_json()}\n" for row in rows), encoding="utf-8")
    return 0 if all(row.value is not None for row in rows) else 1


def machine() -> str:
    """What was measured on."""
    return f"{os.cpu_count()} processors, {platform.machine()}, Python {platform.python_version()}"


def talk(text: str) -> None:
    """One line of progress."""
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

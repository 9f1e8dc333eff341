"""Our way in against Telegraf in turns in the same run: at which rate a backlog is stored, and at what cost."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks.child import SITE, pumps
from benchmarks.ingest import EQUIPMENT, loading
from benchmarks.peer import Ours, Pipeline, Telegraf, cpu_seconds, lines_written, stored_frames
from benchmarks.rows import Account, Row, missing, rated, row, slope
from simulators.load import LoadPlan
from tests.support.programs import Influx, Mosquitto, ProgramMissing

_FRAMES = 750
_SPACING_MS = 50
_PATIENCE_SECONDS = 180.0
_POLL_SECONDS = 0.5
"""Asking costs InfluxDB some 10 ms of CPU, which would be counted to the messages."""
_WORTH = 0.1
"""µs a message below which a thread is not told of."""
_BROKER = "persistence false\n"
"""What the figures of Telegraf were measured with; both sides have the same."""

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Burst:
    """One run: messages a second into InfluxDB, CPU of collector, broker and database, µs a message, and of each thread
    of the collector where it tells.
    """

    rate: float
    cpu: tuple[float, float, float]
    account: Account
    threads: Mapping[str, float]

    @property
    def chain(self) -> float:
        """CPU of all three, µs a message."""
        return sum(self.cpu)


def against_telegraf_w1(folder: Path, runs: int, say: Say) -> list[Row]:
    """Frames of ten points."""
    return _against(folder, runs, say, 10)


def against_telegraf_w2(folder: Path, runs: int, say: Say) -> list[Row]:
    """One value a message."""
    return _against(folder, runs, say, 1)


def _against(folder: Path, runs: int, say: Say, points: int) -> list[Row]:
    name = "w1" if points > 1 else "w2"
    ours: list[Burst] = []
    theirs: list[Burst] = []
    absent = ""
    with ExitStack() as stack:
        influx = stack.enter_context(Influx(folder / "influx"))
        for number in range(runs):
            place = folder / str(number)
            # A broker for each run: it would keep for those that are away what is sent to the other.
            with Mosquitto(place / "a", extra=_BROKER) as broker:
                pipeline = Ours(place / "ours", broker.url, pumps("load", "pump", EQUIPMENT), influx=influx)
                ours.append(_burst(pipeline, broker, influx, points))
            say(_said("ours", ours[-1]))
            try:
                with Mosquitto(place / "b", extra=_BROKER) as broker:
                    theirs.append(_burst(Telegraf(place / "telegraf", broker, influx), broker, influx, points))
            except ProgramMissing as missing_program:
                absent = str(missing_program)
                continue
            say(_said("telegraf", theirs[-1]))
    rows = [_rate(f"ingest_{name}", ours)]
    if absent:
        return [*rows, missing(f"ingest_{name}_ratio", "×", absent), missing(f"ingest_{name}_cpu_ratio", "×", absent)]
    rate, cost = (median(getattr(one, what) for one in ours) for what in ("rate", "chain"))
    their_rate, their_cost = (median(getattr(one, what) for one in theirs) for what in ("rate", "chain"))
    return [
        *rows,
        _rate(f"ingest_{name}_telegraf", theirs),
        rated(f"ingest_{name}_ratio", rate / their_rate, "×", 1.0, at_least=True, note="msg/s, ours / Telegraf tuned"),
        rated(f"ingest_{name}_cpu_ratio", cost / their_cost, "×", 1.0, at_least=False, note="CPU of the whole chain"),
    ]


def _burst(pipeline: Pipeline, broker: Mosquitto, influx: Influx, points: int) -> Burst:
    start = time.time_ns() // 1_000_000 - _FRAMES * _SPACING_MS
    plan = LoadPlan(SITE, EQUIPMENT, _FRAMES, start=start, interval_ms=_SPACING_MS, points=points)
    with pipeline:
        pids = (pipeline.pid, broker.process.pid, influx.process.pid)
        before, spent, threads = lines_written(influx), [cpu_seconds(pid) for pid in pids], pipeline.thread_seconds()
        looks = [(time.monotonic(), 0.0)]
        with loading(plan, broker.url) as report:
            while looks[-1][1] < plan.total and time.monotonic() < looks[0][0] + _PATIENCE_SECONDS:
                time.sleep(_POLL_SECONDS)
                looks.append((time.monotonic(), float(lines_written(influx) - before)))
            sent = report()
        cpu = [(cpu_seconds(pid) - was) / plan.total * 1e6 for pid, was in zip(pids, spent, strict=True)]
        each = {
            name: (now - threads.get(name, 0.0)) / plan.total * 1e6 for name, now in pipeline.thread_seconds().items()
        }
    stored = stored_frames(influx, pipeline, points)
    influx.delete_bucket(pipeline.bucket)
    return Burst(slope(looks, plan.total), (cpu[0], cpu[1], cpu[2]), Account(sent.acked, stored), each)


def _said(who: str, one: Burst) -> str:
    cpu = " + ".join(f"{part:.1f}" for part in one.cpu)
    account = f"sent {one.account.sent}, stored {one.account.stored}, lost {one.account.lost}"
    return f"{who}: {one.rate:,.0f} msg/s; CPU {cpu} = {one.chain:.1f} µs a message; {account}"


def _rate(name: str, bursts: list[Burst]) -> Row:
    parts = [median(one.cpu[part] for one in bursts) for part in range(3)]
    note = (
        f"CPU a message {sum(parts):.1f} µs: collector {parts[0]:.1f}, broker {parts[1]:.1f}, InfluxDB {parts[2]:.1f}"
    )
    if bursts[-1].threads:
        each = sorted((median(one.threads.get(name, 0.0) for one in bursts), name) for name in bursts[-1].threads)
        note += f" ({', '.join(f'{name} {spent:.1f}' for spent, name in reversed(each) if spent >= _WORTH)})"
    busy = f"load average {os.getloadavg()[0]:.1f} at the end"
    accounts = [one.account for one in bursts]
    return row(name, "msg/s", [one.rate for one in bursts], accounts=accounts, note=f"{note}; {busy}")

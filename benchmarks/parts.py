"""The parts by themselves: entries a second into the journal, microseconds of the engine for a second of plant time."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from statistics import fmean

from benchmarks.rows import Row, percentile, row
from history.entries import Message
from history.journal import JournalFile
from plant.catalogue import Kind, Point, Text
from plant.cataloguefile import load_catalogue
from plant.reading import Reading, ReadingBatch
from plant.site import Equipment, Mode, Plant, Site
from rules.engine import Engine
from rules.loader import load_pack
from simulators.load import POINTS, topic, value

BATCHES = (1, 20, 500)
_APPEND_SECONDS = 2.0
_TYPES = ("ahu", "chiller", "pump", "lv_feeder", "mixing_valve")
_EACH = 40
_START = 1_750_000_020_000
_WARM_TICKS, _TICKS = 120, 300
_SPACING = 10

Say = Callable[[str], None]


def journal_append(folder: Path, runs: int, say: Say) -> list[Row]:
    """Durable entries a second at three sizes of batch; each append is one fsync."""
    rows = []
    for size in BATCHES:
        rates = [_append(folder / f"{size}-{number}.db", size) for number in range(runs)]
        say(f"batches of {size}: {', '.join(f'{rate:,.0f}' for rate in rates)} entries/s")
        note = f"batches of {size}, one fsync each, {_APPEND_SECONDS:g} s a run"
        rows.append(row(f"journal_append_{size}", "entries/s", rates, note=note))
    return rows


def engine_tick(folder: Path, runs: int, say: Say) -> list[Row]:
    """One second of plant time for 200 machines that each report all their points every 10 s."""
    plant, rules = _plant(), load_pack()
    seconds = [_second(plant, number) for number in range(_SPACING)]
    means, worst = [], []
    for _ in range(runs):
        took = _ticks(Engine(plant, rules), seconds)
        means.append(fmean(took))
        worst.append(percentile(took, 0.99))
        say(f"mean {means[-1]:,.0f} µs, p99 {worst[-1]:,.0f} µs")
    readings = sum(map(len, seconds)) / _SPACING
    note = f"{len(plant.site.equipment)} machines, {len(rules)} rules, {readings:.0f} readings a tick, fed and judged"
    return [
        row("engine_tick_mean", "µs", means, note=note),
        row("engine_tick_p99", "µs", worst, note="of all ticks; grids of 5, 10 and 60 s close in some of them only"),
    ]


def _append(path: Path, size: int) -> float:
    messages = []
    for number in range(size):
        points = {name: value(number, place, number) for place, (name, _) in enumerate(POINTS)}
        body = json.dumps({"ts": _START + number, "points": points}, separators=(",", ":")).encode()
        messages.append(Message(_START + number, topic("bench", number), body, "mqtt://127.0.0.1:1883", 1))
    path.parent.mkdir(parents=True, exist_ok=True)
    journal = JournalFile(path)
    try:
        count, began = 0, time.perf_counter()
        while time.perf_counter() - began < _APPEND_SECONDS:
            journal.append(messages)
            count += size
        return count / (time.perf_counter() - began)
    finally:
        journal.close()


def _plant() -> Plant:
    machines = {}
    for kind in _TYPES:
        for number in range(1, _EACH + 1):
            name = f"{kind}-{number}"
            machines[name] = Equipment(name, f"bench/{name}", kind, Text(name, name), interval_ms=_SPACING * 1000)
    return Plant(load_catalogue(), Site("bench", "UTC", Text("测试", "Benchmark"), machines, mode=Mode.LIVE))


def _second(plant: Plant, place: int) -> ReadingBatch:
    """What the machines whose turn it is report in that second of ten, times from 0."""
    machines = list(plant.site.equipment.values())[place::_SPACING]
    return plant.series.batch(
        Reading(machine.id, point.name, place * 1000 + 137, _value(point))
        for machine in machines
        for point in plant.points(machine).values()
    )


def _value(point: Point) -> float:
    """Everything runs, and measures a quarter of what it could."""
    return 1.0 if point.kind is Kind.STATUS or point.unit == "bool" else point.low + (point.high - point.low) / 4


def _ticks(engine: Engine, seconds: list[ReadingBatch]) -> list[float]:
    """Microseconds of each second after the warm-up."""
    took = []
    for number in range(_WARM_TICKS + _TICKS):
        now = _START + number * 1000
        part = seconds[number % _SPACING]
        moved = part.ts + (_START + number // _SPACING * _SPACING * 1000)
        batch = ReadingBatch(
            part.series, moved, part.value, part.quality, part.reason, part.seen * 0 + now, part.offset
        )
        began = time.perf_counter()
        engine.feed(batch)
        engine.tick(now + 1000)
        took.append((time.perf_counter() - began) * 1e6)
    return took[_WARM_TICKS:]

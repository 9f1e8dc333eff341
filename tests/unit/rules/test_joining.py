"""Equipment that joins a running site starts with an empty memory, whatever its neighbours carry."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import numpy as np
import pytest

from plant.reading import Reading, ReadingBatch
from plant.severity import Severity
from plant.site import Plant
from rules.engine import Engine
from rules.events import EventKind
from rules.frames import lateness_file
from rules.model import Level
from rules.snapshot import decode
from rules.waiting import FRESH
from tests.support.tiny import START, plant, rules

MINUTE = 60_000
TURNS = (EventKind.RAISED, EventKind.CLEARED)


def site(*names: str) -> Plant:
    """Some of the machines m1, m2 behind p1."""
    whole = plant(Random(0))
    machines = {name: whole.site.equipment[name] for name in ("p1", *names)}
    return Plant(whole.catalogue, replace(whole.site, equipment=machines))


@pytest.mark.parametrize(
    "when",
    [
        pytest.param("since(s) >= 60", id="since"),
        pytest.param("last(a, s) <= 20", id="last"),
        pytest.param('min(a, "3h", coverage=0.01) <= 0', id="least over panes"),
        pytest.param('lag(a, "3h") <= 0', id="lag over panes"),
        pytest.param('mean(a, "50s") <= 0', id="mean"),
    ],
)
def test_a_machine_that_joins_remembers_nothing(when: str) -> None:
    level = Level(when, 0, f"not ({when})", 0, Severity.P3)
    model = next(rule for rule in rules(Random(0)) if rule.applies_to == ("machine",) and not rule.judges_points)
    rule = replace(
        model, levels=(level,), gate=None, latching=False, suppressed_by=(), for_each=None, every_ms=None, comparable=()
    )
    early, late = site("m1"), site("m1", "m2")
    engine = Engine(early, [rule], lateness=lateness_file)
    told = [Reading("m1", "s", START, 1.0)]
    told += [Reading("m1", "a", START + second * 1_000, 20.0) for second in range(0, 600, 10)]
    engine.feed(early.series.batch(told))
    engine.tick(START + 10 * MINUTE)

    joined = Engine.restore(late, [rule], engine.snapshot(), lateness=lateness_file)
    more = [
        Reading("m2", "a", START + 10 * MINUTE + second * 1_000, 20.0) for second in range(0, 300, 10)
    ]  # its switch s has never spoken
    joined.feed(late.series.batch(more))
    raised = [e for e in joined.tick(START + 15 * MINUTE) if e.kind == EventKind.RAISED and e.equipment == "m2"]
    assert raised == []


def test_readings_that_wait_by_the_hundred_thousand_outlive_a_restart_and_a_new_numbering() -> None:
    """A backlog without a tick, cut by a restart into a site where a machine has joined before the others."""
    early, late = site("m2"), site("m1", "m2")
    model = next(rule for rule in rules(Random(0)) if rule.applies_to == ("machine",) and not rule.judges_points)
    level = Level("a > 50", 0, "a <= 50", 0, Severity.P3)
    rule = replace(
        model, levels=(level,), gate=None, latching=False, suppressed_by=(), for_each=None, every_ms=None, comparable=()
    )
    number = early.series.find("m2", "a")
    assert number is not None
    assert number != late.series.find("m2", "a")
    count = 5 * FRESH
    ts = START + np.arange(count, dtype=np.int64) * 20  # nearly three hours, of which one stands out
    flat = np.zeros(count, np.uint8)
    value = np.where((ts > START + 60 * MINUTE) & (ts <= START + 120 * MINUTE), 60.0, 20.0)
    series = np.full(count, number, np.int32)
    backlog = ReadingBatch(series, ts, value, flat, flat, np.full(count, START), np.arange(count))

    whole = Engine(early, [rule], lateness=lateness_file)
    whole.tick(START)
    whole.feed(backlog)
    snapshot = whole.snapshot()
    assert any(group.thinned for group in decode(snapshot).groups.values())
    restored = Engine.restore(late, [rule], snapshot, lateness=lateness_file)
    end = START + 200 * MINUTE
    told = [(e.at, e.kind) for e in restored.tick(end) if e.equipment == "m2" and e.kind in TURNS]
    assert told == [(e.at, e.kind) for e in whole.tick(end) if e.kind in TURNS]
    assert [kind for _, kind in told] == [EventKind.RAISED, EventKind.CLEARED]
    step = whole.groups[0].step_ms
    assert [at for at, _ in told] == [START + 60 * MINUTE + step, START + 120 * MINUTE + step]

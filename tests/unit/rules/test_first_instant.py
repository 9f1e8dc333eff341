"""Nothing was evaluated before the first instant: what looks further back finds unknown there (decision 0002)."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest

from plant.reading import Reading
from plant.severity import Severity
from rules.events import EventKind
from rules.model import Level
from tests.support.journals import Batch, Scenario, Tick, reference, run, transitions
from tests.support.tiny import START, plant, rules

MINUTE = 60_000


def source_alone(when: str) -> Scenario:
    """One rule on the source's grid of 60 s, raised as soon as `when` is true; `a` is 20.0 K from START on."""
    level = Level(when, 0, f"not ({when})", 0, Severity.P3)
    model = next(rule for rule in rules(Random(0)) if rule.applies_to == ("source",))
    rule = replace(model, levels=(level,), gate=None, latching=False, suppressed_by=())
    readings = tuple(Reading("p1", "a", START + minute * MINUTE, 20.0) for minute in range(6))
    # L is 5 s on this grid: the tick closes the instant of minute 5.
    return Scenario(plant(Random(0)), [rule], [Batch(readings, START - MINUTE), Tick(START + 5 * MINUTE + 5_000)])


@pytest.mark.parametrize(
    ("when", "minute"),
    [
        pytest.param("default(a, 22.2) < 25.2", 0, id="now, at the first instant itself"),
        pytest.param('lag(default(a, 22.2), "180s") < 25.2', 3, id="lag of a default"),
        pytest.param('delta(default(a, 22.2), "180s") < 0.3', 3, id="delta of a default"),
        pytest.param('default(lag(a, "180s"), 22.2) < 25.2', 0, id="default of a lag"),
        pytest.param('lag(lag(default(a, 22.2), "60s"), "120s") < 25.2', 3, id="lag of a lag of a default"),
        # 80 % of three instants are three, and the first that is known is minute 1.
        pytest.param('mean(lag(default(a, 22.2), "60s"), "180s") < 25.2', 3, id="window over a lag of a default"),
    ],
)
def test_a_default_stands_in_for_no_instant_before_the_first(when: str, minute: int) -> None:
    trial = source_alone(when)
    told = transitions(run(trial).events)
    assert [(event.kind, event.raised_at) for event in told] == [(EventKind.RAISED, START + minute * MINUTE)]
    assert reference(trial) == told

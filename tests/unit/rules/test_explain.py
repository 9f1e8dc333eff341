"""What an explanation says is what the engine says: the packaged rules over short series of one machine."""

from __future__ import annotations

from dataclasses import replace

import pytest

from plant.cataloguefile import load_catalogue
from plant.errors import NotFound
from plant.instants import parse_duration
from plant.reading import ReadingBatch
from plant.site import Plant
from rules.cases import case_readings
from rules.engine import Engine
from rules.explain import MOST_MS, Explanation, explain, looks_back
from rules.loader import load_sources
from rules.machines import Phase
from rules.model import Rule
from rules.proof import Json
from rules.standing import Standing, Verdict, standings

CATALOGUE = load_catalogue()
SOURCES = {source.rule.id: source for source in load_sources(catalogue=CATALOGUE)}
RULES = [source.rule for source in SOURCES.values()]
MINUTE = 60_000


def case(rule: str, number: int) -> tuple[Plant, ReadingBatch, int]:
    """The readings of a case of the pack, and a moment at which its last instant is surely closed."""
    plant, batch, end = case_readings(SOURCES[rule], number, CATALOGUE)
    return plant, batch, end + 10_000


def explained(rule: str, number: int) -> Explanation:
    plant, batch, now = case(rule, number)

    def read(small: Plant, start: int, end: int) -> ReadingBatch:
        assert small.series.keys == plant.series.keys
        return batch.take((batch.ts >= start) & (batch.ts < end))

    return explain(plant, RULES, (rule, "x"), now, read)


def value(tree: Json, *path: int) -> Json:
    """The value of a part of a tree."""
    for step in path:
        assert isinstance(tree, dict)
        parts = tree["of"]
        assert isinstance(parts, list)
        tree = parts[step]
    assert isinstance(tree, dict)
    return tree["value"]


def test_every_part_has_its_value_and_the_timer_how_far_it_has_come() -> None:
    found = explained("CH-10", 1)  # 36, 44 and 37 degrees: the last 20 min at 37
    (member,) = found.members
    (level,) = member.levels
    assert value(member.gate) is True
    assert (value(level.when), value(level.when, 0), value(level.when, 1)) == (False, "37.000", "42.000")
    assert value(level.clear) is True
    assert not found.short


def test_a_level_that_is_pending_says_since_when() -> None:
    plant, batch, _ = case("CH-10", 1)
    start = int(batch.ts.min())
    now = start + 23 * MINUTE + 10_000  # 44 degrees since minute 20, 5 min are asked

    def read(small: Plant, low: int, high: int) -> ReadingBatch:
        return batch.take((batch.ts >= low) & (batch.ts < min(high, now)))

    (member,) = explain(plant, RULES, ("CH-10", "x"), now, read).members
    (level,) = member.levels
    assert (level.phase, level.since) == (Phase.PENDING, start + 20 * MINUTE)


def test_of_a_rule_over_points_each_is_explained() -> None:
    found = explained("EL-08", 3)  # 140 A on every phase
    assert [member.member for member in found.members] == ["current_l1", "current_l2", "current_l3"]
    assert {member.levels[2].phase for member in found.members} == {Phase.ACTIVE}


@pytest.mark.parametrize(("rule", "equipment"), [("XX-99", "x"), ("CH-10", "nowhere"), ("EL-08", "x")])
def test_what_the_rule_does_not_watch_cannot_be_explained(rule: str, equipment: str) -> None:
    plant, batch, now = case("CH-10", 1)
    with pytest.raises(NotFound):
        explain(plant, RULES, (rule, equipment), now, lambda *_: batch)


def test_how_far_a_rule_looks_back() -> None:
    rule = SOURCES["CH-04"].rule
    # its gate holds 15 min (once within itself, once under each level), the level 60 min; 10 min to settle
    assert looks_back(rule) == parse_duration("15m") * 2 + parse_duration("60m") + parse_duration("10m")
    long = replace(rule, gate='held(mean(plr, "7d") > 0.4, "15m")')
    assert looks_back(long) > MOST_MS


def standing_of(rule: Rule, number: int) -> Standing:
    plant, batch, now = case(rule.id, number)
    engine = Engine(plant, [rule])
    engine.feed(batch)
    engine.tick(now)
    (found,) = [standing for standing in standings(engine) if standing.equipment == "x"]
    assert found.at is not None
    return found


@pytest.mark.parametrize(
    ("rule", "number", "verdict", "phase"),
    [
        ("CH-10", 0, Verdict.OK, Phase.NORMAL),
        ("PU-02", 2, Verdict.FAULT, Phase.ACTIVE),
        ("PU-02", 5, Verdict.GATED, Phase.NORMAL),
        ("CH-10", 6, Verdict.UNKNOWN, Phase.NORMAL),
        ("CH-10", 3, Verdict.OK, Phase.ACTIVE),  # neither above the limit nor below where it clears
    ],
)
def test_how_a_rule_stands(rule: str, number: int, verdict: Verdict, phase: Phase) -> None:
    found = standing_of(SOURCES[rule].rule, number)
    assert (found.verdict, found.phase) == (verdict, phase)


def test_a_rule_stands_nowhere_where_it_is_not_installed() -> None:
    plant, _, _ = case("EL-08", 9)  # no rated current
    assert standings(Engine(plant, [SOURCES["EL-08"].rule])) == []


def test_before_its_first_instant_nothing_is_known() -> None:
    plant, _, _ = case("CH-10", 0)
    (found,) = standings(Engine(plant, [SOURCES["CH-10"].rule]))
    assert (found.verdict, found.at, found.phase) == (Verdict.UNKNOWN, None, Phase.NORMAL)


def test_one_rule_is_asked_for_alone() -> None:
    plant, _, _ = case("CH-10", 0)
    engine = Engine(plant, [SOURCES[id].rule for id in ("CH-10", "CH-04", "DQ-02")])
    every = standings(engine)
    assert {one.rule for one in every} > {"CH-10"}
    assert standings(engine, "CH-10") == [one for one in every if one.rule == "CH-10"]
    assert standings(engine, "EL-01") == []

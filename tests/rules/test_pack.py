"""The packaged pack: every case of every rule, and what every rule file of the house must have."""

from __future__ import annotations

from pathlib import PurePath

import pytest

from plant.cataloguefile import load_catalogue
from plant.severity import Severity
from rules.cases import CaseResult, case_readings, check_cases, run_cases
from rules.engine import Engine
from rules.frames import lateness_file
from rules.loader import RuleSource, load_sources

CATALOGUE = load_catalogue()
SOURCES = load_sources(catalogue=CATALOGUE)
RESULTS = [result for source in SOURCES for result in run_cases(source, CATALOGUE)]
SITUATIONS = {
    "normal",
    "obvious",
    "borderline",
    "missing_point",
    "bad_sensor",
    "wrong_unit",
    "before_for",
    "after_for",
}


@pytest.mark.parametrize("result", RESULTS, ids=lambda result: f"{result.rule}-{result.name}")
def test_case_of_the_pack_ends_in_exactly_its_alarms(result: CaseResult) -> None:
    assert result.passed, f"{result.place}: {result.message}"


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.rule.id)
def test_every_rule_is_tested_in_all_its_situations(source: RuleSource) -> None:
    assert {case.situation for case in source.cases} >= SITUATIONS


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.rule.id)
def test_a_file_is_named_after_its_rule_in_the_folder_of_its_family(source: RuleSource) -> None:
    rule = source.rule.id
    assert PurePath(source.file) == PurePath("rules/pack") / rule.split("-")[0] / f"{rule}.yaml"


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.rule.id)
def test_the_cases_name_only_what_exists(source: RuleSource) -> None:
    assert check_cases(source, CATALOGUE) == []


TICKETED = [source for source in SOURCES if min(level.severity for level in source.rule.levels) < Severity.P4]
"""Rules whose alarms become tickets, which a verification closes; P4 is a list."""


@pytest.mark.parametrize("source", TICKETED, ids=lambda source: source.rule.id)
def test_a_healthy_machine_with_the_points_of_the_normal_case_is_judged_well(source: RuleSource) -> None:
    """A level that stays unknown for want of something optional would keep every verification waiting for ever."""
    for number, case in enumerate(source.cases):
        if case.situation == "normal":
            plant, batch, end = case_readings(source, number, CATALOGUE)
            engine = Engine(plant, [source.rule], lateness=lateness_file)
            engine.feed(batch)
            engine.tick(end)
            well = [runner.counts.ok.sum() for group in engine.groups for t in group.types for runner in t.runners]
            assert max(well) > 0, f"case {number + 1} is never judged"


def test_the_pack_holds_the_rules_it_promises() -> None:
    assert [source.rule.id for source in SOURCES] == [
        "AH-16",
        "AH-17",
        "AH-18",
        "AH-21",
        "AH-FC13",
        "AH-FC14",
        "BH-01",
        "BH-03",
        "BH-05",
        "BH-06",
        "BH-11",
        "BH-18",
        "BH-21",
        "CH-01",
        "CH-02",
        "CH-04",
        "CH-08",
        "CH-10",
        "CT-01",
        "CT-04",
        "DM-01",
        "DM-04",
        "DQ-01",
        "DQ-02",
        "DQ-03",
        "DQ-04",
        "DQ-05",
        "DQ-06",
        "DQ-07",
        "DQ-08",
        "DQ-13",
        "DQ-14",
        "DQ-15",
        "EL-01",
        "EL-02",
        "EL-08",
        "EL-09",
        "EL-16",
        "EL-17",
        "EL-18",
        "EL-20",
        "EL-23",
        "PU-01",
        "PU-02",
    ]

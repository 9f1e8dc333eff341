"""The packaged pack: every case of every rule, and what every rule file of the house must have."""

from __future__ import annotations

from pathlib import PurePath

import pytest

from plant.cataloguefile import load_catalogue
from rules.cases import CaseResult, check_cases, run_cases
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


def test_the_pack_holds_the_rules_it_promises() -> None:
    assert [source.rule.id for source in SOURCES] == [
        "AH-FC13",
        "AH-FC14",
        "BH-05",
        "BH-11",
        "CH-04",
        "CH-08",
        "DQ-01",
        "DQ-02",
        "DQ-04",
        "EL-01",
        "EL-16",
        "PU-01",
    ]

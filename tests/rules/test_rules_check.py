"""`rules check|test|list` as people and CI meet them."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest
from typer.testing import CliRunner

from dutyroom.cli.rules_check import app
from plant.errors import BadInput, ConfigError
from rules.loader import packaged_ids

RULE = """\
id: CH-77
title: {zh: 甲, en: a}
applies_to: [chiller]
levels:
  - {when: chw_supply_temp > 12, for: 2m, hysteresis: 2, severity: P3}
causes: [{zh: 乙, en: b}]
first_check: [{zh: 丙, en: c}, {zh: 丁, en: d}, {zh: 戊, en: e}]
source: '[EJ]'
cases:
  - situation: obvious
    series: {chw_supply_temp: 7x5 13x5}
    alarms: [{severity: P3, onset: +5m, raised: +7m, cleared: null}]
  - situation: normal
    series: {chw_supply_temp: 7x10}
    alarms: []
"""


def _file(tmp_path: Path, text: str) -> str:
    file = tmp_path / "CH-77.yaml"
    file.write_text(text, "utf-8")
    return str(file)


def test_cases_that_hold_end_with_exit_0_and_the_count(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["test", "--rules", _file(tmp_path, RULE)])
    assert done.exit_code == 0
    assert done.stdout == "2 passed, 0 failed\n"


def test_a_case_that_fails_says_what_came_instead(tmp_path: Path) -> None:
    file = _file(tmp_path, RULE.replace("raised: +7m", "raised: +8m"))
    done = CliRunner().invoke(app, ["test", "--rules", file])
    assert done.exit_code == 1
    assert done.stdout.splitlines() == [
        "FAILED CH-77 1 obvious",
        f"  {file}:10: expected P3 onset +5m raised +8m active; found P3 onset +5m raised +7m active",
        "1 passed, 1 failed",
    ]


def test_the_junit_file_counts_failures(tmp_path: Path) -> None:
    junit = tmp_path / "rules.xml"
    file = _file(
        tmp_path, RULE.replace("alarms: []", "alarms: [{severity: P1, onset: +0s, raised: +1m, cleared: null}]")
    )
    CliRunner().invoke(app, ["test", "--rules", file, "--junit", str(junit)])
    suite = ElementTree.fromstring(junit.read_text("utf-8"))[0]  # noqa: S314 - our own file
    assert suite.attrib["tests"] == "2"
    assert suite.attrib["failures"] == "1"
    assert [case.attrib["name"] for case in suite if len(case)] == ["2 normal"]


def test_check_finds_a_mistake_in_a_case(tmp_path: Path) -> None:
    file = _file(tmp_path, RULE.replace("{chw_supply_temp: 7x10}", "{chw_suply_temp: 7x10}"))
    done = CliRunner().invoke(app, ["check", "--rules", file])
    assert isinstance(done.exception, ConfigError)
    (problem,) = done.exception.problems
    assert (problem.line, problem.column) == (14, 14)
    assert problem.hint == "did you mean 'chw_supply_temp'?"


def test_check_of_the_packaged_pack_is_silent_on_stdout() -> None:
    done = CliRunner().invoke(app, ["check"])
    assert done.exit_code == 0
    assert done.stdout == ""
    assert f"{len(packaged_ids())} rules" in done.stderr


def test_list_prints_a_json_object_a_line(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["list", "--rules", _file(tmp_path, RULE), "--format", "jsonl"])
    (line,) = done.stdout.splitlines()
    row = json.loads(line)
    assert (row["id"], row["cases"], row["levels"]) == ("CH-77", 2, [{"severity": "P3", "for_ms": 120_000}])


def test_list_in_a_form_nobody_knows_is_refused() -> None:
    done = CliRunner().invoke(app, ["list", "--format", "xml"])
    assert isinstance(done.exception, BadInput)


@pytest.mark.parametrize("command", ["check", "test", "list"])
def test_help_shows_an_example(command: str) -> None:
    done = CliRunner().invoke(app, [command, "--help"])
    assert f"Example: dutyroom rules {command}" in done.stdout

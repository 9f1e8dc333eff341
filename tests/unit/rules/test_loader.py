"""Rule files: what is refused and where, what is filled in, and what a version depends on."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from plant.errors import BadInput, ConfigError, NotFound
from plant.severity import Severity
from plant.site import Mode
from rules.filecheck import backed_off
from rules.loader import find_rule_files, load_pack, load_sources

GOOD = """\
id: CH-77
title: {zh: 甲, en: a}
applies_to: [chiller]
params:
  limit: {unit: Cel, default: 12, range: [5, 20], zh: 限值, en: limit}
levels:
  - {when: chw_supply_temp > limit, for: 10m, hysteresis: 2, severity: P3}
causes: [{zh: 乙, en: b}]
first_check: [{zh: 丙, en: c}, {zh: 丁, en: d}, {zh: 戊, en: e}]
source: '[EJ]'
"""


def _problems(tmp_path: Path, text: str) -> list[str]:
    file = tmp_path / "rule.yaml"
    file.write_text(text, "utf-8")
    with pytest.raises(ConfigError) as caught:
        load_pack([file])
    return [str(problem).replace(str(file), "rule.yaml") for problem in caught.value.problems]


def _load(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "rule.yaml"
    file.write_text(text, "utf-8")
    return file


def test_defaults_follow_the_contract(tmp_path: Path) -> None:
    (rule,) = load_pack([_load(tmp_path, GOOD)])
    (level,) = rule.levels
    # DOMAIN §1.2: off = max(60 s, on / 2); SEMANTICS §8: verify_for = max(3 x for, 30 min)
    assert level.clear_for_ms == 5 * 60_000
    assert rule.verify_for_ms == 30 * 60_000
    assert level.severity == Severity.P3
    assert rule.mode is None


def test_hysteresis_backs_the_limit_off() -> None:
    assert backed_off("x > 70", 5) == "(x) < (70) - 5"
    assert backed_off("a - b <= limit", 0.5) == "(a - b) > (limit) + 0.5"
    assert backed_off("x > 70 and y", 5) is None
    assert backed_off("1 < x < 3", 5) is None


def test_a_safety_rule_is_verified_for_ten_minutes(tmp_path: Path) -> None:
    (rule,) = load_pack([_load(tmp_path, GOOD + "safety: true\nmode: live\n")])
    assert rule.verify_for_ms == 10 * 60_000
    assert rule.mode == Mode.LIVE


def test_long_delays_are_verified_three_times_as_long(tmp_path: Path) -> None:
    (rule,) = load_pack([_load(tmp_path, GOOD.replace("for: 10m", "for: 60m"))])
    assert rule.verify_for_ms == 180 * 60_000
    assert rule.levels[0].clear_for_ms == 30 * 60_000


def test_the_version_depends_on_what_is_judged_and_not_on_texts(tmp_path: Path) -> None:
    (one,) = load_pack([_load(tmp_path, GOOD)])
    (worded,) = load_pack([_load(tmp_path, GOOD.replace("en: b", "en: better words"))])
    (changed,) = load_pack([_load(tmp_path, GOOD.replace("default: 12", "default: 13"))])
    assert re.fullmatch(r"[0-9a-f]{12}", one.version)
    assert worded.version == one.version
    assert changed.version != one.version


BAD = [
    pytest.param("hysteresis: 2, ", "", ["rule.yaml:7:5: the level never clears"], id="no clear"),
    pytest.param(
        "hysteresis: 2",
        "hysteresis: 2, clear: chw_supply_temp < 9",
        ["rule.yaml:7:59: both clear and hysteresis"],
        id="clear and hysteresis",
    ),
    pytest.param("severity: P3", "severity: P5", ["rule.yaml:7:72: not one of the words known here"], id="severity"),
    pytest.param("for: 10m", "for: 10", ["rule.yaml:7:42: 10 is no duration"], id="duration"),
    pytest.param("[chiller]", "[chiler]", ["rule.yaml:3:14: no equipment type 'chiler'"], id="type"),
    pytest.param("default: 12", "default: 25", ["rule.yaml:5:31: the default is outside the range"], id="default"),
    pytest.param("[5, 20]", "[20, 5]", ["rule.yaml:5:42: an empty range"], id="range"),
    pytest.param("source:", "sorce:", ["rule.yaml:1:1: key 'source' is missing", "unknown key 'sorce'"], id="key"),
    pytest.param(", {zh: 戊, en: e}]", "]", ["rule.yaml:9:14: 2 first checks"], id="first checks"),
    pytest.param("levels:", "every: 7s\nlevels:", ["rule.yaml:6:8: not a step of the grid"], id="grid"),
    pytest.param("levels:", "needs: [chw_flo]\nlevels:", ["rule.yaml:6:9: chiller has no 'chw_flo'"], id="needs"),
    pytest.param("levels:", "suppressed_by: [DQ-99]\nlevels:", ["rule.yaml:6:17: no rule 'DQ-99'"], id="unknown cause"),
    pytest.param(
        "levels:", "suppressed_by: [CH-77]\nlevels:", ["rule.yaml:6:16: CH-77 suppresses itself"], id="own cause"
    ),
    pytest.param(
        "levels:",
        "suppressed_by: ['fed_bi:PU-01']\nlevels:",
        ["rule.yaml:6:17: chiller has no relation 'fed_bi'"],
        id="relation",
    ),
    pytest.param(
        "chw_supply_temp > limit",
        "chw_suply_temp > limit",
        ["rule.yaml:7:12: unknown name 'chw_suply_temp'"],
        id="name",
    ),
    pytest.param(
        "chw_supply_temp > limit",
        "chw_flow > limit",
        ["rule.yaml:7:12: Cel cannot be compared with m3/h"],
        id="unit of a comparison",
    ),
]


@pytest.mark.parametrize(("old", "new", "expected"), BAD)
def test_a_mistake_is_named_at_its_line_and_column(tmp_path: Path, old: str, new: str, expected: list[str]) -> None:
    found = _problems(tmp_path, GOOD.replace(old, new))
    assert len(found) == len(expected)
    assert all(part in problem for problem, part in zip(found, expected, strict=True)), found


def test_an_expression_is_blamed_at_the_character_inside_a_folded_text(tmp_path: Path) -> None:
    folded = "{when: chw_supply_temp > limit, for: 10m, hysteresis: 2, severity: P3}"
    text = """when: >-
      chw_supply_temp > limit
      and chw_flo > 3
    for: 10m
    clear: chw_supply_temp < limit
    severity: P3"""
    (problem,) = _problems(tmp_path, GOOD.replace(folded, text))
    assert problem.startswith("rule.yaml:9:11: unknown name 'chw_flo'")
    assert "did you mean 'chw_flow'?" in problem


def test_mistakes_of_several_files_come_together(tmp_path: Path) -> None:
    (tmp_path / "one.yaml").write_text(GOOD.replace("P3", "P9"), "utf-8")
    (tmp_path / "two.yaml").write_text(GOOD.replace("[chiller]", "[chiler]"), "utf-8")
    with pytest.raises(ConfigError) as caught:
        load_pack([tmp_path])
    assert [Path(problem.file).name for problem in caught.value.problems] == ["one.yaml", "two.yaml"]


def test_one_id_may_be_given_once(tmp_path: Path) -> None:
    (problem,) = _problems(tmp_path, f"{GOOD}---\n{GOOD}")
    assert problem.startswith("rule.yaml:12:5: a second rule of this id")


def test_a_glob_that_matches_nothing_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no file matches"):
        find_rule_files(str(tmp_path / "*.yaml"))
    with pytest.raises(BadInput, match="holds no"):
        load_pack([tmp_path])
    with pytest.raises(NotFound):
        load_pack([tmp_path / "absent.yaml"])


def test_the_packaged_pack_comes_by_id() -> None:
    ids = [source.rule.id for source in load_sources()]
    assert ids == sorted(ids)
    assert "CH-04" in ids


OWN = GOOD.replace(
    "levels:",
    "derived:\n  rise: {unit: K, expression: chw_return_temp - chw_supply_temp, zh: 温升, en: rise}\nlevels:",
).replace("when: chw_supply_temp > limit, for: 10m, hysteresis: 2", "when: rise > 3, for: 10m, hysteresis: 2")


def test_a_quantity_of_the_rule_is_used_by_name_and_changes_its_version(tmp_path: Path) -> None:
    (rule,) = load_pack([_load(tmp_path, OWN)])
    assert rule.levels[0].when == "rise > 3"
    (other,) = load_pack([_load(tmp_path, OWN.replace("chw_return_temp -", "chw_return_temp - 1 -"))])
    assert rule.version != other.version


def test_a_wrong_quantity_is_told_at_its_own_place_and_once(tmp_path: Path) -> None:
    problems = _problems(tmp_path, OWN.replace("expression: chw_return_temp - chw", "expression: chw_return_tmp - chw"))
    assert len(problems) == 1
    assert problems[0].startswith("rule.yaml:7:31: unknown name 'chw_return_tmp'")


def test_a_quantity_may_not_hide_a_point_or_use_itself(tmp_path: Path) -> None:
    hiding = _problems(tmp_path, OWN.replace("rise: {", "chw_flow: {").replace("when: rise", "when: chw_flow"))
    assert any("knows 'chw_flow' already" in problem for problem in hiding)
    ring = _problems(tmp_path, OWN.replace("expression: chw_return_temp", "expression: rise"))
    assert any("rise is defined by itself" in problem for problem in ring)
    assert any("is no name" in problem for problem in _problems(tmp_path, OWN.replace("rise: {", "Rise-1: {")))

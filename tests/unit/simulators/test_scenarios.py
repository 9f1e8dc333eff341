"""Scenario files: every packaged one is sound, and a wrong one says what is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from simulators.errors import ScenarioError
from simulators.faults import FAULTS
from simulators.scenario import builtin, deadlines, duration_ms, load_scenario, names, parse_scenario

GOOD = """
id: small
title: {zh: 小例, en: small}
seed: 1
start: "2026-07-20T06:00:00+08:00"
duration: 1h
faults:
  - {kind: pump_dead, onset: 10m, end: 20m}
expect:
  - {rule: PU-01, equipment: plant/chw-pump-1, within: 20s, fault: pump_dead}
"""


def test_every_fault_has_a_scenario() -> None:
    shown = {plan.kind for scenario in builtin().values() for plan in scenario.faults}
    assert shown == set(FAULTS)


@pytest.mark.parametrize("name", names())
def test_truth_of_a_scenario_lies_within_it(name: str) -> None:
    scenario = load_scenario(name)
    end = scenario.start + scenario.duration
    assert scenario.expect or scenario.must_not
    assert all(deadline.latest <= end for deadline in deadlines(scenario))
    assert not {item.rule for item in scenario.expect} & {item.rule for item in scenario.must_not}


def test_scenario_is_called_as_its_file() -> None:
    assert [scenario.id for scenario in builtin().values()] == list(names())


def test_fault_never_expects_what_it_must_not_raise() -> None:
    assert [kind.id for kind in FAULTS.values() if set(kind.must) & set(kind.must_not)] == []


def test_times_count_from_the_start() -> None:
    scenario = parse_scenario(GOOD, "good")
    start = 1_784_498_400_000  # 2026-07-19T22:00:00Z
    (fault,) = scenario.planned()
    assert (fault.onset, fault.end) == (start + 600_000, start + 1_200_000)
    (deadline,) = deadlines(scenario, start=0)
    assert (deadline.onset, deadline.latest) == (600_000, 620_000)


@pytest.mark.parametrize(
    ("text", "ms"), [("90s", 90_000), ("1h30m", 5_400_000), ("2d", 172_800_000), ("0.5h", 1_800_000), (0, 0)]
)
def test_durations(text: object, ms: int) -> None:
    assert duration_ms(text) == ms


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (GOOD.replace("pump_dead, onset", "pump_ded, onset"), "unknown fault 'pump_ded'; known: .*pump_dead"),
        (GOOD.replace("10m", "ten"), "faults.0.onset: .*'ten' is no duration"),
        (GOOD.replace("seed: 1", "sead: 1"), "sead"),
        (GOOD.replace("+08:00", ""), "start: .*no time with a zone"),
        (GOOD.replace("fault: pump_dead}", "fault: other}"), "expect names faults the scenario does not have: other"),
        (GOOD.replace("end: 20m", "point: pump_flow"), "pump_dead takes no `point`"),
        (GOOD.replace("{kind", "{{kind"), "not YAML"),
    ],
    ids=["fault", "duration", "key", "zone", "expectation", "point", "yaml"],
)
def test_wrong_scenario_says_what_is_wrong(wrong: str, message: str) -> None:
    with pytest.raises(ScenarioError, match=f"(?s)mine.yaml: .*{message}"):
        parse_scenario(wrong, "mine.yaml")


def test_scenario_of_ones_own_is_read_from_its_file(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(GOOD, encoding="utf-8")
    assert load_scenario(str(file)).id == "small"


def test_unknown_scenario_names_what_there_is() -> None:
    with pytest.raises(ScenarioError, match=r"no scenario 'helthy'.*healthy_day"):
        load_scenario("helthy")

"""The limits of the pack as lines of a chart."""

from __future__ import annotations

import pytest

from plant.catalogue import Text
from plant.cataloguefile import load_catalogue
from plant.severity import Severity
from plant.site import Equipment, Plant, Site
from rules.limits import limits_on
from rules.loader import load_pack

CATALOGUE = load_catalogue()
PACK = load_pack(catalogue=CATALOGUE)


def lines(what: str, machine: Equipment) -> list[tuple[str, Severity, float, bool]]:
    plant = Plant(CATALOGUE, Site("s", "Asia/Shanghai", Text("", ""), {machine.id: machine}))
    return [(limit.rule, limit.severity, limit.value, limit.upper) for limit in limits_on(plant, machine, what, PACK)]


def test_each_level_of_a_rule_is_a_line_with_its_severity() -> None:
    chiller = Equipment("ch-1", "plant/ch-1", "chiller", Text("", ""))
    assert lines("chw_supply_temp", chiller)[:2] == [
        ("CH-08", Severity.P1, 3.0, False),
        ("CH-08", Severity.P2, 4.0, False),
    ]


def test_scald_limits_stand_on_the_mixed_water() -> None:
    valve = Equipment("mix-1", "bath/mix-1", "mixing_valve", Text("", ""))
    found = lines("mixed_water_temp", valve)
    assert ("BH-05", Severity.P2, 43.0, True) in found
    assert ("BH-05", Severity.P1, 46.0, True) in found


def test_a_rule_over_members_sets_its_limits_to_each_member() -> None:
    feeder = Equipment(
        "f-1", "lv/f-1", "lv_feeder", Text("", ""), members={"joint_temp_{loc}_{phase}": {"loc": ("incoming",)}}
    )
    found = lines("joint_temp_incoming_l2", feeder)
    assert [(severity, value) for rule, severity, value, _ in found if rule == "EL-16"] == [
        (Severity.P1, 110.0),
        (Severity.P2, 90.0),
        (Severity.P3, 70.0),
    ]


@pytest.mark.parametrize("what", ["oil_temp", "no_such_point"])
def test_what_no_rule_watches_has_no_line(what: str) -> None:
    assert lines(what, Equipment("ch-1", "plant/ch-1", "chiller", Text("", ""))) == []

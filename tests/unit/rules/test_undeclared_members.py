"""A rule that names sisters of a member, on a site whose machines have not declared all of them."""

from __future__ import annotations

import pytest

from plant.catalogue import Text
from plant.cataloguefile import load_catalogue
from plant.site import Equipment, Plant, Site
from rules.engine import Engine
from rules.loader import load_pack

JOINT = "joint_temp_{loc}_{phase}"
NAME = Text("馈线", "feeder")


@pytest.mark.parametrize("phases", [("l1",), ("l1", "l2"), ("l1", "l2", "l3")], ids=len)
def test_the_whole_pack_runs_whichever_joints_are_measured(phases: tuple[str, ...]) -> None:
    catalogue = load_catalogue()
    feeder = Equipment("f1", "a/f1", "lv_feeder", NAME, members={JOINT: {"loc": ("incoming",), "phase": phases}})
    plant = Plant(catalogue, Site("demo", "Asia/Shanghai", NAME, {"f1": feeder}))
    engine = Engine(plant, load_pack(catalogue=catalogue))
    assert engine.tick(1_800_000_000_000) == []
    assert engine.tick(1_800_000_120_000) == []

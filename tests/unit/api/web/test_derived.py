"""Derived quantities worked out from readings, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from api.web.derived import Quantities, Spoken, spoken
from plant.catalogue import Text
from plant.cataloguefile import load_catalogue
from plant.site import Equipment, Plant, Site


def chiller() -> tuple[Plant, Equipment]:
    machine = Equipment("ch-1", "plant/ch-1", "chiller", Text("", ""), parameters={"rated_capacity": 1163.0})
    return Plant(load_catalogue(), Site("s", "UTC", Text("", ""), {"ch-1": machine})), machine


def test_derived_quantities_are_worked_out_from_readings() -> None:
    plant, machine = chiller()
    readings = {
        "cond_sat_temp": np.array([38.4, np.nan]),
        "cw_leaving_temp": np.array([34.9, 34.9]),
        "chw_flow": np.array([100.0, 100.0]),
        "chw_return_temp": np.array([12.0, 12.0]),
        "chw_supply_temp": np.array([7.0, 7.0]),
    }
    found = Quantities(plant, machine, readings.get)

    approach = found.of("condenser_approach")
    assert approach is not None
    assert approach[0] == pytest.approx(3.5)
    assert np.isnan(approach[1])
    # 1.163 x 100 m3/h x 5 K = 581.5 kW of 1163 kW
    ratio = found.of("plr")
    assert ratio is not None
    assert ratio.tolist() == pytest.approx([0.5, 0.5])
    assert found.points_in("plr") == {"chw_flow", "chw_return_temp", "chw_supply_temp"}


@pytest.mark.parametrize("what", ["evap_sat_temp", "mean(cond_sat_temp, 5)", "nonsense", "1 +", "-evap_sat_temp"])
def test_what_cannot_be_worked_out_is_none(what: str) -> None:
    plant, machine = chiller()
    assert Quantities(plant, machine, lambda _: None).of(what) is None


NAMES = {"sat": (Text("送风温度", "Supply air"), "Cel"), "mat": (Text("混风温度", "Mixed air"), "Cel")}


def test_an_expression_is_said_by_what_it_is_about() -> None:
    assert spoken("sat", "K", NAMES) == Spoken(NAMES["sat"][0], "Cel", "sat")
    assert spoken("mean(sat,5,4)", "Cel", NAMES) == Spoken(NAMES["sat"][0], "Cel", "sat")
    difference = spoken("(mean(mat,5,4)-mean(sat,5,4))", "K", NAMES)
    assert difference == Spoken(Text("混风温度 − 送风温度", "Mixed air − Supply air"), "K", "mat - sat")
    assert spoken("mat*sat", "K", NAMES) is None
    assert spoken("nothing_known", "K", NAMES) is None

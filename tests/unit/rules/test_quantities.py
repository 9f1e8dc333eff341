"""Derived quantities for drawing: numbers worked out by hand; gaps stay gaps; what cannot be drawn is not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from plant.catalogue import Text
from plant.cataloguefile import load_catalogue
from plant.site import Equipment, Plant, Site
from rules.quantities import Quantity, quantities, quantity

CATALOGUE = load_catalogue()
NAME = Text("设备", "Machine")
NAN = float("nan")


def plant(*machines: Equipment) -> Plant:
    return Plant(CATALOGUE, Site("test", "Asia/Shanghai", NAME, {machine.id: machine for machine in machines}))


def machine(kind: str, id: str = "x", **more: Any) -> Equipment:
    return replace(Equipment(id, f"hall/{id}", kind, NAME), **more)


def of(kind: str, name: str, **more: Any) -> Quantity:
    one = machine(kind, **more)
    found = quantity(plant(one), one, name)
    assert found is not None
    return found


def over(found: Quantity, values: Mapping[str, list[float]]) -> list[float]:
    columns = {name: np.array(column, np.float64) for name, column in values.items()}
    count = len(next(iter(columns.values())))
    return [float(value) for value in found.over(np.arange(count, dtype=np.int64) * 60_000, columns)]


def test_a_quantity_of_several_points_is_worked_out_instant_by_instant_and_a_gap_stays_one() -> None:
    load = of("chiller", "cooling_load")
    assert set(load.sources) == {"chw_flow", "chw_return_temp", "chw_supply_temp"}
    assert load.point.unit == "kW"
    found = over(
        load,
        {
            "chw_flow": [170.0, 171.5, NAN],
            "chw_return_temp": [12.0, 11.3, 12.0],
            "chw_supply_temp": [7.0, 7.1, 7.0],
        },
    )
    # 1.163 · 170 · 5 = 988.55; 1.163 · 171.5 · 4.2 = 837.7089
    assert found[:2] == [988.55, 837.7089]
    assert np.isnan(found[2])


def test_a_quantity_of_quantities_and_a_parameter() -> None:
    ratio = of("chiller", "plr", parameters={"rated_capacity": 1_000.0})
    values = {"chw_flow": [170.0], "chw_return_temp": [12.0], "chw_supply_temp": [7.0]}
    assert over(ratio, values) == [0.98855]


def test_where_the_divisor_is_zero_nothing_is_known() -> None:
    cop = of("chiller", "cop")
    values = {"chw_flow": [170.0], "chw_return_temp": [12.0], "chw_supply_temp": [7.0]}
    assert over(cop, values | {"active_power": [200.0]}) == pytest.approx([4.94275])
    assert np.isnan(over(cop, values | {"active_power": [0.0]})).all()


def test_a_point_of_a_related_machine_is_read_there() -> None:
    heater = machine("electric_heater", "h-1")
    tank = machine("hot_water_tank", "t-1", relations={"heated_by": ("h-1",)}, parameters={"heating_power": 60.0})
    found = quantity(plant(heater, tank), tank, "heat_available")
    assert found is not None
    assert {name: (one.id, point.name) for name, (one, point) in found.sources.items()} == {
        "heated_by.heater_command": ("h-1", "heater_command"),
        "heated_by.heater_power": ("h-1", "heater_power"),
    }
    values = {"heated_by.heater_command": [1.0, 0.0, NAN], "heated_by.heater_power": [48.0, 48.0, 48.0]}
    assert over(found, values) == [48.0, 60.0, 60.0]
    assert quantity(plant(tank), tank, "heat_available") is None  # its heater is not on the site


@pytest.mark.parametrize(
    ("kind", "name", "why"),
    [
        ("chiller", "plr", "the rated capacity is not declared"),
        ("dorm_room", "power_rise", "it looks back over time"),
        ("dorm_room", "power_step", "what it is made of looks back over time"),
        ("chiller", "chw_flow", "it is a point"),
        ("chiller", "no_such_thing", "there is none"),
    ],
)
def test_what_cannot_be_drawn_is_none(kind: str, name: str, why: str) -> None:
    one = machine(kind)
    assert quantity(plant(one), one, name) is None, why


def test_every_type_gives_what_it_can_and_never_fails() -> None:
    drawn = {}
    for kind in CATALOGUE.types:
        one = machine(kind)
        drawn[kind] = {found.point.name for found in quantities(plant(one), one)}
        assert drawn[kind] <= set(CATALOGUE.types[kind].derived)
    assert {"cooling_load", "cop", "condenser_approach"} <= drawn["chiller"]
    assert {"current_max", "voltage_max"} <= drawn["lv_feeder"]

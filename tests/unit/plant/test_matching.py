"""Which point a value is taken for, by name, unit and size."""

from __future__ import annotations

import pytest

from plant.cataloguefile import load_catalogue
from plant.matching import Value, assign, matches

TYPES = load_catalogue().types


def best(type: str, value: Value) -> tuple[str, str | None] | None:
    found = matches(value, TYPES[type].points.values())
    return (found[0].point, found[0].unit) if found else None


@pytest.mark.parametrize(
    ("type", "value", "expected"),
    [
        ("lv_feeder", Value("Ua", 231), ("voltage_l1", None)),
        ("lv_feeder", Value("Voltage/L2", 231), ("voltage_l2", None)),
        ("lv_feeder", Value("Uab", 398), ("voltage_l1_l2", None)),
        ("lv_feeder", Value("Ib", 12), ("current_l2", None)),
        ("lv_feeder", Value("em:0.c_act_power", 900, "W"), ("active_power_l3", "W")),
        ("lv_feeder", Value("em:0.total_act_power", 2700, "W"), ("active_power", "W")),
        ("lv_feeder", Value("02010300", 230, "V"), ("voltage_l3", None)),
        ("lv_feeder", Value("A相电压", 229), ("voltage_l1", None)),
        ("lv_feeder", Value("功率因数", 0.95), ("power_factor", None)),
        ("lv_feeder", Value("正向有功电量", 12000), ("energy_active_import_total", None)),
        ("lv_feeder", Value("emdata:0.total_act_ret", 12000, "W.h"), ("energy_active_export_total", "W.h")),
        ("lv_feeder", Value("SML.Volt_p2", 231, "V"), ("voltage_l2", None)),
        ("lv_feeder", Value("SML.Amperage_p3", 2.3, "A"), ("current_l3", None)),
        ("lv_feeder", Value("SML.Total_in", 16_552.8, "kW.h"), ("energy_active_import_total", None)),
        ("lv_feeder", Value("SML.Total_out", 0, "kW.h"), ("energy_active_export_total", None)),
        ("dorm_room", Value("ENERGY.Power", 40, "W"), ("active_power", "W")),
        ("dorm_room", Value("ENERGY.ReactivePower", 4, "var"), ("reactive_power", "var")),
        ("dorm_room", Value("POWER", 1, state=True), ("relay_status", None)),
        ("hot_water_tank", Value("水箱上部温度", 55), ("tank_temp_top", None)),
        ("ahu", Value("temperature", 25, "Cel"), ("zone_temp", None)),
        ("weather", Value("outdoor.hum", 60, "%"), ("outdoor_humidity", None)),
    ],
)
def test_a_value_is_taken_for_the_point_the_trade_would(
    type: str, value: Value, expected: tuple[str, str | None]
) -> None:
    assert best(type, value) == expected


def test_power_without_a_unit_is_in_the_one_that_its_size_allows() -> None:
    (match,) = [
        one for one in matches(Value("P", 1_800), TYPES["dorm_room"].points.values()) if one.point == "active_power"
    ]
    assert match.unit == "W"
    assert any("by size" in reason.en for reason in match.reasons)


@pytest.mark.parametrize(
    "value",
    [
        Value("linkquality", 100),
        Value("Ua", 231, "kW"),
        Value("Ua", 40_000),
        Value("temperature", 25, "Cel"),
    ],
)
def test_what_fits_nothing_is_suggested_for_nothing(value: Value) -> None:
    found = matches(value, [point for point in TYPES["lv_feeder"].points.values() if "voltage" in point.name])
    assert found == []


def test_no_point_is_given_twice_and_the_better_name_gets_it() -> None:
    values = [Value("em:0.a_voltage", 231, "V"), Value("voltage", 229, "V")]
    chosen = assign(values, list(TYPES["dorm_room"].points.values()))
    assert chosen.keys() == {"voltage"}
    assert chosen["voltage"].point == "voltage"


def test_reasons_say_name_unit_and_value_in_both_languages() -> None:
    (match, *_) = matches(Value("Ua", 231, "V"), TYPES["lv_feeder"].points.values())
    assert [reason.en for reason in match.reasons] == [
        "name: Ua ≈ Phase voltage L1",
        "unit: V → V",
        "value: 231 V is usual (205–235)",
    ]
    assert match.reasons[2].zh.endswith("231 V 在常见范围 205–235 内")


def test_a_value_that_may_be_one_point_as_well_as_another_is_left_to_people() -> None:
    value = Value("DS18B20.011833902FFF.Temperature", 41.0, "Cel")
    points = list(TYPES["chiller"].points.values())
    assert assign([value], points) == {}
    assert len(matches(value, points)) == 5


def test_a_battery_is_no_phase_and_energy_without_a_direction_was_taken() -> None:
    feeder = list(TYPES["lv_feeder"].points.values())
    chosen = assign([Value("battery.voltage", 3.1, "V"), Value("wh", 12_000.0)], feeder)
    assert {name: match.point for name, match in chosen.items()} == {"wh": "energy_active_import_total"}


def test_a_state_needs_more_than_being_one() -> None:
    assert best("lv_feeder", Value("cloud.connected", 1, state=True)) is None
    assert best("lv_feeder", Value("online", 1, state=True)) == ("online_status", None)


def test_of_several_values_without_a_phase_only_one_is_the_total_and_the_others_are_left_to_people() -> None:
    powers = [Value(f"meter.power.{n}", 24.0) for n in range(3)]
    chosen = assign(powers, list(TYPES["lv_feeder"].points.values()))
    assert {name: match.point for name, match in chosen.items()} == {"meter.power.0": "active_power"}


@pytest.mark.parametrize(
    ("name", "raw", "expected"),
    [
        ("Ua", 2_306, ("voltage_l1", 0.1)),
        ("Ua", 23_061, ("voltage_l1", 0.01)),
        ("freq", 5_001, ("frequency", 0.01)),
        ("freq", 501, ("frequency", 0.1)),
    ],
)
def test_a_raw_register_of_a_voltage_or_the_frequency_brings_its_factor(
    name: str, raw: float, expected: tuple[str, float]
) -> None:
    (match,) = matches(Value(name, raw), TYPES["lv_feeder"].points.values())
    assert (match.point, match.scale) == expected
    assert "raw register" in match.reasons[-1].en


def test_a_register_is_raw_only_where_nothing_else_explains_it() -> None:
    feeder = list(TYPES["lv_feeder"].points.values())
    assert matches(Value("Ua", 2_306, "V"), feeder) == []
    assert matches(Value("Ua", 2_306.5), feeder) == []
    assert matches(Value("Ua", 231), feeder)[0].scale == 1.0

"""The packaged catalogue against the tables of the domain reference; expected values are typed from there."""

from __future__ import annotations

from pathlib import Path

import pytest

from plant.catalogue import Catalogue, Fold, Kind, Point, SamplingClass
from plant.cataloguefile import load_catalogue
from plant.errors import NotFound
from plant.names import NotAnExpression, names_used
from plant.site import expand
from plant.units import HOUSE

CATALOGUE = load_catalogue()
ALL_POINTS = [
    pytest.param(kind.name, point, id=f"{kind.name}.{point.name}")
    for kind in CATALOGUE.types.values()
    for point in kind.points.values()
]


def point(name: str) -> Point:
    kind, _, word = name.partition(".")
    return CATALOGUE.types[kind].points[word]


def test_the_types_of_the_first_release_are_there() -> None:
    assert {name: kind.step_ms for name, kind in CATALOGUE.types.items()} == {
        "chiller": 60_000,
        "cooling_tower": 60_000,
        "pump": 5_000,
        "ahu": 60_000,
        "lv_feeder": 10_000,
        "dorm_room": 1_000,
        "hot_water_tank": 60_000,
        "electric_heater": 60_000,
        "mixing_valve": 1_000,
        "gateway": 60_000,
        "message_broker": 60_000,
        "weather": 60_000,
    }


@pytest.mark.parametrize(
    ("name", "unit", "low", "high"),
    [
        ("chiller.chw_supply_temp", "Cel", -5, 45),
        ("chiller.chw_return_temp", "Cel", -5, 50),
        ("chiller.chw_supply_temp_setpoint", "Cel", 3, 20),
        ("chiller.cw_entering_temp", "Cel", 0, 50),
        ("chiller.cw_leaving_temp", "Cel", 0, 60),
        ("chiller.evap_sat_temp", "Cel", -20, 40),
        ("chiller.cond_sat_temp", "Cel", 0, 70),
        ("chiller.evap_pressure", "kPa", 0, 1000),
        ("chiller.cond_pressure", "kPa", 0, 2500),
        ("chiller.compressor_discharge_temp", "Cel", -20, 130),
        ("chiller.liquid_line_temp", "Cel", -30, 80),
        ("chiller.oil_pressure_diff", "kPa", 0, 1000),
        ("chiller.oil_temp", "Cel", -10, 110),
        ("chiller.compressor_load_percent", "%", 0, 130),
        ("cooling_tower.tower_leaving_temp", "Cel", 0, 60),
        ("cooling_tower.fan_vibration", "mm/s", 0, 50),
        ("cooling_tower.basin_level", "%", 0, 100),
        ("cooling_tower.conductivity", "uS/cm", 0, 20000),
        ("weather.outdoor_temp", "Cel", -45, 55),
        ("weather.outdoor_humidity", "%", 0, 100),
        ("pump.suction_pressure", "kPa", -100, 2500),
        ("pump.bearing_temp_de", "Cel", -20, 150),
        ("pump.motor_winding_temp", "Cel", -20, 200),
        ("pump.vibration_rms", "mm/s", 0, 50),
        ("ahu.oat", "Cel", -45, 55),
        ("ahu.mat", "Cel", -30, 60),
        ("ahu.rat", "Cel", -10, 60),
        ("ahu.sat", "Cel", -10, 80),
        ("ahu.duct_static_pressure", "Pa", -200, 2500),
        ("ahu.filter_dp", "Pa", 0, 2000),
        ("ahu.co2", "ppm", 0, 10000),
        ("lv_feeder.voltage_l1", "V", 0, 300),
        ("lv_feeder.voltage_l3_l1", "V", 0, 520),
        ("lv_feeder.power_factor", "1", -1, 1),
        ("lv_feeder.frequency", "Hz", 45, 55),
        ("lv_feeder.thd_current_l2", "%", 0, 300),
        ("lv_feeder.residual_current", "mA", 0, 30000),
        ("lv_feeder.cable_temp", "Cel", -40, 150),
        ("dorm_room.active_power", "kW", 0, 12),
        ("hot_water_tank.tank_temp_top", "Cel", -5, 100),
        ("hot_water_tank.circ_flow", "L/s", 0, 20),
        ("electric_heater.element_temp", "Cel", -5, 300),
        ("mixing_valve.mixed_water_temp", "Cel", -5, 95),
        ("mixing_valve.cold_water_temp", "Cel", -5, 50),
        ("mixing_valve.cold_supply_pressure", "kPa", 0, 1600),
    ],
)
def test_units_and_hard_ranges_are_those_of_the_tables(name: str, unit: str, low: float, high: float) -> None:
    assert (point(name).unit, point(name).low, point(name).high) == (unit, low, high)


@pytest.mark.parametrize(
    ("name", "jump"),
    [
        ("chiller.chw_supply_temp", 10),
        ("hot_water_tank.tank_temp_middle", 10),
        ("ahu.sat", 20),
        ("ahu.rat", 6),
        ("weather.outdoor_temp", 9),
        ("weather.outdoor_humidity", 25),
        ("ahu.duct_static_pressure", 500),
        ("chiller.active_power", None),
        ("mixing_valve.mixed_water_temp", None),
    ],
)
def test_jumps_are_those_of_the_medium(name: str, jump: float | None) -> None:
    assert point(name).jump == jump


def test_flatlines_are_those_of_the_medium() -> None:
    loop, room, flow = (point(name).flatline for name in ("chiller.chw_supply_temp", "ahu.oat", "chiller.chw_flow"))
    assert loop is not None
    assert room is not None
    assert flow is not None
    assert (loop.tolerance, loop.window_ms) == (0.1, 3_600_000)
    assert (room.tolerance, room.window_ms) == (0.25, 7_200_000)
    assert (flow.tolerance, flow.window_ms) == (0.0, 900_000)
    assert point("hot_water_tank.cold_makeup_flow").flatline is None


def test_device_codes_are_sentinels_only_where_they_are_no_ordinary_value() -> None:
    assert point("chiller.chw_supply_temp").sentinels == (-127.0, 85.0, 850.0, 32767.0, 65535.0)
    assert 85.0 not in point("pump.motor_winding_temp").sentinels
    assert point("chiller.energy_active_total").sentinels == ()


def test_trips_and_alarms_keep_the_worst_of_an_instant() -> None:
    assert point("chiller.chiller_alarm_status").fold is Fold.MAX
    assert point("lv_feeder.breaker_trip_status").fold is Fold.MAX
    assert point("ahu.freeze_stat_status").fold is Fold.MAX
    assert point("pump.pump_status").fold is Fold.LAST


def test_sampling_classes() -> None:
    assert point("mixing_valve.mixed_water_temp").sampling is SamplingClass.FAST
    assert point("dorm_room.current").sampling is SamplingClass.FAST
    assert point("lv_feeder.current_l1").sampling is SamplingClass.ELEC
    assert point("lv_feeder.energy_active_import_total").sampling is SamplingClass.HVAC
    assert point("hot_water_tank.tank_temp_bottom").sampling is SamplingClass.SLOW
    assert point("chiller.chw_flow").sampling is SamplingClass.HVAC


def test_every_type_says_whether_it_is_online_and_may_hang_on_a_gateway() -> None:
    assert all(kind.points["online_status"].fold is Fold.LAST for kind in CATALOGUE.types.values())
    assert {kind.name for kind in CATALOGUE.types.values() if "gateway" not in kind.relations} == {"gateway"}


@pytest.mark.parametrize(("kind", "point"), ALL_POINTS)
def test_every_point_is_sound(kind: str, point: Point) -> None:
    assert point.unit in HOUSE
    assert point.low < point.high
    assert max(abs(point.low), abs(point.high)) * 10**point.decimals < 2**53
    assert point.text.zh
    assert point.text.en
    assert (point.unit == "bool") == ((point.low, point.high, point.decimals) == (0.0, 1.0, 0))
    suffixes = {"_command": Kind.COMMAND, "_setpoint": Kind.SETPOINT, "_status": Kind.STATUS, "_total": Kind.METER}
    expected = [wanted for suffix, wanted in suffixes.items() if point.name.endswith(suffix)]
    assert expected in ([], [point.kind])


def test_joint_temperatures_come_in_three_phases_of_each_declared_place() -> None:
    family = CATALOGUE.types["lv_feeder"].families["joint_temp_{loc}_{phase}"]
    names = [point.name for point in expand(family, {"loc": ("incoming", "busbar")})]
    assert names == [f"joint_temp_{loc}_{phase}" for loc in ("incoming", "busbar") for phase in ("l1", "l2", "l3")]
    assert expand(family, {}) == ()


# Columns of the two air-handler recordings this project is tuned on.
AHU_COLUMNS = """
sat sat_setpoint oat mat rat sf_status rf_status sf_speed_command rf_speed_command ea_damper_command
oa_damper_command ra_damper_command clg_valve_command htg_valve_command duct_static_pressure_setpoint
duct_static_pressure occupancy_status preheat_valve_command ra_ea_damper_command economizer_enable_command
ef_enable_command rf_command sf_command schedule_status
"""


def test_the_air_handler_knows_every_column_of_the_recordings() -> None:
    assert set(AHU_COLUMNS.split()) <= set(CATALOGUE.types["ahu"].points)


def test_no_name_means_two_things_in_a_type() -> None:
    for kind in CATALOGUE.types.values():
        names = [*kind.points, *kind.parameters, *kind.derived, *kind.relations]
        assert len(names) == len(set(names)), kind.name


def test_a_catalogue_of_ones_own_needs_its_folder(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no directory"):
        load_catalogue(tmp_path / "none")
    assert load_catalogue(tmp_path) == Catalogue({})


def test_names_of_an_expression_are_found_with_their_places() -> None:
    found = [(use.name, use.offset) for use in names_used('mean(a, "5m") > 湿度 + cooled_by.temp\n')]
    assert found == [("a", 5), ("湿度", 16), ("cooled_by.temp", 21)]


@pytest.mark.parametrize(("text", "offset"), [("a +", 3), ("1 + + ", 5), ("a ? b", 2), ("", 0), ("(a", 0)])
def test_what_is_no_expression_is_said_with_its_place(text: str, offset: int) -> None:
    with pytest.raises(NotAnExpression) as refused:
        names_used(text)
    assert refused.value.offset == offset

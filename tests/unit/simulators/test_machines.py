"""Machines under faults show the signatures of DOMAIN §2.6 and §4.5, and are quiet when healthy."""

from __future__ import annotations

import pytest

from tests.unit.simulators.recording import Recording

CHILLER, PUMP, TOWER = "plant/chiller-1", "plant/chw-pump-1", "plant/tower-1"
SECOND = "plant/chiller-2"
TANK, HEATER, VALVE = "bath/tank-1", "bath/heater-1", "bath/mixing-valve-1"
HOUR = 3600


def test_healthy_chiller_holds_its_set_point_and_never_trips(day: Recording) -> None:
    """CH-02: off its set point by more than 1 K for 15 min; when the second machine starts both are, for minutes."""
    supply = day.series[CHILLER, "chw_supply_temp"]
    errors = [abs(value - day.at(CHILLER, "chw_supply_temp_setpoint", when)) for when, value in supply.items()]
    assert sum(error > 1.0 for error in errors) < 5
    assert min(day.values(CHILLER, "chiller_run_status")) == 1.0
    assert max(day.values(CHILLER, "chiller_alarm_status")) == 0.0


def test_healthy_chiller_is_loaded_above_forty_percent_through_the_working_day(day: Recording) -> None:
    """CH-04 is judged only above PLR 0.40 (DOMAIN §2.3)."""
    for hour in range(3, 11):
        second = hour * HOUR
        rise = day.at(CHILLER, "chw_return_temp", second) - day.at(CHILLER, "chw_supply_temp", second)
        assert 1.163 * day.at(CHILLER, "chw_flow", second) * rise / 1200 > 0.40


def test_healthy_tower_stays_within_the_chiller_s_limits(day: Recording) -> None:
    """CT-11: entering condenser water 15.5 … 33 °C."""
    entering = day.values(CHILLER, "cw_entering_temp")
    assert min(entering) > 15.5
    assert max(entering) < 33


def test_healthy_bathhouse_uses_the_energy_of_the_prototype(day: Recording) -> None:
    """3006 kW·h a day (DOMAIN §4.6 [P])."""
    meter = day.values(HEATER, "energy_active_total")
    assert meter[-1] - meter[0] == pytest.approx(3006, rel=0.03)


def test_healthy_mixed_water_is_pleasant_and_the_return_hot(day: Recording) -> None:
    mixed = day.values(VALVE, "mixed_water_temp")
    assert min(mixed) > 37
    assert max(mixed) < 43
    assert min(day.values(TANK, "circ_return_temp")) > 50


def test_healthy_sensors_are_never_still_for_an_hour(day: Recording) -> None:
    """DQ-02 for loop temperatures: spread ≤ 0.1 K over 1 h."""
    for path, point in (
        (CHILLER, "chw_supply_temp"),
        (CHILLER, "chw_return_temp"),
        (CHILLER, "evap_sat_temp"),
        (CHILLER, "suction_temp"),
        (TANK, "dhw_supply_temp"),
        (TANK, "circ_return_temp"),
        (TANK, "cold_water_temp"),
    ):
        values = day.values(path, point)
        spreads = [max(values[i : i + 60]) - min(values[i : i + 60]) for i in range(len(values) - 60)]
        assert min(spreads) > 0.15, point


def test_dead_pump_stops_the_flow_and_trips_the_chiller() -> None:
    run = Recording("pump_dead")
    onset = 30 * 60
    assert run.at(PUMP, "pump_status", onset - 1) == 1.0
    assert run.at(PUMP, "pump_status", onset) == 0.0
    assert run.at(PUMP, "pump_command", onset + 60) == 1.0
    assert run.at(PUMP, "pump_flow", onset + 120) == 0.0
    assert run.at(CHILLER, "chiller_run_status", onset + 60) == 0.0
    assert run.at(CHILLER, "chiller_alarm_status", onset + 60) == 1.0
    assert run.at(CHILLER, "chiller_enable_command", onset + 60) == 1.0
    assert run.at(CHILLER, "active_power", onset + 120) == 0.0
    assert min(run.values(CHILLER, "chw_supply_temp")) > 5.0  # no freezing (CH-08)


def test_second_chiller_is_staged_by_load_and_carries_the_plant_when_the_first_trips(day: Recording) -> None:
    """Alone in the morning and at night, together through the hot day; no more than one start a day."""
    assert day.at(SECOND, "chiller_run_status", HOUR) == 0.0
    assert day.at(SECOND, "chiller_enable_command", HOUR) == 0.0
    assert day.at(SECOND, "active_power", HOUR) == 0.0
    assert day.at("plant/cw-pump-2", "pump_command", HOUR) == 0.0
    assert day.at(SECOND, "chiller_run_status", 8 * HOUR) == 1.0
    assert day.at(SECOND, "active_power", 8 * HOUR) == pytest.approx(
        day.at(CHILLER, "active_power", 8 * HOUR), rel=0.05
    )
    assert day.values(SECOND, "start_count_total")[-1] - day.values(SECOND, "start_count_total")[0] <= 2
    lost = Recording("pump_dead")
    supply, setpoint = (lost.at(SECOND, point, 70 * 60) for point in ("chw_supply_temp", "chw_supply_temp_setpoint"))
    assert supply < setpoint + 1
    assert lost.at("plant/chw-pump-2", "speed", 70 * 60) == pytest.approx(100, abs=1)


def test_plant_recovers_after_the_pump_is_repaired() -> None:
    run = Recording("pump_dead")
    assert run.at(PUMP, "pump_status", 75 * 60) == 1.0
    assert run.at(CHILLER, "chiller_run_status", 80 * 60) == 1.0
    assert run.at(CHILLER, "chiller_alarm_status", 80 * 60) == 0.0
    assert run.at(CHILLER, "chw_supply_temp", 110 * 60) < 8.0


def test_fouled_condenser_quadruples_the_approach_and_leaves_the_tower_alone() -> None:
    """fc = 3 gives A_c = 1.5·plr·4; cleaned at 4 h."""
    run = Recording("ch_cond_fouling_step")

    def approach_by_load(second: int) -> float:
        rise = run.at(CHILLER, "chw_return_temp", second) - run.at(CHILLER, "chw_supply_temp", second)
        load = 1.163 * run.at(CHILLER, "chw_flow", second) * rise / 1200
        return (run.at(CHILLER, "cond_sat_temp", second) - run.at(CHILLER, "cw_leaving_temp", second)) / load

    def mean(start: int) -> float:
        return sum(approach_by_load(start + 60 * n) for n in range(20)) / 20

    assert mean(300) == pytest.approx(1.5, rel=0.1)
    assert mean(2 * HOUR) == pytest.approx(6.0, rel=0.1)
    assert mean(5 * HOUR) == pytest.approx(1.5, rel=0.1)
    fan_at_full = [value for value in run.values(TOWER, "fan_speed") if value >= 95]
    assert fan_at_full == []


def test_lost_cold_supply_scalds_at_once_and_empties_the_cold_pressure() -> None:
    run = Recording("cold_supply_loss")
    onset = 70 * 60
    assert run.at(VALVE, "mixed_water_temp", onset - 1) == pytest.approx(40, abs=0.6)
    assert run.at(VALVE, "mixed_water_temp", onset + 10) > 46
    assert run.at(VALVE, "mixed_water_temp", onset + 30) == pytest.approx(59, rel=0.03)
    assert run.at(VALVE, "cold_supply_pressure", onset + 20) < 10
    assert run.at(VALVE, "mixed_water_temp", 82 * 60) == pytest.approx(40, abs=0.6)


def test_dead_heater_is_commanded_without_power_and_the_morning_shower_is_cold() -> None:
    run = Recording("heater_dead")
    onset = 90 * 60
    assert run.at(HEATER, "heater_power", onset - 1) > 380
    assert run.at(HEATER, "heater_command", onset + 60) == 1.0
    assert run.at(HEATER, "heater_status", onset + 60) == 0.0
    assert run.at(HEATER, "heater_power", onset + 120) == 0.0
    assert run.at(TANK, "tank_temp_top", 7 * HOUR) < 55
    assert run.at(VALVE, "mixed_water_temp", 9 * HOUR + 900) < 33


def test_third_of_the_elements_gone_shows_in_power_only() -> None:
    run = Recording("element_fail")
    heating = [value for value in run.values(HEATER, "heater_power", since=2 * HOUR + 60) if value > 100]
    assert sum(heating) / len(heating) == pytest.approx(0.667 * 400, rel=0.03)
    assert min(run.values(TANK, "tank_temp_top")) > 57.5


def test_stopped_circulation_lets_the_return_cool() -> None:
    """τ = 3.7 h towards 22 °C (DOMAIN §4.6): from 57 °C to 50 °C in 50 min."""
    run = Recording("circ_pump_fail")
    assert run.at(TANK, "circ_pump_status", HOUR) == 0.0
    assert run.at(TANK, "circ_return_temp", HOUR + 50 * 60) == pytest.approx(50, abs=1.0)


def test_silent_gateway_takes_everything_behind_it_and_nothing_else() -> None:
    run = Recording("gateway_silence")
    begin, end = 30 * 60, 70 * 60
    for path in (CHILLER, PUMP, TOWER, "site/weather"):
        said = {when for (equipment, _), points in run.series.items() if equipment == path for when in points}
        assert [when for when in said if begin <= when < end] == []
    gateway = run.series["plant/gateway-1", "online_status"]
    assert [when for when, value in gateway.items() if value == 0.0] == [begin + 90]
    assert gateway[end] == 1.0
    assert begin + 60 in run.series[TANK, "circ_pump_status"]
    assert run.series[PUMP, "pump_status"][end] == 1.0


def test_stuck_sensor_repeats_one_value_while_its_neighbours_move() -> None:
    run = Recording("sensor_stuck")
    assert len(set(run.values(CHILLER, "chw_supply_temp", since=31 * 60))) == 1
    assert len(set(run.values(CHILLER, "chw_return_temp", since=31 * 60))) > 3


def test_dropped_out_point_is_missing_while_the_machine_is_heard() -> None:
    run = Recording("sensor_dropout")
    assert run.values(CHILLER, "cond_sat_temp", since=30 * 60) == []
    assert len(run.values(CHILLER, "cw_leaving_temp", since=30 * 60)) == 151

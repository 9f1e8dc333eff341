"""Each fault put into the healthy campus gives exactly its finding, the healthy campus none (DOMAIN DQ-12, DQ-13)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from maintenance.commissioning import Cause, Check, Fault, Outcome, Window, check, check_stored
from plant.reading import ReadingBatch, SeriesKey, SeriesTable
from plant.site import Binding, Plant
from tests.unit.maintenance.commissioning.recorded import (
    HOUR,
    Points,
    Spoil,
    campus,
    judged,
    morning,
    readings,
    swapped,
    times,
)

PHASES = ("l1", "l2", "l3")


def told(equipment: str, spoil: Spoil) -> list[tuple[Cause, tuple[str, ...], float | None]]:
    """Cause, points and factor of each fault found on the machine that is spoilt."""
    return [(one.cause, one.points, one.factor) for one in judged(equipment, {equipment: spoil}).faults]


@pytest.mark.parametrize("equipment", sorted(campus().site.equipment))
def test_every_machine_of_the_healthy_campus_passes(equipment: str) -> None:
    report = judged(equipment)
    assert (report.outcome, report.faults) == (Outcome.PASSED, ())


@pytest.mark.parametrize(
    ("equipment", "point", "factor"),
    [
        ("ch-1", "chw_flow", 10.0),
        ("ch-1", "cw_flow", 0.1),
        ("ch-1", "active_power", 10.0),
        ("ch-1", "active_power", 0.001),
        ("ch-1", "evap_pressure", 0.01),
        ("ch-1", "chw_return_temp", 10.0),
        ("chwp-1", "pump_flow", 10.0),
        ("chwp-1", "active_power", 1000.0),
        ("heater-1", "heater_power", 10.0),
        ("lv-in", "voltage_l1", 0.001),
        ("tank-1", "tank_temp_top", 10.0),
        ("ahu-1", "duct_static_pressure", 0.001),
    ],
)
def test_a_value_in_another_scale_is_named_with_its_factor(equipment: str, point: str, factor: float) -> None:
    assert told(equipment, times(factor, point)) == [(Cause.SCALE, (point,), factor)]


@pytest.mark.parametrize(
    ("equipment", "point"), [("ch-1", "chw_supply_temp"), ("tank-1", "tank_temp_top"), ("mix-1", "cold_water_temp")]
)
def test_fahrenheit_and_kelvin_are_told_apart(equipment: str, point: str) -> None:
    def fahrenheit(said: Points) -> Points:
        return {name: value * 1.8 + 32 if name == point else value for name, value in said.items()}

    def kelvin(said: Points) -> Points:
        return {name: value + 273.15 if name == point else value for name, value in said.items()}

    assert told(equipment, fahrenheit) == [(Cause.FAHRENHEIT, (point,), None)]
    assert told(equipment, kelvin) == [(Cause.KELVIN, (point,), None)]


def test_a_drive_of_50_hz_read_as_percent_shows_half() -> None:
    assert told("chwp-1", times(0.5, "speed")) == [(Cause.HERTZ, ("speed",), 0.5)]
    assert told("chwp-1", times(0.5, "speed_command")) == [(Cause.HERTZ, ("speed_command",), 0.5)]


@pytest.mark.parametrize(
    ("equipment", "above", "below"),
    [
        ("ch-1", "chw_return_temp", "chw_supply_temp"),
        ("ch-1", "cw_leaving_temp", "cw_entering_temp"),
        ("ct-1", "tower_entering_temp", "tower_leaving_temp"),
        ("chwp-1", "discharge_pressure", "suction_pressure"),
        ("mix-1", "hot_water_temp", "cold_water_temp"),
    ],
)
def test_supply_and_return_the_wrong_way_round(equipment: str, above: str, below: str) -> None:
    assert told(equipment, swapped(above, below)) == [(Cause.SWAPPED, (above, below), None)]


def turned(phase: str) -> Spoil:
    """The current transformer of a phase is the wrong way round; the meter's totals go along."""

    def spoil(said: Points) -> Points:
        for quantity in ("active_power", "reactive_power"):
            if f"{quantity}_{phase}" in said:
                said[f"{quantity}_{phase}"] *= -1
                said[quantity] = sum(said[f"{quantity}_{name}"] for name in PHASES)
        return said

    return spoil


def crossed(said: Points) -> Points:
    """The transformers of L1 and L2 sit on each other's phase: each sees the other's current 120° off."""
    if "active_power_l1" not in said:
        return said
    before = dict(said)
    for here, there, step in (("l1", "l2", 120), ("l2", "l1", -120)):
        angle = math.atan2(before[f"reactive_power_{there}"], before[f"active_power_{there}"]) + math.radians(step)
        apparent = before[f"voltage_{here}"] * before[f"current_{there}"] / 1000
        said[f"current_{here}"] = before[f"current_{there}"]
        said[f"active_power_{here}"] = apparent * math.cos(angle)
        said[f"reactive_power_{here}"] = apparent * math.sin(angle)
    for quantity in ("active_power", "reactive_power"):
        said[quantity] = sum(said[f"{quantity}_{name}"] for name in PHASES)
    return said


@pytest.mark.parametrize("phase", PHASES)
def test_a_current_transformer_the_wrong_way_round(phase: str) -> None:
    assert told("fd-office", turned(phase)) == [(Cause.CT_REVERSED, (f"active_power_{phase}",), None)]


def test_current_transformers_on_each_others_phase() -> None:
    assert told("fd-office", crossed) == [(Cause.PHASES_CROSSED, ("current_l1", "current_l2"), None)]


@pytest.mark.parametrize("factor", [10.0, 0.001])
def test_phases_that_do_not_sum_up_to_the_total(factor: float) -> None:
    assert told("fd-office", times(factor, "active_power")) == [(Cause.SCALE, ("active_power",), factor)]
    assert told("fd-office", times(1.2, "active_power")) == [(Cause.PHASE_SUM, ("active_power",), None)]


def test_power_of_all_phases_against_voltage_and_current() -> None:
    names = tuple(f"active_power_{phase}" for phase in PHASES)
    assert told("fd-office", times(10.0, "active_power", *names)) == [(Cause.SCALE, names, 10.0)]


def test_a_ratio_set_wrong_on_one_phase() -> None:
    assert told("fd-office", times(2.0, "current_l3")) == [(Cause.CT_RATIO, ("active_power_l3", "current_l3"), 0.5)]


ALL_OF_A_METER = tuple(
    f"{quantity}{phase}"
    for quantity in ("current", "active_power", "reactive_power")
    for phase in ("", *(f"_{name}" for name in PHASES))
)


# Half of the bathhouse is within what is not metered, so only its double shows.
@pytest.mark.parametrize(
    ("equipment", "factor"), [("fd-office", 0.5), ("fd-office", 2.0), ("fd-bath", 2.0), ("lv-in", 0.5), ("lv-in", 2.0)]
)
def test_a_transformer_ratio_is_found_by_the_balance_of_the_board(equipment: str, factor: float) -> None:
    assert told(equipment, times(factor, *ALL_OF_A_METER)) == [(Cause.CT_RATIO, ("active_power",), factor)]


def test_the_feeder_beside_the_wrong_one_is_not_blamed() -> None:
    assert judged("fd-bath", {"fd-office": times(2.0, *ALL_OF_A_METER)}).faults == ()


def without_phases(factor: float) -> Spoil:
    """A simple meter: voltages, currents, one power and its factor; its power is `factor` times too large."""

    def spoil(said: Points) -> Points:
        said = {name: value for name, value in said.items() if "power_l" not in name}
        return {name: value * factor if name == "active_power" else value for name, value in said.items()}

    return spoil


@pytest.mark.parametrize(
    ("factor", "expected"),
    [
        (1.0, []),
        (10.0, [(Cause.SCALE, ("active_power",), 10.0)]),
        (0.5, [(Cause.CT_RATIO, ("active_power",), 0.5)]),
        (-1.0, [(Cause.CT_REVERSED, ("active_power",), None)]),
    ],
)
def test_a_simple_meter_by_root_three_u_i_pf(
    factor: float, expected: list[tuple[Cause, tuple[str, ...], float | None]]
) -> None:
    assert told("fd-office", without_phases(factor)) == expected


def test_clocks() -> None:
    # 25 h and more are historical and another matter.
    assert [one.cause for one in judged("ch-1", late_ms=-120_000).faults] == [Cause.CLOCK_AHEAD]
    (late,) = judged("ch-1", late_ms=300_000).faults
    assert late.cause is Cause.CLOCK_BEHIND
    assert late.found == pytest.approx(300, abs=61)


def test_a_machine_that_reports_each_quarter_of_an_hour_is_too_slow() -> None:
    (fault,) = judged("ch-1", every=6).faults
    assert (fault.cause, fault.found, fault.expected) == (Cause.TOO_SLOW, 360.0, 60.0)
    assert {"chw_flow", "energy_active_total"} <= set(fault.points)
    assert "chiller_run_status" not in fault.points


def test_codes_of_broken_sensors_and_impossible_values() -> None:
    assert told("ch-1", lambda said: {**said, "cw_leaving_temp": 850.0}) == [
        (Cause.SENTINEL, ("cw_leaving_temp",), None)
    ]
    assert told("ch-1", lambda said: {**said, "cw_leaving_temp": -30.0}) == [
        (Cause.OUT_OF_RANGE, ("cw_leaving_temp",), None)
    ]


def bound(*points: str) -> Plant:
    """The campus with a chiller whose points have bindings; nothing is ever sent on them."""
    plant = campus()
    chiller = replace(plant.site.equipment["ch-1"], bindings=tuple(Binding(f"gw/{p}", p, "x") for p in points))
    return replace(plant, site=replace(plant.site, equipment={**plant.site.equipment, "ch-1": chiller}))


def test_a_bound_point_that_never_came() -> None:
    # The native topic feeds the flow and the suction; the guide vanes of the demo's chillers are not measured.
    report = judged("ch-1", plant=bound("chw_flow", "guide_vane_position", "suction_temp"))
    assert [(one.cause, one.points) for one in report.faults] == [(Cause.NEVER_SEEN, ("guide_vane_position",))]


def test_a_machine_that_is_silent_fails_and_is_asked_nothing_else() -> None:
    plant = campus()
    report = check(Window.of(plant, ReadingBatch.empty(), plant.series, 0, 3_600_000), "ch-1")
    assert [(one.check, one.outcome) for one in report.results] == [(Check.HEARD, Outcome.FAILED)]


def test_a_machine_that_never_ran_has_not_enough_data() -> None:
    report = judged("chwp-1", {"chwp-1": lambda said: {**said, "pump_status": 0}})
    assert report.outcome is Outcome.NOT_ENOUGH
    outcomes = {one.check: one.outcome for one in report.results}
    assert outcomes[Check.DIRECTION] is outcomes[Check.SCALE] is Outcome.NOT_ENOUGH
    assert outcomes[Check.RATE] is Outcome.PASSED


def test_a_fault_says_what_was_found_and_what_is_right() -> None:
    (fault,) = judged("heater-1", {"heater-1": times(10.0, "heater_power")}).faults
    assert isinstance(fault, Fault)
    assert fault.found is not None
    assert fault.expected == pytest.approx(fault.found / 10)


class Stored:
    """A telemetry store that holds one batch."""

    def __init__(self, batch: ReadingBatch) -> None:
        self._batch = batch

    def rows(self, keys: Sequence[SeriesKey], table: SeriesTable, start: int, end: int) -> ReadingBatch:
        wanted = [number for number, key in enumerate(table.keys) if key in set(keys)]
        batch = self._batch
        return batch.take(np.isin(batch.series, wanted) & (batch.ts >= start) & (batch.ts < end))


@pytest.mark.parametrize("equipment", ["ch-1", "fd-bath"])
def test_a_device_in_another_zone_is_told_its_clock_not_that_it_was_never_heard(equipment: str) -> None:
    start, end, _ = morning()
    stored = Stored(readings(equipment, plant=campus(), late_ms=8 * HOUR))
    report = check_stored(stored, campus(), equipment, start, end)
    (fault,) = report.faults
    assert fault.cause is Cause.CLOCK_BEHIND
    assert fault.found == pytest.approx(28_800, abs=60)


def test_what_came_before_the_window_and_is_silent_in_it_was_not_heard() -> None:
    _, end, _ = morning()
    earlier = Stored(readings("ch-1", plant=campus()))
    report = check_stored(earlier, campus(), "ch-1", end + HOUR, end + 3 * HOUR)
    assert [one.cause for one in report.faults] == [Cause.NEVER_SEEN]

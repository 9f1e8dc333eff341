"""Doubtful readings decided by the next one: spikes, steps, resets, rollovers and leaps (DOMAIN §1.5 DQ-03, DQ-08)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ingest.intake import Intake
from ingest.registers import register_end
from ingest.repairs import Repair, RepairKind
from plant.catalogue import Kind
from plant.quality import Quality, Reason
from plant.site import Plant
from tests.unit.ingest.plants import GOOD, T0, frame, message, plant, rows

MINUTE = 60_000
HELD_BACK = (Quality.BAD, Reason.JUMP)
FAULTY = (Quality.BAD, Reason.COUNTER_FAULT)


def told(point: str, *values: float, on: Plant | None = None) -> tuple[list[tuple[Quality, Reason]], list[Repair]]:
    """Verdicts and repairs of a value a minute."""
    on = on or plant()
    steps = [(T0 + number * MINUTE, value) for number, value in enumerate(values)]
    sent = [message(frame(at, **{point: value}), received_at=at) for at, value in steps]
    taken = Intake(on).feed_many(list(enumerate(sent, 1)))
    return [row[3:] for row in rows(on, taken)], list(taken.repairs)


def repair(kind: RepairKind, at: int, original: float, repaired: float, before: float, shift: float = 0.0) -> Repair:
    """The repair of the n-th value (from 0) of tank-1, decided by the one after it."""
    point = "tank_temp_top" if kind in (RepairKind.SPIKE, RepairKind.STEP) and original < 200 else "heat_total"
    return Repair(at + 2, "tank-1", point, kind, T0 + at * MINUTE, original, repaired, before, shift)


def test_a_spike_is_replaced_by_the_median_of_three() -> None:
    assert told("tank_temp_top", 50.0, 70.0, 50.5) == (
        [GOOD, HELD_BACK, GOOD],
        [repair(RepairKind.SPIKE, 1, 70.0, 50.5, 50.0)],
    )


def test_a_step_that_stays_was_right() -> None:
    assert told("tank_temp_top", 50.0, 70.0, 71.0) == (
        [GOOD, HELD_BACK, GOOD],
        [repair(RepairKind.STEP, 1, 70.0, 70.0, 50.0)],
    )


def test_a_step_that_goes_on_slowly_is_a_step_though_the_old_value_could_be_reached_again() -> None:
    # 60 is 2 from the step and 10 from the value before: within 20 K in two minutes, but not the nearer.
    assert told("tank_temp_top", 50.0, 62.0, 60.0)[1] == [repair(RepairKind.STEP, 1, 62.0, 62.0, 50.0)]


def test_of_two_spikes_in_a_row_each_is_left_out() -> None:
    assert told("tank_temp_top", 50.0, 75.0, 20.0, 50.0) == (
        [GOOD, HELD_BACK, HELD_BACK, GOOD],
        [repair(RepairKind.SPIKE, 1, 75.0, 50.0, 50.0), repair(RepairKind.SPIKE, 2, 20.0, 50.0, 50.0)],
    )


def test_what_nothing_has_followed_yet_is_not_decided() -> None:
    assert told("tank_temp_top", 50.0, 70.0)[1] == []


def test_a_meter_that_begins_anew_goes_on_from_where_it_stood() -> None:
    assert told("heat_total", 500.0, 3.0, 5.0) == (
        [GOOD, FAULTY, GOOD],
        [repair(RepairKind.RESET, 1, 3.0, 503.0, 500.0, 500.0)],
    )


def test_a_meter_that_says_zero_once_was_not_reset() -> None:
    assert told("heat_total", 500.0, 0.0, 501.0) == (
        [GOOD, FAULTY, GOOD],
        [Repair(3, "tank-1", "heat_total", RepairKind.SPIKE, T0 + MINUTE, 0.0, 500.0, 500.0)],
    )


def test_a_register_of_four_digits_rolls_over_at_ten_thousand() -> None:
    assert told("heat_total", 9_990.0, 5.0, 6.0) == (
        [GOOD, GOOD, GOOD],
        [repair(RepairKind.ROLLOVER, 1, 5.0, 10_005.0, 9_990.0, 10_000.0)],
    )


def test_a_leap_no_machine_can_drive_is_not_counted() -> None:
    # At most 20 kWh a minute: 541 after 500 is a leap, and 542 goes on from it.
    assert told("heat_total", 500.0, 541.0, 542.0) == (
        [GOOD, FAULTY, GOOD],
        [repair(RepairKind.REBASE, 1, 541.0, 500.0, 500.0, -41.0)],
    )


def test_a_leap_that_is_taken_back_was_none() -> None:
    assert told("heat_total", 500.0, 900.0, 501.0) == (
        [GOOD, FAULTY, GOOD],
        [Repair(3, "tank-1", "heat_total", RepairKind.SPIKE, T0 + MINUTE, 900.0, 500.0, 500.0)],
    )


def test_a_meter_that_falls_twice_is_decided_by_what_follows() -> None:
    assert told("heat_total", 500.0, 300.0, 2.0, 3.0)[1] == [
        Repair(3, "tank-1", "heat_total", RepairKind.SPIKE, T0 + MINUTE, 300.0, 500.0, 500.0),
        Repair(4, "tank-1", "heat_total", RepairKind.RESET, T0 + 2 * MINUTE, 2.0, 502.0, 500.0, 500.0),
    ]


@pytest.mark.parametrize(
    ("before", "after", "end"),
    [
        (9_901.0, 99.0, 10_000.0),
        (9_899.0, 99.0, None),
        (9_901.0, 101.0, None),
        (999_999.9, 0.2, 1_000_000.0),
        (65_500.0, 20.0, 65_536.0),
        (42_949_672.9, 0.1, 42_949_672.96),
        (4_294_967_290.0, 5.0, 4_294_967_296.0),
        (7_400.0, 7_390.0, None),
    ],
)
def test_a_rollover_lies_within_a_hundredth_of_the_end_of_a_register(
    before: float, after: float, end: float | None
) -> None:
    assert register_end(before, after, 1e9) == end


def energy_meter(*, rated_power: float | None, step: float) -> list[tuple[Quality, Reason]]:
    """Verdicts of a meter of energy that leaps by `step` kWh within a minute and says no limit of its own."""
    base = plant()
    kind = base.catalogue.types["hot_water_tank"]
    meter = replace(kind.points["heat_total"], jump=None, high=1e9, kind=Kind.METER)
    power = replace(kind.points["tank_level"], name="heater_power", unit="kW", high=50.0)
    points = {**kind.points, "heat_total": meter, "heater_power": power}
    machine = base.site.equipment["tank-1"]
    said = {} if rated_power is None else {"rated_power": rated_power}
    machines = {**base.site.equipment, "tank-1": replace(machine, parameters=said)}
    catalogue = replace(base.catalogue, types={kind.name: replace(kind, points=points)})
    on = Plant(catalogue, replace(base.site, equipment=machines))
    return told("heat_total", 500.0, 500.0 + step, on=on)[0]


@pytest.mark.parametrize(
    ("rated_power", "step", "verdict"),
    # 1.2 × 10 kW for the minute and one hour more: 12.2 kWh; by the range of the power, 50 kW: 61 kWh.
    [(10.0, 12.1, GOOD), (10.0, 12.3, FAULTY), (None, 60.9, GOOD), (None, 61.1, FAULTY)],
)
def test_a_meter_counts_no_more_than_its_machine_takes(
    rated_power: float | None, step: float, verdict: tuple[Quality, Reason]
) -> None:
    assert energy_meter(rated_power=rated_power, step=step) == [GOOD, verdict]

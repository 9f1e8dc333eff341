"""Simulated machines, the real rules, a real ledger: what must be found is, in its time, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from maintenance.ticket import Resolution, State
from plant.severity import Severity
from rules.events import EventKind
from tests.support.simulated import MINUTE, LiveSite, live_site

PLANT = ("ch-1", "ch-2", "chwp-1", "chwp-2", "cwp-1", "cwp-2", "ct-1", "ct-2", "wx")
"""What stands behind the gateway of the cooling plant."""


def assert_only_the_promised(site: LiveSite) -> None:
    """Every promise that is due is kept in its time and severity; else only effects waited for a promised cause."""
    promised, raised = site.promised(), site.raised()
    causes = {f"{equipment}/{rule}" for equipment, rule in promised}
    own = {key: events for key, events in raised.items() if any(event.cause not in causes for event in events)}
    due = {key for key, deadline in promised.items() if deadline.latest <= site.simulation.now}
    assert promised
    assert due <= set(own) <= set(promised)
    for key, (event,) in own.items():
        deadline = promised[key]
        assert deadline.onset <= event.at <= deadline.latest
        assert deadline.severity in (None, event.severity.name)
    assert site.rejected == []


def test_a_healthy_day_opens_nothing(tmp_path: Path) -> None:
    with live_site("healthy_day", tmp_path) as site:
        site.advance()
        assert site.events == []
        assert site.tickets == []
        assert site.rejected == []


@pytest.mark.parametrize(
    "name",
    [
        "ahu_filter_dirty",
        "ahu_valve_leak",
        "ahu_valve_stuck",
        "circ_pump_fail",
        "dorm_overload",
        "illegal_heater",
        "leakage",
        "breaker_trip",
        "overload",
        "phase_loss",
        "undervoltage",
    ],
)
def test_each_fault_is_found_in_its_time_and_nothing_else(name: str, tmp_path: Path) -> None:
    with live_site(name, tmp_path) as site:
        last = max(deadline.latest for deadline in site.promised().values())
        site.advance((last - site.simulation.start) / MINUTE + 5)
        assert_only_the_promised(site)
        assert {ticket.equipment for ticket in site.tickets} == {machine for machine, _ in site.promised()}


def test_legal_appliances_are_no_kettle(tmp_path: Path) -> None:
    with live_site("dorm_lookalikes", tmp_path) as site:
        site.advance(180)
        assert site.tickets == []


def test_condenser_fouling_opens_one_ticket_and_cleaning_starts_its_proof(tmp_path: Path) -> None:
    with live_site("ch_cond_fouling_step", tmp_path) as site:
        site.advance(235)
        assert_only_the_promised(site)
        assert (site.ticket.equipment, site.ticket.rule, site.ticket.severity) == ("ch-1", "CH-04", Severity.P3)
        site.move(State.ACKNOWLEDGED, State.IN_PROGRESS)
        site.advance(245)  # cleaned at 240
        site.move(State.VERIFYING)
        site.advance()
        # clear at 1.7/2 of the limit held for 30 min; CH-04 then wants 3 h comparable, more than the scenario has left
        (cleared,) = site.minutes(EventKind.CLEARED)
        assert 270 <= cleared < 280
        assert site.ticket.state is State.VERIFYING
        assert 0 < site.ticket.counted_ms < site.ticket.needed_ms == 3 * 3_600_000


def test_a_dead_pump_is_repaired_and_the_repair_proven(tmp_path: Path) -> None:
    with live_site("pump_dead", tmp_path) as site:
        site.advance(40)
        assert_only_the_promised(site)
        assert (site.ticket.equipment, site.ticket.rule, site.ticket.severity) == ("chwp-1", "PU-01", Severity.P2)
        site.move(State.ACKNOWLEDGED, State.IN_PROGRESS)
        site.advance(76)  # runs again from 75 on, agreed for 30 s
        site.move(State.VERIFYING)
        assert site.minutes(EventKind.CLEARED) == [75.5]
        site.advance(90)
        assert site.ticket.state is State.VERIFYING
        assert 0 < site.ticket.counted_ms < site.ticket.needed_ms == 30 * 60_000
        site.advance()
        assert_only_the_promised(site)
        assert (site.ticket.state, site.ticket.resolution) == (State.CLOSED, Resolution.VERIFIED)


def test_scald_stays_until_a_person_resets_it_and_is_then_proven_over(tmp_path: Path) -> None:
    with live_site("cold_supply_loss", tmp_path) as site:
        site.advance(90)  # lost from 70 to 80
        assert_only_the_promised(site)
        assert (site.ticket.equipment, site.ticket.rule, site.ticket.severity) == ("mix-1", "BH-05", Severity.P1)
        assert site.minutes(EventKind.CLEARED) == []
        site.move(State.ACKNOWLEDGED, State.IN_PROGRESS)
        site.reset()
        site.advance(92)
        assert len(site.minutes(EventKind.CLEARED)) == 1
        site.move(State.VERIFYING)
        site.advance(101)
        assert site.ticket.state is State.VERIFYING
        site.advance(104)  # safety rules want 10 min
        assert (site.ticket.state, site.ticket.resolution) == (State.CLOSED, Resolution.VERIFIED)
        site.advance()
        assert_only_the_promised(site)


def test_a_dead_heater_is_repaired_and_the_repair_proven(tmp_path: Path) -> None:
    with live_site("heater_dead", tmp_path) as site:
        site.advance(150)
        assert_only_the_promised(site)
        assert (site.ticket.equipment, site.ticket.rule, site.ticket.severity) == ("heater-1", "BH-11", Severity.P2)
        site.move(State.ACKNOWLEDGED, State.IN_PROGRESS)
        site.repair()
        site.advance(152)
        site.move(State.VERIFYING)
        site.advance(195)
        assert site.ticket.state is State.VERIFYING
        site.advance(200)  # 3 x 15 min of heat
        assert (site.ticket.state, site.ticket.resolution) == (State.CLOSED, Resolution.VERIFIED)
        assert_only_the_promised(site)


def test_a_stuck_sensor_is_a_matter_of_the_sensor(tmp_path: Path) -> None:
    with live_site("sensor_stuck", tmp_path) as site:
        site.advance()
        assert_only_the_promised(site)
        ((event,),) = site.raised().values()
        assert event.members == ("chw_supply_temp",)
        assert site.tickets == []


def test_a_silent_gateway_opens_one_ticket_for_all_behind_it(tmp_path: Path) -> None:
    with live_site("gateway_silence", tmp_path) as site:
        site.advance(75)
        raised = site.raised()
        deadline = site.promised()["gw-plant", "DQ-04"]
        (own,) = raised.pop(("gw-plant", "DQ-04"))
        assert deadline.onset <= own.at <= deadline.latest
        assert own.severity is Severity.P3
        assert set(raised) == {(machine, "DQ-04") for machine in PLANT}
        assert {event.cause for events in raised.values() for event in events} == {"gw-plant/DQ-04"}
        # speaks again from 70 on; nobody had taken the ticket up
        assert (site.ticket.equipment, site.ticket.state) == ("gw-plant", State.VERIFYING)
        site.advance(100)
        assert 0 < site.ticket.counted_ms < site.ticket.needed_ms
        site.advance()
        assert (site.ticket.state, site.ticket.resolution) == (State.CLOSED, Resolution.SELF_CLEARED)

"""Simulated machines, the real rules and ledger: what must be found is, in its time, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from maintenance.ticket import Resolution, State
from plant.severity import Severity
from rules.events import EventKind
from tests.support.simulated import live_through

HOUR_MS = 3_600_000

FAULTS = (
    pytest.param("ch_cond_fouling_step", ("ch-1", "CH-04"), 3 * HOUR_MS, id="ch_cond_fouling"),
    pytest.param("pump_dead", ("chwp-1", "PU-01"), None, id="pump_dead"),
    pytest.param("cold_supply_loss", ("mix-1", "BH-05"), None, id="cold_supply_loss"),
    pytest.param("heater_dead", ("heater-1", "BH-11"), 3 * HOUR_MS, id="heater_dead"),
    pytest.param("gateway_silence", ("gw-plant", "DQ-04"), None, id="gateway_silence"),
)


def test_a_healthy_day_opens_nothing(tmp_path: Path) -> None:
    day = live_through("healthy_day", tmp_path / "ledger.db", tick_s=60)
    assert day.events == []
    assert day.tickets == []
    assert day.rejected == []


@pytest.mark.parametrize(("scenario", "ticket", "until"), FAULTS)
def test_a_fault_opens_its_rules_ticket_in_its_time_and_no_look_alike(
    scenario: str, ticket: tuple[str, str], until: int | None, tmp_path: Path
) -> None:
    day = live_through(scenario, tmp_path / "ledger.db", until=until)
    expected = day.expected()
    assert expected
    assert [item for item in expected if not day.met(item)] == []
    forbidden = {item.rule for item in day.scenario.must_not}
    assert [event for event in day.raised() if event.rule in forbidden] == []
    assert [(item.equipment, item.rule) for item in day.tickets] == [ticket]


def test_a_stuck_sensor_is_a_matter_of_the_sensor(tmp_path: Path) -> None:
    day = live_through("sensor_stuck", tmp_path / "ledger.db")
    assert all(day.met(item) for item in day.expected())
    assert {(event.rule, event.severity) for event in day.raised()} == {("DQ-02", Severity.P4)}
    assert day.tickets == []


def test_a_silent_gateway_hides_the_machines_behind_it(tmp_path: Path) -> None:
    day = live_through("gateway_silence", tmp_path / "ledger.db")
    assert [event.equipment for event in day.raised(tickets_only=True)] == ["gw-plant"]
    hidden = {event.equipment for event in day.raised() if event.cause == "gw-plant/DQ-04"}
    assert hidden == {"ch-1", "chwp-1", "cwp-1", "ct-1", "wx"}


def test_a_repair_is_proven_by_telemetry_with_progress(tmp_path: Path) -> None:
    day = live_through("pump_dead", tmp_path / "ledger.db")
    (ticket,) = day.tickets
    # nobody took it up: it cleared by itself at 14:15:30 local and was proven for 30 min
    assert (ticket.state, ticket.resolution) == (State.CLOSED, Resolution.SELF_CLEARED)
    progress = [event.counted_ms for event in day.events if event.kind is EventKind.VERIFY_PROGRESS]
    assert progress == sorted(set(progress))
    assert len(progress) == 9


def test_scald_stays_latched_until_a_person_resets_it(tmp_path: Path) -> None:
    day = live_through("cold_supply_loss", tmp_path / "ledger.db")
    (ticket,) = day.tickets
    assert (ticket.severity, ticket.state) == (Severity.P1, State.OPEN)
    assert [event for event in day.events if event.rule == "BH-05" and event.kind is EventKind.CLEARED] == []

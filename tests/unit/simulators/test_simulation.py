"""A simulated site: what it says, when, and that the same scenario always says the same."""

from __future__ import annotations

import json
from itertools import takewhile

import pytest

from simulators.errors import ScenarioError
from simulators.run import command
from simulators.scenario import FaultPlan, load_scenario
from simulators.simulation import Message, Simulation

PUMP = "plant/chw-pump-1"


def simulation(name: str = "pump_dead", **options: int) -> Simulation:
    """A fresh run of a packaged scenario."""
    return Simulation(load_scenario(name), start=options.get("start"))


def telemetry(messages: list[Message], path: str) -> list[dict[str, object]]:
    """Decoded telemetry of one machine."""
    topic = f"dutyroom/v1/demo/{path}/telemetry"
    return [json.loads(message.payload) for message in messages if message.topic == topic]


def test_same_scenario_says_the_same_however_it_is_cut() -> None:
    whole = simulation().step(600)
    cut = simulation()
    pieces = [message for size in (1, 2, 57, 300, 240) for message in cut.step(size)]
    assert pieces == whole


def test_another_seed_says_something_else() -> None:
    scenario = load_scenario("pump_dead")
    other = scenario.model_copy(update={"seed": scenario.seed + 1})
    assert Simulation(other).step(120) != Simulation(scenario).step(120)


def test_records_and_messages_are_the_same_data() -> None:
    run = simulation()
    records = list(takewhile(lambda record: record.ts <= run.start + 120_000, run.records()))
    said = telemetry(simulation().step(120), PUMP)
    assert [{"ts": r.ts, "points": dict(r.points)} for r in records if r.equipment == PUMP][1:] == said


def test_first_second_introduces_every_machine_with_all_its_points() -> None:
    messages = simulation().step(1)
    online = {m.topic for m in messages if m.topic.endswith("/status")}
    assert len(online) == 47
    assert all(m.retain and m.qos == 1 for m in messages if m.topic.endswith("/status"))
    (first,) = telemetry(messages, PUMP)
    points = first["points"]
    assert isinstance(points, dict)
    assert points["pump_status"] is True
    assert "pump_flow" in points


def test_clock_message_carries_plant_time() -> None:
    run = simulation()
    run.step(90)
    clock = run.clock()
    assert clock.topic == "dutyroom/v1/demo/clock"
    assert json.loads(clock.payload) == {"ts": run.start + 90_000}
    assert not clock.retain


def test_pump_status_comes_every_minute_and_at_once_on_change_and_flow_every_minute() -> None:
    """DOMAIN §1.4, class hvac: status on change and a heartbeat of 60 s."""
    run = simulation()
    run.step(1)
    run.inject(FaultPlan(kind="pump_dead", onset=74_000))
    frames = telemetry(run.step(119), PUMP)
    stamps = [frame["ts"] for frame in frames if "pump_status" in json.dumps(frame)]
    assert stamps == [run.start + 60_000, run.start + 75_000, run.start + 120_000]
    flows = [frame["ts"] for frame in frames if "pump_flow" in json.dumps(frame)]
    assert flows == [run.start + 60_000, run.start + 120_000]


def test_start_can_be_moved_and_the_plant_is_settled_there_too() -> None:
    run = simulation(start=1_784_600_000_000)
    frames = telemetry(run.step(60), "plant/chiller-1")
    points = frames[-1]["points"]
    assert run.start == 1_784_600_000_000
    assert isinstance(points, dict)
    assert abs(points["chw_supply_temp"] - points["chw_supply_temp_setpoint"]) < 0.7


def test_mixed_water_is_sent_every_second_while_showers_run() -> None:
    """DOMAIN §4.6: showers run from 16:15 on; the scenario starts at 15:30."""
    run = simulation("cold_supply_loss")
    quiet = telemetry(run.step(60), "bath/mixing-valve-1")
    run.step(3_600 - 60)
    busy = telemetry(run.step(60), "bath/mixing-valve-1")
    assert len(quiet) == 13  # the introduction, then every fifth second
    assert len(busy) == 60


def test_injected_fault_acts_and_repair_ends_it() -> None:
    run = simulation("healthy_day")
    run.step(60)
    run.inject(FaultPlan(kind="pump_dead", name="broken", at="plant/cw-pump-1"))
    assert [fault.name for fault in run.active_faults()] == ["broken"]
    assert '"pump_status":false' in "".join(m.payload.decode() for m in run.step(5))
    run.repair("broken")
    assert '"pump_status":true' in "".join(m.payload.decode() for m in run.step(5) if "cw-pump" in m.topic)
    assert run.active_faults() == ()


def test_repairing_an_unknown_fault_is_an_error() -> None:
    with pytest.raises(ScenarioError, match="no fault called 'nothing'"):
        simulation().repair("nothing")


@pytest.mark.parametrize(
    ("payload", "answer"),
    [
        (b'{"repair": "pump_dead"}', {"done": "repaired pump_dead"}),
        (b'{"inject": {"kind": "heater_dead"}}', {"done": "injected heater_dead"}),
        (b'{"explode": 1}', {"error": 'expected {"repair": name} or {"inject": {"kind": …}}'}),
    ],
    ids=["repair", "inject", "unknown"],
)
def test_commands(payload: bytes, answer: dict[str, str]) -> None:
    assert command(simulation(), payload) == answer


@pytest.mark.parametrize("payload", [b"\xff", b"{", b'{"inject": {"kind": "no"}}', b'{"repair": "no"}'])
def test_command_that_cannot_be_carried_out_is_answered_with_an_error(payload: bytes) -> None:
    assert set(command(simulation(), payload)) == {"error"}

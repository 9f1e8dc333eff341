"""`dutyroom simulate`: a site that does not exist, speaking to a broker that does."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Annotated

import typer

from plant.errors import BadInput, Unavailable
from plant.instants import duration_text, iso
from simulators.errors import BrokerAway, ScenarioError
from simulators.faultkind import FaultKind
from simulators.faults import FAULTS
from simulators.load import LoadPlan, run_load
from simulators.run import Pace, publish
from simulators.scenario import Scenario, builtin, duration_ms, load_scenario
from simulators.simulation import Simulation

app = typer.Typer(no_args_is_help=True, help="Simulated sites with faults, and load, over MQTT.")

Broker = Annotated[str, typer.Option("--broker", help="mqtt://[user:password@]host[:port]")]


@contextmanager
def _own_errors() -> Iterator[None]:
    """The simulators know nothing of our errors; here theirs become ours."""
    try:
        yield
    except ScenarioError as error:
        raise BadInput(str(error)) from None
    except BrokerAway as error:
        raise Unavailable(str(error)) from None


def _speed(text: str) -> float | None:
    """`60`, `60x` or `max` (None)."""
    if text == "max":
        return None
    try:
        speed = float(text.removesuffix("x"))
    except ValueError:
        speed = 0.0
    if speed <= 0:
        raise BadInput(f"--speed {text!r}: expected a number above 0 (60 = an hour a minute) or max")
    return speed


def _duration(text: str) -> int:
    try:
        return duration_ms(text)
    except ValueError as error:
        raise BadInput(f"--catch-up: {error}") from None


@app.command()
def run(
    scenario: Annotated[str, typer.Argument(help="A scenario's name (see `list`) or a YAML file.")],
    broker: Broker = "mqtt://localhost:1883",
    site: Annotated[str | None, typer.Option(help="Site in the topics; default: the scenario's.")] = None,
    speed: Annotated[str, typer.Option(help="Plant seconds a second, or max.")] = "60",
    catch_up: Annotated[str, typer.Option(help="Plant time that first passes as fast as it can: 3d, 12h.")] = "0s",
    live: Annotated[bool, typer.Option(help="Start now, in real time, without the plant clock.")] = False,
) -> None:
    """Publish a scenario until it ends; prints what was sent as JSON.

    The plant clock goes to dutyroom/v1/SITE/clock, so the site must be set to `clock: topic`; with --live the run
    starts at the present time for a site on the system's clock.

    Example: dutyroom simulate run pump_dead --broker mqtt://localhost:1883 --site demo --speed 60
    """
    with _own_errors():
        pace = Pace() if live else Pace(_speed(speed), _duration(catch_up))
        start = time.time_ns() // 1_000_000 if live else None
        simulation = Simulation(load_scenario(scenario), start=start, site=site)
        typer.echo(f"{simulation.scenario.title.en}: {iso(simulation.start)} to {iso(simulation.end)}", err=True)
        sent = asyncio.run(publish(simulation, broker, pace=pace, clock=not live))
    typer.echo(json.dumps(asdict(sent)))


@app.command("list")
def list_command() -> None:
    """List the scenarios: name, length, title.

    Example: dutyroom simulate list
    """
    for scenario in builtin().values():
        title = f"{scenario.title.zh} · {scenario.title.en}"
        typer.echo(f"{scenario.id}\t{duration_text(scenario.duration)}\t{title}")


@app.command()
def describe(
    name: Annotated[str, typer.Argument(help="A scenario, a scenario's YAML file, or a fault.")],
) -> None:
    """Say what happens in a scenario and which rules must and must not raise; or what a fault is.

    Example: dutyroom simulate describe cold_supply_loss
    """
    scenarios = builtin()
    if name in FAULTS and name not in scenarios:
        typer.echo("\n".join(_fault_lines(FAULTS[name])))
        return
    with _own_errors():
        typer.echo("\n".join(_scenario_lines(load_scenario(name))))


def _scenario_lines(scenario: Scenario) -> Iterator[str]:
    yield f"{scenario.id}: {scenario.title.zh} · {scenario.title.en}"
    yield f"from {iso(scenario.start)} for {duration_text(scenario.duration)}, seed {scenario.seed}"
    for plan in scenario.faults:
        fault = plan.fault(0)
        where = f"{fault.at} {fault.point}" if fault.point else fault.at
        until = f", until {duration_text(fault.end)}" if fault.end is not None else ""
        grows = f", over {duration_text(fault.ramp)}" if fault.ramp else ""
        yield f"fault {fault.name}: {fault.kind.en}, {where}, at {duration_text(fault.onset)}{grows}{until}"
    for item in scenario.expect:
        yield f"must raise {item.rule} on {item.equipment} within {duration_text(item.within)}"
    for rule in scenario.must_not:
        yield f"must not raise {rule.rule}" + (f" on {rule.equipment}" if rule.equipment else "")


def _fault_lines(kind: FaultKind) -> Iterator[str]:
    yield f"{kind.id}: {kind.zh} · {kind.en}"
    yield f"befalls {kind.at}" + (" (name its `point`)" if kind.of_point else "")
    yield f"must raise {', '.join(kind.must) or 'nothing'}"
    yield f"must not raise {', '.join(kind.must_not) or '–'}"


@app.command()
def load(
    broker: Broker = "mqtt://localhost:1883",
    site: Annotated[str, typer.Option(help="Site in the topics.")] = "demo",
    equipment: Annotated[int, typer.Option(help="How many pumps, load/pump-0001 …")] = 200,
    frames: Annotated[int, typer.Option(help="Frames of ten points for each.")] = 100,
    rate: Annotated[float, typer.Option(help="Messages a second; 0 = flat out.")] = 0.0,
) -> None:
    """Send native frames at QoS 1, stamped with the time of sending; prints what was acknowledged as JSON.

    Exit 1 when the broker acknowledged out of order.

    Example: dutyroom simulate load --broker mqtt://localhost:1883 --equipment 200 --frames 500 --rate 5000
    """
    with _own_errors():
        report = run_load(LoadPlan(site=site, equipment=equipment, frames=frames, rate=rate, live=True), broker)
    typer.echo(json.dumps({**asdict(report), "seconds": round(report.seconds, 3), "rate": round(report.rate)}))
    if report.out_of_order:
        raise typer.Exit(1)

"""`dutyroom simulate`: what it prints, and what it refuses."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from dutyroom.cli.simulate import app
from plant.errors import BadInput
from simulators.scenario import names


def run(*words: str) -> str:
    """Stdout of a command that must succeed."""
    result = CliRunner().invoke(app, words, catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout


def test_list_has_one_line_for_each_scenario() -> None:
    rows = [line.split("\t") for line in run("list").splitlines()]
    assert [row[0] for row in rows] == list(names())
    assert ["pump_dead", "2h"] in [row[:2] for row in rows]


def test_describe_tells_the_fault_and_the_truth() -> None:
    said = run("describe", "cold_supply_loss")
    assert "bath/mixing-valve-1, at 1h10m, until 1h20m" in said
    assert "must raise BH-05 on bath/mixing-valve-1 within 40s" in said
    assert "must not raise BH-06" in said


@pytest.mark.parametrize("words", [("describe", "nothing"), ("run", "nothing"), ("run", "demo", "--speed", "-1")])
def test_what_cannot_be_understood_is_refused(words: tuple[str, ...]) -> None:
    result = CliRunner().invoke(app, words)
    assert isinstance(result.exception, BadInput)


def test_wrong_broker_address_is_refused_with_an_example() -> None:
    result = CliRunner().invoke(app, ["load", "--broker", "localhost"])
    assert isinstance(result.exception, BadInput)
    assert "mqtt://localhost:1883" in str(result.exception)


@pytest.mark.parametrize("command", ["run", "list", "describe", "load"])
def test_help_has_an_example(command: str) -> None:
    assert f"Example: dutyroom simulate {command}" in run(command, "--help")

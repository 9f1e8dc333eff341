"""`dutyroom decode` as it is called: payload on stdin, JSON lines on stdout."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from dutyroom.cli.decode import decode

DEMO = Path(__file__).parents[3] / "dutyroom" / "demo" / "site.yaml"
TANK = "dutyroom/v1/demo/bath/tank-1/telemetry"


def run(payload: bytes, *options: str) -> list[dict[str, object]]:
    app = typer.Typer()
    app.command()(decode)
    result = CliRunner().invoke(app, ["--topic", TANK, *options], input=payload)
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


@pytest.mark.parametrize("received_at", ["2023-11-14T22:13:20Z", "1700000000000"])
def test_time_of_receipt_in_either_form(received_at: str) -> None:
    payload = b'{"ts": 1699999900000, "points": {"tank_level": 50}}'
    (line,) = run(payload, "--received-at", received_at)
    assert (line["ts"], line["reason"]) == (1_699_999_900_000, "delayed")


def test_with_the_registry_of_the_demo() -> None:
    (line,) = run(b'{"points": {"tank_temp_top": {"value": 140, "unit": "degF"}}}', "--registry", str(DEMO))
    assert (line["equipment"], line["point"], line["unit"]) == ("tank-1", "tank_temp_top", "Cel")
    assert line["value"] == pytest.approx(60.0)


def test_any_bytes_end_with_exit_0() -> None:
    assert [line["kind"] for line in run(b"\xff\x00\xfe")] == ["rejected"]

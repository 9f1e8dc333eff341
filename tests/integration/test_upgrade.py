"""Data folders left by earlier versions: this version opens them, knows what they knew, and goes on from there."""

from __future__ import annotations

import asyncio
import json
import signal
from pathlib import Path
from typing import Any

import aiomqtt
import pytest

from maintenance.ledger import Ledger
from maintenance.ledger.schema import migrate
from tests.integration.test_service import SECONDS, T0, appended, service
from tests.support.olddata import SITE, known, unpack
from tests.support.programs import Mosquitto, wait_until

FOLDERS = sorted((Path(__file__).parents[1] / "data" / "upgrade").glob("*.tar.zst"))
MORE = 60
"""Seconds of plant time that this version hears."""


async def until_listened_to(broker: Mosquitto, folder: Path, before: int) -> None:
    """Publish a clock that is past again and again until one is in the journal."""
    async with asyncio.timeout(40), aiomqtt.Client(broker.host, broker.port) as mqtt:
        while appended(folder) <= before:
            await mqtt.publish(f"dutyroom/v1/{SITE}/clock", json.dumps({"ts": T0 - 1000}), qos=1)
            await asyncio.sleep(0.2)


async def run_again(broker: Mosquitto) -> None:
    """The pump runs, from where the old version heard last."""
    async with aiomqtt.Client(broker.host, broker.port) as mqtt:
        for second in range(SECONDS, SECONDS + MORE):
            at = T0 + second * 1000
            body = {"ts": at, "points": {"pump_command": 1, "pump_status": 1}}
            await mqtt.publish(f"dutyroom/v1/{SITE}/a/p1/telemetry", json.dumps(body), qos=1)
            await mqtt.publish(f"dutyroom/v1/{SITE}/clock", json.dumps({"ts": at}), qos=1)


def cleared(folder: Path) -> list[int | None]:
    with Ledger.open(folder / "ledger.db") as ledger:
        return [line[5] for line in ledger.projection().alarms]


def stored(found: dict[str, Any]) -> int:
    return len(found["readings"]["pump_status"])


def test_there_are_folders_of_earlier_versions_and_they_are_small() -> None:
    assert FOLDERS
    assert [file.name for file in FOLDERS if file.stat().st_size > 200_000] == []


@pytest.mark.parametrize("file", FOLDERS, ids=lambda file: file.name.split(".")[0])
def test_the_schema_is_brought_up_and_nothing_is_forgotten(file: Path, tmp_path: Path) -> None:
    expected = unpack(file, tmp_path / "data")
    migrate(tmp_path / "data" / "ledger.db")
    assert known(tmp_path / "data") == expected


@pytest.mark.integration
@pytest.mark.parametrize("file", FOLDERS, ids=lambda file: file.name.split(".")[0])
async def test_a_service_of_this_version_goes_on_where_the_old_one_ended(
    file: Path, own_mosquitto: Mosquitto, tmp_path: Path
) -> None:
    folder = tmp_path / "data"
    before = unpack(file, folder)
    end = appended(folder)
    own_mosquitto.start()
    with service(folder, own_mosquitto.url) as process:
        await until_listened_to(own_mosquitto, folder, end)
        await run_again(own_mosquitto)
        # agrees from T0 + 90 s on, and clears after 30 s of it
        wait_until(lambda: cleared(folder) == [T0 + 120_000], seconds=60, what="the alarm clears")
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    after = known(folder)
    assert after["alarms"] == before["alarms"]
    assert stored(after) == stored(before) + MORE == SECONDS + MORE

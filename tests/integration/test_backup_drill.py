"""The drill: back up a service that is busy, lose it, restore elsewhere; what was known is known, and it goes on."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from pathlib import Path
from typing import Any

import aiomqtt
import pytest

from dutyroom.archive import read_manifest
from maintenance.ledger import Ledger, queries
from maintenance.moves import Move
from maintenance.people import Actor, Role
from maintenance.ticket import State
from tests.integration.test_service import EXPECTED, SECONDS, T0, appended, publish, put_site, raised, service
from tests.support.olddata import known
from tests.support.programs import Mosquitto, wait_until

BUSY = 240
"""Seconds of plant time that are heard while the backup is made; the pump still stands."""
CREW = Actor("li.wei", Role.CREW)


async def say(mqtt: aiomqtt.Client, site: str, second: int, status: int) -> None:
    at = T0 + second * 1000
    body = {"ts": at, "points": {"pump_command": 1, "pump_status": status}}
    await mqtt.publish(f"dutyroom/v1/{site}/a/p1/telemetry", json.dumps(body), qos=1)
    await mqtt.publish(f"dutyroom/v1/{site}/clock", json.dumps({"ts": at}), qos=1)


async def dutyroom(*words: str) -> None:
    """Run a command as a user does; it must succeed."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "dutyroom", *words, stderr=asyncio.subprocess.PIPE
    )
    _, talk = await process.communicate()
    assert process.returncode == 0, talk.decode()


async def until_listened_to(broker: Mosquitto, site: str, folder: Path) -> None:
    """Publish a clock that is past again and again until one more entry is in the journal."""
    before = appended(folder)
    async with asyncio.timeout(60), aiomqtt.Client(broker.host, broker.port) as mqtt:
        while appended(folder) <= before:
            await mqtt.publish(f"dutyroom/v1/{site}/clock", json.dumps({"ts": T0 - 1000}), qos=1)
            await asyncio.sleep(0.2)


def acknowledge(folder: Path) -> None:
    with Ledger.open(folder / "ledger.db") as ledger:
        ledger.add_user(CREW.name, CREW.role, author="test", now=T0)
        (ticket,) = ledger.read(queries.list_tickets, queries.TicketFilter(), cursor=None, limit=9).items
        ledger.move_ticket(ticket.id, Move(State.ACKNOWLEDGED, CREW, T0 + SECONDS * 1000))


async def busy_then_lost(folder: Path, file: Path, broker: Mosquitto, site: str) -> None:
    """A service that hears, judges and is used, is backed up meanwhile, and dies."""
    put_site(folder, site)
    with service(folder, broker.url) as process:
        await until_listened_to(broker, site, folder)
        await publish(broker, site)
        wait_until(lambda: raised(folder) == EXPECTED, seconds=60, what="the alarm")
        acknowledge(folder)
        backup = asyncio.create_task(dutyroom("backup", str(file), "--data", str(folder)))
        async with aiomqtt.Client(broker.host, broker.port) as mqtt:
            for second in range(SECONDS, SECONDS + BUSY):
                await say(mqtt, site, second, status=0)
                await asyncio.sleep(0.01)
        await backup
        wait_until(lambda: appended(folder) >= 2 * (SECONDS + BUSY), seconds=60, what="all is in the old journal")
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0


def readings(found: dict[str, Any]) -> list[list[float]]:
    listed: list[list[float]] = found["readings"]["pump_status"]
    return listed


@pytest.mark.integration
async def test_a_backup_of_a_busy_service_becomes_a_service_that_goes_on(
    own_mosquitto: Mosquitto, unique_name: str, tmp_path: Path
) -> None:
    old, new, file = tmp_path / "old" / "data", tmp_path / "new" / "data", tmp_path / "backup.tar.zst"
    old.parent.mkdir()
    own_mosquitto.start()
    await busy_then_lost(old, file, own_mosquitto, unique_name)
    before = known(old)

    await dutyroom("restore", str(file), "--data", str(new))
    made = read_manifest(file)
    assert made.hot == "rebuilt"
    assert 2 * SECONDS < made.journal_last <= appended(old)
    assert appended(new) == made.journal_last

    later = SECONDS + BUSY
    with service(new, own_mosquitto.url) as process:
        await until_listened_to(own_mosquitto, unique_name, new)
        async with aiomqtt.Client(own_mosquitto.host, own_mosquitto.port) as mqtt:
            for second in range(later, later + 60):
                await say(mqtt, unique_name, second, status=1)
        # agrees again from `later` on, and clears after 30 s of it
        wait_until(lambda: cleared(new) == [T0 + (later + 30) * 1000], seconds=60, what="the alarm clears")
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0

    after = known(new)
    assert after["alarms"] == before["alarms"]
    assert after["users"] == before["users"]
    assert ["li.wei", "crew"] in after["users"]
    # acknowledged before the backup, and verifying since the alarm has cleared by itself
    assert [(ticket[:3], ticket[3]) for ticket in after["tickets"]] == [(before["tickets"][0][:3], "verifying")]
    heard = [pair for pair in readings(after) if pair[0] < T0 + later * 1000]
    assert len(heard) >= SECONDS
    assert heard == readings(before)[: len(heard)]
    assert [pair[1] for pair in readings(after)[len(heard) :]] == [1.0] * 60


def cleared(folder: Path) -> list[int | None]:
    with Ledger.open(folder / "ledger.db") as ledger:
        return [line[5] for line in ledger.projection().alarms]

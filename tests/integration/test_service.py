"""`dutyroom run` as a user starts it: child processes on a real broker, ended by signals."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import aiomqtt
import pytest

from dutyroom.content import Content
from history.journal import JournalFollower
from maintenance.ledger import Ledger
from plant.catalogue import Text
from plant.cataloguefile import load_catalogue
from plant.errors import DutyroomError
from plant.site import Equipment, Mode, Plant, PlantClock, Site
from rules.loader import load_pack
from tests.support.programs import Mosquitto, wait_until

T0 = 1_800_000_000_000
NAME = Text("泵", "pump")
SECONDS = 90


def put_site(folder: Path, name: str) -> None:
    catalogue = load_catalogue()
    machines = {"p1": Equipment("p1", "a/p1", "pump", NAME)}
    site = Site(name, "Asia/Shanghai", NAME, machines, PlantClock.TOPIC, Mode.LIVE)
    folder.mkdir()
    with Ledger.open(folder / "ledger.db") as ledger:
        ledger.add_config(Content.of(Plant(catalogue, site), load_pack(catalogue=catalogue)).encode(), "test", T0)


@contextmanager
def service(folder: Path, broker: str, *role: str, http_port: int = 0) -> Iterator[subprocess.Popen[bytes]]:
    """A running `dutyroom run`; whoever has not ended it by the end of the block kills it."""
    environment = {
        **os.environ,
        "DUTYROOM_BROKER__URL": broker,
        "DUTYROOM_BROKER__CLIENT_ID": folder.parent.name,
        "DUTYROOM_HTTP__PORT": str(http_port),
    }
    command = [sys.executable, "-m", "dutyroom", "run", *role, "--data", str(folder)]
    log = (folder.parent / f"{'-'.join(role) or 'all'}.log").open("wb")
    process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        log.close()


def appended(folder: Path) -> int:
    """Entries in the journal so far."""
    try:
        journal = JournalFollower(folder / "journal.db")
    except DutyroomError:
        return 0
    try:
        return journal.last_offset
    finally:
        journal.close()


async def publish(broker: Mosquitto, site: str) -> None:
    """A pump that does not start, second by second under the plant clock."""
    async with aiomqtt.Client(broker.host, broker.port) as mqtt:
        for second in range(SECONDS):
            at = T0 + second * 1000
            body = {"ts": at, "points": {"pump_command": 1, "pump_status": 0 if second >= 30 else 1}}
            await mqtt.publish(f"dutyroom/v1/{site}/a/p1/telemetry", json.dumps(body), qos=1)
            await mqtt.publish(f"dutyroom/v1/{site}/clock", json.dumps({"ts": at}), qos=1)


def raised(folder: Path) -> list[tuple[str, str, int]]:
    with Ledger.open(folder / "ledger.db") as ledger:
        return [(equipment, rule, at) for equipment, rule, _, _, at, _, _ in ledger.projection().alarms]


async def until_heard(broker: Mosquitto, site: str, folder: Path) -> None:
    """Publish a clock tick again and again until one is in the journal, behind the configuration."""
    async with asyncio.timeout(40), aiomqtt.Client(broker.host, broker.port) as mqtt:
        while appended(folder) < 2:
            await mqtt.publish(f"dutyroom/v1/{site}/clock", json.dumps({"ts": T0 - 1000}), qos=1)
            await asyncio.sleep(0.2)


EXPECTED = [("p1", "PU-01", T0 + 45_000)]
"""On without proof from 30 s on; 15 s later it is a fault."""


@pytest.mark.integration
@pytest.mark.parametrize("roles", [((),), (("collector",), ("service",))], ids=["one process", "two processes"])
async def test_the_service_raises_the_alarm_and_ends_cleanly_on_sigterm(
    roles: tuple[tuple[str, ...], ...], own_mosquitto: Mosquitto, unique_name: str, tmp_path: Path
) -> None:
    folder = tmp_path / "data"
    put_site(folder, unique_name)
    own_mosquitto.start()
    with service(folder, own_mosquitto.url, *roles[0]) as first:
        await until_heard(own_mosquitto, unique_name, folder)
        processes = [first]
        if len(roles) > 1:
            with service(folder, own_mosquitto.url, *roles[1]) as second:
                await publish(own_mosquitto, unique_name)
                wait_until(lambda: raised(folder) == EXPECTED, seconds=30, what="the alarm")
                second.send_signal(signal.SIGTERM)
                assert second.wait(30) == 0
        else:
            await publish(own_mosquitto, unique_name)
            wait_until(lambda: raised(folder) == EXPECTED, seconds=30, what="the alarm")
        for process in processes:
            process.send_signal(signal.SIGTERM)
            assert process.wait(30) == 0
    assert raised(folder) == EXPECTED


@pytest.mark.integration
async def test_a_service_that_starts_before_its_broker_heals(
    own_mosquitto: Mosquitto, unique_name: str, tmp_path: Path
) -> None:
    folder = tmp_path / "data"
    put_site(folder, unique_name)
    with service(folder, own_mosquitto.url) as process:
        wait_until(lambda: appended(folder) > 0, seconds=30, what="the journal begins")
        own_mosquitto.start()
        await until_heard(own_mosquitto, unique_name, folder)
        await publish(own_mosquitto, unique_name)
        wait_until(lambda: raised(folder) == EXPECTED, seconds=30, what="the alarm")
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0


@pytest.mark.integration
def test_a_second_service_on_the_same_folder_is_refused_with_a_reason(
    own_mosquitto: Mosquitto, unique_name: str, tmp_path: Path
) -> None:
    folder = tmp_path / "data"
    put_site(folder, unique_name)
    own_mosquitto.start()
    with service(folder, own_mosquitto.url):
        wait_until(lambda: appended(folder) > 0, seconds=30, what="the journal begins")
        with service(folder, own_mosquitto.url, "all") as second:
            assert second.wait(30) == 1
    assert b"journal.db" in (tmp_path / "all.log").read_bytes()

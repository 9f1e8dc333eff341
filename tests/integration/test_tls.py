"""A broker behind TLS that asks for our certificate: the service hears it with the files its settings name."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Literal

import pytest
from pydantic import SecretStr

from dutyroom.brokers import broker_of
from dutyroom.doctor.broker import check_broker
from dutyroom.doctor.findings import Grade
from dutyroom.progress import client as small_talk
from dutyroom.settings import BrokerSettings
from history.journal import JournalFile
from ingest.broker import new_client
from ingest.collector import Collector
from tests.conftest import or_skip
from tests.integration.collecting import PACE, levels, listening, until
from tests.support.programs import Process, ProgramMissing, find_mosquitto, free_port, listens
from tests.unit.ingest.plants import TANK, plant


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    """An authority, a broker's certificate for localhost, and one for us."""
    program = shutil.which("openssl")
    if program is None:
        or_skip(ProgramMissing("openssl is not installed: apt-get install openssl"))

    def openssl(*words: str) -> None:
        subprocess.run([program, *words], cwd=tmp_path, check=True, capture_output=True)

    (tmp_path / "names").write_text("subjectAltName=DNS:localhost")
    new = ("-newkey", "rsa:2048", "-nodes")
    openssl("req", "-x509", *new, "-days", "2", "-subj", "/CN=authority", "-keyout", "ca.key", "-out", "ca.pem")
    for name in ("localhost", "dutyroom"):
        openssl("req", *new, "-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.csr")
        signed = ("-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", "names")
        openssl("x509", "-req", "-in", f"{name}.csr", *signed, "-out", f"{name}.pem")
    return tmp_path


@pytest.fixture
def port(keys: Path) -> Iterator[int]:
    try:
        program = find_mosquitto()
    except ProgramMissing as missing:
        or_skip(missing)
    port = free_port()
    (keys / "mosquitto.conf").write_text(
        f"listener {port}\nuser root\nallow_anonymous true\ncafile {keys}/ca.pem\ncertfile {keys}/localhost.pem\n"
        f"keyfile {keys}/localhost.key\nrequire_certificate true\nmax_queued_messages 2000000\n"
    )
    process = Process("mosquitto", [str(program), "-c", str(keys / "mosquitto.conf")], keys)
    process.start(lambda: listens(port), seconds=20)
    yield port
    process.stop()


def settings(keys: Path, port: int) -> BrokerSettings:
    return BrokerSettings(
        url=SecretStr(f"mqtts://localhost:{port}"),
        ca_file=keys / "ca.pem",
        cert_file=keys / "dutyroom.pem",
        key_file=keys / "dutyroom.key",
    )


@pytest.mark.integration
async def test_both_clients_of_the_service_connect_with_the_files_of_the_settings(keys: Path, port: int) -> None:
    broker = broker_of(settings(keys, port))
    assert next(iter(check_broker(broker, None))).grade is Grade.OK
    async with small_talk(broker) as mqtt:
        await mqtt.publish("said", b"1", qos=1)


@pytest.mark.integration
@pytest.mark.parametrize("protocol", ["3.1.1", "5"])
def test_the_collector_hears_through_tls(keys: Path, port: int, protocol: Literal["3.1.1", "5"]) -> None:
    broker = broker_of(settings(keys, port).model_copy(update={"protocol": protocol}))
    gateway = new_client(replace(broker, client_id="gateway"), clean=True)
    with JournalFile(keys / "journal.db") as journal:
        collector = Collector([broker], journal, plant(), pace=PACE)
        collector.start()
        try:
            until(lambda: listening(collector), "listening")
            gateway.connect(broker.host, broker.port)
            gateway.loop_start()
            # larger than one record of TLS, and many at once: what the socket cannot show must be read all the same
            for number in range(300):
                gateway.publish(TANK, json.dumps({"points": {"tank_level": number}, "pad": "x" * 3_000}), qos=1)
            until(lambda: levels(journal) == list(range(300)), "all journalled")
            until(lambda: collector.status().acked == collector.status().received, "all acknowledged")
        finally:
            gateway.disconnect()
            gateway.loop_stop()
            collector.stop()


@pytest.mark.integration
def test_without_the_authority_the_broker_is_not_trusted(keys: Path, port: int) -> None:
    (keys / "dutyroom.toml").write_text(f'data = "none"\n[broker]\nurl = "mqtts://localhost:{port}"\n')
    # as a command, because paho lets the garbage collector close a socket whose handshake failed, which warns
    done = subprocess.run(
        [sys.executable, "-m", "dutyroom", "doctor"], cwd=keys, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "CERTIFICATE_VERIFY_FAILED" in done.stdout


@pytest.mark.integration
def test_a_missing_file_is_told(keys: Path, port: int) -> None:
    (found,) = check_broker(broker_of(settings(keys, port).model_copy(update={"key_file": keys / "none"})), None)
    assert "check ca, cert and key" in found.text.en

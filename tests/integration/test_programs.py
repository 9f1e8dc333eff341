"""The programs under test themselves: they start, keep their data over a kill, and are named when missing."""

from __future__ import annotations

from pathlib import Path

import aiomqtt
import httpx2
import pytest

from tests.support.programs import Influx, Mosquitto, Process, ProgramFailed, free_port, listens


@pytest.mark.integration
async def test_broker_keeps_retained_messages_over_a_restart(own_mosquitto: Mosquitto) -> None:
    own_mosquitto.start()
    async with aiomqtt.Client(own_mosquitto.host, own_mosquitto.port) as client:
        await client.publish("kept", b"7", qos=1, retain=True)
    own_mosquitto.restart()
    async with aiomqtt.Client(own_mosquitto.host, own_mosquitto.port) as client:
        await client.subscribe("kept", qos=1)
        message = await anext(aiter(client.messages))
    assert message.payload == b"7"


@pytest.mark.integration
def test_killed_broker_is_gone_and_comes_back_on_its_port(own_mosquitto: Mosquitto) -> None:
    own_mosquitto.start()
    own_mosquitto.kill()
    assert not listens(own_mosquitto.port)
    own_mosquitto.start()
    assert listens(own_mosquitto.port)


@pytest.mark.influx
def test_store_keeps_points_and_set_up_over_a_kill(own_influx: Influx) -> None:
    own_influx.start()
    headers = {"Authorization": f"Token {own_influx.token}"}
    written = httpx2.post(
        f"{own_influx.url}/api/v2/write?org={own_influx.org}&bucket={own_influx.bucket}&precision=ms",
        content="pump,equipment=p1 speed=42 1700000000000",
        headers=headers,
    )
    assert written.status_code == 204
    own_influx.restart(kill=True)
    answer = httpx2.get(
        f"{own_influx.url}/query",
        params={"db": own_influx.bucket, "q": "SELECT speed FROM pump"},
        headers={**headers, "Accept": "application/csv"},
    )
    assert answer.text.splitlines()[1] == "pump,,1700000000000000000,42"


@pytest.mark.influx
def test_each_test_gets_a_bucket_of_its_own(influx: Influx, influx_bucket: str) -> None:
    assert influx_bucket not in {influx.bucket, influx.new_bucket()}


def test_program_that_ends_at_once_is_an_error_with_its_log(tmp_path: Path) -> None:
    process = Process("sh", ["/bin/sh", "-c", "echo no such option; exit 3"], tmp_path)
    with pytest.raises(ProgramFailed, match=r"sh ended with 3; its log ends: no such option"):
        process.start(lambda: False, seconds=10)


def test_program_that_never_gets_ready_is_killed(tmp_path: Path) -> None:
    process = Process("sleep", ["/bin/sleep", "60"], tmp_path)
    port = free_port()
    with pytest.raises(ProgramFailed, match=r"sleep getting ready: not within 0\.2 s"):
        process.start(lambda: listens(port), seconds=0.2)
    with pytest.raises(ProgramFailed, match="not running"):
        assert process.pid

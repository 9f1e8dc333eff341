"""`dutyroom doctor` on real brokers, a real InfluxDB and a service that runs."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from dutyroom.doctor.broker import SENT, Limits, check_broker, try_limits
from dutyroom.doctor.findings import Grade
from dutyroom.doctor.outside import check_influx
from dutyroom.settings import StoreSettings
from ingest.broker import Broker, new_client
from maintenance.ledger import Ledger
from maintenance.people import Role
from plant.errors import Unavailable
from tests.conftest import or_skip
from tests.integration.test_service import T0, put_site, service
from tests.support.programs import Influx, Mosquitto, ProgramMissing, free_port, wait_until

CARELESS = "max_inflight_messages 20\nmax_queued_messages 1000\n"
"""What Mosquitto does unless told otherwise."""


def session_is_left(broker: Broker) -> bool:
    found = []
    client = new_client(broker)
    client.on_connect = lambda client, data, flags, code, properties: found.append(flags.session_present)
    client.connect(broker.host, broker.port)
    client.loop_start()
    wait_until(lambda: bool(found), seconds=20, what="the broker answers")
    client.disconnect()
    client.loop_stop()
    new = new_client(broker, clean=True)
    new.connect(broker.host, broker.port)
    new.disconnect()
    return bool(found[0])


@pytest.fixture
def careless(tmp_path: Path) -> Mosquitto:
    try:
        return Mosquitto(tmp_path / "careless", extra=CARELESS)
    except ProgramMissing as missing:
        or_skip(missing)


@pytest.mark.integration
def test_a_broker_with_mosquittos_defaults_is_found_out_and_left_as_it_was(careless: Mosquitto) -> None:
    with careless:
        broker = Broker(careless.host, careless.port, "dutyroom")
        assert try_limits(broker) == Limits(in_flight=20, kept=1_000)
        assert not session_is_left(broker)
        found = list(check_broker(broker, "campus"))
    assert [finding.grade for finding in found] == [Grade.OK, Grade.BAD, Grade.WARN, Grade.OK]
    assert "max_queued_messages 2000000" in found[1].advice.en
    assert "max_inflight_messages 0" in found[2].advice.zh


@pytest.mark.integration
def test_a_broker_set_as_ours_keeps_everything(mosquitto: Mosquitto, unique_name: str) -> None:
    limits = try_limits(Broker(mosquitto.host, mosquitto.port, unique_name))
    assert limits == Limits(in_flight=SENT, kept=SENT)


@pytest.mark.integration
def test_topics_we_may_not_use_are_told(tmp_path: Path, unique_name: str) -> None:
    rights = tmp_path / "acl"
    rights.write_text("topic read dutyroom/v1/elsewhere/#\n")
    rights.chmod(0o600)
    try:
        strict = Mosquitto(tmp_path / "strict", extra=f"acl_file {rights}\n")
    except ProgramMissing as missing:
        or_skip(missing)
    with strict:
        found = list(check_broker(Broker(strict.host, strict.port, unique_name), "campus"))
    assert Grade.WARN in [finding.grade for finding in found]
    assert any("dutyroom/doctor" in finding.text.en for finding in found)


@pytest.mark.integration
def test_a_user_the_broker_does_not_know_is_refused_with_advice(tmp_path: Path) -> None:
    try:
        closed = Mosquitto(tmp_path / "closed", extra="allow_anonymous false\n")
    except ProgramMissing as missing:
        or_skip(missing)
    with closed:
        (found,) = check_broker(Broker(closed.host, closed.port), "campus")
    assert found.grade is Grade.BAD
    assert "check user, password and client id" in found.text.en


def test_a_broker_that_is_away_is_told() -> None:
    broker = Broker("127.0.0.1", free_port())
    with pytest.raises(Unavailable, match="cannot be reached"):
        try_limits(broker)
    (found,) = check_broker(broker, None)
    assert found.grade is Grade.BAD


@pytest.mark.influx
def test_influxdb_is_asked_with_our_token(influx: Influx, influx_bucket: str) -> None:
    now = time.time_ns() // 1_000_000
    store = StoreSettings(
        kind="influx", url=influx.url, org=influx.org, bucket=influx_bucket, token=SecretStr(influx.token)
    )
    assert [found.grade for found in check_influx(store, now)] == [Grade.OK]
    _, skewed = check_influx(store, now - 60_000)
    assert (skewed.check, skewed.grade) == ("clock", Grade.WARN)
    (refused,) = check_influx(store.model_copy(update={"token": SecretStr("wrong")}), now)
    assert refused.grade is Grade.BAD
    (empty,) = check_influx(store.model_copy(update={"token": SecretStr("")}), now)
    assert "refuses our token" in empty.text.en


def doctor(folder: Path, port: int, broker: str, *words: str) -> tuple[int, dict[str, list[dict[str, Any]]]]:
    """Exit code and findings by what was looked at."""
    settings = folder.parent / "dutyroom.toml"
    settings.write_text(f'[broker]\nurl = "{broker}"\nclient_id = "{folder.parent.name}"\n[http]\nport = {port}\n')
    command = [sys.executable, "-m", "dutyroom", "doctor", "--config", str(settings), "--data", str(folder)]
    done = subprocess.run([*command, "--format", "json", *words], capture_output=True, text=True, check=False)
    assert done.stdout, done.stderr
    found: dict[str, list[dict[str, Any]]] = {}
    for item in json.loads(done.stdout)["findings"]:
        found.setdefault(item["check"], []).append(item)
    return done.returncode, found


def grades(found: dict[str, list[dict[str, Any]]], *checks: str) -> set[str]:
    return {item["grade"] for check in checks for item in found[check]}


@pytest.mark.integration
def test_a_visit_to_a_service_that_runs_and_to_one_that_does_not(
    own_mosquitto: Mosquitto, unique_name: str, tmp_path: Path
) -> None:
    folder, port = tmp_path / "data", free_port()
    put_site(folder, unique_name)
    with Ledger.open(folder / "ledger.db") as ledger:
        ledger.add_user("chen", Role.ADMIN, author="test", now=T0)
    own_mosquitto.start()
    sound = ("service", "journal", "ledger", "plant", "users", "rules", "history", "broker")
    with service(folder, own_mosquitto.url, http_port=port) as process:
        wait_until(lambda: _ready(folder, port, own_mosquitto.url), seconds=60, what="the service is ready")
        code, found = doctor(folder, port, own_mosquitto.url)
        assert grades(found, *sound) == {"ok"}
        assert f"process {process.pid}, ready" in found["service"][0]["text"]
        assert found["history"][0]["figures"] == {"lag": 0.0}
        assert code < 2  # warnings of this machine: its clock, who may read the folder

        own_mosquitto.stop()
        code, found = doctor(folder, port, own_mosquitto.url, "--lang", "zh", "--quick")
        assert code == 2
        assert grades(found, "broker") == {"bad"}
        assert grades(found, "journal", "ledger", "users") == {"ok"}
        assert "未逐条校验" in found["journal"][0]["text"]
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    code, found = doctor(folder, port, own_mosquitto.url)
    assert found["service"][0]["text"] == "does not run"
    assert grades(found, "history", "rules") == {"ok"}


def _ready(folder: Path, port: int, broker: str) -> bool:
    _, found = doctor(folder, port, broker, "--quick")
    return found["service"][0]["grade"] == "ok" and "ready" in found["service"][0]["text"]


def test_settings_that_are_wrong_end_the_visit(tmp_path: Path) -> None:
    (tmp_path / "dutyroom.toml").write_text("colour = 1\n")
    command = [sys.executable, "-m", "dutyroom", "doctor", "--config", str(tmp_path / "dutyroom.toml")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={"LANG": "zh_CN.UTF-8"})
    assert done.returncode == 2
    assert done.stdout.startswith("bad   设置: ")
    assert "colour" in done.stdout

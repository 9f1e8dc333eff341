"""Several brokers, MQTT 5, passwords from files, TLS: each connection of its own, all of it one journal."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from history.entries import Message, Tick
from history.journal import JournalFile
from ingest.broker import Broker
from ingest.collector import Collector
from ingest.mqtt.dangers import Danger, told
from ingest.mqtt.packets import Protocol
from ingest.mqtt.properties import MAXIMUM_QOS, SESSION_EXPIRY
from tests.conftest import or_skip
from tests.integration.collecting import PACE, entries, frames, levels, listening, publish, until
from tests.support.programs import Mosquitto, ProgramMissing
from tests.unit.ingest.plants import TANK, plant

pytestmark = pytest.mark.integration


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[tuple[Mosquitto, Mosquitto]]:
    try:
        first, second = Mosquitto(tmp_path / "first"), Mosquitto(tmp_path / "second")
    except ProgramMissing as missing:
        or_skip(missing)
    with first, second:
        yield first, second


def made(journal: JournalFile, *brokers: Broker) -> Collector:
    collector = Collector(brokers, journal, plant(), pace=PACE)
    collector.start()
    return collector


def test_messages_of_two_brokers_are_in_one_journal_and_know_theirs(
    pair: tuple[Mosquitto, Mosquitto], journal: JournalFile
) -> None:
    brokers = [Broker(one.host, one.port, name=str(number)) for number, one in enumerate(pair)]
    collector = made(journal, brokers[0], replace(brokers[1], protocol=Protocol.V5))
    try:
        until(lambda: listening(collector), "both listening")
        publish(pair[0], *frames(*range(0, 200, 2)))
        publish(pair[1], *frames(*range(1, 200, 2)))
        until(lambda: sorted(levels(journal)) == list(range(200)), "all journalled")
        until(lambda: collector.status().acked == collector.status().received, "all acknowledged")
        status = collector.status()
    finally:
        collector.stop()
    told = {
        broker.url: [
            e for e in entries(journal) if isinstance(e, Message) and e.topic == TANK and e.broker == broker.url
        ]
        for broker in brokers
    }
    assert [len(of) for of in told.values()] == [100, 100]
    assert [line.received - line.own for line in status.brokers] == [100, 100]
    assert [(line.name, line.connected, line.error) for line in status.brokers] == [
        ("0", True, None),
        ("1", True, None),
    ]


def test_a_lost_broker_silences_the_site_and_stops_no_other(
    pair: tuple[Mosquitto, Mosquitto], journal: JournalFile
) -> None:
    collector = made(journal, *(Broker(one.host, one.port, name=one.url) for one in pair))
    try:
        until(lambda: listening(collector), "both listening")
        pair[1].kill()
        until(lambda: not collector.status().connected, "the loss noticed")
        publish(pair[0], *frames(1, 2, 3))
        until(lambda: levels(journal) == [1, 2, 3], "the other goes on")
        status = collector.status()
        assert [line.connected for line in status.brokers] == [True, False]
        assert str(pair[1].port) in str(status.broker_error)
        # Silence behind the lost broker must not look like silence of its machines: no tick says that we listen.
        ticks = [entry for entry in entries(journal) if isinstance(entry, Tick)]
        publish(pair[0], *frames(4))
        until(lambda: levels(journal)[-1] == 4, "more of the other")
        assert [entry for entry in entries(journal) if isinstance(entry, Tick)] == ticks
        pair[1].start()
        until(lambda: listening(collector), "both listening again")
        publish(pair[1], *frames(5))
        until(lambda: levels(journal)[-1] == 5, "journalled")
    finally:
        collector.stop()


def test_the_user_of_a_password_file_is_let_in_and_a_wrong_one_is_told(tmp_path: Path, journal: JournalFile) -> None:
    passwords = tmp_path / "passwords"
    try:
        strict = Mosquitto(tmp_path / "strict", extra=f"allow_anonymous false\npassword_file {passwords}\n")
    except ProgramMissing as missing:
        or_skip(missing)
    program = shutil.which("mosquitto_passwd")
    assert program is not None, "it comes with Mosquitto"
    subprocess.run([program, "-b", "-c", str(passwords), "li", "right"], check=True, capture_output=True)
    with strict:
        broker = Broker(strict.host, strict.port, username="li", password="wrong", protocol=Protocol.V5)  # noqa: S106
        collector = made(journal, broker)
        try:
            until(lambda: collector.status().generation >= 2, "two attempts")
            assert "Not authorized" in str(collector.status().broker_error)
        finally:
            collector.stop()
        collector = made(journal, replace(broker, password="right"))  # noqa: S106
        try:
            until(lambda: listening(collector), "listening")
        finally:
            collector.stop()


def test_a_broker_set_as_ours_endangers_nobody(pair: tuple[Mosquitto, Mosquitto], journal: JournalFile) -> None:
    broker = Broker(pair[0].host, pair[0].port, protocol=Protocol.V5)
    for backlog in (0, 1_500):
        publish(pair[0], *frames(*range(backlog)))
        collector = made(journal, broker)
        try:
            until(partial(listening, collector), "listening")
            assert collector.status().brokers[0].dangers == set()
        finally:
            collector.stop()


def test_what_a_server_grants_less_than_we_need_is_a_danger() -> None:
    broker = Broker("b", protocol=Protocol.V5)
    assert told(broker, {SESSION_EXPIRY: 60, MAXIMUM_QOS: 1}, qos_0_only=False) == {Danger.SESSION_SHORT}
    assert told(broker, {MAXIMUM_QOS: 0}, qos_0_only=False) == {Danger.QOS_0_ONLY}
    assert told(replace(broker, session_expiry_s=60), {SESSION_EXPIRY: 60}, qos_0_only=True) == {Danger.QOS_0_ONLY}

"""What a real Mosquitto keeps sending us: nothing for a filter that left the configuration, however it left."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from history.journal import JournalFile
from ingest.broker import Broker
from ingest.collector import Collector
from plant.site import Plant
from tests.integration.collecting import PACE, collecting, frames, levels, listening, payloads, publish, until
from tests.support.programs import Mosquitto
from tests.unit.ingest.plants import plant

pytestmark = pytest.mark.integration


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "sessions" / "one.json"


def looking(*filters: str) -> Plant:
    """The plant, with its site listening to these filters, too."""
    made = plant()
    return replace(made, site=replace(made.site, discover=filters))


def kept(file: Path) -> list[str]:
    """The filters in the file of a session."""
    return list(json.loads(file.read_text(encoding="utf-8"))["filters"])


def test_a_filter_removed_while_the_service_was_stopped_is_given_back(
    broker: Mosquitto, journal: JournalFile, file: Path
) -> None:
    with collecting(broker, journal, looking("meters/#"), session_file=file) as collector:
        until(lambda: listening(collector), "listening")
        publish(broker, ("meters/1", b"31"), *frames(1))
        until(lambda: levels(journal) == [1], "the first messages")
    publish(broker, ("meters/1", b"32"))
    with collecting(broker, journal, looking(), session_file=file) as collector:
        until(lambda: listening(collector), "listening again")
        publish(broker, *frames(2))
        until(lambda: levels(journal) == [1, 2], "what is still wanted")
        publish(broker, ("meters/1", b"33"), *frames(3))
        until(lambda: levels(journal) == [1, 2, 3], "what is still wanted after it")
    # What waited in the session had been asked for when it came; what came later had not.
    assert [body for body in payloads(journal) if body.startswith(b"3")] == [b"31", b"32"]
    assert kept(file) == ["dutyroom/v1/demo/#"]


def test_a_filter_removed_while_the_broker_was_away_is_given_back(
    broker: Mosquitto, journal: JournalFile, file: Path
) -> None:
    with collecting(broker, journal, looking("meters/#"), session_file=file) as collector:
        until(lambda: listening(collector), "listening")
        broker.stop()
        until(lambda: not collector.status().connected, "the broker is away")
        collector.rebind(looking("taps/#"))
        broker.start()
        until(lambda: listening(collector), "listening again")
        publish(broker, ("meters/1", b"31"), ("taps/1", b"41"), *frames(1))
        until(lambda: levels(journal) == [1], "the native message")
    assert b"31" not in payloads(journal)
    assert b"41" in payloads(journal)
    assert kept(file) == ["dutyroom/v1/demo/#", "taps/#"]


def test_a_process_that_was_killed_leaves_the_file_saying_enough(
    broker: Mosquitto, journal: JournalFile, file: Path
) -> None:
    """The file as it is while the collector lives is what a killed process leaves."""
    with collecting(broker, journal, looking("meters/#"), session_file=file) as collector:
        until(lambda: listening(collector), "listening")
        collector.rebind(looking("taps/#"))
        assert {"meters/#", "taps/#"} <= set(kept(file))
        left = file.read_bytes()
    file.write_bytes(left)
    with collecting(broker, journal, looking(), session_file=file) as collector:
        until(lambda: listening(collector), "listening again")
        publish(broker, *frames(1))
        until(lambda: levels(journal) == [1], "a native message")
        publish(broker, ("meters/1", b"31"), ("taps/1", b"41"), *frames(2))
        until(lambda: levels(journal) == [1, 2], "another")
    assert {b"31", b"41"}.isdisjoint(payloads(journal))


def test_what_changes_while_we_connect_is_in_force_once_connected(broker: Mosquitto, journal: JournalFile) -> None:
    collector = Collector([Broker(broker.host, broker.port)], journal, looking("meters/#"), pace=PACE)
    collector.start()
    try:
        collector.rebind(looking("taps/#"))
        until(lambda: listening(collector), "listening")
        publish(broker, ("taps/1", b"41"), *frames(1))
        until(lambda: levels(journal) == [1], "the native message")
    finally:
        collector.stop()
    assert b"41" in payloads(journal)


def test_a_damaged_file_keeps_nobody_from_hearing(broker: Mosquitto, journal: JournalFile, file: Path) -> None:
    file.parent.mkdir()
    file.write_text('{"filters": 7', encoding="utf-8")
    with collecting(broker, journal, session_file=file) as collector:
        until(lambda: listening(collector), "listening")
        publish(broker, *frames(1))
        until(lambda: levels(journal) == [1], "the native message")
    assert kept(file) == ["dutyroom/v1/demo/#"]

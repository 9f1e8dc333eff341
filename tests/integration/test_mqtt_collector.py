"""The collector against a real Mosquitto: what is acknowledged is durable, and every outage heals by itself."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from history.entries import Command, Entry, Message, Tick
from history.journal import JournalFile
from history.protocols import Journal
from ingest.broker import Broker
from ingest.clocks import Pace
from ingest.collector import Collector
from plant.errors import StorageFull
from plant.site import Binding, Plant, PlantClock
from tests.support.programs import Mosquitto, wait_until
from tests.unit.ingest.plants import TANK, plant

pytestmark = pytest.mark.integration

PACE = Pace(retry_s=(0.05, 0.2))
CLOCK = "dutyroom/v1/demo/clock"


class GatedJournal:
    """A real journal behind a gate: while shut, `append` waits; while `full`, it raises StorageFull."""

    def __init__(self, journal: JournalFile) -> None:
        self._journal = journal
        self.gate = threading.Event()
        self.gate.set()
        self.full = False

    @property
    def first_offset(self) -> int:
        return self._journal.first_offset

    @property
    def last_offset(self) -> int:
        return self._journal.last_offset

    def read(self, after: int, limit: int = 10_000) -> Sequence[tuple[int, Entry]]:
        return self._journal.read(after, limit)

    def wait(self, after: int, timeout: float) -> bool:
        return self._journal.wait(after, timeout)

    def append(self, entries: Sequence[Entry]) -> int:
        self.gate.wait(30)
        if self.full:
            raise StorageFull("no room for the test")
        return self._journal.append(entries)


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[JournalFile]:
    with JournalFile(tmp_path / "journal.db") as opened:
        yield opened


@pytest.fixture
def broker(own_mosquitto: Mosquitto) -> Mosquitto:
    own_mosquitto.start()
    return own_mosquitto


@contextmanager
def collecting(
    mosquitto: Mosquitto, journal: Journal, where: Plant | None = None, *, pace: Pace = PACE
) -> Iterator[Collector]:
    collector = Collector(Broker(mosquitto.host, mosquitto.port), journal, where or plant(), pace=pace)
    collector.start()
    try:
        yield collector
    finally:
        collector.stop()


def listening(collector: Collector) -> bool:
    status = collector.status()
    return status.connected and not status.draining


def publish(mosquitto: Mosquitto, *pairs: tuple[str, bytes], retain: bool = False) -> None:
    """Publish in order and wait until the broker has acknowledged all."""
    client = Client(CallbackAPIVersion.VERSION2)
    client.connect(mosquitto.host, mosquitto.port)
    client.loop_start()
    sent = [client.publish(topic, payload, qos=1, retain=retain) for topic, payload in pairs]
    for info in sent:
        info.wait_for_publish(20)
    client.disconnect()
    client.loop_stop()


def frames(*numbers: int) -> list[tuple[str, bytes]]:
    return [(TANK, json.dumps({"points": {"tank_level": number}}).encode()) for number in numbers]


def entries(journal: Journal) -> list[Entry]:
    found: list[Entry] = []
    at = journal.first_offset - 1
    while at < journal.last_offset:
        batch = journal.read(at)
        at = batch[-1][0]
        found += [entry for _, entry in batch]
    return found


def levels(journal: Journal) -> list[int]:
    """The numbers published by `frames`, in journal order."""
    messages = [entry for entry in entries(journal) if isinstance(entry, Message) and entry.topic == TANK]
    return [json.loads(message.payload)["points"]["tank_level"] for message in messages]


def until(condition: Callable[[], bool], what: str) -> None:
    wait_until(condition, seconds=20, what=what)


def test_messages_are_journalled_in_order_and_acknowledged(broker: Mosquitto, journal: JournalFile) -> None:
    with collecting(broker, journal) as collector:
        until(lambda: listening(collector), "listening")
        publish(broker, *frames(*range(500)))
        until(lambda: len(levels(journal)) == 500, "all journalled")
        until(lambda: collector.status().acked >= 500, "all acknowledged")
    assert levels(journal) == list(range(500))
    # Nothing comes again in the next life, so the acknowledgements have reached the broker.
    with collecting(broker, journal) as collector:
        until(lambda: listening(collector), "listening again")
    assert levels(journal) == list(range(500))


def test_nothing_is_acknowledged_before_it_is_durable(broker: Mosquitto, journal: JournalFile) -> None:
    gated = GatedJournal(journal)
    with collecting(broker, gated) as collector:
        until(lambda: listening(collector), "listening")
        gated.gate.clear()
        publish(broker, *frames(1, 2, 3))
        until(lambda: collector.status().received >= 4, "messages received")
        acked = collector.status().acked
        broker.restart()
        until(lambda: collector.status().generation > 1 and collector.status().connected, "second connection")
        assert collector.status().acked == acked
        gated.gate.set()
        until(lambda: len(levels(journal)) >= 6, "redelivered")
    # Of the first delivery nothing was acknowledged, so the broker has sent all of it again, in order.
    assert levels(journal) == [1, 2, 3, 1, 2, 3]
    again = [entry for entry in entries(journal) if isinstance(entry, Message) and entry.topic == TANK][3:]
    assert all(message.draining for message in again)


def test_messages_published_while_we_are_down_come_as_backlog(broker: Mosquitto, journal: JournalFile) -> None:
    with collecting(broker, journal) as collector:
        until(lambda: listening(collector), "listening")
    publish(broker, *frames(1, 2, 3))
    with collecting(broker, journal) as collector:
        until(lambda: listening(collector), "listening again")
        publish(broker, *frames(4))
        until(lambda: len(levels(journal)) == 4, "all journalled")
    messages = [entry for entry in entries(journal) if isinstance(entry, Message)]
    assert levels(journal) == [1, 2, 3, 4]
    assert [message.draining for message in messages] == [True, True, True, False]


def test_no_tick_is_written_between_connecting_and_the_end_of_the_backlog(
    broker: Mosquitto, journal: JournalFile
) -> None:
    with collecting(broker, journal) as collector:
        until(lambda: listening(collector), "listening")
    publish(broker, *frames(*range(200)))
    with collecting(broker, journal) as collector:
        until(lambda: any(isinstance(entry, Tick) for entry in entries(journal)[-1:]), "a tick")
        until(lambda: listening(collector), "listening again")
    after_backlog = entries(journal)
    last_waiting = max(i for i, e in enumerate(after_backlog) if isinstance(e, Message) and e.draining)
    first_waiting = min(i for i, e in enumerate(after_backlog) if isinstance(e, Message) and e.draining)
    assert not any(isinstance(entry, Tick) for entry in after_backlog[first_waiting:last_waiting])


def test_broker_absent_at_start_is_waited_for(own_mosquitto: Mosquitto, journal: JournalFile) -> None:
    with collecting(own_mosquitto, journal) as collector:
        until(lambda: collector.status().generation >= 3, "three attempts")
        assert "cannot be reached" in str(collector.status().broker_error)
        own_mosquitto.start()
        until(lambda: listening(collector), "listening")
        assert collector.status().broker_error is None


@pytest.mark.parametrize("kill", [False, True], ids=["stopped", "killed"])
def test_broker_that_comes_back_is_found_again(broker: Mosquitto, journal: JournalFile, kill: bool) -> None:
    with collecting(broker, journal) as collector:
        until(lambda: listening(collector), "listening")
        publish(broker, *frames(1))
        until(lambda: levels(journal) == [1], "first journalled")
        until(lambda: collector.status().acked >= 2, "first acknowledged")
        broker.restart(kill=kill)
        until(lambda: collector.status().generation > 1 and listening(collector), "listening again")
        publish(broker, *frames(2))
        until(lambda: levels(journal)[-1:] == [2], "second journalled")


def test_full_disk_holds_everything_and_goes_on_when_there_is_room(broker: Mosquitto, journal: JournalFile) -> None:
    gated = GatedJournal(journal)
    with collecting(broker, gated) as collector:
        until(lambda: listening(collector), "listening")
        publish(broker, *frames(0))
        until(lambda: levels(journal) == [0], "one journalled")
        until(lambda: collector.status().waiting == 0, "idle")
        gated.full = True
        publish(broker, *frames(*range(1, 100)))
        until(lambda: collector.status().journal_error is not None, "trouble seen")
        acked = collector.status().acked
        gated.full = False
        until(lambda: len(levels(journal)) == 100, "all journalled")
        until(lambda: collector.status().acked >= acked + 99, "all acknowledged")
        until(lambda: listening(collector), "listening")
        assert collector.status().journal_error is None
    assert levels(journal) == list(range(100))


def test_published_clock_becomes_ticks_in_order(broker: Mosquitto, journal: JournalFile) -> None:
    with collecting(broker, journal, plant(clock=PlantClock.TOPIC)) as collector:
        until(lambda: listening(collector), "listening")
        first, second = frames(1, 2)
        clock = [(CLOCK, json.dumps({"ts": ts}).encode()) for ts in (60_000, 120_000, 60_000)]
        publish(broker, first, clock[0], second, clock[1], clock[2])
        until(lambda: collector.status().clock_back == 1, "clock going back")
        until(lambda: journal.last_offset >= 5, "journalled")
    kinds = [e.plant_time if isinstance(e, Tick) else levels_of(e) for e in entries(journal)]
    assert kinds == [1, 60_000, 2, 120_000, None]
    # In the next life the clock goes on from where the journal ends.
    with collecting(broker, journal, plant(clock=PlantClock.TOPIC)) as collector:
        until(lambda: listening(collector), "listening again")
        publish(broker, clock[1])
        until(lambda: collector.status().clock_back == 1, "known time refused")


def levels_of(entry: Entry) -> object:
    assert isinstance(entry, Message)
    body = json.loads(entry.payload)
    return body["points"]["tank_level"] if "points" in body else None


def test_system_clock_ticks_each_second_while_listening(broker: Mosquitto, journal: JournalFile) -> None:
    with collecting(broker, journal) as collector:
        until(lambda: sum(isinstance(e, Tick) for e in entries(journal)) >= 3, "three ticks")
        assert listening(collector)
    ticks = [entry for entry in entries(journal) if isinstance(entry, Tick)]
    assert all(tick.plant_time % 1000 == 0 and tick.listening for tick in ticks)
    assert [t.plant_time for t in ticks] == sorted({t.plant_time for t in ticks})


def test_bound_topics_are_subscribed_and_can_change(broker: Mosquitto, journal: JournalFile) -> None:
    bound = plant(bindings=(Binding("gw/+/t", "tank_level"),))
    with collecting(broker, journal, bound) as collector:
        until(lambda: listening(collector), "listening")
        publish(broker, ("gw/1/t", b"40"), ("other/t", b"41"))
        until(lambda: b"40" in payloads(journal), "bound message")
        collector.rebind(plant(bindings=(Binding("other/t", "tank_level"),)))
        until(lambda: heard(broker, journal, "other/t", b"42"), "newly bound message")
    assert b"41" not in payloads(journal)


def heard(mosquitto: Mosquitto, journal: Journal, topic: str, payload: bytes) -> bool:
    """Publish and see whether it is in the journal yet: the subscription takes its time."""
    publish(mosquitto, (topic, payload))
    return payload in payloads(journal)


def payloads(journal: Journal) -> list[bytes]:
    return [entry.payload for entry in entries(journal) if isinstance(entry, Message)]


def test_submitted_entries_are_durable_when_their_future_is_done(broker: Mosquitto, journal: JournalFile) -> None:
    command = Command(1, "li", "reset", "tank-1", "BH-05")
    with collecting(broker, journal) as collector:
        done: Future[int] = collector.submit(command)
        offset = done.result(timeout=20)
    assert dict(journal.read(offset - 1))[offset] == command


def test_connection_on_which_nothing_comes_back_is_replaced(broker: Mosquitto, journal: JournalFile) -> None:
    # Stopped, the broker keeps its connections and says nothing: the case that a client calls "connected".
    pace = replace(PACE, probe_after_ms=200, stall_after_ms=800)
    with collecting(broker, journal, pace=pace) as collector:
        until(lambda: listening(collector), "listening")
        os.kill(broker.process.pid, signal.SIGSTOP)
        try:
            until(lambda: collector.status().stalls_healed == 1, "stall noticed")
        finally:
            os.kill(broker.process.pid, signal.SIGCONT)
        until(lambda: listening(collector), "listening again")
        publish(broker, *frames(7))
        until(lambda: 7 in levels(journal), "journalled")


def test_a_quiet_healthy_connection_is_kept(broker: Mosquitto, journal: JournalFile) -> None:
    pace = replace(PACE, probe_after_ms=100, stall_after_ms=1_500)
    with collecting(broker, journal, pace=pace) as collector:
        until(lambda: listening(collector), "listening")
        began = time.monotonic()
        until(lambda: time.monotonic() - began > 4, "longer than a stall")
        status = collector.status()
    assert (status.stalls_healed, status.generation) == (0, 1)

"""What the tests of the collector share: a collector at work, a publisher, and the journal read back."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from history.entries import Entry, Message
from history.journal import JournalFile
from history.protocols import READ_BYTES, Journal
from ingest.broker import Broker
from ingest.clocks import Pace
from ingest.collector import Collector
from plant.errors import StorageFull
from plant.site import Plant
from tests.support.programs import Mosquitto, wait_until
from tests.unit.ingest.plants import TANK, plant

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

    def read(self, after: int, limit: int = 10_000, most_bytes: int = READ_BYTES) -> Sequence[tuple[int, Entry]]:
        return self._journal.read(after, limit, most_bytes)

    def wait(self, after: int, timeout: float) -> bool:
        return self._journal.wait(after, timeout)

    def append(self, entries: Sequence[Entry]) -> int:
        self.gate.wait(30)
        if self.full:
            raise StorageFull("no room for the test")
        return self._journal.append(entries)


@contextmanager
def collecting(
    mosquitto: Mosquitto,
    journal: Journal,
    where: Plant | None = None,
    *,
    pace: Pace = PACE,
    session_file: Path | None = None,
) -> Iterator[Collector]:
    """A collector that runs for the length of the block."""
    broker = Broker(mosquitto.host, mosquitto.port, session_file=session_file)
    collector = Collector([broker], journal, where or plant(), pace=pace)
    collector.start()
    try:
        yield collector
    finally:
        collector.stop()


def listening(collector: Collector) -> bool:
    """Connected, and what waited in the broker has come."""
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
    """Native frames whose one value is the number."""
    return [(TANK, json.dumps({"points": {"tank_level": number}}).encode()) for number in numbers]


def entries(journal: Journal) -> list[Entry]:
    """Everything the journal holds, in order."""
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
    """Wait for it, with a deadline."""
    wait_until(condition, seconds=20, what=what)


def levels_of(entry: Entry) -> object:
    """The number a message of `frames` carries; None for another message."""
    assert isinstance(entry, Message)
    body = json.loads(entry.payload)
    return body["points"]["tank_level"] if "points" in body else None


def heard(mosquitto: Mosquitto, journal: Journal, topic: str, payload: bytes) -> bool:
    """Publish and see whether it is in the journal yet: the subscription takes its time."""
    publish(mosquitto, (topic, payload))
    return payload in payloads(journal)


def payloads(journal: Journal) -> list[bytes]:
    """Of every message in the journal, in order."""
    return [entry.payload for entry in entries(journal) if isinstance(entry, Message)]

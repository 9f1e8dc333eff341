"""The broker killed and gone for 2, 12 and 60 s, again and again: how soon the collector goes on, what is lost."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from history.entries import Message
from history.journal import JournalFile
from ingest.broker import Broker
from ingest.collector import Collector
from simulators.broker import BrokerAddress
from simulators.wire import LAST_PACKET_ID, Wire, publish_head
from tests.support.programs import Mosquitto, wait_until
from tests.unit.ingest.plants import TANK, plant

DOWN_SECONDS = (2.0, 12.0, 60.0)
WITHIN_SECONDS = 5.0
_GAP_SECONDS = 0.01
_STEADY_SECONDS = 3.0
_SAVED_AFTER_SECONDS = 2.0
"""Mosquitto saves once a second; what it acknowledged longer ago than this is on its disk."""
_PATIENCE_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Outage:
    """One: how long the broker was away, and seconds from its return to the first message journalled."""

    down: float
    progress: float

    @property
    def well(self) -> bool:
        """Soon enough."""
        return self.progress <= WITHIN_SECONDS


@dataclass(frozen=True, slots=True)
class Endured:
    """All of them. `lost` should be 0; `not_saved` Mosquitto had acknowledged in its last seconds and not yet saved."""

    outages: tuple[Outage, ...]
    sent: int
    lost: int
    not_saved: int

    @property
    def differences(self) -> list[str]:
        """What is not as it should be."""
        late = [
            f"outage of {one.down:g} s: the first message came {one.progress:.1f} s after the broker was back"
            for one in self.outages
            if not one.well
        ]
        return late + ([f"outages: {self.lost} messages lost"] if self.lost else [])


class _Speaker:
    """Publishes numbered frames, a hundred a second, through whatever happens to the broker."""

    def __init__(self, port: int) -> None:
        self._wire = Wire(BrokerAddress.parse(f"mqtt://127.0.0.1:{port}"), "speaker", 2 * _PATIENCE_SECONDS)
        self._history: list[tuple[float, int]] = []
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._speak, name="speaker", daemon=True)
        self.sent = 0

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Once every frame is acknowledged."""
        self._stopping.set()
        self._thread.join()
        self._wire.close()

    def acknowledged(self, at: float) -> int:
        """Frames 0 … n-1 that the broker had acknowledged at a moment (monotonic, s)."""
        return max((count for when, count in list(self._history) if when <= at), default=0)

    def _speak(self) -> None:
        while not self._stopping.is_set() or self._wire.in_flight:
            if not self._stopping.is_set():
                self._wire.push([_frame(self.sent)])
                self.sent += 1
            self._wire.pump(_GAP_SECONDS)
            self._history.append((time.monotonic(), self._wire.acked))
            self._stopping.wait(_GAP_SECONDS)


def endure(folder: Path, downs: Sequence[float]) -> Endured:
    """Every outage of `downs` in its order; the broker dies by SIGKILL."""
    outages, excused = [], set[int]()
    with Mosquitto(folder / "mosquitto") as broker, JournalFile(folder / "journal.db") as journal:
        collector = Collector([Broker(broker.host, broker.port, "outages")], journal, plant())
        collector.start()
        wait_until(lambda: collector.status().connected, seconds=_PATIENCE_SECONDS, what="the collector is connected")
        speaker = _Speaker(broker.port)
        speaker.start()
        try:
            for down in downs:
                time.sleep(_STEADY_SECONDS)
                killed = time.monotonic()
                broker.kill()
                first = speaker.acknowledged(killed - _SAVED_AFTER_SECONDS)
                excused |= set(range(first, speaker.sent + 1))
                time.sleep(down)
                outages.append(Outage(down, _progress(broker, collector)))
            time.sleep(_STEADY_SECONDS)
            speaker.stop()
            last = {speaker.sent - 1}
            wait_until(lambda: last <= _numbers(journal), seconds=_PATIENCE_SECONDS, what="the last is journalled")
            missing = set(range(speaker.sent)) - _numbers(journal)
        finally:
            collector.stop()
    return Endured(tuple(outages), speaker.sent, len(missing - excused), len(missing & excused))


def _progress(broker: Mosquitto, collector: Collector) -> float:
    """Start the broker; seconds until the first message is durable."""
    before = _durable(collector)
    broker.start()
    back = time.monotonic()
    wait_until(lambda: _durable(collector) > before, seconds=_PATIENCE_SECONDS, what="the collector goes on")
    return time.monotonic() - back


def _durable(collector: Collector) -> int:
    """Messages of others that are acknowledged, which they are only once they are durable."""
    status = collector.status()
    return status.acked - status.own


def _numbers(journal: JournalFile) -> set[int]:
    found: set[int] = set()
    at = journal.first_offset - 1
    while at < journal.last_offset:
        batch = journal.read(at)
        at = batch[-1][0]
        found |= {
            json.loads(entry.payload)["points"]["tank_level"]
            for _, entry in batch
            if isinstance(entry, Message) and entry.topic == TANK
        }
    return found


def _frame(number: int) -> bytes:
    body = json.dumps({"points": {"tank_level": number}}).encode()
    return publish_head(TANK, len(body)) + (number % LAST_PACKET_ID + 1).to_bytes(2, "big") + body

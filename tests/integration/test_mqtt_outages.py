"""Every outage of broker, network and disk heals by itself, and loses nothing that was acknowledged."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from history.entries import Message
from history.journal import JournalFile
from ingest.broker import Broker
from ingest.collector import Collector
from ingest.inbox import MOST_BYTES
from ingest.intake import Intake
from tests.integration.collecting import (
    PACE,
    GatedJournal,
    collecting,
    entries,
    frames,
    levels,
    listening,
    payloads,
    publish,
    until,
)
from tests.support.programs import Mosquitto
from tests.unit.ingest.plants import TANK, plant

pytestmark = pytest.mark.integration


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


def test_while_the_journal_is_stuck_messages_stay_with_the_broker(broker: Mosquitto, journal: JournalFile) -> None:
    # This broker sends what it has without waiting for acknowledgements: 100 MB here, none of which is asked for twice.
    gated = GatedJournal(journal)
    body, count = b"x" * 250_000, 400
    with collecting(broker, gated) as collector:
        until(lambda: listening(collector), "listening")
        gated.gate.clear()
        publish(broker, *[(TANK, body)] * count)
        until(lambda: collector.status().waiting * len(body) > MOST_BYTES // 2, "no more room")
        publish(broker, (TANK, b"the last"))
        # Half the room, a read that was under way, and what the writer has taken before the gate.
        assert collector.status().waiting * len(body) < MOST_BYTES // 2 + 2**20
        assert collector.status().received * len(body) < MOST_BYTES // 2 + 12 * 2**20
        gated.gate.set()
        until(lambda: payloads(journal)[-1:] == [b"the last"], "all of it")
        assert (collector.status().generation, collector.status().stalls_healed) == (1, 0)
    assert payloads(journal) == [body] * count + [b"the last"]


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


def test_lost_between_durable_and_acknowledged_comes_again_and_is_known(
    broker: Mosquitto, journal: JournalFile
) -> None:
    go_on = threading.Event()
    go_on.set()

    def hold() -> None:
        go_on.wait(30)

    collector = Collector([Broker(broker.host, broker.port)], journal, plant(), pace=PACE, after_fsync=hold)
    collector.start()
    try:
        until(lambda: listening(collector), "listening")
        go_on.clear()
        now = PACE.now()
        body = json.dumps({"ts": now, "points": {"tank_level": 50, "tank_temp_top": 40}}).encode()
        publish(broker, (TANK, body))
        until(lambda: levels(journal) == [50], "durable")
        broker.restart()
        go_on.set()
        until(lambda: levels(journal) == [50, 50], "redelivered")
    finally:
        go_on.set()
        collector.stop()
    taken = Intake(plant()).feed_many(journal.read(0))
    assert (len(taken.batch), taken.duplicates, taken.repeated) == (2, 2, 1)


def test_refused_user_is_said_and_tried_again(tmp_path: Path, own_mosquitto: Mosquitto, journal: JournalFile) -> None:
    # The fixture is only asked for to skip where there is no Mosquitto.
    strict = Mosquitto(tmp_path / "strict", extra="allow_anonymous false\n")
    with strict, collecting(strict, journal) as collector:
        until(lambda: collector.status().generation >= 2, "two attempts")
        assert "refuses us" in str(collector.status().broker_error)
        assert not collector.status().connected


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

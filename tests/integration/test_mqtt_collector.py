"""The collector against a real Mosquitto: messages, ticks, commands and subscriptions, in order."""

from __future__ import annotations

import json
from concurrent.futures import Future
from dataclasses import replace

import pytest

from history.entries import Command, Message, Tick
from history.journal import JournalFile
from plant.site import Binding, PlantClock
from tests.integration.collecting import (
    CLOCK,
    collecting,
    entries,
    frames,
    heard,
    levels,
    levels_of,
    listening,
    payloads,
    publish,
    until,
)
from tests.support.programs import Mosquitto
from tests.unit.ingest.plants import plant

pytestmark = pytest.mark.integration


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


def test_where_topics_are_looked_for_a_bound_message_still_comes_once(broker: Mosquitto, journal: JournalFile) -> None:
    bound = plant(bindings=(Binding("gw/+/t", "tank_level"),))
    wide = replace(bound, site=replace(bound.site, discover=("#",)))
    with collecting(broker, journal, bound) as collector:
        until(lambda: listening(collector), "listening")
        collector.rebind(wide)
        until(lambda: heard(broker, journal, "unknown/t", b"43"), "a message nobody has bound")
        publish(broker, ("gw/1/t", b"44"), ("unknown/t", b"45"))
        until(lambda: b"45" in payloads(journal), "the one after it")
        collector.rebind(bound)
        publish(broker, ("gw/1/t", b"46"))
        until(lambda: b"46" in payloads(journal), "the bound one alone")
    assert [payloads(journal).count(body) for body in (b"44", b"45", b"46")] == [1, 1, 1]


def test_submitted_entries_are_durable_when_their_future_is_done(broker: Mosquitto, journal: JournalFile) -> None:
    command = Command(1, "li", "reset", "tank-1", "BH-05")
    with collecting(broker, journal) as collector:
        done: Future[int] = collector.submit(command)
        offset = done.result(timeout=20)
    assert dict(journal.read(offset - 1))[offset] == command

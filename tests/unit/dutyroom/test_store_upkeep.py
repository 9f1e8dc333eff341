"""The store's upkeep runs in the consumer's thread: each plant hour, step by step, and never twice for nothing."""

from __future__ import annotations

from pathlib import Path

from dutyroom.content import Content
from dutyroom.store_consumer import StoreConsumer
from history.duck import DuckStore
from history.entries import Config, Message, Tick
from history.journal import JournalFile
from plant.errors import Unavailable
from rules.loader import load_pack
from tests.faults import campus
from tests.support.programs import wait_until
from tests.support.redecoding import unasked

HOUR = 3_600_000


class Upkeep:
    """Refuses once, then has two steps to do in every hour."""

    def __init__(self) -> None:
        self.refused = 0
        self.hours: list[int] = []

    def __call__(self, now: int) -> bool:
        if not self.refused:
            self.refused += 1
            raise Unavailable("the disk is away")
        self.hours.append(now // HOUR)
        return self.hours.count(now // HOUR) < 2


def test_each_hour_gets_all_its_steps_and_a_refusal_is_tried_again(tmp_path: Path) -> None:
    where = campus.plant()
    upkeep = Upkeep()
    with JournalFile(tmp_path / "journal.db") as journal:
        journal.append([Config(1, "", Content.of(where, load_pack(catalogue=where.catalogue)).encode())])
        now = 0
        for now, said in campus.steps(where, 1, 3):
            journal.append([*(Message(now, item.topic, item.payload()) for item in said), Tick(now)])
        store = DuckStore(tmp_path / "telemetry")
        storing = StoreConsumer(journal, store, tmp_path / "snapshots", keep=upkeep, report=unasked)
        storing.start()
        wait_until(lambda: upkeep.hours == 2 * [now // HOUR], seconds=60, what="both steps of the hour are done")
        journal.append([Tick(now + HOUR)])
        later = 2 * [now // HOUR + 1]
        wait_until(lambda: upkeep.hours[2:] == later, seconds=60, what="and those of the next")
        storing.stop()
        assert (upkeep.hours[2:], storing.fatal) == (later, None)
        store.close()

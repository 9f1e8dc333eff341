"""A consumer that begins at the front of a journal whose configuration retention has taken out of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from dutyroom.content import Content
from dutyroom.rules_consumer import CONSUMER, RulesConsumer
from dutyroom.store_consumer import StoreConsumer
from history.duck import DuckStore
from history.entries import Config, Message, Tick
from history.journal import JournalFile
from history.retention import Keep
from maintenance.ledger.ledger import Ledger
from plant.reading import SeriesKey
from rules.loader import load_pack
from tests.faults import campus
from tests.support.programs import wait_until
from tests.support.redecoding import unasked

RAN = SeriesKey("pump-1", "pump_status", "pump")


@pytest.fixture
def trimmed(tmp_path: Path) -> Iterator[JournalFile]:
    """A journal without its first half, the configuration's entry included."""
    where = campus.plant()
    with JournalFile(tmp_path / "journal.db") as journal:
        journal.append([Config(1, "", Content.of(where, load_pack(catalogue=where.catalogue)).encode())])
        middle, last = 0, 0
        for count, (now, said) in enumerate(campus.steps(where, 1, 11)):
            last = journal.append([*(Message(now, item.topic, item.payload()) for item in said), Tick(now)])
            middle = last if count == 5 else middle
        journal.trim(Keep(age_ms=0, size_bytes=10**9, after=middle), now=2**60)
        assert 1 < journal.first_offset <= middle + 1 < last
        yield journal


def test_a_lost_store_is_rebuilt_from_what_the_journal_holds(trimmed: JournalFile, tmp_path: Path) -> None:
    store = DuckStore(tmp_path / "telemetry")
    storing = StoreConsumer(trimmed, store, tmp_path / "snapshots", keep=lambda _: False, report=unasked)
    storing.start()
    wait_until(lambda: store.offset() == trimmed.last_offset, seconds=60, what="all is stored")
    storing.stop()
    found = store.raw(RAN, 0, 2**60)
    store.close()
    assert len(found.ts) > 0


def test_rules_without_a_snapshot_judge_what_the_journal_holds(trimmed: JournalFile, tmp_path: Path) -> None:
    with Ledger.open(tmp_path / "ledger.db") as ledger:
        rules = RulesConsumer(trimmed, ledger, tmp_path / "snapshots", site=campus.SITE)
        rules.start()
        wait_until(
            lambda: ledger.offset(CONSUMER, campus.SITE) == trimmed.last_offset, seconds=60, what="all is judged"
        )
        rules.stop()
        alarms = ledger.projection().alarms
    assert rules.judging.ignored_before_config == 0
    assert [(equipment, rule) for equipment, rule, *_ in alarms] == [("pump-1", "PU-01")]

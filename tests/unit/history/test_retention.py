"""Retention takes whole batches from the front, and never what somebody still needs."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from history.entries import Command, Config, Message
from history.journal import JournalFile, JournalFollower
from history.retention import Keep
from plant.errors import Corrupt, StorageFull
from tests.unit.history.entries import T0, message, messages

EVER = 10**15
ANY_SIZE = 10**12


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[JournalFile]:
    with JournalFile(tmp_path / "journal.db") as opened:
        yield opened


def fill(journal: JournalFile, batches: int, payload: int = 10) -> None:
    """Batches of two incompressible messages, one second a message."""
    random = Random(1)
    for first in range(journal.last_offset + 1, journal.last_offset + 1 + 2 * batches, 2):
        journal.append([Message(T0 + n * 1_000, "t", random.randbytes(payload)) for n in (first, first + 1)])


def test_batches_go_when_their_newest_entry_is_too_old(journal: JournalFile) -> None:
    fill(journal, 10)  # batch k holds the seconds 2k-1 and 2k
    removed = journal.trim(Keep(age_ms=10_000, size_bytes=ANY_SIZE, after=EVER), now=T0 + 16_000)
    # Older than second 6: batches ending at 2 and 4. The one ending at 6 is exactly 10 s old and stays.
    assert (removed.entries, removed.batches, journal.first_offset) == (4, 2, 5)
    assert [offset for offset, _ in journal.read(4)] == list(range(5, 21))
    with pytest.raises(Corrupt, match="offset 1 is no longer held"):
        JournalFollower(journal.path).read(0)


def test_nothing_beyond_the_slowest_consumer_goes(journal: JournalFile) -> None:
    fill(journal, 10)
    journal.trim(Keep(age_ms=0, size_bytes=0, after=7), now=T0 + 10**9)
    assert journal.first_offset == 7  # the batch 7–8 holds entry 8, which is still needed


def test_the_newest_batch_stays_and_carries_the_offset_over_a_reopen(tmp_path: Path) -> None:
    with JournalFile(tmp_path / "journal.db") as journal:
        fill(journal, 5)
        journal.trim(Keep(age_ms=0, size_bytes=0, after=EVER), now=T0 + 10**9)
        assert (journal.first_offset, journal.last_offset) == (9, 10)
    with JournalFile(tmp_path / "journal.db") as journal:
        assert (journal.first_offset, journal.last_offset) == (9, 10)
        assert journal.append([message(11)]) == 11


def test_size_is_kept_and_pages_go_back_to_the_disk(journal: JournalFile) -> None:
    fill(journal, 400, payload=4_000)
    keep = Keep(age_ms=EVER, size_bytes=1_000_000, after=EVER)
    removed = journal.trim(keep, now=T0)
    assert 2_000_000 < removed.bytes < 2_400_000  # some 3.2 MB were written, 1 MB may stay
    assert [offset for offset, _ in journal.read(journal.first_offset - 1, EVER)][-1] == 800
    assert journal.trim(keep, now=T0).batches == 0
    path = journal.path
    journal.close()  # moves the last of the write-ahead log into the file
    assert 900_000 < path.stat().st_size < 1_100_000


def test_a_full_journal_takes_entries_again_after_retention(tmp_path: Path) -> None:
    with JournalFile(tmp_path / "journal.db", max_bytes=500_000) as journal:
        with pytest.raises(StorageFull):
            fill(journal, 200, payload=4_000)
        held = journal.last_offset
        journal.trim(Keep(age_ms=EVER, size_bytes=250_000, after=EVER), now=T0)
        fill(journal, 10, payload=4_000)
        assert journal.last_offset == held + 20


def test_the_configuration_in_force_outlives_its_batch(journal: JournalFile) -> None:
    old, current, later = (Config(number, "", bytes([number])) for number in (1, 2, 3))
    journal.append([old, message(2)])
    journal.append([current, message(4)])
    journal.append(messages(5, 2))
    journal.append([later])
    journal.trim(Keep(age_ms=0, size_bytes=0, after=4), now=T0 + 10**9)
    assert journal.first_offset == 5
    assert [journal.config_at(offset) for offset in (5, 6, 7)] == [current, current, later]
    assert journal.config_at(2) is None  # nobody can read there any more


def test_a_batch_that_names_no_time_is_as_old_as_the_one_before(journal: JournalFile) -> None:
    journal.append([message(1)])
    journal.append([Command(1, "li", "reset", "ch-1", "CH-01")])
    journal.append([message(100)])
    journal.trim(Keep(age_ms=10_000, size_bytes=ANY_SIZE, after=EVER), now=T0 + 100_000)
    assert journal.first_offset == 3


def test_a_reader_in_the_middle_keeps_its_snapshot(journal: JournalFile) -> None:
    fill(journal, 5)
    reader = sqlite3.connect(journal.path, isolation_level=None)
    cursor = reader.execute("SELECT first FROM batches ORDER BY first")
    assert cursor.fetchone() == (1,)
    journal.trim(Keep(age_ms=0, size_bytes=0, after=EVER), now=T0 + 10**9)
    assert [first for (first,) in cursor] == [3, 5, 7, 9]
    reader.close()

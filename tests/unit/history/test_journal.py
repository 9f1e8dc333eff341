"""The journal: durable in order, one writer, readers that keep up and readers that are behind."""

from __future__ import annotations

import sqlite3
import threading
import tracemalloc
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from history.codec import pack
from history.entries import HELD_BYTES, Config, Entry, Message, Tick
from history.journal import JournalFile, JournalFollower
from history.protocols import READ_BYTES
from history.recent import MOST_BYTES, RecentBatches
from plant.errors import Conflict, Corrupt, StorageFull, Unavailable
from tests.unit.history.entries import T0, message, messages

Source = JournalFile | JournalFollower


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.db"


@pytest.fixture
def journal(path: Path) -> Iterator[JournalFile]:
    with JournalFile(path) as opened:
        yield opened


def everything(source: Source, after: int = 0, limit: int = 10_000) -> list[tuple[int, Entry]]:
    found: list[tuple[int, Entry]] = []
    while more := source.read(after, limit):
        found += more
        after = found[-1][0]
    return found


def damage(path: Path, statement: str) -> None:
    db = sqlite3.connect(path)
    with db:
        db.execute(statement)
    db.close()


def test_offsets_count_entries_from_one(journal: JournalFile) -> None:
    assert (journal.first_offset, journal.last_offset) == (1, 0)
    assert journal.append(messages(1, 3)) == 3
    assert journal.append(messages(4, 2)) == 5
    assert (journal.first_offset, journal.last_offset) == (1, 5)
    assert everything(journal) == list(enumerate(messages(1, 5), 1))


def test_nothing_to_append_writes_nothing(journal: JournalFile) -> None:
    journal.append(messages(1, 2))
    assert journal.append([]) == 2
    assert journal.last_offset == 2


def test_entries_survive_a_reopen(path: Path) -> None:
    with JournalFile(path) as before:
        before.append(messages(1, 4))
    with JournalFile(path) as after:
        assert after.append(messages(5, 1)) == 5
        assert everything(after) == list(enumerate(messages(1, 5), 1))


@pytest.mark.parametrize("after", range(6))
@pytest.mark.parametrize("reopened", [False, True], ids=["from memory", "from the file"])
def test_reading_may_begin_inside_a_batch(path: Path, after: int, reopened: bool) -> None:
    with JournalFile(path) as journal:
        journal.append(messages(1, 3))
        journal.append(messages(4, 3))
        if not reopened:
            assert everything(journal, after) == list(enumerate(messages(1, 6), 1))[after:]
    with JournalFollower(path) as follower:
        assert everything(follower, after) == list(enumerate(messages(1, 6), 1))[after:]


def test_a_read_ends_with_the_batch_that_reaches_the_limit(journal: JournalFile, path: Path) -> None:
    for first in (1, 4, 7):
        journal.append(messages(first, 3))
    with JournalFollower(path) as follower:
        for source in (journal, follower):
            assert [offset for offset, _ in source.read(0, 4)] == [1, 2, 3, 4, 5, 6]
            assert [offset for offset, _ in source.read(0, 3)] == [1, 2, 3]


def test_a_read_ends_with_the_batch_that_reaches_the_bytes(journal: JournalFile, path: Path) -> None:
    sizes = []
    for first in range(1, 9):
        large = [Message(1, "large", Random(first).randbytes(READ_BYTES // 3))]
        sizes.append(len(pack(large)))
        journal.append(large)
    with JournalFollower(path) as follower:
        for source in (journal, follower):
            assert [offset for offset, _ in source.read(0)] == [1, 2, 3]
            assert [offset for offset, _ in source.read(3, most_bytes=sizes[3])] == [4]
            assert [offset for offset, _ in source.read(3, most_bytes=sizes[3] + 1)] == [4, 5]
            assert [offset for offset, _ in everything(source)] == list(range(1, 9))


def test_memory_holds_no_more_than_it_says_however_small_the_entries() -> None:
    recent, first = RecentBatches(), 1
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        while first == 1 or recent.read(0, 1, 1) is not None:
            batch = tuple(
                Message(T0 + number, "t", b"%d" % number, "mqtt://broker", 1, mid=1_000 + number)
                for number in range(1_000)
            )
            recent.add(first, batch, len(pack(batch)))
            first += len(batch)
        held = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert MOST_BYTES // 3 < held <= MOST_BYTES


def test_a_consumer_ahead_of_the_journal_is_told(journal: JournalFile, path: Path) -> None:
    journal.append(messages(1, 2))
    with JournalFollower(path) as follower:
        for source in (journal, follower):
            with pytest.raises(Corrupt, match="ends at offset 2"):
                source.read(3)


def test_a_changed_byte_is_found_on_reading(path: Path) -> None:
    with JournalFile(path) as journal:
        journal.append(messages(1, 2))
        journal.append(messages(3, 2))
    damage(path, "UPDATE batches SET body = x'00' WHERE first = 1")
    with JournalFile(path) as journal, pytest.raises(Corrupt, match="offset 1 fails its checksum"):
        journal.read(0)


def test_a_journal_whose_last_batch_is_damaged_does_not_open(path: Path) -> None:
    with JournalFile(path) as journal:
        journal.append(messages(1, 2))
    damage(path, "UPDATE batches SET crc = crc + 1")
    with pytest.raises(Corrupt, match="offset 1 fails its checksum"):
        JournalFile(path)
    damage(path, "UPDATE batches SET crc = crc - 1")
    with JournalFile(path) as journal:
        assert journal.last_offset == 2


def test_a_hole_between_batches_is_found_on_reading(path: Path) -> None:
    with JournalFile(path) as journal:
        for first in (1, 3, 5):
            journal.append(messages(first, 2))
    damage(path, "DELETE FROM batches WHERE first = 3")
    with JournalFile(path) as journal, pytest.raises(Corrupt, match="offset 3 is no longer held"):
        everything(journal)


def test_a_second_writer_is_refused_and_named_the_first(path: Path) -> None:
    with JournalFile(path), pytest.raises(Conflict, match=r"already being written by process \d+"):
        JournalFile(path)
    JournalFile(path).close()


@pytest.mark.parametrize("content", [b"no database at all" * 100, b""], ids=["text", "empty"])
def test_a_follower_refuses_what_is_no_journal(path: Path, content: bytes) -> None:
    with pytest.raises(Unavailable, match="there is no journal"):
        JournalFollower(path)
    path.write_bytes(content)
    with pytest.raises(Corrupt):
        JournalFollower(path)


def test_a_foreign_database_is_not_written_to(path: Path) -> None:
    db = sqlite3.connect(path)
    db.execute("CREATE TABLE theirs (x)")
    db.close()
    with pytest.raises(Corrupt, match="no journal"):
        JournalFile(path)


def test_a_journal_of_a_later_format_is_refused(path: Path) -> None:
    JournalFile(path).close()
    damage(path, "PRAGMA user_version = 2")
    with pytest.raises(Corrupt, match="format 2"):
        JournalFile(path)


def test_a_full_disk_writes_nothing_and_leaves_the_journal_usable(path: Path) -> None:
    with JournalFile(path, max_bytes=200_000) as journal:
        journal.append(messages(1, 10))
        incompressible = Message(1, "big", Random(1).randbytes(400_000))
        with pytest.raises(StorageFull, match="no room"):
            journal.append([incompressible])
        assert journal.last_offset == 10
        assert journal.append(messages(11, 2)) == 12
        assert everything(journal) == list(enumerate(messages(1, 12), 1))


def test_wait_wakes_when_an_entry_becomes_durable(journal: JournalFile, path: Path) -> None:
    assert not journal.wait(0, 0.01)
    with JournalFollower(path) as follower:
        assert not follower.wait(0, 0.01)
        woken: list[bool] = []
        sources: Sequence[Source] = (journal, follower)
        threads = [threading.Thread(target=lambda s=s: woken.append(s.wait(0, 20))) for s in sources]
        for thread in threads:
            thread.start()
        journal.append([Tick(1)])
        for thread in threads:
            thread.join(20)
    assert woken == [True, True]


def test_closing_wakes_those_who_wait(path: Path) -> None:
    journal = JournalFile(path)
    follower = JournalFollower(path)
    woken: list[bool] = []
    sources: Sequence[Source] = (journal, follower)
    threads = [threading.Thread(target=lambda s=s: woken.append(s.wait(0, 60))) for s in sources]
    for thread in threads:
        thread.start()
    follower.close()
    threads[1].join(20)
    journal.close()
    threads[0].join(20)
    assert woken == [False, False]
    with pytest.raises(Unavailable, match="closed"):
        journal.append([Tick(1)])
    with pytest.raises(Unavailable, match="closed"):
        follower.read(0)


def test_many_readers_see_every_entry_once_and_in_order_while_one_writes(journal: JournalFile, path: Path) -> None:
    total = 600

    def consume(source: Source, into: list[tuple[int, Entry]]) -> None:
        at = 0
        while at < total and source.wait(at, 20):
            into += source.read(at, 50)
            at = into[-1][0]

    with JournalFollower(path) as follower:
        seen: list[list[tuple[int, Entry]]] = [[], [], [], []]
        threads = [
            threading.Thread(target=consume, args=(source, into))
            for source, into in zip((journal, journal, follower, follower), seen, strict=True)
        ]
        for thread in threads:
            thread.start()
        for first in range(1, total, 4):
            journal.append(messages(first, 4))
        for thread in threads:
            thread.join(30)
    assert all(got == list(enumerate(messages(1, total), 1)) for got in seen)


def test_the_configuration_in_force_is_found_at_every_offset(journal: JournalFile, path: Path) -> None:
    one, two = Config(1, "aa", b"first"), Config(2, "bb", b"second")
    journal.append([message(1), one, message(3)])
    journal.append([message(4), message(5), two])
    with JournalFollower(path) as follower:
        for source in (journal, follower):
            assert [source.config_at(offset) for offset in range(1, 8)] == [None, one, one, one, one, two, two]


@given(
    st.lists(st.tuples(st.integers(1, 5), st.integers(1, 12 << 20)), max_size=30),
    st.integers(0, 100),
    st.integers(1, 50),
    st.integers(1, 40 << 20),
)
def test_memory_serves_the_same_entries_as_the_file_or_says_it_cannot(
    batches: list[tuple[int, int]], after: int, limit: int, most_bytes: int
) -> None:
    recent = RecentBatches()
    first, ends = 1, []
    for n, size in batches:
        recent.add(first, messages(first, n), size)
        first += n
        ends.append((first - 1, size))
    got = recent.read(after, limit, most_bytes)
    total = sum(size + n * HELD_BYTES for n, size in batches)
    if not batches or (got is None and after >= 0):
        assert got is None
        assert not batches or total > MOST_BYTES  # only a full memory forgets
        return
    assert got is not None
    reached, read = after, 0
    for end, size in ends:
        if end > after and reached - after < limit and read < most_bytes:
            reached, read = end, read + size
    assert got == list(enumerate(messages(1, first - 1), 1))[after:reached]

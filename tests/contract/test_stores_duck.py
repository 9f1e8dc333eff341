"""What only the DuckDB store promises: finished days in files, two days in the hot file, exactly once over any kill."""

from __future__ import annotations

import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from random import Random

import duckdb
import numpy as np
import pytest

from history.duck import DuckStore
from history.levels import DAY_MS, HOUR_MS
from plant.errors import Conflict, Corrupt, Unavailable
from plant.reading import Reading, ReadingBatch, SeriesKey, SeriesTable
from tests.support.storemodel import StoreModel, bucket_rows, expected_buckets, random_batch

NOON = 20_600 * DAY_MS + DAY_MS // 2  # 2026-05-27 12:00 UTC
FOR_EVER = 10_000 * DAY_MS
KEY = SeriesKey("ch-1", "t_chws", "chiller")
OTHER = SeriesKey("ch-2", "t_chws", "chiller")
TABLE = SeriesTable([KEY, OTHER])


@pytest.fixture
def store(tmp_path: Path) -> Iterator[DuckStore]:
    opened = DuckStore(tmp_path)
    yield opened
    opened.close()


def one(ts: int, value: float) -> ReadingBatch:
    return TABLE.batch([Reading(KEY.equipment, KEY.point, ts, value)])


def pairs(store: DuckStore) -> list[tuple[int, float]]:
    found = store.raw(KEY, 0, 2 * NOON)
    return list(zip(found.ts.tolist(), found.value.tolist(), strict=True))


def test_days_before_yesterday_go_into_files_and_read_as_before(store: DuckStore, tmp_path: Path) -> None:
    days = [NOON - back * DAY_MS for back in (3, 2, 1, 0)]
    for number, ts in enumerate(days):
        store.write(one(ts, float(number)), TABLE, number + 1)
    assert store.roll(NOON) == ["2026-05-24", "2026-05-25"]
    assert sorted(file.name for file in (tmp_path / "days").iterdir()) == ["2026-05-24.parquet", "2026-05-25.parquet"]
    assert pairs(store) == list(zip(days, [0.0, 1.0, 2.0, 3.0], strict=True))
    assert store.roll(NOON) == []
    assert store.offset() == 4


def test_the_boundary_between_days_is_midnight_utc(store: DuckStore) -> None:
    midnight = NOON - DAY_MS // 2 - DAY_MS  # yesterday begins
    store.write(one(midnight - 1, 1.0), TABLE, 1)
    store.write(one(midnight, 2.0), TABLE, 2)
    assert store.roll(NOON) == ["2026-05-25"]
    assert pairs(store) == [(midnight - 1, 1.0), (midnight, 2.0)]


def test_late_readings_enter_the_file_of_their_day_and_win(store: DuckStore) -> None:
    old = NOON - 5 * DAY_MS
    store.write(ReadingBatch.concat([one(old, 1.0), one(old + 2, 2.0)]), TABLE, 1)
    store.roll(NOON)
    store.write(ReadingBatch.concat([one(old, 10.0), one(old + 1, 11.0)]), TABLE, 2)
    expected = [(old, 10.0), (old + 1, 11.0), (old + 2, 2.0)]
    assert pairs(store) == expected  # while the late ones are still in the hot file
    assert store.roll(NOON) == ["2026-05-22"]
    assert pairs(store) == expected


def test_a_day_file_is_sorted_complete_and_readable_by_others(store: DuckStore, tmp_path: Path) -> None:
    old = NOON - 5 * DAY_MS
    batch = TABLE.batch([Reading("ch-2", "t_chws", old, 1.0), Reading("ch-1", "t_chws", old + 1, 2.0)], seen=old + 1)
    store.write(ReadingBatch.concat([batch, one(old, 3.0)]), TABLE, 1)
    store.roll(NOON)
    with duckdb.connect() as other:
        found = other.execute("SELECT * FROM read_parquet(?)", [str(tmp_path / "days" / "2026-05-22.parquet")])
        assert [column[0] for column in found.description or ()] == [
            "equipment", "point", "ts", "value", "quality", "reason", "seen",
        ]  # fmt: skip
        assert found.fetchall() == [
            ("ch-1", "t_chws", old, 3.0, 0, 0, None),
            ("ch-1", "t_chws", old + 1, 2.0, 0, 0, old + 1),
            ("ch-2", "t_chws", old, 1.0, 0, 0, old + 1),
        ]


def test_a_new_version_of_a_day_replaces_the_old_also_after_a_kill_between(store: DuckStore, tmp_path: Path) -> None:
    old = NOON - 5 * DAY_MS
    days = tmp_path / "days"
    store.write(one(old, 1.0), TABLE, 1)
    store.roll(NOON)
    before = (days / "2026-05-22.parquet").read_bytes()
    store.write(one(old, 2.0), TABLE, 2)
    store.roll(NOON)
    assert [file.name for file in days.iterdir()] == ["2026-05-22.2.parquet"]
    store.close()
    (days / "2026-05-22.parquet").write_bytes(before)  # not yet removed
    (days / "2026-05-22.part").write_bytes(b"half")  # a next one begun
    again = DuckStore(tmp_path)
    assert [file.name for file in days.iterdir()] == ["2026-05-22.2.parquet"]
    assert pairs(again) == [(old, 2.0)]
    again.close()


def test_retention_removes_whole_days_and_keeps_the_day_it_reaches_into(store: DuckStore) -> None:
    for back in (6, 5, 4, 3, 0):
        store.write(one(NOON - back * DAY_MS, float(back)), TABLE, 7 - back)
    store.roll(NOON)
    assert store.retire(NOON, keep_ms=4 * DAY_MS) == ["2026-05-21", "2026-05-22"]
    assert [value for _, value in pairs(store)] == [4.0, 3.0, 0.0]
    assert store.retire(NOON, keep_ms=4 * DAY_MS) == []


def test_the_latest_of_a_silent_series_outlives_its_day_and_a_restart(store: DuckStore, tmp_path: Path) -> None:
    old = NOON - 9 * DAY_MS
    store.write(ReadingBatch.concat([one(old, 1.0), one(old + 5, 2.0)]), TABLE, 1)
    store.roll(NOON)
    store.write(one(old + 3, 9.0), TABLE, 2)
    store.roll(NOON)
    store.close()
    again = DuckStore(tmp_path)
    assert again.latest("ch-1") == {"t_chws": (old + 5, 2.0, 0, 0)}
    again.close()


def test_day_files_are_read_without_the_hot_file_that_made_them(store: DuckStore, tmp_path: Path) -> None:
    old = NOON - 9 * DAY_MS
    store.write(one(old, 1.0), TABLE, 1)
    store.roll(NOON)
    store.close()
    (tmp_path / "hot.duckdb").unlink()
    again = DuckStore(tmp_path)
    assert again.offset() == 0  # so the writer begins again with what the journal holds
    assert pairs(again) == [(old, 1.0)]
    again.close()


def test_rollups_of_a_finished_day_are_files_that_others_read(store: DuckStore, tmp_path: Path) -> None:
    old = NOON - 5 * DAY_MS
    store.write(ReadingBatch.concat([one(old, 1.0), one(old + 1_000, 4.0), one(old + HOUR_MS, 7.0)]), TABLE, 1)
    assert store.tend(NOON, FOR_EVER)
    files = sorted(str(file.relative_to(tmp_path / "rollups")) for file in (tmp_path / "rollups").rglob("*.parquet"))
    assert files == ["15m/2026-05.parquet", "1d/2026.parquet", "1h/2026-05.parquet", "1m/2026-05-22.parquet"]
    with duckdb.connect() as other:
        found = other.execute("SELECT * FROM read_parquet(?)", [str(tmp_path / "rollups" / "1h" / "2026-05.parquet")])
        assert [column[0] for column in found.description or ()] == [
            "equipment", "point", "ts", "min", "mean", "max", "count", "good", "bad",
        ]  # fmt: skip
        assert found.fetchall() == [
            ("ch-1", "t_chws", old, 1.0, 2.5, 4.0, 2, 2, 0),
            ("ch-1", "t_chws", old + HOUR_MS, 7.0, 7.0, 7.0, 1, 1, 0),
        ]


def test_rollups_outlive_the_readings_and_what_comes_later_for_a_dropped_day(store: DuckStore) -> None:
    old = NOON - 9 * DAY_MS
    first, last = old // DAY_MS * DAY_MS, NOON // DAY_MS * DAY_MS
    store.write(one(old, 5.0), TABLE, 1)
    while store.tend(NOON, 3 * DAY_MS):
        pass
    assert pairs(store) == []
    for step in range(3):
        found = store.buckets(KEY, first, last, 9)
        assert (found.step, found.count.tolist(), found.maximum[0]) == (DAY_MS, [1] + 8 * [0], 5.0), step
        if step == 0:
            store.write(one(old + 1, 99.0), TABLE, 2)
        while step == 1 and store.tend(NOON, 3 * DAY_MS):
            pass


def test_a_folder_of_a_version_without_rollups_reads_right_at_once_and_gets_them_step_by_step(
    store: DuckStore, tmp_path: Path
) -> None:
    times = [NOON - back * DAY_MS for back in range(9)]
    for number, ts in enumerate(times):
        store.write(one(ts, float(number)), TABLE, number + 1)
    store.roll(NOON)
    store.close()
    shutil.rmtree(tmp_path / "rollups")
    with duckdb.connect(str(tmp_path / "hot.duckdb")) as before:
        before.execute("DROP TABLE unrolled; DROP TABLE minutes")
    again = DuckStore(tmp_path)
    first = times[-1] // DAY_MS * DAY_MS
    more = True
    for _ in range(20):
        found = again.buckets(KEY, first, first + 9 * DAY_MS, 9)
        assert found.maximum.tolist() == [8.0, 7.0, 6.0, 5.0, 4.0, 3.0, 2.0, 1.0, 0.0]
        more = again.tend(NOON + HOUR_MS, FOR_EVER)
    assert not more
    assert len(list((tmp_path / "rollups" / "1m").iterdir())) == 7
    again.close()


def test_a_hot_file_that_is_none_is_reported(tmp_path: Path) -> None:
    (tmp_path / "hot.duckdb").write_bytes(b"something else" * 1000)
    with pytest.raises(Corrupt, match=r"hot\.duckdb cannot be opened"):
        DuckStore(tmp_path)


def test_a_closed_store_says_so(tmp_path: Path) -> None:
    store = DuckStore(tmp_path)
    store.close()
    with pytest.raises(Unavailable, match="closed"):
        store.raw(KEY, 0, NOON)
    with pytest.raises(Unavailable, match="closed"):
        store.write(one(NOON, 1.0), TABLE, 1)


_HOLD = """
import sys
from pathlib import Path
from history.duck import DuckStore
store = DuckStore(Path(sys.argv[1]))
print("open", flush=True)
sys.stdin.read()
"""


def test_a_second_process_is_refused(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "open\n"
        with pytest.raises(Conflict, match="open in another process"):
            DuckStore(tmp_path)
        holder.kill()


def test_readers_see_every_reading_while_days_move_into_files(store: DuckStore) -> None:
    """Each read must hold all that was written before it began, however days move meanwhile."""
    random = Random(3)
    wrong: list[str] = []
    written = 0
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            before = written
            found = len(store.raw(KEY, 0, 2 * NOON).ts)
            rows = len(store.rows([KEY], TABLE, 0, 2 * NOON))
            counted = int(store.buckets(KEY, NOON - 9 * DAY_MS, NOON + DAY_MS, 20).count.sum())
            if not before <= found <= rows <= counted:
                wrong.append(f"{found}, {rows} and {counted} readings after {before} were written")

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    for step in range(60):
        day = random.randrange(6)
        store.write(one(NOON - day * DAY_MS - step, float(step)), TABLE, step + 1)
        written = step + 1
        if step % 3 == 2:
            store.tend(NOON - random.randrange(4) * DAY_MS, FOR_EVER)
    done.set()
    for reader in readers:
        reader.join(30)
    assert wrong == []
    assert len(pairs(store)) == 60


_WRITER = """
import sys
from pathlib import Path
from random import Random
from history.duck import DuckStore
from tests.contract.test_stores_duck import FOR_EVER, NOON, TABLE, batch_of
from history.levels import DAY_MS
store = DuckStore(Path(sys.argv[1]))
print("open", flush=True)
while True:
    offset = store.offset() + 1
    store.write(batch_of(offset), TABLE, offset)
    if offset % 4 == 0:
        store.tend(NOON - (offset % 3) * DAY_MS, FOR_EVER)
    print(offset, flush=True)
"""


def batch_of(offset: int) -> ReadingBatch:
    """The readings that belong to an offset: the same whoever asks, many of them at times written before."""
    random = Random(offset)
    times = [NOON - (k % 7) * DAY_MS - k * 1_000 for k in range(200)]
    return random_batch(random, TABLE, times, random.randint(1, 40))


def test_readings_and_offset_agree_after_kills_at_any_point(tmp_path: Path) -> None:
    random = Random(5)
    for _ in range(3):
        with subprocess.Popen(
            [sys.executable, "-c", _WRITER, str(tmp_path)], stdout=subprocess.PIPE, text=True
        ) as writer:
            assert writer.stdout is not None
            assert writer.stdout.readline() == "open\n"
            returned = 0
            for _ in range(random.randint(1, 25)):
                returned = int(writer.stdout.readline())
            killing = threading.Timer(random.uniform(0, 0.03), writer.kill)
            killing.start()
            rest = writer.stdout.read().split("\n")[:-1]
            returned = int(rest[-1]) if rest else returned
            killing.join()
        store = DuckStore(tmp_path)
        model = StoreModel({})
        assert store.offset() >= returned
        for offset in range(1, store.offset() + 1):
            model.write(batch_of(offset), TABLE, offset)
        for number, key in enumerate(TABLE.keys):
            found = store.rows([key], TABLE, 0, 2 * NOON)
            columns = (found.ts, found.value, found.quality, found.reason, found.seen)
            rows = list(zip(*(column.tolist() for column in columns), strict=True))
            assert repr(rows) == repr(model.rows(key, 0, 2 * NOON)), number
            start = NOON - 9 * DAY_MS
            trend = store.buckets(key, start, NOON + DAY_MS, 20)
            held = [row[:4] for row in model.rows(key, start, NOON + DAY_MS)]
            expected = expected_buckets(held, trend.start.tolist(), NOON + DAY_MS)
            np.testing.assert_allclose(bucket_rows(trend), expected, rtol=1e-9)
        latest = store.latest("ch-1")
        assert repr(latest) == repr(model.latest("ch-1"))
        store.close()

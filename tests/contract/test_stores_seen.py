"""When a reading was seen comes back, however what shares a time is cut into batches, tried again and interrupted."""

from __future__ import annotations

import shutil
from pathlib import Path
from random import Random

import numpy as np
import pytest

from history.influx import InfluxStore
from history.influxql import InfluxAddress, query, select
from plant.instants import NEVER
from plant.quality import Quality, Reason
from plant.reading import Reading, ReadingBatch, SeriesKey, SeriesTable
from tests.support.programs import Influx
from tests.support.storemodel import rows_of

pytestmark = pytest.mark.influx

T0 = 1_790_000_000_000
NAN = float("nan")
TABLE = SeriesTable([SeriesKey(machine, point, "pump") for machine in ("p-1", "p-2") for point in ("a", "b", "c", "d")])
FEWER = SeriesTable([key for key in TABLE.keys if (key.equipment, key.point) != ("p-1", "a")])

Message = tuple[str, int, int, dict[str, tuple[float, Quality]]]
"""Equipment, ts, seen and values: what one message gives."""


@pytest.fixture
def address(influx: Influx, influx_bucket: str) -> InfluxAddress:
    return InfluxAddress(influx.url, influx.token, influx.org, influx_bucket)


def readings(table: SeriesTable, messages: list[Message]) -> ReadingBatch:
    made = []
    for machine, ts, seen, values in messages:
        rows = [
            Reading(machine, point, ts, value, quality, Reason.NONE if quality is Quality.GOOD else Reason.NOT_A_NUMBER)
            for point, (value, quality) in values.items()
            if table.find(machine, point) is not None
        ]
        made.append(table.batch(rows, seen=seen))
    return ReadingBatch.concat(made)


def random_messages(rng: Random) -> list[Message]:
    """Several messages of a machine share a time; some are seen before it, some after, and the clock steps back."""
    messages: list[Message] = []
    for number in range(60):
        seen = T0 + number // 4 + rng.choice([-3, 0, 1, 1, 2])
        values = {
            point: (float(rng.randint(0, 9)), Quality.GOOD) if rng.random() < 0.9 else (NAN, Quality.BAD)
            for point in rng.sample("abcd", rng.choice([1, 2, 2, 4]))
        }
        messages.append((rng.choice(["p-1", "p-2"]), T0 + number // 4 + rng.randint(-1, 2), seen, values))
    return messages


def expected(messages: list[Message]) -> dict[tuple[str, str, int], tuple[str, int]]:
    """The later of two readings of a time holds, whole."""
    found = {}
    for machine, ts, seen, values in messages:
        for point, (value, _) in values.items():
            found[machine, point, ts] = (repr(value), seen if seen >= ts else NEVER)
    return found


@pytest.mark.parametrize("seed", range(30))
def test_cuts_restarts_and_interrupted_tries_change_nothing(address: InfluxAddress, tmp_path: Path, seed: int) -> None:
    rng = Random(seed)
    messages = random_messages(rng)
    folder, kept = tmp_path / "store", tmp_path / "before"
    store = InfluxStore(address, site="campus", folder=folder)
    at = 0
    while at < len(messages):
        end = min(at + rng.randint(1, 5), len(messages))
        # A configuration without a point comes and goes only where none of its readings is in the batch.
        without = all(machine != "p-1" or "a" not in values for machine, _, _, values in messages[at:end])
        table = FEWER if without and rng.random() < 0.5 else TABLE
        killed = rng.random() < 0.15
        if killed:
            shutil.copytree(folder, kept, dirs_exist_ok=True)
        store.write(readings(table, messages[at:end]), table, end)
        if killed or rng.random() < 0.05:
            store.close()
            if killed:  # after InfluxDB took it, before the offset was remembered
                shutil.rmtree(folder)
                kept.rename(folder)
            store = InfluxStore(address, site="campus", folder=folder)
            at = store.offset()
        else:
            at = end
    batch = store.rows(TABLE.keys, TABLE, T0 - 100, T0 + 100)
    found = {
        (TABLE.keys[series].equipment, TABLE.keys[series].point, ts): (repr(value), seen)
        for series, ts, value, _, _, seen, _ in rows_of(batch)
    }
    store.close()
    assert found == expected(messages)


def test_a_frame_that_came_late_says_so_once(address: InfluxAddress, tmp_path: Path) -> None:
    store = InfluxStore(address, site="campus", folder=tmp_path)
    whole: Message = ("p-1", T0, T0 + 7, dict.fromkeys("abc", (1.0, Quality.GOOD)))
    store.write(readings(TABLE, [whole]), TABLE, 1)
    store.write(readings(TABLE, [("p-1", T0, T0 - 1, {"d": (2.0, Quality.GOOD)})]), TABLE, 2)
    (held,) = query(store._http, address.bucket, [select("*", '"pump"')])
    fields = {name: column.tolist() for name, column in held.columns.items() if np.isfinite(column).all()}
    rows = store.rows(TABLE.keys, TABLE, T0, T0 + 1)
    store.close()
    assert fields == {"a": [1.0], "b": [1.0], "c": [1.0], "d": [2.0], "__seen": [T0 + 7], "d__seen": [-1]}
    assert rows.seen.tolist() == [T0 + 7, T0 + 7, T0 + 7, NEVER]


def test_a_rollup_has_no_point_for_what_a_line_says(address: InfluxAddress, tmp_path: Path) -> None:
    store = InfluxStore(address, site="campus", folder=tmp_path)
    messages: list[Message] = [
        ("p-1", T0 + k, T0 + 60, {"a": (1.0, Quality.GOOD), "b": (3.0, Quality.GOOD)}) for k in (0, 1)
    ]
    store.write(readings(TABLE, messages), TABLE, 1)
    assert store.tend(T0 + 2 * 3_600_000, 0) is False
    (rolled,) = query(store._http, f"{address.bucket}_1h", [select("*", '"pump"')])
    store.close()
    assert {name.split("__")[0] for name in rolled.columns} == {"a", "b", "equipment", "site"}
    assert rolled.columns["a__count"].tolist() == [2.0]


def test_a_line_cut_apart_by_an_interrupted_try_speaks_for_nobody_else(address: InfluxAddress, tmp_path: Path) -> None:
    late: Message = ("p-1", T0, T0 + 7, dict.fromkeys("ab", (1.0, Quality.GOOD)))
    after_a_step: Message = ("p-1", T0, T0 - 7, {"c": (2.0, Quality.GOOD)})
    first = InfluxStore(address, site="campus", folder=tmp_path / "nothing is remembered of it")
    first.write(readings(TABLE, [late]), TABLE, 1)
    first.close()
    store = InfluxStore(address, site="campus", folder=tmp_path / "store")
    store.write(readings(TABLE, [late, after_a_step]), TABLE, 2)
    seen = store.rows(TABLE.keys, TABLE, T0, T0 + 1).seen.tolist()
    store.close()
    assert seen == [T0 + 7, T0 + 7, NEVER]


def test_of_a_point_that_went_and_returned_nothing_replaced_stays(address: InfluxAddress, tmp_path: Path) -> None:
    store = InfluxStore(address, site="campus", folder=tmp_path)
    store.write(readings(TABLE, [("p-1", T0, NEVER, {"a": (NAN, Quality.BAD)})]), TABLE, 1)
    store.write(readings(FEWER, [("p-1", T0, NEVER, {"b": (1.0, Quality.GOOD)})]), FEWER, 2)
    store.write(readings(TABLE, [("p-1", T0, NEVER, {"a": (3.0, Quality.GOOD)})]), TABLE, 3)
    rows = store.rows(TABLE.keys, TABLE, T0, T0 + 1)
    store.close()
    assert rows.value.tolist() == [3.0, 1.0]
    assert rows.quality.tolist() == [Quality.GOOD, Quality.GOOD]

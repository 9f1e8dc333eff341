"""The InfluxDB store against a real server: refusals, outages, kills, set-up."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from random import Random

import numpy as np
import pytest

from history.influx import InfluxStore
from history.influxql import InfluxAddress, client, query
from history.influxsetup import prepare, wait_ready
from history.levels import DAY_MS
from plant.errors import Corrupt, Unavailable
from plant.instants import NEVER
from plant.reading import Reading, ReadingBatch, SeriesKey, SeriesTable
from tests.support.programs import Influx, free_port
from tests.support.storemodel import StoreModel, random_batch

pytestmark = pytest.mark.influx

T0 = 1_790_000_000_000
SUPPLY = SeriesKey("ch-1", "t_chws", "chiller")
POWER = SeriesKey("ch-1", "power", "chiller")
OTHER = SeriesKey("ch-2", "power", "chiller")
TABLE = SeriesTable([SUPPLY, POWER, OTHER])

Open = Callable[[InfluxAddress], InfluxStore]


@pytest.fixture
def opens(tmp_path: Path) -> Iterator[Open]:
    with ExitStack() as closing:

        def opened(address: InfluxAddress) -> InfluxStore:
            store = InfluxStore(address, site="campus", folder=tmp_path / "store")
            closing.callback(store.close)
            return store

        yield opened


@pytest.fixture
def address(influx: Influx, influx_bucket: str) -> InfluxAddress:
    return InfluxAddress(influx.url, influx.token, influx.org, influx_bucket)


def at(ts: int, **points: float) -> ReadingBatch:
    return TABLE.batch([Reading("ch-1", point, ts, value) for point, value in points.items()])


def values(store: InfluxStore, key: SeriesKey) -> list[tuple[int, float]]:
    found = store.raw(key, 0, 2 * T0)
    return list(zip(found.ts.tolist(), found.value.tolist(), strict=True))


def write_line(address: InfluxAddress, line: str) -> None:
    with client(address) as http:
        params = {"org": address.org, "bucket": address.bucket, "precision": "ms"}
        assert http.post("/api/v2/write", params=params, content=line).status_code == 204


def test_points_of_another_type_are_isolated_and_counted_and_nothing_else_is_lost(
    opens: Open, address: InfluxAddress
) -> None:
    # Somebody else wrote `power` as an integer: InfluxDB refuses our floats for as long as it holds that.
    write_line(address, f"chiller,site=campus,equipment=ch-1 power=1i {T0}")
    store = opens(address)
    store.write(ReadingBatch.concat([at(T0 + k, t_chws=float(k), power=float(k)) for k in range(1, 60)]), TABLE, 7)
    assert values(store, SUPPLY) == [(T0 + k, float(k)) for k in range(1, 60)]
    assert store.rejected == {"type_conflict": 59}
    assert store.offset() == 7


def test_readings_older_than_the_buckets_retention_are_counted(
    opens: Open, influx: Influx, address: InfluxAddress
) -> None:
    short = replace(address, bucket=f"{address.bucket}-short")
    prepare(short, keep_ms=3_600_000)
    now = time.time_ns() // 1_000_000  # retention goes by the server's clock
    store = opens(short)
    write_line(short, f"chiller,site=campus,equipment=ch-1 power=1i {now - 9}")
    old = at(T0 - 10**10, t_chws=2.0, power=2.0)
    store.write(ReadingBatch.concat([at(now, t_chws=1.0, power=1.0), old]), TABLE, 1)
    assert values(store, SUPPLY) == [(now, 1.0)]
    assert store.rejected == {"beyond_retention": 2, "type_conflict": 1}
    assert store.offset() == 1
    influx.delete_bucket(short.bucket)


@pytest.mark.parametrize(
    ("change", "advice"),
    [
        ({"token": "wrong"}, "give it one that may read and write"),
        ({"bucket": "no-such"}, "run `dutyroom influx setup`"),
        ({"org": "no-such"}, "run `dutyroom influx setup`"),
    ],
    ids=["token", "bucket", "organisation"],
)
def test_a_refusal_says_what_to_do_and_remembers_nothing(
    opens: Open, address: InfluxAddress, change: dict[str, str], advice: str
) -> None:
    store = opens(replace(address, **change))
    with pytest.raises(Unavailable, match=advice):
        store.write(at(T0, t_chws=1.0), TABLE, 3)
    assert store.offset() == 0


@pytest.mark.parametrize("change", [{"token": "wrong"}, {"bucket": "no-such"}], ids=["token", "bucket"])
def test_reading_is_refused_with_advice_too(opens: Open, address: InfluxAddress, change: dict[str, str]) -> None:
    store = opens(replace(address, **change))
    with pytest.raises(Unavailable, match=r"dutyroom influx setup|may read and write"):
        store.raw(SUPPLY, 0, T0)
    with pytest.raises(Unavailable, match=r"dutyroom influx setup|may read and write"):
        store.latest("ch-1")


def test_a_server_that_is_away_is_unavailable(opens: Open, address: InfluxAddress) -> None:
    store = opens(replace(address, url=f"http://127.0.0.1:{free_port()}"))
    with pytest.raises(Unavailable, match="does not answer"):
        store.write(at(T0, t_chws=1.0), TABLE, 1)
    with pytest.raises(Unavailable, match="does not answer"):
        wait_ready(replace(address, url=f"http://127.0.0.1:{free_port()}"), seconds=0.5)


def test_more_lines_than_one_request_takes_all_arrive(opens: Open, address: InfluxAddress) -> None:
    n = 25_000
    ts = T0 + 1_000 * np.arange(n, dtype=np.int64)
    zeros = np.zeros(n, np.uint8)
    number = np.full(n, TABLE.find("ch-1", "power"), np.int32)
    batch = ReadingBatch(number, ts, np.arange(n) / 8, zeros, zeros, np.full(n, NEVER), np.arange(n))
    store = opens(address)
    store.write(batch, TABLE, 1)
    found = store.raw(POWER, T0, T0 + 10**9)
    assert np.array_equal(found.ts, ts)
    assert np.array_equal(found.value, batch.value)


def test_ranges_of_many_months_are_read_whole(opens: Open, address: InfluxAddress) -> None:
    day = 86_400_000
    store = opens(address)
    store.write(ReadingBatch.concat([at(T0 - k * day, t_chws=float(k)) for k in range(100)]), TABLE, 1)
    assert values(store, SUPPLY) == [(T0 - k * day, float(k)) for k in range(99, -1, -1)]


def test_another_site_with_the_same_ids_is_not_ours(opens: Open, address: InfluxAddress) -> None:
    write_line(address, f"chiller,site=elsewhere,equipment=ch-1 t_chws=9 {T0}")
    store = opens(address)
    store.write(at(T0 - 5, t_chws=1.0), TABLE, 1)
    assert values(store, SUPPLY) == [(T0 - 5, 1.0)]
    assert store.latest("ch-1") == {"t_chws": (T0 - 5, 1.0, 0, 0)}
    assert store.span([SUPPLY]) == (T0 - 5, T0 - 5)


def test_a_tag_is_no_number_even_where_it_looks_like_one(address: InfluxAddress) -> None:
    write_line(address, f"chiller,site=7,equipment=1 power=2.5 {T0}")
    write_line(address, f"chiller,site=7,equipment=1 oil_temp=40 {T0 + 1}")
    with client(address) as http:
        (table,) = query(http, address.bucket, ["SELECT * FROM chiller"])
    assert table.ts.tolist() == [T0, T0 + 1]
    np.testing.assert_array_equal(table.columns["power"], [2.5, np.nan])
    np.testing.assert_array_equal(table.columns["oil_temp"], [np.nan, 40.0])
    np.testing.assert_array_equal(table.columns["site"], [np.nan, np.nan])
    np.testing.assert_array_equal(table.columns["equipment"], [np.nan, np.nan])


def test_a_damaged_offset_file_is_reported(opens: Open, address: InfluxAddress, tmp_path: Path) -> None:
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "influx.offset").write_text("12")
    with pytest.raises(Corrupt, match=r"influx\.offset is no offset file"):
        opens(address)


def test_a_batch_written_again_after_a_lost_offset_changes_nothing(
    opens: Open, address: InfluxAddress, tmp_path: Path
) -> None:
    """As after a kill between InfluxDB's answer and the offset, whatever batches the journal is then read in."""
    random = Random(4)
    times = [T0 + k for k in range(40)]
    batches = [random_batch(random, TABLE, times, 20) for _ in range(6)]
    model = StoreModel({})
    for batch in batches:
        model.write(batch, TABLE, 0)
    first = opens(address)
    first.write(batches[0], TABLE, 1)
    kept = (tmp_path / "store" / "influx.offset").read_bytes()
    for batch in batches[1:4]:
        first.write(batch, TABLE, 2)
    first.close()
    (tmp_path / "store" / "influx.offset").write_bytes(kept)
    second = opens(address)
    assert second.offset() == 1
    second.write(ReadingBatch.concat(batches[1:]), TABLE, 3)
    for key in TABLE.keys:
        found = second.rows([key], TABLE, 0, 2 * T0)
        columns = (found.ts, found.value, found.quality, found.reason, found.seen)
        rows = list(zip(*(column.tolist() for column in columns), strict=True))
        assert repr(rows) == repr(model.rows(key, 0, 2 * T0))


def test_a_killed_server_comes_back_with_everything_it_accepted(own_influx: Influx, opens: Open) -> None:
    own_influx.start()
    address = InfluxAddress(own_influx.url, own_influx.token, own_influx.org, own_influx.bucket)
    store = opens(address)
    for k in range(20):
        store.write(at(T0 + k, t_chws=float(k)), TABLE, k + 1)
    own_influx.kill()
    with pytest.raises(Unavailable):
        store.write(at(T0 + 20, t_chws=20.0), TABLE, 21)
    assert store.offset() == 20
    own_influx.start()
    store.write(at(T0 + 20, t_chws=20.0), TABLE, 21)
    assert values(store, SUPPLY) == [(T0 + k, float(k)) for k in range(21)]


def test_an_offset_file_of_a_version_without_rollups_gets_them_for_all_there_is(
    opens: Open, address: InfluxAddress, tmp_path: Path
) -> None:
    store = opens(address)
    start = T0 // DAY_MS * DAY_MS - 20 * DAY_MS
    for day in range(20):
        store.write(at(start + day * DAY_MS + 5, t_chws=float(day)), TABLE, day + 1)
    store.close()
    (tmp_path / "store" / "influx.offset").write_text(f'{{"offset":20,"newest":{T0}}}')
    again = opens(address)
    expected = [float(day) for day in range(20)]
    assert again.buckets(SUPPLY, start, start + 20 * DAY_MS, 20).maximum.tolist() == expected
    while again.tend(T0, 0):
        pass
    rolled = again.buckets(SUPPLY, start, start + 20 * DAY_MS, 20)
    assert (rolled.step, rolled.maximum.tolist()) == (DAY_MS, expected)
    with client(address) as http:
        (held,) = query(http, f"{address.bucket}_1d", ['SELECT "t_chws__count" FROM chiller'])
    assert held.ts.tolist() == [start + day * DAY_MS for day in range(20)]


def test_a_rollup_bucket_that_somebody_removed_is_made_again(
    opens: Open, influx: Influx, address: InfluxAddress
) -> None:
    store = opens(address)
    start = T0 // DAY_MS * DAY_MS - 3 * DAY_MS
    store.write(at(start, t_chws=1.0), TABLE, 1)
    assert store.tend(T0, 0) is False
    influx.delete_bucket(f"{address.bucket}_1h")
    store.write(at(start + 5, t_chws=3.0), TABLE, 2)
    with pytest.raises(Unavailable, match="missing"):
        store.tend(T0, 0)
    assert store.tend(T0, 0) is False
    found = store.buckets(SUPPLY, start, start + 2 * DAY_MS, 2)
    assert (found.step, found.count.tolist(), found.mean[0]) == (DAY_MS, [2, 0], 2.0)


def test_a_token_that_may_make_no_bucket_costs_the_rollups_and_nothing_else(
    opens: Open, address: InfluxAddress
) -> None:
    with client(address) as http:
        bucket = http.get("/api/v2/buckets", params={"name": address.bucket}).json()["buckets"][0]
        permissions = [
            {"action": action, "resource": {"type": "buckets", "id": bucket["id"], "orgID": bucket["orgID"]}}
            for action in ("read", "write")
        ]
        made = http.post("/api/v2/authorizations", json={"orgID": bucket["orgID"], "permissions": permissions})
    store = opens(replace(address, token=made.json()["token"]))
    store.write(at(T0, t_chws=4.0), TABLE, 1)
    assert store.tend(T0 + DAY_MS, 0) is False
    store.write(at(T0 + 1, t_chws=6.0), TABLE, 2)
    assert store.buckets(SUPPLY, T0, T0 + 10 * DAY_MS, 5).mean[0] == 5.0
    assert store.offset() == 2

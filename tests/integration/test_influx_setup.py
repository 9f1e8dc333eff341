"""`dutyroom influx setup` on a real InfluxDB: new, old, refused, and what its roll-ups and its token can do."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from dutyroom.cli.influx import app
from dutyroom.credentials import read_secret
from history.influx import InfluxStore
from history.influxql import InfluxAddress, call, client, query
from history.influxsetup import check_access, new_token, prepare, wait_ready
from plant.errors import Unavailable
from plant.quality import Quality, Reason
from plant.reading import Reading, SeriesKey, SeriesTable
from tests.support.programs import Influx, free_port, wait_until

pytestmark = pytest.mark.influx

FIVE = 300_000
HOUR = 3_600_000
SUPPLY = SeriesKey("ch-1", "t_chws", "chiller")
TABLE = SeriesTable([SUPPLY, SeriesKey("ch-1", "power", "chiller")])


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    return tmp_path / "dutyroom.toml"


def setup(settings: Path, address: InfluxAddress) -> Result:
    settings.write_text(
        f'[store]\nkind = "influx"\nurl = "{address.url}"\norg = "{address.org}"\nbucket = "{address.bucket}"\n'
    )
    folder = settings.parent
    words = ["--admin-token-file", folder / "admin", "--token-file", folder / "secrets" / "store__token"]
    return CliRunner().invoke(app, ["setup", "--config", str(settings), *map(str, words)])


@pytest.fixture
def address(influx: Influx, influx_bucket: str) -> InfluxAddress:
    """A bucket that is not there yet, seen by the operator."""
    return InfluxAddress(influx.url, influx.token, influx.org, f"{influx_bucket}-own")


def test_a_new_server_is_set_up_once_and_the_service_gets_a_token_of_its_own(
    own_influx: Influx, settings: Path
) -> None:
    own_influx.process.start(own_influx.healthy, seconds=90)
    address = InfluxAddress(own_influx.url, "", "campus", "telemetry")
    done = setup(settings, address)
    assert done.exit_code == 0, done.output
    admin, token = settings.parent / "admin", settings.parent / "secrets" / "store__token"
    assert [path.stat().st_mode & 0o777 for path in (admin, token)] == [0o600, 0o600]
    assert read_secret(admin) not in done.output
    assert read_secret(token) not in done.output
    check_access(replace(address, token=read_secret(token)))

    before = token.read_text()
    again = setup(settings, address)
    assert again.exit_code == 0, again.output
    assert "made:" not in again.output
    assert token.read_text() == before


def test_a_token_that_no_longer_works_is_replaced(influx: Influx, address: InfluxAddress, settings: Path) -> None:
    (settings.parent / "admin").write_text(influx.token)
    (settings.parent / "secrets").mkdir()
    token = settings.parent / "secrets" / "store__token"
    token.write_text("from another server")
    done = setup(settings, address)
    assert done.exit_code == 0, done.output
    assert f"made: bucket {address.bucket}_5m" in done.output
    assert f"made: task dutyroom {address.bucket}_1h" in done.output
    check_access(replace(address, token=read_secret(token)))


def test_the_services_token_may_do_no_more_than_it_needs(address: InfluxAddress) -> None:
    prepare(address)
    mine = replace(address, token=new_token(address))
    check_access(mine)
    query_buckets = [f"{address.bucket}_5m", f"{address.bucket}_1h"]
    with client(mine) as http:
        for bucket in query_buckets:
            query(http, bucket, ["SHOW MEASUREMENTS LIMIT 1"])
            with pytest.raises(Unavailable):
                check_access(replace(mine, bucket=bucket))
        seen = call(http, "GET", "/api/v2/buckets").json()["buckets"]
        assert {bucket["name"] for bucket in seen} == {address.bucket, *query_buckets}
        assert http.post("/api/v2/orgs", json={"name": "mine"}).status_code == 401
        assert call(http, "GET", "/api/v2/authorizations").json()["authorizations"] == []


@pytest.mark.parametrize(
    ("change", "advice"),
    [({"token": "wrong"}, "refuses our token"), ({"bucket": "no-such"}, "dutyroom influx setup")],
    ids=["token", "bucket"],
)
def test_access_that_is_refused_says_what_to_do(influx: Influx, change: dict[str, str], advice: str) -> None:
    address = InfluxAddress(influx.url, influx.token, influx.org, influx.bucket)
    check_access(address)
    with pytest.raises(Unavailable, match=advice):
        check_access(replace(address, **change))


def test_a_wrong_operator_token_is_bad_input(address: InfluxAddress, settings: Path) -> None:
    (settings.parent / "admin").write_text("wrong")
    done = setup(settings, address)
    assert str(done.exception).startswith(f"InfluxDB at {address.url} refuses the operator token")
    assert not (settings.parent / "secrets").exists()


def test_a_missing_operator_token_of_an_old_server_is_bad_input(address: InfluxAddress, settings: Path) -> None:
    done = setup(settings, address)
    assert "admin cannot be read (No such file or directory)" in str(done.exception)


def test_a_server_that_is_away_is_unavailable(address: InfluxAddress) -> None:
    with pytest.raises(Unavailable, match="does not answer"):
        wait_ready(replace(address, url=f"http://127.0.0.1:{free_port()}"), seconds=0.5)


def test_roll_ups_leave_out_windows_with_bad_readings(address: InfluxAddress, tmp_path: Path) -> None:
    prepare(address)
    now = time.time_ns() // 1_000_000
    first = now // FIVE * FIVE - 4 * FIVE
    good = [Reading("ch-1", "t_chws", first + k * 60_000, 7.0 + k) for k in range(20)]
    bad = Reading("ch-1", "t_chws", first + 2 * FIVE + 30_000, 850.0, Quality.BAD, Reason.SENTINEL)
    power = [Reading("ch-1", "power", first + k * 60_000, 100.0 + k) for k in range(20)]
    store = InfluxStore(address, site="campus", folder=tmp_path)
    store.write(TABLE.batch([*good, bad, *power]), TABLE, 1)
    store.close()

    # windows of 5 readings each: 7…11, 12…16, (17…21 with the sentinel), 22…26
    five = f"{address.bucket}_5m"
    run(address, f"dutyroom {five}")
    rows = {f"power__{name}": windows(address, five, f"power__{name}") for name in ("min", "mean", "max", "count")}
    assert [ts for ts, _ in rows["power__min"]] == [first + k * FIVE for k in range(4)]
    assert {name: [value for _, value in found] for name, found in rows.items()} == {
        "power__min": [100.0, 105.0, 110.0, 115.0],
        "power__mean": [102.0, 107.0, 112.0, 117.0],
        "power__max": [104.0, 109.0, 114.0, 119.0],
        "power__count": [5.0] * 4,
    }
    kept = [(first, 9.0), (first + FIVE, 14.0), (first + 3 * FIVE, 24.0)]
    assert windows(address, five, "t_chws__mean") == kept


def test_an_hour_is_made_of_its_five_minutes(address: InfluxAddress) -> None:
    prepare(address)
    hour = time.time_ns() // 1_000_000 // HOUR * HOUR - HOUR
    rows = ((0, 1.0, 2.0, 9.0, 5.0), (7, 0.5, 3.0, 4.0, 50.0), (11, 2.0, 7.0, 8.0, 5.0))
    lines = [
        f"chiller,site=campus,equipment=ch-1 p__min={low},p__mean={mean},p__max={high},p__count={n} {hour + k * FIVE}"
        for k, low, mean, high, n in rows
    ]
    with client(address) as http:
        params = {"org": address.org, "bucket": f"{address.bucket}_5m", "precision": "ms"}
        assert call(http, "POST", "/api/v2/write", params=params, content="\n".join(lines)).status_code == 204
    target = f"{address.bucket}_1h"
    run(address, f"dutyroom {target}")
    found = {name: windows(address, target, f"p__{name}") for name in ("min", "mean", "max", "count")}
    assert found == {"min": [(hour, 0.5)], "mean": [(hour, 4.0)], "max": [(hour, 9.0)], "count": [(hour, 60.0)]}


def run(address: InfluxAddress, task: str) -> None:
    """Let InfluxDB run a task now, and wait for its end."""
    with client(address) as http:
        (found,) = call(http, "GET", "/api/v2/tasks", params={"name": task}).json()["tasks"]
        path = f"/api/v2/tasks/{found['id']}/runs"
        started = call(http, "POST", path, json={}).json()

        said = []

        def ended() -> bool:
            answer = http.get(f"{path}/{started['id']}")  # 404 while the scheduler or the log takes it up
            said.append("" if answer.is_error else str(answer.json()["status"]))
            return said[-1] in ("success", "failed")

        wait_until(ended, seconds=60, what=f"{task} runs")
        assert said[-1] == "success", http.get(f"{path}/{started['id']}/logs").text


def windows(address: InfluxAddress, bucket: str, field: str) -> list[tuple[int, float]]:
    with client(address) as http:
        (table,) = query(http, bucket, [f'SELECT "{field}" FROM chiller'])  # noqa: S608  # InfluxQL of our own
    values = table.columns.get(field, np.empty(0))
    return list(zip(table.ts.tolist(), values.tolist(), strict=True))

"""`dutyroom influx setup` on a real InfluxDB: new, old, refused, and what its token can do."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from dutyroom.cli.influx import app
from dutyroom.credentials import read_secret
from history.influx import InfluxStore
from history.influxql import InfluxAddress, call, client, query
from history.influxsetup import check_access, new_token, prepare, wait_ready
from history.levels import DAY_MS, HOUR_MS
from plant.errors import Unavailable
from plant.reading import Reading, SeriesKey, SeriesTable
from tests.support.programs import Influx, free_port

pytestmark = pytest.mark.influx

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
    assert f"made: bucket {address.bucket}_1m" in done.output
    assert f"made: bucket {address.bucket}_1d" in done.output
    check_access(replace(address, token=read_secret(token)))


def test_the_services_token_may_do_no_more_than_it_needs(address: InfluxAddress) -> None:
    prepare(address)
    mine = replace(address, token=new_token(address))
    check_access(mine)
    rollups = [f"{address.bucket}_{name}" for name in ("1m", "15m", "1h", "1d")]
    with client(mine) as http:
        for bucket in rollups:
            check_access(replace(mine, bucket=bucket))
        with pytest.raises(Unavailable):
            check_access(replace(mine, bucket="first"))
        seen = call(http, "GET", "/api/v2/buckets").json()["buckets"]
        assert {bucket["name"] for bucket in seen} == {address.bucket, *rollups}
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


def test_the_services_token_is_enough_for_its_rollups(address: InfluxAddress, tmp_path: Path) -> None:
    prepare(address)
    store = InfluxStore(replace(address, token=new_token(address)), site="campus", folder=tmp_path)
    start = 20_600 * DAY_MS
    store.write(TABLE.batch([Reading("ch-1", "t_chws", start + k * HOUR_MS, float(k)) for k in range(24)]), TABLE, 1)
    assert store.tend(start + DAY_MS, 0) is False
    store.close()
    with client(address) as http:
        for name, rows in (("1m", 24), ("15m", 24), ("1h", 24), ("1d", 1)):
            (found,) = query(http, f"{address.bucket}_{name}", ['SELECT "t_chws__count" FROM chiller'])
            assert len(found.ts) == rows, name

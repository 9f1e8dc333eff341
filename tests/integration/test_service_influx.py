"""InfluxDB is away when the service starts: alarms are not delayed, and the store catches up when it comes."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr

from dutyroom.settings import Settings, StoreSettings
from dutyroom.stores import open_store
from plant.reading import SeriesKey
from tests.integration.test_service import EXPECTED, SECONDS, T0, publish, put_site, raised, service, until_heard
from tests.support.programs import Influx, Mosquitto, wait_until

PUMP = SeriesKey("p1", "pump_status", "pump")


@pytest.fixture
def store_away(own_influx: Influx, monkeypatch: pytest.MonkeyPatch) -> StoreSettings:
    """Settings of an InfluxDB with an empty bucket, which is down."""
    own_influx.start()
    bucket = own_influx.new_bucket()
    own_influx.kill()
    settings = StoreSettings(
        kind="influx", url=own_influx.url, org=own_influx.org, bucket=bucket, token=SecretStr(own_influx.token)
    )
    for name, value in (("KIND", "influx"), ("URL", settings.url), ("ORG", settings.org), ("BUCKET", bucket)):
        monkeypatch.setenv(f"DUTYROOM_STORE__{name}", value)
    monkeypatch.setenv("DUTYROOM_STORE__TOKEN", own_influx.token)
    return settings


@pytest.mark.integration
@pytest.mark.influx
async def test_a_store_that_is_away_delays_no_alarm_and_catches_up(
    own_mosquitto: Mosquitto, own_influx: Influx, store_away: StoreSettings, unique_name: str, tmp_path: Path
) -> None:
    folder = tmp_path / "data"
    put_site(folder, unique_name)
    own_mosquitto.start()
    with service(folder, own_mosquitto.url) as process:
        await until_heard(own_mosquitto, unique_name, folder)
        await publish(own_mosquitto, unique_name)
        wait_until(lambda: raised(folder) == EXPECTED, seconds=30, what="the alarm while the store is away")

        own_influx.start()
        settings = Settings(data=folder, store=store_away)
        with open_store(settings, unique_name) as store:
            wait_until(
                lambda: len(store.raw(PUMP, T0, T0 + SECONDS * 1000).ts) == SECONDS,
                seconds=60,
                what="everything is stored",
            )
        process.terminate()
        assert process.wait(30) == 0

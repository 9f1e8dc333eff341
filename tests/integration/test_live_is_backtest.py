"""Live = replay = backtest: a recording through a real broker opens the alarms a backtest of the same file prints."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC
from pathlib import Path

import pytest
from pydantic import SecretStr

from dutyroom.cli.replay import replay
from dutyroom.cli.rules_past import as_row, over_store, over_table
from dutyroom.content import Content
from dutyroom.service import running
from dutyroom.settings import BrokerSettings, HttpSettings, Settings, StoreSettings
from dutyroom.tablefile import TableOptions, read_table
from ingest.broker import Broker
from maintenance.ledger.ledger import Ledger
from plant.cataloguefile import load_catalogue
from plant.instants import iso, parse_instant
from rules.loader import load_pack
from tests.support.programs import Influx, Mosquitto


@dataclass(frozen=True, slots=True)
class Recording:
    """A stretch of a file that is known to raise alarms."""

    file: str
    equipment: str
    start: str
    end: str
    least: int


RECORDINGS = (
    Recording("openfdd_real/AHU7.csv.gz", "AHU7", "2025-03-05", "2025-03-22", 6),
    Recording("lbnl_ahu/MZVAV-2-2.csv.gz", "MZVAV-2-2", "2007-08-28", "2007-08-30", 5),
)


@pytest.fixture(params=["duckdb", "influx"])
def store_settings(request: pytest.FixtureRequest) -> StoreSettings:
    """Settings of each store."""
    if request.param == "duckdb":
        return StoreSettings()
    influx: Influx = request.getfixturevalue("influx")
    bucket: str = request.getfixturevalue("influx_bucket")
    return StoreSettings(kind="influx", url=influx.url, org=influx.org, bucket=bucket, token=SecretStr(influx.token))


@pytest.mark.integration
@pytest.mark.influx
@pytest.mark.shared
@pytest.mark.parametrize("recording", RECORDINGS, ids=lambda item: item.equipment)
async def test_replay_through_a_broker_and_the_store_agree_with_the_file(
    recording: Recording,
    store_settings: StoreSettings,
    mosquitto: Mosquitto,
    unique_name: str,
    shared_data: Path,
    tmp_path: Path,
) -> None:
    catalogue = load_catalogue()
    options = TableOptions(
        [(recording.equipment, "ahu")],
        None,
        {},
        {},
        None,
        UTC,
        parse_instant(recording.start),
        parse_instant(recording.end),
    )
    table = read_table(shared_data / recording.file, options, catalogue, site=unique_name)
    rules = load_pack(catalogue=catalogue)
    settings = Settings(
        data=tmp_path,
        broker=BrokerSettings(url=SecretStr(mosquitto.url), client_id=unique_name),
        store=store_settings,
        http=HttpSettings(port=0),
    )
    with Ledger.open(tmp_path / "ledger.db") as ledger:
        ledger.add_config(Content.of(table.plant, rules).encode(), "test", table.rows[0].ts)

    async with running(settings):
        await replay(table, Broker.from_url(mosquitto.url), speed=None, timeout_s=120)

    expected = [as_row(span) for span in over_table(table, rules)]
    with Ledger.open(tmp_path / "ledger.db") as ledger:
        alarms = ledger.projection().alarms
    live = [
        {
            "equipment": equipment,
            "rule": rule,
            "severity": severity,
            "onset_at": iso(onset),
            "raised_at": iso(raised),
            "cleared_at": None if cleared is None else iso(cleared),
        }
        for equipment, rule, severity, onset, raised, cleared, _ in alarms
    ]
    stored = [as_row(span) for span in over_store(settings, [], rules=None, start=None, end=None, tz="UTC")]
    assert len(expected) >= recording.least
    assert sorted(live, key=lambda row: (row["raised_at"] or "", row["equipment"] or "", row["rule"] or "")) == expected
    assert stored == expected

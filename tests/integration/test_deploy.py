"""The deployed configuration on the real programs: the broker takes it, the dashboard's queries find our readings."""

from __future__ import annotations

import json
import re
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from dutyroom.cli.plant import read_plant
from dutyroom.doctor.broker import SENT, Limits, try_limits
from history.influx import InfluxStore
from history.influxql import InfluxAddress, call, client
from history.influxsetup import prepare
from ingest.broker import Broker
from plant.cataloguefile import load_catalogue
from plant.quality import Quality, Reason
from plant.reading import Reading, SeriesKey, SeriesTable
from rules.loader import load_pack
from tests.conftest import or_skip
from tests.support.house import ROOT
from tests.support.programs import Influx, Process, ProgramMissing, find_mosquitto, free_port, listens

DEPLOY = ROOT / "deploy"
DASHBOARD = json.loads((DEPLOY / "grafana" / "dashboards" / "machine.json").read_text(encoding="utf-8"))


@pytest.mark.integration
@pytest.mark.parametrize("name", ["mosquitto.conf", "container/mosquitto.conf"])
def test_the_broker_takes_its_configuration_and_keeps_what_it_should(name: str, tmp_path: Path) -> None:
    """With its own listener's port, folders and user; everything else as it is deployed."""
    try:
        program = find_mosquitto()
    except ProgramMissing as missing:
        or_skip(missing)
    subprocess.run(["/bin/sh", str(DEPLOY / "secrets.sh"), str(tmp_path / "secrets")], check=True, capture_output=True)
    port = free_port()
    text = (DEPLOY / name).read_text(encoding="utf-8")
    text = re.sub(r"^listener 1883$", f"listener {port} 127.0.0.1\nuser root", text, flags=re.MULTILINE)
    text = re.sub(r"^password_file .*$", f"password_file {tmp_path}/secrets/mosquitto_passwd", text, flags=re.MULTILINE)
    text = re.sub(r"^persistence_location .*$", f"persistence_location {tmp_path}/", text, flags=re.MULTILINE)
    (tmp_path / "mosquitto.conf").write_text(text)
    process = Process("mosquitto", [str(program), "-c", str(tmp_path / "mosquitto.conf")], tmp_path)
    process.start(lambda: listens(port), seconds=20)
    try:
        url = (tmp_path / "secrets" / "broker__url").read_text().strip().replace("@broker:1883", f"@127.0.0.1:{port}")
        assert try_limits(Broker.from_url(url)) == Limits(in_flight=SENT, kept=SENT)
    finally:
        process.stop()


def test_the_example_site_is_without_a_mistake() -> None:
    plant = read_plant(DEPLOY / "sites" / "campus", load_pack(catalogue=load_catalogue()))
    assert plant.site.id == "campus"
    assert len(plant.site.equipment) == 22


def queries() -> list[tuple[str, str]]:
    """Name and Flux of each panel and variable."""
    panels = [(panel["title"], target["query"]) for panel in DASHBOARD["panels"] for target in panel["targets"]]
    return panels + [(variable["name"], variable["query"]["query"]) for variable in DASHBOARD["templating"]["list"]]


def filled(flux: str, bucket: str) -> str:
    """A query as Grafana sends it."""
    values = {
        "${site}": "campus",
        "${type}": "chiller",
        "${equipment}": "ch-1",
        "${point:regex}": "(.*)",
        "v.defaultBucket": f'"{bucket}"',
        "v.timeRangeStart": "-3h",
        "v.timeRangeStop": "now()",
        "v.windowPeriod": "1m",
    }
    for name, value in values.items():
        flux = flux.replace(name, value)
    return flux


@pytest.fixture(scope="module")
def bucket(influx: Influx, tmp_path_factory: pytest.TempPathFactory) -> InfluxAddress:
    """Readings as the service writes them, one of them bad, and an hour of roll-up."""
    address = InfluxAddress(influx.url, influx.token, influx.org, f"{influx.new_bucket()}-deploy")
    prepare(address)
    now = time.time_ns() // 1_000_000
    table = SeriesTable([SeriesKey("ch-1", "t_chws", "chiller")])
    readings = [Reading("ch-1", "t_chws", now - k * 60_000, 7.0) for k in range(1, 30)]
    store = InfluxStore(address, site="campus", folder=tmp_path_factory.mktemp("store"))
    bad = Reading("ch-1", "t_chws", now - 90_000, 850.0, Quality.BAD, Reason.SENTINEL)
    store.write(table.batch([*readings, bad]), table, 1)
    store.close()
    line = f"chiller,site=campus,equipment=ch-1 t_chws__min=6.5,t_chws__mean=7,t_chws__max=7.5 {now - 3_600_000}"
    with client(address) as http:
        params = {"org": address.org, "bucket": f"{address.bucket}_1h", "precision": "ms"}
        assert call(http, "POST", "/api/v2/write", params=params, content=line).status_code == 204
    return address


@pytest.mark.influx
@pytest.mark.parametrize(("name", "flux"), queries(), ids=[name for name, _ in queries()])
def test_a_query_of_the_dashboard_finds_what_the_service_writes(bucket: InfluxAddress, name: str, flux: str) -> None:
    with client(bucket) as http:
        body: dict[str, Any] = {"query": filled(flux, bucket.bucket), "type": "flux"}
        answer = http.post("/api/v2/query", params={"org": bucket.org}, json=body)
    assert answer.status_code == 200, answer.text
    rows = [line for line in answer.text.splitlines()[1:] if line.strip()]
    assert rows, f"{name} finds nothing"
    assert "error" not in answer.text
    assert "${" not in filled(flux, bucket.bucket)

"""The service as a user runs it: `dutyroom run` as a child process on a data folder of its own."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx2
from prometheus_client.parser import text_string_to_metric_families

from dutyroom.cli.plant_ledger import put_plant
from maintenance.ledger.ledger import Ledger
from maintenance.people import Role
from plant.catalogue import Text
from plant.registry import site_to_yaml
from plant.site import Equipment, Mode, Site
from tests.support.programs import Influx, Process, free_port

SITE = "bench"
_MAIN = "from dutyroom.cli import main; main()"


def pumps(area: str, prefix: str, count: int) -> dict[str, Equipment]:
    """Pumps at `area/prefix-0001` … that speak the native format, ten times a second: less than that is no flood."""
    names = [f"{prefix}-{number:04}" for number in range(1, count + 1)]
    return {name: Equipment(name, f"{area}/{name}", "pump", Text(name, name), interval_ms=100) for name in names}


@dataclass(frozen=True, slots=True)
class Look:
    """Some figures of /metrics at a moment (`at`, monotonic seconds)."""

    at: float
    journal: int
    stored: int
    judged: int
    listening: bool
    cpu_seconds: float
    memory_bytes: float
    threads: Mapping[str, float]
    """Processor seconds of each."""

    @staticmethod
    def of(text: str, at: float) -> Look:
        """From the text of /metrics."""
        found = {
            (sample.name, *sample.labels.values()): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }
        return Look(
            at,
            int(found["dutyroom_journal_offset",]),
            int(found["dutyroom_consumer_offset", "store"]),
            int(found["dutyroom_consumer_offset", "rules"]),
            found["dutyroom_listening",] == 1,
            found["process_cpu_seconds_total",],
            found["process_resident_memory_bytes",],
            {key[1]: seconds for key, seconds in found.items() if key[0] == "dutyroom_thread_cpu_seconds_total"},
        )


class Service:
    """One service; `with Service(...)` from ready (connected, nothing waiting in the broker) to stopped in order."""

    def __init__(
        self,
        folder: Path,
        broker_url: str,
        equipment: Mapping[str, Equipment],
        *,
        rules: str | None = None,
        influx: Influx | None = None,
    ) -> None:
        """`rules` is a glob, None the packaged pack; `influx` a server to store in, None the embedded store."""
        self.data = folder / "data"
        self.bucket = influx.new_bucket() if influx is not None else ""
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        folder.mkdir(parents=True)
        site = Site(SITE, "Asia/Shanghai", Text("测试", "Benchmark"), equipment, mode=Mode.LIVE)
        (folder / "site.yaml").write_text(site_to_yaml(site), encoding="utf-8")
        put_plant(self.data, folder / "site.yaml", rules=rules)
        with Ledger.open(self.data / "ledger.db") as ledger:
            self._token = ledger.add_user("bench", Role.VIEWER, author="bench", now=0)
        config = folder / "dutyroom.toml"
        config.write_text(_settings(self.data, broker_url, port) + _store(influx, self.bucket), encoding="utf-8")
        command = [sys.executable, "-c", _MAIN, "run", "--config", str(config)]
        self._process = Process("dutyroom", command, folder)
        self._http = self._client()

    @property
    def pid(self) -> int:
        """Of its process."""
        return self._process.pid

    def look(self) -> Look:
        """How far it is."""
        answer = self._http.get("/metrics").raise_for_status()
        return Look.of(answer.text, time.monotonic())

    def tickets(self, rule: str, limit: int) -> dict[str, str]:
        """Equipment → id of the newest tickets of a rule, over the API."""
        answer = self._http.get("/api/v1/tickets", params={"rule": rule, "limit": limit}).raise_for_status()
        return {str(item["equipment"]): str(item["id"]) for item in answer.json()["items"]}

    def count_tickets(self) -> int:
        """All of them, at most a hundred."""
        return len(self._http.get("/api/v1/tickets", params={"limit": 100}).raise_for_status().json()["items"])

    def watch(self, until: Callable[[Look], bool], *, seconds: float, pause: float = 0.1) -> list[Look]:
        """Look every `pause` seconds until a look satisfies; raises TimeoutError when none does in time."""
        looks = [self.look()]
        deadline = time.monotonic() + seconds
        while not until(looks[-1]):
            if time.monotonic() > deadline:
                raise TimeoutError(f"the service was not there within {seconds:g} s; it was at {looks[-1]}")
            time.sleep(pause)
            looks.append(self.look())
        return looks

    def start(self, *, listening: bool = True) -> None:
        """Start it and wait until it listens, or only until it answers: a backlog may take longer to drain."""
        self._http = self._client()
        self._process.start(lambda: self._ready(listening=listening), seconds=60)

    def stop(self) -> None:
        """End it in good order; it can be started again."""
        self._http.close()
        self._process.stop()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _client(self) -> httpx2.Client:
        return httpx2.Client(base_url=self.url, headers={"Authorization": f"Bearer {self._token}"}, timeout=30)

    def _ready(self, *, listening: bool) -> bool:
        try:
            return self.look().listening or not listening
        except httpx2.TransportError:
            return False


def _settings(data: Path, broker_url: str, port: int) -> str:
    return f'data = "{data}"\n[broker]\nurl = "{broker_url}"\n[http]\nport = {port}\n'


def _store(influx: Influx | None, bucket: str) -> str:
    if influx is None:
        return '[store]\nkind = "duckdb"\n'
    return (
        f'[store]\nkind = "influx"\nurl = "{influx.url}"\norg = "{influx.org}"\n'
        f'bucket = "{bucket}"\ntoken = "{influx.token}"\n'
    )

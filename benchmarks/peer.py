"""Telegraf over the same broker into the same InfluxDB, the measure of our own way in; TELEGRAF_BIN names it."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

import httpx2

from benchmarks.child import SITE, Service
from simulators.load import POINTS
from tests.support.programs import Influx, Mosquitto, Process, ProgramMissing

_CONFIG = """\
[agent]
  interval = "10s"
  metric_batch_size = 10000
  metric_buffer_limit = 200000
  flush_interval = "1s"
  flush_jitter = "0s"
  omit_hostname = true
[[inputs.mqtt_consumer]]
  servers = ["tcp://{broker}"]
  topics = ["dutyroom/v1/{site}/#"]
  qos = 1
  topic_tag = ""
  persistent_session = true
  client_id = "telegraf"
  max_undelivered_messages = 100000
  data_format = "json"
  json_time_key = "ts"
  json_time_format = "unix_ms"
[[inputs.mqtt_consumer.topic_parsing]]
  topic = "+/+/+/+/+/+"
  measurement = "_/_/_/measurement/_/_"
  tags = "_/_/site/_/equipment/_"
[[outputs.influxdb_v2]]
  urls = ["{influx}"]
  token = "{token}"
  organization = "{org}"
  bucket = "{bucket}"
  content_encoding = "identity"
"""
"""Tuned: every figure of it is better than with Telegraf's defaults."""

_TICKS = os.sysconf("SC_CLK_TCK")


class Pipeline(Protocol):
    """What brings messages from the broker into a bucket; a context from subscribed to stopped."""

    bucket: str
    measurement: str
    prefix: str

    @property
    def pid(self) -> int:
        """Of its process."""

    def thread_seconds(self) -> Mapping[str, float]:
        """Processor seconds of each of its threads, as far as it tells."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class Ours(Service):
    """The service, storing in InfluxDB."""

    measurement, prefix = "pump", ""

    def thread_seconds(self) -> Mapping[str, float]:
        """As it says in /metrics."""
        return self.look().threads


class Telegraf:
    """Telegraf, tuned for throughput; raises ProgramMissing where TELEGRAF_BIN names no program."""

    measurement, prefix = "load", "points_"

    def __init__(self, folder: Path, broker: Mosquitto, influx: Influx) -> None:
        program = os.environ.get("TELEGRAF_BIN", "")
        if not Path(program).is_file():
            raise ProgramMissing("Telegraf: set TELEGRAF_BIN to its program to measure it in the same run")
        folder.mkdir(parents=True)
        self.bucket = influx.new_bucket()
        config = folder / "telegraf.conf"
        address = f"{broker.host}:{broker.port}"
        config.write_text(
            _CONFIG.format(
                broker=address, site=SITE, influx=influx.url, token=influx.token, org=influx.org, bucket=self.bucket
            ),
            encoding="utf-8",
        )
        self._process = Process("telegraf", [program, "--config", str(config)], folder)

    @property
    def pid(self) -> int:
        """Of its process."""
        return self._process.pid

    def thread_seconds(self) -> Mapping[str, float]:
        """It does not tell."""
        return {}

    def __enter__(self) -> Self:
        self._process.start(lambda: "Connected [tcp" in self._process.log.read_text(errors="replace"), seconds=30)
        time.sleep(0.5)  # it says connected before it has subscribed
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.stop()


def cpu_seconds(pid: int) -> float:
    """User and system time a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def peak_mb(pid: int) -> float:
    """The most memory a process ever had resident, also between two looks; MB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.findall(r"^VmHWM:\s+(\d+) kB", status, re.MULTILINE)[0]) * 1024 / 1e6


def lines_written(influx: Influx) -> int:
    """Lines InfluxDB's storage has accepted since it started, repeated ones included."""
    for line in httpx2.get(f"{influx.url}/metrics", timeout=30).text.splitlines():
        if line.startswith("storage_writer_ok_points_sum"):
            return int(float(line.split()[-1]))
    return 0


def stored_frames(influx: Influx, pipeline: Pipeline, points: int) -> int:
    """Messages of which the bucket holds every point."""
    names = [f'count("{pipeline.prefix}{name}")' for name, _ in POINTS[:points]]
    query = f"SELECT {', '.join(names)} FROM {pipeline.measurement}"  # noqa: S608  # of our own words
    answer = httpx2.get(
        f"{influx.url}/query",
        params={"db": pipeline.bucket, "q": query},
        headers={"Authorization": f"Token {influx.token}"},
        timeout=120,
    ).raise_for_status()
    series = answer.json()["results"][0].get("series", [])
    return min((int(count) for one in series for count in one["values"][0][1:]), default=0)

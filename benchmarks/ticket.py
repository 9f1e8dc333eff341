"""From a fault on the wire to its ticket on the API, under 500 messages a second of everything else."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable
from importlib import resources
from pathlib import Path

from benchmarks.child import SITE, Service, pumps
from benchmarks.ingest import EQUIPMENT, count_duckdb, loading
from benchmarks.rows import Account, Row, percentile, row
from simulators.broker import BrokerAddress
from simulators.load import POINTS, LoadPlan
from simulators.wire import Wire, publish_head
from tests.support.programs import Mosquitto

RULE = "BM-01"
RATE = 500
PROBES = 100
_GAP_SECONDS = 0.213  # no divisor of a second, so that the faults fall everywhere between two ticks
_WARM_SECONDS = 3.0
_POLL_SECONDS = 0.02
_PATIENCE_SECONDS = 30.0
_RULE_FILE = f"""\
id: {RULE}
title: {{zh: 测速, en: Benchmark}}
applies_to: [pump]
every: 1s
levels:
  - {{when: speed < 1, for: 0s, clear: speed > 2, severity: P2}}
causes: [{{zh: 测速, en: the benchmark says so}}]
first_check: [{{zh: 一, en: one}}, {{zh: 二, en: two}}, {{zh: 三, en: three}}]
source: benchmarks
"""

Say = Callable[[str], None]


def publish_to_ticket(folder: Path, runs: int, say: Say) -> list[Row]:
    """p50 and p99 of publish → ticket."""
    rules = _rules(folder / "rules")
    p50, p99, accounts = [], [], []
    with Mosquitto(folder / "broker") as broker:
        for number in range(runs):
            delays, account = _run(folder / f"run-{number}", broker, rules)
            p50.append(percentile(delays, 0.5) * 1000)
            p99.append(percentile(delays, 0.99) * 1000)
            accounts.append(account)
            say(f"p50 {p50[-1]:.0f} ms, p99 {p99[-1]:.0f} ms, of {len(delays)} tickets")
            say(f"sent {account.sent}, stored {account.stored}, lost {account.lost}")
    note = f"{PROBES} faults a run at {RATE} msg/s; a rule on a grid of 1 s with `for: 0s`, the pack beside it"
    return [
        row("publish_to_ticket_p50", "ms", p50, accounts=accounts, note=note),
        row("publish_to_ticket_p99", "ms", p99, accounts=accounts, note=note),
    ]


def _rules(folder: Path) -> str:
    """The packaged pack and the rule of this benchmark in one folder; a glob that finds it."""
    with resources.as_file(resources.files("rules") / "pack") as pack:
        shutil.copytree(pack, folder / "pack")
    (folder / "pack" / f"{RULE}.yaml").write_text(_RULE_FILE, encoding="utf-8")
    return str(folder / "pack")


def _run(folder: Path, broker: Mosquitto, rules: str) -> tuple[list[float], Account]:
    machines = pumps("load", "pump", EQUIPMENT) | pumps("probe", "probe", PROBES)
    seconds = _WARM_SECONDS + PROBES * _GAP_SECONDS + 2
    plan = LoadPlan(SITE, EQUIPMENT, round(RATE * seconds / EQUIPMENT), rate=RATE, live=True)
    service = Service(folder, broker.url, machines, rules=rules)
    with service:
        before = service.look()
        with loading(plan, broker.url) as report:
            time.sleep(_WARM_SECONDS)
            delays = _probe(service, broker.url)
            sent = report()
        whole = before.journal + plan.total + PROBES
        service.watch(lambda look: look.stored >= max(whole, look.journal), seconds=_PATIENCE_SECONDS)
    # A fault counts as stored when its ticket was seen; the messages beside it are counted in the store.
    return delays, Account(sent.acked + PROBES, count_duckdb(service.data) // len(POINTS) + len(delays))


def _probe(service: Service, broker_url: str) -> list[float]:
    """Publish one fault after another and watch the API; seconds from each publish to its ticket."""
    wire = Wire(BrokerAddress.parse(broker_url), "bench-probe", _PATIENCE_SECONDS)
    sent: dict[str, float] = {}
    found: dict[str, float] = {}
    began = time.monotonic()
    try:
        while len(found) < PROBES and time.monotonic() - began < PROBES * _GAP_SECONDS + _PATIENCE_SECONDS:
            if len(sent) < PROBES and time.monotonic() - began >= len(sent) * _GAP_SECONDS:
                name = f"probe-{len(sent) + 1:04}"
                packet = _fault(name, len(sent) + 1)
                sent[name] = time.monotonic()
                wire.push([packet])
            wire.pump(_POLL_SECONDS)
            seen = service.tickets(RULE, 20)
            now = time.monotonic()
            found |= {name: now for name in seen if name not in found}
    finally:
        wire.close()
    return [found[name] - at for name, at in sent.items() if name in found]


def _fault(name: str, packet_id: int) -> bytes:
    body = json.dumps({"ts": time.time_ns() // 1_000_000, "points": {"speed": 0.0}}).encode()
    head = publish_head(f"dutyroom/v1/{SITE}/probe/{name}/telemetry", len(body))
    return head + packet_id.to_bytes(2, "big") + body

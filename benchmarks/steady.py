"""Not how fast but how well: how soon a reading can be asked for, what rules cost, an hour's backlog, a long soak."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from statistics import fmean, median

import httpx2

from benchmarks.child import SITE, Look, Service, pumps
from benchmarks.ingest import EQUIPMENT, Burst, burst, count_influx, loading
from benchmarks.peer import Ours, peak_mb, stored_frames
from benchmarks.rows import Account, Row, percentile, rated, slope
from simulators.load import LoadPlan
from tests.support.programs import Influx, Mosquitto

_RATE = 500
_SECONDS = 15
_WATCHED = 9
_POLL_SECONDS = 0.02
_HOUR_S = 3_600
_SOAK_RATE, _SOAK_SECONDS, _SOAK_EQUIPMENT = 5_000, 600, 500
_PATIENCE_SECONDS = 900.0
_ONE_RULE = """\
id: BM-02
title: {zh: 测速, en: Benchmark}
applies_to: [pump]
every: 10s
levels:
  - {when: speed < -1, for: 0s, clear: speed > 0, severity: P4}
causes: [{zh: 测速, en: the benchmark says so}]
first_check: [{zh: 一, en: one}, {zh: 二, en: two}, {zh: 三, en: three}]
source: benchmarks
"""

Say = Callable[[str], None]


def publish_to_queryable(folder: Path, runs: int, say: Say) -> list[Row]:
    """From the time in the frame, which is that of sending, to the first answer of InfluxDB that has it."""
    p50, p99, lost = [], [], 0
    with Influx(folder / "influx") as influx:
        for number in range(runs):
            with Mosquitto(folder / f"broker-{number}") as broker:
                delays, account = _queryable(folder / f"run-{number}", broker, influx)
            p50.append(percentile(delays, 0.5))
            p99.append(percentile(delays, 0.99))
            lost += account.lost
            say(
                f"p50 {p50[-1]:.0f} ms, p99 {p99[-1]:.0f} ms of {len(delays)}; sent {account.sent}, lost {account.lost}"
            )
    note = f"{runs} runs at {_RATE} frames/s, {_WATCHED} of {EQUIPMENT} pumps watched; lost {lost}"
    return [
        rated("publish_to_queryable_p50", median(p50), "ms", 200.0, at_least=False, note=note),
        rated("publish_to_queryable_p99", median(p99), "ms", 400.0, at_least=False, note=note),
    ]


def rules_share(folder: Path, runs: int, say: Say) -> list[Row]:
    """What of the rate with one rule is left with every rule of the pack; judged and stored, whichever is slower."""
    one = folder / "one"
    one.mkdir()
    (one / "BM-02.yaml").write_text(_ONE_RULE, encoding="utf-8")
    rates: dict[bool, list[float]] = {True: [], False: []}
    with Influx(folder / "influx") as influx:
        for number in range(2 * runs):
            whole = number % 2 == 0
            with Mosquitto(folder / f"broker-{number}") as broker:
                rules = None if whole else str(one)
                pipeline = Ours(
                    folder / f"run-{number}", broker.url, pumps("load", "pump", EQUIPMENT), rules=rules, influx=influx
                )
                found: Burst = burst(pipeline, broker, partial(count_influx, influx, pipeline.bucket), say)
            rates[whole].append(0.0 if found.account.lost else min(found.stored_rate, found.judged_rate))
    share = median(rates[True]) / median(rates[False])
    note = f"{median(rates[True]):,.0f} msg/s with every rule, {median(rates[False]):,.0f} with one"
    return [rated("ingest_rules_share", share, "×", 0.6, at_least=True, note=note)]


def backlog(folder: Path, runs: int, say: Say, *, seconds: int = _HOUR_S) -> list[Row]:
    """The service is away while a site speaks on; then it drains what waited. One run, however many are asked for."""
    with ExitStack() as stack:
        broker = stack.enter_context(Mosquitto(folder / "broker", extra="autosave_interval 3600\n"))
        influx = stack.enter_context(Influx(folder / "influx"))
        service = Ours(folder / "run", broker.url, pumps("load", "pump", _RATE), influx=influx)
        with service:
            before = service.look()
        start = time.time_ns() // 1_000_000 - seconds * 1_000
        plan = LoadPlan(SITE, _RATE, seconds, start=start, interval_ms=1_000)
        with loading(plan, broker.url) as report:
            sent = report(_PATIENCE_SECONDS)
        say(f"{sent.acked} messages wait in the broker")
        began = time.monotonic()
        service.start(listening=False)
        try:
            looks = service.watch(
                lambda look: min(look.stored, look.judged) >= before.journal + plan.total,
                seconds=_PATIENCE_SECONDS,
                pause=0.5,
            )
            took, peak = time.monotonic() - began, peak_mb(service.pid)
            tickets = service.count_tickets()
        finally:
            service.stop()
        account = Account(sent.acked, stored_frames(influx, service, 10))
    rate = slope([(look.at, min(look.stored, look.judged) - before.journal) for look in looks], plan.total)
    say(f"drained in {took:.0f} s, {rate:,.0f} msg/s; sent {account.sent}, lost {account.lost}; {tickets} tickets")
    memory = max(look.memory_bytes for look in looks) / 1e6
    note = (
        f"{account.sent} messages in {took:.0f} s, start of the service included; lost {account.lost}; "
        f"{memory:.0f} MB, for moments {peak:.0f}"
    )
    return [
        rated("backlog_speed", seconds / took, "× real time", 20.0, at_least=True, note=note),
        rated("backlog_lost", float(account.lost), "messages", 0.0, at_least=False, note="of those acknowledged"),
        rated("backlog_tickets", float(tickets), "tickets", 0.0, at_least=False, note="the machines were all well"),
    ]


def soak(folder: Path, runs: int, say: Say, *, seconds: int = _SOAK_SECONDS) -> list[Row]:
    """Memory over ten minutes at 5,000 msg/s. One run, however many are asked for."""
    with ExitStack() as stack:
        broker = stack.enter_context(Mosquitto(folder / "broker"))
        influx = stack.enter_context(Influx(folder / "influx"))
        service = Ours(folder / "run", broker.url, pumps("load", "pump", _SOAK_EQUIPMENT), influx=influx)
        plan = LoadPlan(SITE, _SOAK_EQUIPMENT, _SOAK_RATE * seconds // _SOAK_EQUIPMENT, rate=_SOAK_RATE, live=True)
        with service:
            before = service.look()
            with loading(plan, broker.url) as report:
                looks = service.watch(
                    lambda look: min(look.stored, look.judged) >= before.journal + plan.total,
                    seconds=2 * seconds + _PATIENCE_SECONDS,
                    pause=2.0,
                )
                sent, peak = report(_PATIENCE_SECONDS), peak_mb(service.pid)
        account = Account(sent.acked, stored_frames(influx, service, 10))
    return _soaked(looks, peak, account, say)


def _soaked(looks: list[Look], peak: float, account: Account, say: Say) -> list[Row]:
    sizes = [look.memory_bytes / 1e6 for look in looks]
    third = max(1, len(sizes) // 3)
    growth = fmean(sizes[-third:]) - fmean(sizes[third : 2 * third] or sizes[:third])
    lags = max(look.journal - min(look.stored, look.judged) for look in looks)
    note = (
        f"sent {account.sent}, lost {account.lost}; {growth:+.0f} MB from the middle to the last third, "
        f"for moments {peak:.0f} MB; lag ≤ {lags}"
    )
    say(note)
    return [
        rated("soak_memory", max(sizes), "MB", 400.0, at_least=False, note=note),
        rated("soak_lost", float(account.lost), "messages", 0.0, at_least=False),
    ]


def _queryable(folder: Path, broker: Mosquitto, influx: Influx) -> tuple[list[float], Account]:
    service = Ours(folder, broker.url, pumps("load", "pump", EQUIPMENT), influx=influx)
    plan = LoadPlan(SITE, EQUIPMENT, _RATE * _SECONDS // EQUIPMENT, rate=_RATE, live=True)
    seen: dict[tuple[str, int], float] = {}
    with service:
        before = service.look()
        with loading(plan, broker.url) as report, httpx2.Client(timeout=30) as http:
            deadline = time.monotonic() + _SECONDS + 3
            while time.monotonic() < deadline:
                _ask(http, influx, service, seen)
                time.sleep(_POLL_SECONDS)
            sent = report()
        service.watch(lambda look: look.stored >= before.journal + plan.total, seconds=_PATIENCE_SECONDS)
    return list(seen.values()), Account(sent.acked, stored_frames(influx, service, 10))


def _ask(http: httpx2.Client, influx: Influx, service: Service, seen: dict[tuple[str, int], float]) -> None:
    query = "SELECT speed FROM pump WHERE time > now() - 6s AND equipment =~ /^pump-000[1-9]$/ GROUP BY equipment"
    answer = http.get(
        f"{influx.url}/query",
        params={"db": service.bucket, "q": query, "epoch": "ms"},
        headers={"Authorization": f"Token {influx.token}", "Accept": "application/csv"},
    ).raise_for_status()
    now = time.time_ns() / 1e6
    for equipment, ts in re.findall(r"^pump,equipment=([^,]+),(\d+),", answer.text, re.MULTILINE):
        seen.setdefault((equipment, int(ts)), now - int(ts))

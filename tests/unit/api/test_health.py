"""Probes and metrics: readiness flips with each part it names, and figures say what happened."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import httpx2
import pytest
from prometheus_client.parser import text_string_to_metric_families

from api.app import create_app
from api.deps import Counted
from history.protocols import Buckets
from maintenance.people import Role
from plant.errors import Unavailable
from plant.reading import ReadingBatch, SeriesKey
from tests.unit.api.house import T0, House, event, opened


class BrokenStore:
    """A telemetry store that is away, until `mended` is set; `hang` keeps the caller waiting instead."""

    def __init__(self) -> None:
        self.mended = False
        self.hang = threading.Event()
        self.hang.set()
        self.asked = 0

    def latest(self, equipment: str) -> dict[str, tuple[int, float, int, int]]:
        self.asked += 1
        self.hang.wait(30)
        if not self.mended:
            raise Unavailable("http://influx.secret:8086 refuses the connection")
        return {}

    def rows(self, keys: object, table: object, start: int, end: int) -> ReadingBatch:
        raise Unavailable("the store is away")

    def buckets(self, key: SeriesKey, start: int, end: int, count: int) -> Buckets:
        raise Unavailable("the store is away")

    def trends(self, keys: Sequence[SeriesKey], start: int, end: int, count: int) -> list[Buckets]:
        raise Unavailable("the store is away")


@contextmanager
def _with_store(folder: Path, store: BrokenStore) -> Iterator[House]:
    with opened(folder) as house:
        house.app = create_app(replace(house.deps(), history=store))
        yield house


async def _reasons(house: House) -> list[str]:
    """Why it is not ready; empty when it is."""
    async with house.client(None) as client:
        answer = await client.get("/readyz")
    problem = answer.json()
    assert answer.status_code == (503 if "reasons" in problem else 200)
    found: list[str] = problem.get("reasons", [])
    return found


async def test_healthz_is_alive_whatever_is_broken(house: House) -> None:
    house.set_live(broker_connected=False, faults={"journal": "the disk is full"})
    async with house.client(None) as client:
        answer = await client.get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "alive"})


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        ({"broker_connected": False}, "broker: not connected"),
        ({"faults": {"journal": "the disk is full"}}, "journal: the disk is full"),
        (
            {"journal_offset": 30_101},
            "rules: 30001 entries behind the journal, expected at most 30000",
        ),
    ],
)
async def test_ready_flips_with_the_data_path(house: House, broken: dict[str, object], reason: str) -> None:
    assert await _reasons(house) == []
    well = house.now_live
    house.set_live(**broken)
    assert reason in await _reasons(house)
    house.now_live = well
    assert await _reasons(house) == []


async def test_lag_at_the_bound_is_still_ready(house: House) -> None:
    house.set_live(journal_offset=30_100)
    assert await _reasons(house) == []


async def test_ready_flips_with_the_store_and_tells_no_address(tmp_path: Path) -> None:
    store = BrokenStore()
    with _with_store(tmp_path, store) as house:
        assert await _reasons(house) == ["history: Unavailable"]
        store.mended = True
        assert await _reasons(house) == []


async def test_a_store_that_hangs_is_asked_once_and_the_probe_still_answers(tmp_path: Path) -> None:
    store = BrokenStore()
    store.mended = True
    store.hang.clear()
    with _with_store(tmp_path, store) as house:
        assert await _reasons(house) == ["history: does not answer within 2 s"]
        assert await _reasons(house) == ["history: still does not answer"]
        assert store.asked == 1
        store.hang.set()


async def test_a_ledger_that_cannot_be_read_is_not_ready(tmp_path: Path) -> None:
    with opened(tmp_path) as house:
        (tmp_path / "ledger.db").write_bytes(b"no ledger at all" * 100)
        assert "ledger: Corrupt" in await _reasons(house)
        async with house.client(Role.VIEWER) as client:
            answer = await client.get("/api/v1/tickets")
        assert answer.status_code == 503
        assert str(tmp_path) not in answer.text


def _figures(text: str) -> dict[str, float]:
    """Every sample by its name and labels as written."""
    return {
        sample.name + "".join(f",{key}={value}" for key, value in sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def _scrape(house: House) -> dict[str, float]:
    async with house.client(None) as client:
        return _figures((await client.get("/metrics")).text)


async def test_metrics_of_the_data_path(house: House) -> None:
    house.set_live(
        consumers={"rules": 90, "store": 100},
        counted=Counted(messages=7, readings=12, rejected={"not_json": 3}),
        faults={"store": "slow"},
    )
    found = await _scrape(house)
    assert found["dutyroom_plant_time_seconds"] == (T0 + 3_600_000) / 1000
    assert found["dutyroom_consumer_lag,consumer=rules"] == 10
    assert found["dutyroom_messages_total"] == 7
    assert found["dutyroom_readings_total"] == 12
    assert found["dutyroom_rejected_total,reason=not_json"] == 3
    assert found["dutyroom_fault,part=store"] == 1
    assert found["dutyroom_broker_connected"] == 1


async def test_metrics_tell_which_thread_is_at_its_limit(house: House) -> None:
    turning = threading.Event()

    def turn() -> None:
        until = time.thread_time() + 0.1
        while time.thread_time() < until:
            pass
        turning.set()
        stop.wait()

    stop = threading.Event()
    threads = [threading.Thread(target=turn, name="busy"), threading.Thread(target=stop.wait, name="lazy")]
    for thread in threads:
        thread.start()
    assert turning.wait(60)
    found = await _scrape(house)
    stop.set()
    for thread in threads:
        thread.join()
    assert found["dutyroom_thread_cpu_seconds_total,thread=busy"] >= 0.09
    assert found["dutyroom_thread_cpu_seconds_total,thread=lazy"] < 0.09
    assert found["dutyroom_thread_cpu_seconds_total,thread=others"] >= 0


async def test_metrics_of_the_ledger(house: House) -> None:
    house.engine(event(), now=T0)
    found = await _scrape(house)
    assert found["dutyroom_tickets,severity=P2,state=open"] == 1
    assert found["dutyroom_alarms_active,severity=P2"] == 1
    assert found["dutyroom_notices,state=waiting"] == 1
    assert found["dutyroom_oldest_notice_seconds"] == 3600  # written at T0, plant time is an hour later
    assert found["dutyroom_ledger_readable"] == 1


async def test_metrics_go_on_without_the_ledger(tmp_path: Path) -> None:
    with opened(tmp_path) as house:
        (tmp_path / "ledger.db").write_bytes(b"no ledger at all" * 100)
        found = await _scrape(house)
    assert found["dutyroom_ledger_readable"] == 0
    assert found["dutyroom_listening"] == 1


async def test_requests_are_counted_by_declared_route_only(house: House, viewer: httpx2.AsyncClient) -> None:
    await viewer.get("/api/v1/tickets/WO-1")
    await viewer.get("/api/v1/tickets/WO-2")
    await viewer.get("/anything/a/stranger/types")
    await viewer.request("BREW", "/healthz")
    found = await _scrape(house)
    requests = {name: value for name, value in found.items() if name.startswith("dutyroom_http_requests_total")}
    assert requests == {
        "dutyroom_http_requests_total,method=GET,route=/api/v1/tickets/{id},status=404": 2,
        "dutyroom_http_requests_total,method=GET,route=(none),status=404": 1,
        "dutyroom_http_requests_total,method=(other),route=/healthz,status=405": 1,
    }
    assert not any("WO-" in name or "stranger" in name for name in found)


async def test_two_apps_have_figures_of_their_own(house: House, viewer: httpx2.AsyncClient) -> None:
    await viewer.get("/healthz")
    house.app = create_app(house.deps())
    assert not any("route=/healthz" in name for name in await _scrape(house))

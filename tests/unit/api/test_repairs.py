"""Repairs over HTTP and on their page."""

from __future__ import annotations

import httpx2

from ingest.repairs import Repair, RepairKind
from maintenance.people import Role
from tests.unit.api.house import T0, House

SPIKE = Repair(6, "tank-1", "temp", RepairKind.SPIKE, T0, 40.0, 7.1, 7.0)
GONE = Repair(7, "gone", "energy", RepairKind.RESET, T0 + 60_000, 3.0, 503.0, 500.0, 500.0)


async def test_repairs_are_listed_newest_first_page_by_page(house: House, viewer: httpx2.AsyncClient) -> None:
    house.engine(repairs=(SPIKE, GONE))
    first = (await viewer.get("/api/v1/repairs?limit=1")).json()
    assert [(item["equipment"], item["unit"], item["shift"]) for item in first["items"]] == [("gone", None, 500.0)]
    rest = (await viewer.get(f"/api/v1/repairs?limit=1&cursor={first['next']}")).json()
    assert rest == {
        "items": [
            {
                "equipment": "tank-1",
                "point": "temp",
                "unit": "Cel",
                "at": "2026-11-23T02:00:00Z",
                "kind": "spike",
                "original": 40.0,
                "repaired": 7.1,
                "before": 7.0,
                "shift": 0.0,
                "offset": 6,
            }
        ],
        "next": None,
    }


async def test_repairs_are_found_by_equipment_and_kind(house: House, viewer: httpx2.AsyncClient) -> None:
    house.engine(repairs=(SPIKE, GONE))
    mine = (await viewer.get("/api/v1/repairs?equipment=tank-1")).json()["items"]
    assert [item["offset"] for item in mine] == [6]
    resets = (await viewer.get("/api/v1/repairs?kind=reset")).json()["items"]
    assert [item["offset"] for item in resets] == [7]
    assert (await viewer.get("/api/v1/repairs?equipment=none")).status_code == 404
    assert (await viewer.get("/api/v1/repairs?kind=magic")).status_code == 422


async def test_the_page_says_what_came_and_what_takes_its_place(house: House) -> None:
    house.engine(repairs=(SPIKE, GONE))
    async with house.browser(Role.VIEWER) as browser:
        chinese = (await browser.get("/repairs?equipment=tank-1")).text
        english = (await browser.get("/repairs", headers={"Accept-Language": "en"})).text
    assert "原值 40.0 ℃，采用 7.1 ℃，此前 7.0 ℃" in chinese
    assert "503" not in chinese
    assert "Meter began anew" in english
    assert "came 3.00, taken 503.0, before it 500.0" in english


async def test_the_table_lays_what_came_beside_what_stands_in_its_place(
    house: House, viewer: httpx2.AsyncClient
) -> None:
    later = Repair(9, "tank-1", "temp", RepairKind.STEP, T0 + 60_000, 41.0, 41.0, 7.1)
    house.engine(repairs=(SPIKE, GONE, later))
    answer = await viewer.get("/api/v1/repairs.csv?equipment=tank-1")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert 'filename="repairs-tank-1.csv"' in answer.headers["content-disposition"]
    head = "\ufefftime_utc,time_Asia/Shanghai,equipment,point,unit,kind,original,repaired,before,shift"
    assert answer.text.split("\r\n") == [
        head,
        "2026-11-23T02:00:00Z,2026-11-23 10:00:00+08:00,tank-1,temp,Cel,spike,40,7.1,7,0",
        "2026-11-23T02:01:00Z,2026-11-23 10:01:00+08:00,tank-1,temp,Cel,step,41,41,7.1,0",
        "",
    ]
    steps = (await viewer.get("/api/v1/repairs.csv?equipment=tank-1&point=temp&kind=step")).text.split("\r\n")
    assert [line.split(",")[5] for line in steps[1:-1]] == ["step"]
    assert (await viewer.get("/api/v1/repairs.csv?equipment=tank-1&point=level")).text == f"{head}\r\n"
    assert (await viewer.get("/api/v1/repairs.csv?equipment=none")).status_code == 404
    assert (await viewer.get("/api/v1/repairs.csv")).status_code == 422


async def test_the_trend_of_a_point_leads_to_its_repairs_and_they_to_their_table(house: House) -> None:
    house.engine(repairs=(SPIKE,))
    async with house.browser(Role.VIEWER) as browser:
        trend = (await browser.get("/trends?point=tank-1/temp")).text
        both = (await browser.get("/trends?point=tank-1/temp&point=tank-1/level")).text
        here = (await browser.get("/repairs?equipment=tank-1&point=temp")).text
        elsewhere = (await browser.get("/repairs?equipment=tank-1&point=level")).text
    assert 'href="/repairs?equipment=tank-1&amp;point=temp"' in trend
    assert 'href="/repairs?equipment=tank-1"' in both
    assert 'href="/api/v1/repairs.csv?equipment=tank-1&amp;point=temp"' in here
    assert "原值 40.0 ℃" in here
    assert "没有修复过的读数" in elsewhere

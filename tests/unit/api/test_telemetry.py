"""Readings over HTTP: the newest of each point, and trends whose gaps stay gaps."""

from __future__ import annotations

from math import nan

import httpx2
import pytest

from plant.quality import Quality, Reason
from tests.unit.api.house import HOUR, MINUTE, T0, House, reading


async def test_latest_shows_every_point_also_those_never_heard(house: House, viewer: httpx2.AsyncClient) -> None:
    house.wrote(
        reading(T0, 44.0),
        reading(T0 + MINUTE, 45.5),
        reading(T0, nan, "level", Quality.BAD, Reason.NOT_A_NUMBER),
    )
    assert (await viewer.get("/api/v1/latest?equipment=tank-1")).json() == [
        {
            "equipment": "tank-1",
            "point": "level",
            "unit": "%",
            "at": "2026-11-23T02:00:00Z",
            "value": None,
            "quality": "bad",
            "reason": "not_a_number",
        },
        {
            "equipment": "tank-1",
            "point": "pump",
            "unit": "bool",
            "at": None,
            "value": None,
            "quality": None,
            "reason": None,
        },
        {
            "equipment": "tank-1",
            "point": "temp",
            "unit": "Cel",
            "at": "2026-11-23T02:01:00Z",
            "value": 45.5,
            "quality": "good",
            "reason": None,
        },
    ]


async def test_equipment_is_found_by_path_too(house: House, viewer: httpx2.AsyncClient) -> None:
    house.wrote(reading(T0, 44.0))
    by_path = (await viewer.get("/api/v1/latest", params={"equipment": "bath/tank-one"})).json()
    assert by_path == (await viewer.get("/api/v1/latest?equipment=tank-1")).json()


async def test_a_trend_has_numbers_where_readings_are_and_nulls_where_none_is(
    house: House, viewer: httpx2.AsyncClient
) -> None:
    house.wrote(
        reading(T0, 40.0),
        reading(T0 + 30_000, 44.0, quality=Quality.UNCERTAIN, reason=Reason.DELAYED),
        reading(T0 + 2 * MINUTE, 50.0),
        reading(T0 + 2 * MINUTE + 1, 99.0, quality=Quality.BAD, reason=Reason.OUT_OF_RANGE),
    )
    query = "point=tank-1/temp&point=tank-1/pump&from=2026-11-23T02:00:00Z&to=2026-11-23T02:03:00Z&buckets=3"
    shown = (await viewer.get(f"/api/v1/trends?{query}")).json()
    assert shown["from"] == "2026-11-23T02:00:00Z"
    assert shown["to"] == "2026-11-23T02:03:00Z"
    assert shown["at"] == ["2026-11-23T02:00:00Z", "2026-11-23T02:01:00Z", "2026-11-23T02:02:00Z"]
    assert shown["step_ms"] == MINUTE
    assert shown["series"] == [
        {
            "equipment": "tank-1",
            "point": "temp",
            "unit": "Cel",
            "min": [40.0, None, 50.0],
            "mean": [42.0, None, 50.0],
            "max": [44.0, None, 50.0],
            "count": [2, 0, 1],
            "good": [1, 0, 1],
            "bad": [0, 0, 1],
        },
        {
            "equipment": "tank-1",
            "point": "pump",
            "unit": "bool",
            "min": [None, None, None],
            "mean": [None, None, None],
            "max": [None, None, None],
            "count": [0, 0, 0],
            "good": [0, 0, 0],
            "bad": [0, 0, 0],
        },
    ]


async def test_a_trend_without_times_ends_at_plant_time_and_spans_a_day(
    house: House, viewer: httpx2.AsyncClient
) -> None:
    house.wrote(reading(T0, 40.0))
    shown = (await viewer.get("/api/v1/trends?point=tank-1/temp&buckets=24")).json()
    assert (shown["from"], shown["to"]) == ("2026-11-22T03:00:00Z", "2026-11-23T03:00:00Z")
    assert shown["series"][0]["count"] == [0] * 23 + [1]


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("point=tank-1/temperature", 404),
        ("point=tank-9/temp", 404),
        ("point=temp", 400),
        ("", 422),
        ("point=tank-1/temp&from=2026-11-23T02:00:00Z&to=2026-11-23T02:00:00Z", 400),
        ("point=tank-1/temp&from=2020-01-01T00:00:00Z&to=2026-01-01T00:00:00Z", 400),
        ("point=tank-1/temp&buckets=2001", 422),
        ("point=tank-1/temp&from=9999-01-01T00:00:00Z", 422),
        ("&".join(f"point=tank-1/{number}" for number in range(13)), 422),
    ],
)
async def test_a_trend_that_cannot_be_drawn_says_why(quiet_house: House, query: str, status: int) -> None:
    async with quiet_house.client() as client:
        answer = await client.get(f"/api/v1/trends?{query}")
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"]


async def test_unknown_equipment_of_latest_is_404(quiet_house: House) -> None:
    async with quiet_house.client() as client:
        answer = await client.get("/api/v1/latest?equipment=tank-9")
    assert answer.status_code == 404


async def test_the_clock_of_the_site_decides_what_today_is(house: House, viewer: httpx2.AsyncClient) -> None:
    house.set_live(plant_time=T0 + 10 * HOUR)
    shown = (await viewer.get("/api/v1/trends?point=tank-1/temp")).json()
    assert shown["to"] == "2026-11-23T12:00:00Z"


async def test_a_table_has_both_times_and_leaves_out_what_is_empty(house: House, viewer: httpx2.AsyncClient) -> None:
    house.wrote(reading(T0, 40.0), reading(T0 + 30_000, 44.5), reading(T0 + 2 * MINUTE, 50.0, "level"))
    query = "point=tank-1/temp&point=tank-1/level&from=2026-11-23T02:00:00Z&to=2026-11-23T02:03:00Z&buckets=3"
    answer = await viewer.get(f"/api/v1/trends.csv?{query}")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert 'filename="trends-2026-11-23T0200-2026-11-23T0203.csv"' in answer.headers["content-disposition"]
    assert answer.text.split("\r\n") == [
        "\ufefftime_utc,time_Asia/Shanghai,tank-1/temp min [Cel],tank-1/temp mean [Cel],tank-1/temp max [Cel],"
        "tank-1/temp count [Cel],tank-1/level min [%],tank-1/level mean [%],tank-1/level max [%],"
        "tank-1/level count [%]",
        "2026-11-23T02:00:00Z,2026-11-23 10:00:00+08:00,40,42.25,44.5,2,,,,0",
        "2026-11-23T02:02:00Z,2026-11-23 10:02:00+08:00,,,,0,50,50,50,1",
        "",
    ]


async def test_a_table_that_cannot_be_made_says_why(quiet_house: House) -> None:
    async with quiet_house.client() as client:
        answer = await client.get("/api/v1/trends.csv?point=tank-1/nothing")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"

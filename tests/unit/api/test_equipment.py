"""What exists, over HTTP: equipment, points and rules, page by page in the order of their names."""

from __future__ import annotations

from dataclasses import replace

import httpx2
import pytest

from plant.site import Equipment, Plant
from tests.unit.api.house import House, rule


async def _all(client: httpx2.AsyncClient, path: str, key: str, limit: int) -> list[str]:
    """Every page of a list, one after the other."""
    seen: list[str] = []
    cursor: str | None = None
    while True:
        params: dict[str, str | int] = {"limit": limit} if cursor is None else {"limit": limit, "cursor": cursor}
        page = (await client.get(path, params=params)).json()
        seen += [item[key] for item in page["items"]]
        cursor = page["next"]
        if cursor is None:
            return seen


async def test_equipment_says_what_it_is_called_in_both_languages(quiet_house: House) -> None:
    async with quiet_house.client() as client:
        page = (await client.get("/api/v1/equipment?limit=2")).json()
    assert [machine["id"] for machine in page["items"]] == ["tank-0", "tank-1"]
    assert page["next"] == "tank-1"
    assert page["items"][1] == {
        "id": "tank-1",
        "path": "bath/tank-one",
        "type": "hot_water_tank",
        "name": {"zh": "一号水箱", "en": "Tank 1"},
        "parameters": {"volume": 8.0},
        "relations": {},
        "retired": False,
    }


@pytest.mark.parametrize(
    ("query", "expected"),
    [("retired=true", ["tank-0"]), ("retired=false", ["tank-1", "tank-2"]), ("type=chiller", [])],
)
async def test_filters_of_equipment(quiet_house: House, query: str, expected: list[str]) -> None:
    async with quiet_house.client() as client:
        page = (await client.get(f"/api/v1/equipment?{query}")).json()
    assert [machine["id"] for machine in page["items"]] == expected


async def test_points_of_standing_equipment_come_page_by_page(quiet_house: House) -> None:
    async with quiet_house.client() as client:
        names = await _all(client, "/api/v1/points", "point", 4)
        one = (await client.get("/api/v1/points?equipment=tank-2&kind=status")).json()
    assert names == ["level", "pump", "temp"] * 2
    assert one["items"] == [
        {
            "equipment": "tank-2",
            "point": "pump",
            "name": {"zh": "pump 点", "en": "pump"},
            "unit": "bool",
            "kind": "status",
            "low": 0.0,
            "high": 100.0,
            "decimals": 3,
        }
    ]


async def test_pages_lose_nothing_where_one_id_begins_like_another(house: House, viewer: httpx2.AsyncClient) -> None:
    plant = house.now_plant
    twin = replace(plant.site.equipment["tank-1"], id="tank-1-b", path="bath/twin")
    machines: dict[str, Equipment] = {**plant.site.equipment, twin.id: twin}
    house.now_plant = Plant(plant.catalogue, replace(plant.site, equipment=machines))
    seen = await _all(viewer, "/api/v1/points", "equipment", 1)
    assert sorted(seen) == ["tank-1"] * 3 + ["tank-1-b"] * 3 + ["tank-2"] * 3


async def test_a_page_goes_on_where_it_was_while_rules_are_added(house: House, viewer: httpx2.AsyncClient) -> None:
    first = (await viewer.get("/api/v1/rules?limit=1")).json()
    house.pack = [*house.pack, rule("AA-01", "*"), rule("BH-02", "*")]
    second = (await viewer.get(f"/api/v1/rules?limit=1&cursor={first['next']}")).json()
    assert [first["items"][0]["id"], second["items"][0]["id"]] == ["BH-01", "BH-02"]


async def test_rules_of_a_type_are_its_own_and_those_of_every_type(quiet_house: House) -> None:
    async with quiet_house.client() as client:
        page = (await client.get("/api/v1/rules?type=hot_water_tank")).json()
    assert [rule["id"] for rule in page["items"]] == ["BH-01", "DQ-01"]
    shown = page["items"][0]
    assert shown["title"] == {"zh": "水温低", "en": "Water too cold"}
    assert shown["levels"] == [
        {
            "severity": "P2",
            "when": "temp < low",
            "for_ms": 600_000,
            "clear": "temp > low + 2 K",
            "clear_for_ms": 300_000,
        }
    ]
    assert shown["params"][0]["default"] == 42.0
    assert shown["first_check"] == [{"zh": "看加热器", "en": "look at the heater"}]

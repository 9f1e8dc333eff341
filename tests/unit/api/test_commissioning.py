"""Commissioning over HTTP and on its pages."""

from __future__ import annotations

import re
from dataclasses import replace

import httpx2
import pytest

from dutyroom.content import Content
from maintenance.people import Role
from plant.reading import Reading
from plant.site import Plant
from tests.unit.api.house import HOUR, MINUTE, T0, House, site

NOW = T0 + HOUR


@pytest.fixture
def house(house: House) -> House:
    """Tank 1 is not commissioned, and has been heard for an hour."""
    plant = site()
    tank = replace(plant.site.equipment["tank-1"], commissioned=False)
    plant = Plant(plant.catalogue, replace(plant.site, equipment={**plant.site.equipment, "tank-1": tank}))
    house.now_plant = plant
    house.ledger.add_config(Content.of(plant, ()).encode(), "test", T0)
    house.wrote(*(Reading("tank-1", "temp", T0 + minute * MINUTE, 45.0) for minute in range(60)))
    return house


def takes_up(house: House) -> None:
    """As the running service takes a new configuration up."""
    latest = house.ledger.latest_config()
    assert latest is not None
    house.now_plant = Content.decode(latest.content).plant


async def test_a_machine_that_passes_is_commissioned(house: House, engineer: httpx2.AsyncClient) -> None:
    before = (await engineer.get("/api/v1/commissioning")).json()
    assert before[0] == {
        "equipment": "tank-1",
        "commissioned": False,
        "outcome": None,
        "checked_at": None,
        "author": None,
    }
    checked = await engineer.post("/api/v1/commissioning/tank-1/check", json={"hours": 1})
    assert checked.status_code == 200
    body = checked.json()
    assert (body["released"], body["report"]["outcome"]) == (True, "pass")
    assert body["report"]["results"][0]["title"] == {"zh": "测点有数据", "en": "Points are heard"}
    takes_up(house)
    after = {one["equipment"]: one for one in (await engineer.get("/api/v1/commissioning")).json()}
    assert (after["tank-1"]["commissioned"], after["tank-1"]["outcome"]) == (True, "pass")
    (line,) = (await engineer.get("/api/v1/commissioning/tank-1")).json()
    assert line == body


async def test_a_silent_machine_fails_and_says_what_to_do(house: House, engineer: httpx2.AsyncClient) -> None:
    silent = next(id for id in house.plant().site.equipment if id != "tank-1")
    report = (await engineer.post(f"/api/v1/commissioning/{silent}/check", json={})).json()["report"]
    assert report["outcome"] == "fail"
    (fault,) = report["results"][0]["faults"]
    assert fault["cause"] == "never_seen"
    assert "dutyroom decode" in fault["advice"]["en"]


async def test_a_decision_needs_a_reason_and_an_engineer(
    house: House, engineer: httpx2.AsyncClient, crew: httpx2.AsyncClient
) -> None:
    path = "/api/v1/commissioning/tank-1/decision"
    assert (await engineer.post(path, json={"released": True, "reason": ""})).status_code == 422
    assert (await crew.post(path, json={"released": True, "reason": "why"})).status_code == 403
    done = (await engineer.post(path, json={"released": True, "reason": "checked by hand"})).json()
    assert (done["released"], done["reason"], done["report"]) == (True, "checked by hand", None)
    assert (await engineer.post("/api/v1/commissioning/none/check", json={})).status_code == 404


async def test_the_pages_check_and_decide(house: House) -> None:
    async with house.browser(Role.ENGINEER) as browser:
        listed = (await browser.get("/commissioning")).text
        assert "未投用" in listed
        assert "从未核验" in listed
        done = await browser.post("/commissioning/tank-1/check", data={"hours": "1"})
        assert (done.status_code, done.headers["location"]) == (303, "/commissioning/tank-1")
        takes_up(house)
        page = (await browser.get("/commissioning/tank-1")).text
        assert re.search("测点有数据.*通过", page, re.DOTALL)
        english = (await browser.get("/commissioning/tank-1", headers={"Accept-Language": "en"})).text
        assert "Points are heard" in english
        withheld = await browser.post("/commissioning/tank-1/decision", data={"released": "", "reason": "new gateway"})
        assert withheld.status_code == 303
        takes_up(house)
        assert "new gateway" in (await browser.get("/commissioning/tank-1")).text
        assert "/commissioning/tank-1" in (await browser.get("/equipment/tank-1")).text

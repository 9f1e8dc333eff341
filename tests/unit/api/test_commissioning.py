"""Commissioning over HTTP and on its pages."""

from __future__ import annotations

import html
import re
from dataclasses import replace

import httpx2
import pytest

from dutyroom.content import Content
from maintenance.commissioning import Check, Outcome, Report, Result
from maintenance.ledger import commissionings
from maintenance.ledger.commissionings import Wanted
from maintenance.people import Role
from plant.catalogue import Text
from plant.reading import Reading
from plant.site import Equipment, Plant
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
    assert before["items"][0] == {
        "equipment": "tank-1",
        "stage": "unchecked",
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
    after = {one["equipment"]: one for one in (await engineer.get("/api/v1/commissioning")).json()["items"]}
    assert (after["tank-1"]["stage"], after["tank-1"]["outcome"]) == ("commissioned", "pass")
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


def report(equipment: str, outcome: Outcome) -> Report:
    return Report(equipment, T0, NOW, (Result(Check.HEARD, outcome),))


@pytest.fixture
def many(house: House) -> House:
    """120 pumps: of those that are not commissioned some failed, some lack data, some passed and were sent back."""
    (kind,) = house.plant().catalogue.types.values()
    machines = {
        f"p-{n:03d}": Equipment(
            f"p-{n:03d}", f"hall/p-{n:03d}", kind.name, Text(f"{n} 号泵", f"Pump {n}"), commissioned=n >= 70
        )
        for n in range(120)
    }
    plant = house.plant()
    house.now_plant = Plant(plant.catalogue, replace(plant.site, equipment=machines))
    ends = {Outcome.FAILED: range(3), Outcome.NOT_ENOUGH: range(3, 8), Outcome.PASSED: range(8, 10)}
    for outcome, numbers in ends.items():
        for n in (*numbers, *(range(119, 120) if outcome is Outcome.FAILED else ())):
            id = f"p-{n:03d}"
            house.ledger.write(commissionings.add, Wanted(id, "li", T0, report(id, Outcome.FAILED)))
            house.ledger.write(commissionings.add, Wanted(id, "li", NOW, report(id, outcome)))
            house.ledger.write(commissionings.add, Wanted(id, "li", NOW, released=False, reason="new"))
    return house


async def test_machines_come_page_by_page_by_stage_and_name(many: House, engineer: httpx2.AsyncClient) -> None:
    path, cursor, seen = "/api/v1/commissioning", None, list[str]()
    while True:
        asked = {"limit": "50", "stage": "unchecked"} | ({} if cursor is None else {"cursor": cursor})
        answer = (await engineer.get(path, params=asked)).json()
        seen += [one["equipment"] for one in answer["items"]]
        cursor = answer["next"]
        if cursor is None:
            break
    assert seen == [f"p-{n:03d}" for n in range(10, 70)]
    by_stage = {
        stage: [one["equipment"] for one in (await engineer.get(path, params={"stage": stage})).json()["items"]]
        for stage in ("failed", "not_enough_data", "withheld")
    }
    assert by_stage == {
        "failed": ["p-000", "p-001", "p-002"],
        "not_enough_data": [f"p-{n:03d}" for n in range(3, 8)],
        "withheld": ["p-008", "p-009"],
    }
    one = (await engineer.get(path, params={"q": "pump 119"})).json()["items"]
    assert [(stand["equipment"], stand["outcome"]) for stand in one] == [("p-119", "fail")]
    assert (await engineer.get(path, params={"stage": "lost"})).status_code == 422


def listed(page: str) -> list[int]:
    return [int(number) for number in re.findall(r'href="/commissioning/p-(\d+)"', page)]


async def test_the_page_lists_what_there_is_to_do_first_fifty_at_a_time(many: House) -> None:
    async with many.browser(Role.ENGINEER) as browser:
        browser.cookies.set("lang", "en")
        path, pages = "/commissioning", list[str]()
        while len(pages) < 9:
            pages.append((await browser.get(path)).text)
            found = re.search(r'rel="next" href="([^"]+)"', pages[-1])
            if found is None:
                break
            path = html.unescape(found[1])
        assert [len(listed(page)) for page in pages] == [50, 50, 20]
        order = [number for page in pages for number in listed(page)]
        # failed, never checked, not enough data, sent back, commissioned: there, too, the failed check first
        assert order == [*range(3), *range(10, 70), *range(3, 8), 8, 9, 119, *range(70, 119)]
        assert "51–100 of 120" in pages[1]
        assert 'rel="prev" href="/commissioning"' in pages[1]
        assert "skip=50" in re.findall(r'rel="prev" href="([^"]+)"', pages[2])[0]
        assert listed((await browser.get("/commissioning?skip=5000")).text) == listed(pages[2])


async def test_the_page_keeps_stage_and_search_in_its_addresses(many: House) -> None:
    async with many.browser(Role.ENGINEER) as browser:
        first = (await browser.get("/commissioning?stage=unchecked&q=hall")).text
        assert listed(first) == list(range(10, 60))
        second = html.unescape(re.findall(r'rel="next" href="([^"]+)"', first)[0])
        assert second == "/commissioning?stage=unchecked&q=hall&skip=50"
        assert listed((await browser.get(second)).text) == list(range(60, 70))
        assert 'href="/commissioning?stage=failed&amp;q=hall"' in first
        none = (await browser.get("/commissioning?q=nothing+like+it")).text
        assert "没有符合条件的设备" in none
        assert listed(none) == []


def test_only_the_newest_check_of_each_counts(many: House) -> None:
    newest = many.ledger.read(commissionings.newest_checks)
    assert len(newest) == 11
    assert {line.at for line in newest.values()} == {NOW}
    assert many.ledger.read(commissionings.decisions) == dict.fromkeys(newest, False)

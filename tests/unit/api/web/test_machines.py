"""Equipment pages over the real app."""

from __future__ import annotations

import re
from dataclasses import replace

import httpx2

from plant.quality import Quality, Reason
from plant.reading import Reading
from tests.unit.api.house import HOUR, MINUTE, T0, House, event, reading, site

HTML = {"accept": "text/html"}
NOW = T0 + HOUR


def text_of(html: str) -> str:
    """What is left of a page without its tags, with single spaces."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


def with_band(house: House) -> None:
    """The tanks' temperature is normal from 55 to 62."""
    plant = site()
    kind = plant.catalogue.types["hot_water_tank"]
    points = dict(kind.points) | {"temp": replace(kind.points["temp"], typical=(55.0, 62.0))}
    house.now_plant = replace(
        plant, catalogue=replace(plant.catalogue, types={kind.name: replace(kind, points=points)})
    )


async def test_the_list_leaves_out_what_is_gone_and_finds_by_name(viewer: httpx2.AsyncClient) -> None:
    page = text_of((await viewer.get("/equipment", headers=HTML)).text)
    assert "一号水箱" in page
    assert "旧水箱" not in page
    found = text_of((await viewer.get("/equipment?q=two", headers=HTML)).text)
    assert "二号水箱" in found
    assert "一号水箱" not in found


async def test_a_machine_nobody_has_heard_says_so(viewer: httpx2.AsyncClient) -> None:
    page = text_of((await viewer.get("/equipment/tank-1", headers=HTML)).text)
    assert "无数据" in page
    assert "还没有收到这台设备的数据" in page


async def test_a_value_stands_on_its_bar_with_band_and_limit(house: House, viewer: httpx2.AsyncClient) -> None:
    with_band(house)
    house.wrote(reading(NOW - MINUTE, 58.5))
    page = (await viewer.get("/equipment/tank-1", headers=HTML)).text
    assert "正常范围 55.0 至 62.0 ℃" in page
    assert 'class="link" href="/trends?point=tank-1/temp"' in page
    # band 55 to 62, half a band (3.5) wider on each side: 58.5 is the middle of 51.5 to 65.5
    assert 'class="needle" d="M50.0 0V10"' in page
    assert 'class="normal" x="25.0" y="2" width="50.0"' in page


async def test_a_value_beyond_a_limit_bears_the_marks_of_its_severity(house: House, viewer: httpx2.AsyncClient) -> None:
    with_band(house)
    house.wrote(reading(NOW - MINUTE, 40.0))
    page = (await viewer.get("/equipment/tank-1", headers=HTML)).text
    assert re.search(r'class="num over p2">40\.0<', page)


async def test_doubt_and_age_are_told_and_no_alarm(house: House, viewer: httpx2.AsyncClient) -> None:
    with_band(house)
    house.wrote(reading(NOW - 10 * MINUTE, 58.0, quality=Quality.UNCERTAIN, reason=Reason.DELAYED))
    page = text_of((await viewer.get("/equipment/tank-1", headers=HTML)).text)
    assert "10 分钟前" in page
    assert "存疑：延迟到达" in page


async def test_what_is_open_leads_to_its_ticket(house: House, viewer: httpx2.AsyncClient) -> None:
    house.engine(event())
    page = (await viewer.get("/equipment/tank-1", headers=HTML)).text
    assert re.search(r'href="/tickets/WO-\d{8}-001"', page)
    assert "未恢复" in text_of(page)


async def test_a_machine_that_runs_is_filled_and_one_that_stands_outlined(
    house: House, viewer: httpx2.AsyncClient
) -> None:
    plant = site()
    kind = plant.catalogue.types["hot_water_tank"]
    points = dict(kind.points) | {"pump_status": replace(kind.points["pump"], name="pump_status")}
    house.now_plant = replace(
        plant, catalogue=replace(plant.catalogue, types={kind.name: replace(kind, points=points)})
    )
    house.wrote(
        Reading("tank-1", "pump_status", NOW - MINUTE, 1.0), Reading("tank-2", "pump_status", NOW - MINUTE, 0.0)
    )
    assert 'class="state run"' in (await viewer.get("/equipment/tank-1", headers=HTML)).text
    assert 'class="state off"' in (await viewer.get("/equipment/tank-2", headers=HTML)).text


async def test_equipment_that_is_not_there_is_a_page_that_says_so(viewer: httpx2.AsyncClient) -> None:
    assert (await viewer.get("/equipment/none", headers=HTML)).status_code == 404

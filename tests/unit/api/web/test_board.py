"""The duty board and what every page shares, over the real app."""

from __future__ import annotations

import re

import httpx2
import pytest

from api.web.pages import PAGES
from maintenance.people import Role
from plant.severity import Severity
from rules.events import EventKind
from tests.unit.api.house import MINUTE, T0, House, event

HTML = {"accept": "text/html"}


async def test_a_quiet_board_says_how_many_are_normal(viewer: httpx2.AsyncClient) -> None:
    page = await viewer.get("/", headers=HTML)
    assert page.status_code == 200
    assert "没有未恢复的告警，2 台设备全部正常" in page.text
    assert 'class="urgent"' not in page.text


async def test_an_unacknowledged_p1_is_the_one_loud_thing(house: House, crew: httpx2.AsyncClient) -> None:
    house.engine(event(severity=Severity.P1), event(rule="CH-04", equipment="tank-2"))
    page = (await crew.get("/", headers=HTML)).text
    assert page.count('class="urgent"') == 1
    assert "一号水箱：水温低" in page
    assert "温度" not in page
    assert "未确认 1 小时" in page
    assert "其余 0 台设备正常" in page


async def test_a_viewer_sees_no_button_that_would_be_refused(house: House, viewer: httpx2.AsyncClient) -> None:
    house.engine(event(severity=Severity.P1))
    assert "/alarms/acknowledge" not in (await viewer.get("/", headers=HTML)).text


async def test_a_cleared_alarm_leaves_its_ticket_among_those_in_hand(house: House, viewer: httpx2.AsyncClient) -> None:
    house.engine(event(), event(EventKind.CLEARED, T0 + 5 * MINUTE))
    page = (await viewer.get("/live/board", headers=HTML)).text
    assert "没有未恢复的告警，2 台设备全部正常" in page
    assert "一号水箱 水温低" in page


async def test_the_value_and_its_limit_stand_in_the_row(house: House, viewer: httpx2.AsyncClient) -> None:
    house.engine(event())
    page = re.sub(r"<[^>]+>", "", (await viewer.get("/", headers=HTML)).text)
    assert "temp 点 39.0 ℃，下限 42.0" in page


async def test_english_is_there_for_who_asks(house: House, viewer: httpx2.AsyncClient) -> None:
    house.engine(event())
    page = (await viewer.get("/", headers=HTML | {"accept-language": "en"})).text
    assert '<html lang="en"' in page
    assert "Water too cold" in page
    assert not re.search(r"[\u4e00-\u9fff]", page.replace("中文", ""))


async def test_who_has_not_signed_in_is_sent_to_do_so(house: House) -> None:
    async with house.client(None) as nobody:
        answer = await nobody.get("/trends?range=1d" if _exists("/trends") else "/?range=1d", headers=HTML)
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/login?next=%2F")


async def test_a_program_gets_a_problem_and_no_page(house: House) -> None:
    async with house.client(None) as nobody:
        answer = await nobody.get("/")
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_page_that_is_not_there_says_what_to_do(viewer: httpx2.AsyncClient) -> None:
    page = await viewer.get("/nowhere", headers=HTML)
    assert page.status_code == 404
    assert "没有这个页面" in page.text


async def test_static_files_are_kept_for_ever_under_their_version(house: House, viewer: httpx2.AsyncClient) -> None:
    address = re.search(r'href="(/static/[^"]+/css/app\.css)"', (await viewer.get("/", headers=HTML)).text)
    assert address is not None
    async with house.client(None) as nobody:
        style = await nobody.get(address.group(1))
        other = await nobody.get("/static/older/css/app.css")
        missing = await nobody.get("/static/older/css/none.css")
    assert "immutable" in style.headers["cache-control"]
    assert style.headers["content-type"].startswith("text/css")
    assert "immutable" not in other.headers["cache-control"]
    assert missing.status_code == 404


async def test_the_choice_of_language_is_kept_and_leads_back_only_here(house: House) -> None:
    async with house.client(Role.VIEWER) as client:
        answer = await client.post("/preferences", data={"lang": "en", "next": "//elsewhere.example/x"})
        assert answer.status_code == 303
        assert answer.headers["location"] == "/"
        assert "Duty board" in (await client.get("/", headers=HTML | {"accept-language": "zh"})).text


@pytest.mark.parametrize("page", [page for page in PAGES if page.method == "GET" and "{" not in page.path], ids=str)
async def test_no_page_has_script_or_style_of_its_own(house: House, page: object) -> None:
    path = page.path  # type: ignore[attr-defined]
    async with house.client(Role.ADMIN) as client:
        text = (await client.get(path, headers=HTML)).text
    assert not re.search(r"<script(?![^>]*\bsrc=)", text)
    assert not re.search(r"<style|\sstyle=|\son\w+=|javascript:", text)


def _exists(path: str) -> bool:
    return any(page.path == path for page in PAGES)


@pytest.mark.parametrize(
    ("theme", "link"),
    [
        ("auto", r'<link rel="stylesheet" href="/static/\w+/css/dark\.css" media="\(prefers-color-scheme: dark\)">'),
        ("dark", r'<link rel="stylesheet" href="/static/\w+/css/dark\.css">'),
    ],
)
async def test_the_dark_tokens_come_as_the_person_or_their_system_wants(
    viewer: httpx2.AsyncClient, theme: str, link: str
) -> None:
    viewer.cookies.set("theme", theme)
    assert re.search(link, (await viewer.get("/", headers=HTML)).text)


async def test_who_wants_light_gets_no_dark_tokens(viewer: httpx2.AsyncClient) -> None:
    viewer.cookies.set("theme", "light")
    assert "dark.css" not in (await viewer.get("/", headers=HTML)).text

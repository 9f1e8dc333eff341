"""The alarm inbox over the real app."""

from __future__ import annotations

import re

import httpx2

from maintenance.people import Role
from plant.severity import Severity
from rules.events import EventKind
from tests.unit.api.house import MINUTE, T0, House, event

HTML = {"accept": "text/html"}


def text_of(html: str) -> str:
    """What is left of a page without its tags, with single spaces."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


async def test_active_alarms_stand_first_with_what_passed_which_limit(house: House, crew: httpx2.AsyncClient) -> None:
    house.engine(event())
    page = text_of((await crew.get("/alarms", headers=HTML)).text)
    assert "一号水箱 水温低：temp 点 39.0 ℃ ，下限 42.0" in page
    assert "未确认" in page


async def test_acknowledging_one_takes_its_ticket_along(house: House, crew: httpx2.AsyncClient) -> None:
    house.engine(event())
    answer = await crew.post("/alarms/acknowledge", data={"id": "1", "next": "/alarms?view=unacked"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/alarms?view=unacked")
    page = text_of((await crew.get("/alarms", headers=HTML)).text)
    assert "a crew 已确认" in page
    assert "已确认" in page.split("WO-")[1]


async def test_all_that_a_filter_finds_is_acknowledged_at_once(house: House, crew: httpx2.AsyncClient) -> None:
    house.engine(event(), event(rule="CH-04", equipment="tank-2", severity=Severity.P3))
    page = (await crew.get("/alarms?severity=P2", headers=HTML)).text
    matching = re.search(r'name="matching" value="([^"]+)"', page)
    newest = re.search(r'name="up_to" value="(\d+)"', page)
    assert matching is not None
    assert newest is not None
    form = {"matching": matching.group(1).replace("&#34;", '"'), "up_to": newest.group(1)}
    assert (await crew.post("/alarms/acknowledge", data=form)).status_code == 303
    waiting = text_of((await crew.get("/alarms?view=unacked", headers=HTML)).text)
    assert "一号水箱" not in waiting
    assert "二号水箱" in waiting


async def test_a_shelved_alarm_has_its_tab_and_says_until_when_and_why(house: House, crew: httpx2.AsyncClient) -> None:
    house.engine(event())
    form = {"id": "1", "reason": "检修中", "next": "/alarms?view=shelved"}
    assert (await crew.post("/alarms/shelve", data=form)).status_code == 303
    assert "一号水箱" not in text_of((await crew.get("/alarms", headers=HTML)).text)
    page = text_of((await crew.get("/alarms?view=shelved", headers=HTML)).text)
    assert "搁置至 13:00：检修中（a crew）" in page
    await crew.post("/alarms/unshelve", data={"id": "1"})
    assert "一号水箱" in text_of((await crew.get("/alarms", headers=HTML)).text)


async def test_shelving_a_p1_is_refused_in_words(house: House, crew: httpx2.AsyncClient) -> None:
    house.engine(event(severity=Severity.P1))
    answer = await crew.post("/alarms/shelve", data={"id": "1", "reason": "检修中"}, headers=HTML)
    assert answer.status_code == 409


async def test_an_alarm_that_went_away_waits_among_those_returned(house: House, crew: httpx2.AsyncClient) -> None:
    house.engine(event(severity=Severity.P4), event(EventKind.CLEARED, T0 + 5 * MINUTE, severity=Severity.P4))
    assert "一号水箱" not in text_of((await crew.get("/alarms", headers=HTML)).text)
    page = text_of((await crew.get("/alarms?view=returned", headers=HTML)).text)
    assert "已恢复 10:05" in page


async def test_a_page_of_an_alarm_has_evidence_causes_and_first_checks(
    house: House, viewer: httpx2.AsyncClient
) -> None:
    house.engine(event(severity=Severity.P4))
    page = text_of((await viewer.get("/alarms/1", headers=HTML)).text)
    assert "39.0 ℃" in page
    assert "加热器坏" in page
    assert "看加热器" in page
    assert "以前没有过" in page


async def test_a_viewer_may_not_acknowledge(house: House) -> None:
    house.engine(event())
    async with house.client(Role.VIEWER) as viewer:
        assert (await viewer.post("/alarms/acknowledge", data={"id": "1"})).status_code == 403
        assert 'type="checkbox"' not in (await viewer.get("/alarms", headers=HTML)).text


async def test_empty_fields_of_the_filter_form_ask_for_everything(house: House, crew: httpx2.AsyncClient) -> None:
    house.engine(event())
    answer = await crew.get("/alarms?view=all&severity=&area=&q=", headers=HTML)
    assert answer.status_code == 200
    assert "一号水箱" in text_of(answer.text)

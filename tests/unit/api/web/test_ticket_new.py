"""Tickets by hand over the real app: on an alarm, on a machine, and what is wrong said beside what was typed."""

from __future__ import annotations

from uuid import uuid4

import httpx2

from maintenance.ledger import queries
from maintenance.people import Role
from plant.severity import Severity
from tests.unit.api.house import House, event

HTML = {"accept": "text/html"}


async def test_an_alarm_without_a_ticket_gets_one_that_its_rule_can_prove(
    house: House, crew: httpx2.AsyncClient
) -> None:
    house.engine(event(severity=Severity.P4))
    assert 'href="/tickets/new?alarm=1"' in (await crew.get("/alarms/1", headers=HTML)).text
    form = (await crew.get("/tickets/new?alarm=1", headers=HTML)).text
    assert 'value="水温低"' in form

    key = str(uuid4())
    fields = {"key": key, "alarm": "1", "title": "水温低", "severity": "3"}
    sent = [await crew.post("/tickets/new", data=fields, headers=HTML) for _ in range(2)]

    (made,) = house.ledger.read(queries.list_tickets).items
    assert [answer.headers["location"] for answer in sent] == [f"/tickets/{made.id}"] * 2
    assert (made.rule, made.severity, made.opened_by) == ("BH-01", Severity.P3, "a crew")
    again = await crew.post("/tickets/new", data=fields | {"key": str(uuid4())}, headers=HTML)
    assert (again.status_code, "这条告警已有未完成的工单" in again.text) == (409, True)


async def test_a_machine_gets_a_ticket_and_what_is_missing_is_said(house: House, crew: httpx2.AsyncClient) -> None:
    assert '<option value="tank-1" selected>' in (await crew.get("/tickets/new?equipment=tank-1", headers=HTML)).text
    fields = {"key": str(uuid4()), "equipment": "tank-1", "title": "", "severity": "4"}
    empty = await crew.post("/tickets/new", data=fields, headers=HTML)
    nowhere = await crew.post("/tickets/new", data=fields | {"equipment": "", "title": "刷漆 <b>"}, headers=HTML)
    urgent = await crew.post("/tickets/new", data=fields | {"title": "x", "severity": "1"}, headers=HTML)
    gone = await crew.post("/tickets/new", data=fields | {"equipment": "tank-0", "title": "x"}, headers=HTML)
    assert [answer.status_code for answer in (empty, nowhere, urgent, gone)] == [400, 400, 400, 404]
    assert 'value="刷漆 &lt;b&gt;"' in nowhere.text
    assert house.ledger.read(queries.list_tickets).items == ()

    await crew.post("/tickets/new", data=fields | {"title": "刷漆"}, headers=HTML)
    (made,) = house.ledger.read(queries.list_tickets).items
    assert (made.equipment, made.rule, made.title, made.severity) == ("tank-1", None, "刷漆", Severity.P4)


async def test_a_viewer_opens_none(house: House) -> None:
    async with house.client(Role.VIEWER) as viewer:
        assert (await viewer.get("/tickets/new", headers=HTML)).status_code == 403
        assert "/tickets/new" not in (await viewer.get("/tickets", headers=HTML)).text

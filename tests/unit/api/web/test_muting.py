"""Work on a machine from its page: notices held, said on the page, and ended again."""

from __future__ import annotations

import httpx2

from maintenance.ledger import mutes, outbox
from maintenance.ledger.rows import NoticeState
from maintenance.people import Role
from plant.severity import Severity
from tests.unit.api.house import HOUR, T0, House, event

HTML = {"accept": "text/html"}
NOW = T0 + HOUR


async def test_a_machine_is_muted_for_two_hours_and_told_of_again(house: House, crew: httpx2.AsyncClient) -> None:
    assert (await crew.post("/equipment/tank-1/mute", data={"hours": "2"}, headers=HTML)).status_code == 303
    shown = (await crew.get("/equipment/tank-1", headers=HTML)).text
    assert "检修静默至 13:00" in shown
    house.engine(event(), event(rule="BH-05", severity=Severity.P1), now=NOW)
    assert {notice.state for notice in house.ledger.read(outbox.listed)} == {NoticeState.HELD, NoticeState.WAITING}

    for _ in range(2):
        assert (await crew.post("/equipment/tank-1/unmute", headers=HTML)).status_code == 303
    assert house.ledger.read(mutes.in_force, NOW) == []
    assert {notice.state for notice in house.ledger.read(outbox.listed)} == {NoticeState.WAITING}


async def test_a_machine_that_is_gone_or_a_viewer_mutes_nothing(house: House, crew: httpx2.AsyncClient) -> None:
    assert (await crew.post("/equipment/tank-0/mute", data={"hours": "2"}, headers=HTML)).status_code == 404
    async with house.client(Role.VIEWER) as viewer:
        assert (await viewer.post("/equipment/tank-1/mute", data={"hours": "2"}, headers=HTML)).status_code == 403
        assert "检修静默" not in (await viewer.get("/equipment/tank-1", headers=HTML)).text

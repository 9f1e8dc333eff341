"""The desk over HTTP: alarms acknowledged and shelved, tickets by people, chips, and reports without an account."""

from __future__ import annotations

import httpx2
import pytest

from maintenance.people import Role
from plant.severity import Severity
from tests.unit.api.house import House, event

API = "/api/v1"
FIRST = "WO-20261123-001"
KEY = "0b4e3a52-7f6e-4a3f-9a51-3f6d7a1c2b10"


# Alarms


async def test_alarms_are_acknowledged_one_by_one_in_bulk_and_by_filter(house: House, crew: httpx2.AsyncClient) -> None:
    house.engine(*(event(equipment=f"fan-{n}", severity=Severity.P4) for n in range(4)))

    one = await crew.post(f"{API}/alarms/1/acknowledge")
    both = await crew.post(f"{API}/alarms/acknowledge", json={"ids": [1, 2]})
    rest = await crew.post(f"{API}/alarms/acknowledge", json={"filter": {"state": "unacked"}, "up_to": 3})

    assert one.json() == {"alarms": 1, "already": 0, "remaining": 0}
    assert both.json() == {"alarms": 1, "already": 1, "remaining": 0}
    assert rest.json() == {"alarms": 1, "already": 0, "remaining": 0}
    listed = (await crew.get(f"{API}/alarms")).json()["items"]
    assert [alarm["acknowledged_by"] for alarm in listed] == [None, "a crew", "a crew", "a crew"]
    assert listed[1]["acknowledged_at"] == "2026-11-23T03:00:00Z"


@pytest.mark.parametrize(
    "body",
    [{}, {"ids": [1], "filter": {}, "up_to": 1}, {"filter": {}}, {"ids": list(range(1, 302))}, {"ids": [0]}],
    ids=["nothing", "both", "a filter that ends nowhere", "301", "no number"],
)
async def test_a_bulk_that_is_unclear_is_422(crew: httpx2.AsyncClient, body: dict[str, object]) -> None:
    assert (await crew.post(f"{API}/alarms/acknowledge", json=body)).status_code == 422


async def test_alarms_are_found_by_area_type_and_words_in_both_languages(
    house: House, crew: httpx2.AsyncClient
) -> None:
    house.engine(event(), event(equipment="elsewhere", rule="XX-01", severity=Severity.P3))

    async def found(query: str) -> list[str]:
        return [alarm["equipment"] for alarm in (await crew.get(f"{API}/alarms?{query}")).json()["items"]]

    assert await found("area=bath") == ["tank-1"]
    assert await found("area=bat") == []
    assert await found("type=hot_water_tank") == ["tank-1"]
    assert await found("text=一号") == ["tank-1"]
    assert await found("text=too%20COLD") == ["tank-1"]
    assert await found("text=nothing") == []
    assert await found("severity=P2&state=unacked") == ["tank-1"]


async def test_counts_for_badges(house: House, crew: httpx2.AsyncClient) -> None:
    house.engine(event(), event(equipment="tank-2"))
    await crew.post(f"{API}/alarms/1/acknowledge")
    await crew.post(f"{API}/alarms/2/shelve", json={"minutes": 120, "reason": "chatters"})

    assert (await crew.get(f"{API}/alarms/counts?area=bath")).json() == {
        "active": 2,
        "unacked": 1,
        "acked": 1,
        "returned": 0,
        "shelved": 1,
    }


async def test_a_shelved_alarm_says_until_when_and_comes_off_again(house: House, crew: httpx2.AsyncClient) -> None:
    house.engine(event())

    put = await crew.post(f"{API}/alarms/1/shelve", json={"minutes": 120, "reason": "chatters"})
    assert put.status_code == 200
    assert (put.json()["rule"], put.json()["until"], put.json()["author"]) == (
        "BH-01",
        "2026-11-23T05:00:00Z",
        "a crew",
    )
    assert len((await crew.get(f"{API}/alarms?shelved=true")).json()["items"]) == 1

    assert (await crew.post(f"{API}/alarms/1/unshelve")).status_code == 204
    assert (await crew.get(f"{API}/alarms?shelved=true")).json()["items"] == []
    assert (await crew.get(f"{API}/mutes")).json() == []


async def test_a_p1_is_not_shelved(house: House, crew: httpx2.AsyncClient) -> None:
    house.engine(event(severity=Severity.P1))
    refused = await crew.post(f"{API}/alarms/1/shelve", json={"minutes": 5, "reason": "x"})
    assert refused.status_code == 409
    assert "P1 or guards people's safety" in refused.json()["detail"]


async def test_work_on_a_machine_mutes_it_until_it_ends(house: House, crew: httpx2.AsyncClient) -> None:
    asked = {"equipment": "tank-1", "minutes": 120, "reason": "检修 2 小时"}
    made = (await crew.post(f"{API}/mutes", json=asked)).json()
    assert (made["rule"], made["until"]) == (None, "2026-11-23T05:00:00Z")
    assert [mute["id"] for mute in (await crew.get(f"{API}/mutes?equipment=tank-1")).json()] == [made["id"]]

    ended = (await crew.post(f"{API}/mutes/{made['id']}/end")).json()
    assert (ended["ended_by"], (await crew.get(f"{API}/mutes")).json()) == ("a crew", [])
    assert (await crew.post(f"{API}/mutes", json=asked | {"equipment": "tank-0"})).status_code == 404


# Tickets by people


async def test_a_p4_becomes_a_ticket_that_its_rule_can_prove(house: House, crew: httpx2.AsyncClient) -> None:
    house.engine(event(severity=Severity.P4))
    made = await crew.post(f"{API}/tickets", json={"alarm": 1, "title": "descale", "severity": "P4", "key": KEY})
    assert made.status_code == 201
    assert (made.json()["rule"], made.json()["equipment"]) == ("BH-01", "tank-1")

    again = await crew.post(f"{API}/tickets", json={"alarm": 1, "title": "descale", "severity": "P4", "key": KEY})
    assert again.json()["id"] == made.json()["id"]
    another = await crew.post(f"{API}/tickets", json={"alarm": 1, "title": "descale", "severity": "P4"})
    assert another.status_code == 409


async def test_a_ticket_out_of_nothing_is_on_a_machine_that_is_there(house: House, crew: httpx2.AsyncClient) -> None:
    body = {"equipment": "tank-1", "title": "paint it", "severity": "P4"}
    assert (await crew.post(f"{API}/tickets", json=body)).json()["rule"] is None
    for wrong in ({"equipment": "tank-0"}, {"equipment": "nowhere"}):
        assert (await crew.post(f"{API}/tickets", json=body | wrong)).status_code == 404
    assert (await crew.post(f"{API}/tickets", json=body | {"alarm": 1})).status_code == 422


async def test_chips_and_assignment_carry_the_version_and_explain_a_conflict(
    house: House, crew: httpx2.AsyncClient
) -> None:
    house.engine(event())
    url = f"{API}/tickets/{FIRST}"
    assert (await crew.post(f"{url}/assignee", json={"assignee": "wang", "version": 1})).json()["assignee"] == "wang"
    assert (await crew.post(f"{url}/verdict", json={"verdict": "real", "version": 2})).json()["verdict"] == "real"
    cause = await crew.post(f"{url}/cause", json={"cause_code": "fouling", "version": 3, "key": KEY})
    assert cause.json()["cause_code"] == "fouling"

    for path, body in (
        ("assignee", {"assignee": None}),
        ("verdict", {"verdict": "false"}),
        ("cause", {"cause_code": "leak"}),
    ):
        late = await crew.post(f"{url}/{path}", json=body | {"version": 1})
        assert late.status_code == 409
        assert (late.json()["state"], late.json()["version"]) == ("open", 4)
        assert "the last change was by a crew at 2026-11-23T03:00:00Z" in late.json()["detail"]

    repeated = await crew.post(f"{url}/cause", json={"cause_code": "fouling", "version": 3, "key": KEY.upper()})
    assert (repeated.status_code, repeated.json()["version"]) == (200, 4)


async def test_on_hold_says_what_it_waits_for(house: House, crew: httpx2.AsyncClient) -> None:
    house.engine(event())
    url = f"{API}/tickets/{FIRST}/transitions"
    held = await crew.post(url, json={"to": "on_hold", "version": 1, "waiting_for": "parts"})
    assert (held.json()["state"], held.json()["waiting_for"]) == ("on_hold", "parts")
    assert (await crew.post(url, json={"to": "in_progress", "version": 2, "key": "no uuid"})).status_code == 422


async def test_tickets_are_found_by_area_type_and_words(house: House, crew: httpx2.AsyncClient) -> None:
    house.engine(event(), event(equipment="elsewhere", rule="XX-01"))

    async def found(query: str) -> list[str]:
        return [ticket["equipment"] for ticket in (await crew.get(f"{API}/tickets?{query}")).json()["items"]]

    assert await found("area=bath") == ["tank-1"]
    assert await found("type=hot_water_tank") == ["tank-1"]
    assert await found("text=water%20TOO") == ["tank-1"]
    assert await found(f"text={FIRST.lower()}") == ["tank-1"]
    assert await found("text=%25") == []


# Without an account


async def code_of(crew: httpx2.AsyncClient, equipment: str) -> str:
    labels = (await crew.get(f"{API}/labels")).json()
    return next(str(label["code"]) for label in labels if label["equipment"] == equipment)


async def test_labels_are_the_same_every_time_and_leave_out_what_is_retired(crew: httpx2.AsyncClient) -> None:
    labels = (await crew.get(f"{API}/labels")).json()
    assert [label["path"] for label in labels] == ["bath/tank-one", "bath/tank-two"]
    assert (await crew.get(f"{API}/labels")).json() == labels


async def test_anybody_learns_from_a_label_what_the_machine_is_and_how_it_stands(
    house: House, crew: httpx2.AsyncClient
) -> None:
    code = await code_of(crew, "tank-1")
    house.engine(event())
    async with house.client(None) as anybody:
        shown = (await anybody.get(f"{API}/codes/{code.lower()}")).json()
        assert (await anybody.get(f"{API}/codes/ABCD")).status_code == 400
        assert (await anybody.get(f"{API}/codes/ABCDEFGH")).status_code == 404
    assert shown == {
        "code": code,
        "equipment": "tank-1",
        "path": "bath/tank-one",
        "name": {"zh": "一号水箱", "en": "Tank 1"},
        "severity": "P2",
        "ticket": FIRST,
        "state": "open",
    }


async def test_a_report_without_an_account_and_what_became_of_it(house: House, crew: httpx2.AsyncClient) -> None:
    code = await code_of(crew, "tank-2")
    told = {"phrase": "no_hot_water", "text": "二楼", "phone": "138-0000", "token": "a" * 32}
    async with house.client(None) as anybody:
        made = await anybody.post(f"{API}/codes/{code}/reports", json=told)
        again = await anybody.post(f"{API}/codes/{code}/reports", json=told)
        other = await anybody.post(f"{API}/codes/{code}/reports", json={"phrase": "too_cold"})
        status = (await anybody.get(f"{API}/reports/{'a' * 32}")).json()
        private = await anybody.get(f"{API}/tickets/{made.json()['ticket']}")

    assert made.status_code == 201
    assert made.json() == again.json() == {"ticket": FIRST, "token": "a" * 32, "merged": False}
    assert (other.json()["ticket"], other.json()["merged"]) == (FIRST, True)
    assert len(other.json()["token"]) >= 32
    assert private.status_code == 401
    assert status == {
        "ticket": FIRST,
        "reported_at": "2026-11-23T03:00:00Z",
        "phrase": "no_hot_water",
        "state": "open",
        "resolution": None,
        "closed_at": None,
    }


async def test_the_phone_of_a_reporter_is_for_the_crew_only(house: House, crew: httpx2.AsyncClient) -> None:
    code = await code_of(crew, "tank-1")
    async with house.client(None) as anybody:
        await anybody.post(f"{API}/codes/{code}/reports", json={"phrase": "leak", "phone": "138-0000"})

    seen = (await crew.get(f"{API}/tickets/{FIRST}")).json()["reports"]
    async with house.client(Role.VIEWER) as viewer:
        hidden = (await viewer.get(f"{API}/tickets/{FIRST}")).text
    assert [report["phone"] for report in seen] == ["138-0000"]
    assert "138-0000" not in hidden


async def test_before_the_first_tick_nothing_can_be_reported(house: House, crew: httpx2.AsyncClient) -> None:
    code = await code_of(crew, "tank-1")
    house.stop_clock()
    refused = await crew.post(f"{API}/codes/{code}/reports", json={"phrase": "leak"})
    assert refused.status_code == 503

"""Tickets and alarms over HTTP: what is shown, what a move answers, and pages that do not shift."""

from __future__ import annotations

import json

import httpx2
import pytest

from maintenance.ledger import Reject
from maintenance.people import Role
from plant.severity import Severity
from rules.events import EventKind
from tests.unit.api.house import HASH, HOUR, MINUTE, PROOF, T0, House, event

TICKETS = "/api/v1/tickets"
FIRST = "WO-20261123-001"


async def _move(client: httpx2.AsyncClient, id: str, **body: object) -> httpx2.Response:
    return await client.post(f"{TICKETS}/{id}/transitions", json=body)


async def test_a_raised_alarm_is_a_ticket_with_its_proof_timeline_and_moves(
    house: House, crew: httpx2.AsyncClient
) -> None:
    house.engine(event())
    shown = (await crew.get(f"{TICKETS}/{FIRST}")).json()
    assert shown["equipment"] == "tank-1"
    assert shown["rule"] == "BH-01"
    assert shown["severity"] == "P2"
    assert shown["state"] == "open"
    assert shown["opened_at"] == "2026-11-23T02:00:00Z"
    assert shown["ack_due"] == "2026-11-23T02:30:00Z"  # P2: 30 min
    assert [line["kind"] for line in shown["timeline"]] == ["raised", "opened"]
    assert shown["proof_hash"] == HASH
    assert shown["proof"] == json.loads(PROOF)
    assert shown["alarms"][0]["onset_at"] == "2026-11-23T01:50:00Z"
    assert shown["verification"] == {"counted_ms": 0, "needed_ms": 0, "verify_by": None, "verified_at": None}
    assert shown["allowed"] == [
        {"to": "acknowledged", "needs": []},
        {"to": "in_progress", "needs": []},
        {"to": "on_hold", "needs": ["a reason"]},
    ]


async def test_a_proof_is_found_by_its_hash(house: House, viewer: httpx2.AsyncClient) -> None:
    house.engine(event())
    assert (await viewer.get(f"/api/v1/proofs/{HASH}")).json() == json.loads(PROOF)
    assert (await viewer.get(f"/api/v1/proofs/{'0' * 64}")).status_code == 404


async def test_a_viewer_has_no_moves(house: House, viewer: httpx2.AsyncClient) -> None:
    house.engine(event())
    assert (await viewer.get(f"{TICKETS}/{FIRST}")).json()["allowed"] == []


async def test_done_starts_the_verification_and_its_progress_shows(house: House, crew: httpx2.AsyncClient) -> None:
    house.engine(event())
    assert (await _move(crew, FIRST, to="in_progress", version=1)).json()["version"] == 2
    done = await _move(crew, FIRST, to="verifying", version=2)
    assert done.status_code == 200
    assert done.json()["done_at"] == "2026-11-23T03:00:00Z"  # the plant time of the live view
    assert [command.action for command in house.ledger.pending_commands()] == ["verify_start"]
    shown = (await crew.get(f"{TICKETS}/{FIRST}")).json()
    assert shown["verification"]["verify_by"] == "2026-11-26T03:00:00Z"  # P2: 3 d
    assert shown["timeline"][-1]["author"] == "a crew"


async def test_an_old_version_is_409_with_where_it_stands_now(house: House, crew: httpx2.AsyncClient) -> None:
    house.engine(event())
    await _move(crew, FIRST, to="acknowledged", version=1)
    late = await _move(crew, FIRST, to="in_progress", version=1)
    assert late.status_code == 409
    problem = late.json()
    assert problem["type"] == "urn:dutyroom:problem:conflict"
    assert (problem["state"], problem["version"]) == ("acknowledged", 2)
    assert [move["to"] for move in problem["allowed"]] == ["in_progress", "on_hold"]
    assert "you saw version 1" in problem["detail"]


async def test_a_move_the_table_does_not_have_is_409_naming_those_it_has(
    house: House, crew: httpx2.AsyncClient
) -> None:
    house.engine(event())
    answer = await _move(crew, FIRST, to="verifying", version=1)
    assert answer.status_code == 409
    assert [move["to"] for move in answer.json()["allowed"]] == ["acknowledged", "in_progress", "on_hold"]


async def test_a_move_of_engineers_is_403_for_crews(house: House, crew: httpx2.AsyncClient) -> None:
    house.engine(event())
    answer = await _move(crew, FIRST, to="cancelled", version=1, reason="no such tank")
    assert answer.status_code == 403


async def test_a_move_without_its_reason_is_400(house: House, crew: httpx2.AsyncClient) -> None:
    house.engine(event())
    answer = await _move(crew, FIRST, to="on_hold", version=1)
    assert answer.status_code == 400
    assert "needs a reason" in answer.json()["detail"]


async def test_an_engineer_cancels_with_reason_and_resolution(house: House, engineer: httpx2.AsyncClient) -> None:
    house.engine(event())
    answer = await _move(
        engineer, FIRST, to="cancelled", version=1, reason="probe in the sun", resolution="false_alarm"
    )
    assert (answer.json()["state"], answer.json()["resolution"]) == ("cancelled", "false_alarm")


async def test_an_unknown_ticket_is_404(house: House, crew: httpx2.AsyncClient) -> None:
    assert (await crew.get(f"{TICKETS}/WO-1")).status_code == 404
    assert (await _move(crew, "WO-1", to="acknowledged", version=1)).status_code == 404


async def test_before_the_first_tick_nothing_can_be_dated(house: House, crew: httpx2.AsyncClient) -> None:
    house.engine(event())
    house.stop_clock()
    answer = await _move(crew, FIRST, to="acknowledged", version=1)
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "5"


async def test_comments_land_on_the_timeline(house: House, crew: httpx2.AsyncClient) -> None:
    house.engine(event())
    answer = await crew.post(f"{TICKETS}/{FIRST}/comments", json={"text": " 加热器跳闸 "})
    assert (answer.status_code, answer.content) == (204, b"")
    last = (await crew.get(f"{TICKETS}/{FIRST}")).json()["timeline"][-1]
    assert (last["kind"], last["text"], last["author"]) == ("commented", "加热器跳闸", "a crew")


async def test_an_empty_comment_is_422(house: House, crew: httpx2.AsyncClient) -> None:
    house.engine(event())
    answer = await crew.post(f"{TICKETS}/{FIRST}/comments", json={"text": " \n"})
    assert answer.status_code == 422


async def test_pages_do_not_shift_while_tickets_are_added(house: House, viewer: httpx2.AsyncClient) -> None:
    for number in range(5):
        house.engine(event(rule=f"BH-0{number}"))
    seen, cursor = [], ""
    for page_number in range(3):
        page = (await viewer.get(f"{TICKETS}?limit=2{cursor}")).json()
        seen += [ticket["rule"] for ticket in page["items"]]
        cursor = f"&cursor={page['next']}"
        house.engine(event(rule=f"BH-1{page_number}"))
    assert seen == ["BH-04", "BH-03", "BH-02", "BH-01", "BH-00"]
    assert page["next"] is None


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["EL-01", "BH-01"]),
        ("state=open", ["EL-01"]),
        ("state=open&state=acknowledged", ["EL-01", "BH-01"]),
        ("state=closed", []),
        ("severity=P1", ["EL-01"]),
        ("severity=P3", ["EL-01", "BH-01"]),
        ("equipment=tank-1", ["BH-01"]),
        ("rule=EL-01", ["EL-01"]),
        ("since=2026-11-23T02:00:01Z", []),
        ("since=2026-11-23T10:00:00%2B08:00", ["EL-01", "BH-01"]),
        ("since=2026-11-23T10:00:00+08:00", ["EL-01", "BH-01"]),
    ],
)
async def test_filters_of_tickets(house: House, crew: httpx2.AsyncClient, query: str, expected: list[str]) -> None:
    house.engine(event(), event(equipment="tank-2", rule="EL-01", severity=Severity.P1))
    await _move(crew, FIRST, to="acknowledged", version=1)
    page = (await crew.get(f"{TICKETS}?{query}")).json()
    assert [ticket["rule"] for ticket in page["items"]] == expected


@pytest.mark.parametrize(
    "query", ["state=lost", "severity=P5", "limit=0", "limit=1001", "cursor=x", "since=soon", "colour=red"]
)
async def test_a_filter_that_cannot_be_meant_is_422(quiet_house: House, query: str) -> None:
    async with quiet_house.client() as client:
        answer = await client.get(f"{TICKETS}?{query}")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["where"].startswith(f"query.{query.partition('=')[0]}")


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["EL-01", "BH-01"]),
        ("state=active", ["EL-01"]),
        ("state=cleared", ["BH-01"]),
        ("severity=P2", ["BH-01"]),
        ("mode=observe", []),
        (f"ticket={FIRST}", ["BH-01"]),
    ],
)
async def test_filters_of_alarms(house: House, viewer: httpx2.AsyncClient, query: str, expected: list[str]) -> None:
    house.engine(
        event(),
        event(equipment="tank-2", rule="EL-01", severity=Severity.P4),
        event(EventKind.CLEARED, T0 + MINUTE),
    )
    page = (await viewer.get(f"/api/v1/alarms?{query}")).json()
    assert [alarm["rule"] for alarm in page["items"]] == expected


async def test_a_reset_is_handed_to_the_engine_once_the_alarm_is_there(house: House, crew: httpx2.AsyncClient) -> None:
    assert (await crew.post("/api/v1/alarms/1/reset")).status_code == 404
    house.engine(event())
    answer = await crew.post("/api/v1/alarms/1/reset")
    (command,) = house.ledger.pending_commands()
    assert (answer.status_code, answer.json()) == (202, {"command": command.id})
    assert (command.action, command.equipment, command.rule, command.author) == ("reset", "tank-1", "BH-01", "a crew")


async def test_a_reset_of_a_cleared_alarm_is_409(house: House, crew: httpx2.AsyncClient) -> None:
    house.engine(event(), event(EventKind.CLEARED, T0 + HOUR))
    assert (await crew.post("/api/v1/alarms/1/reset")).status_code == 409


async def test_rejects_show_bytes_as_they_came(house: House, engineer: httpx2.AsyncClient) -> None:
    broken = Reject(7, T0, "a/b", b"\xff\x00", "not_utf8", "byte 0")
    text = Reject(8, T0 + 1, "a/c", "温度".encode(), "not_json", "")
    third = Reject(9, T0 + 2, "a/d", b"{", "not_json", "")
    house.engine(rejects=(broken, text, third))
    first = (await engineer.get("/api/v1/rejects?limit=2")).json()
    assert [item["offset"] for item in first["items"]] == [9, 8]
    assert first["items"][1]["payload_text"] == "温度"
    rest = (await engineer.get(f"/api/v1/rejects?limit=2&cursor={first['next']}")).json()
    assert rest["next"] is None
    assert rest["items"] == [
        {
            "offset": 7,
            "received_at": "2026-11-23T02:00:00Z",
            "topic": "a/b",
            "reason": "not_utf8",
            "detail": "byte 0",
            "payload_base64": "/wA=",
            "payload_text": None,
        }
    ]
    only = (await engineer.get("/api/v1/rejects?reason=not_utf8")).json()
    assert [item["offset"] for item in only["items"]] == [7]


async def test_every_role_of_people_is_told_its_own_moves(house: House) -> None:
    house.engine(event())
    async with house.client(Role.ENGINEER) as client:
        allowed = (await client.get(f"{TICKETS}/{FIRST}")).json()["allowed"]
    assert {"to": "cancelled", "needs": ["a reason"]} in allowed

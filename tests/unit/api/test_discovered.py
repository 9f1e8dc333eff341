"""What nobody has bound over the API: seen, suggested, bound, put aside."""

from __future__ import annotations

import json

import httpx2
import pytest

from dutyroom.content import Content
from history.entries import Message
from ingest.bindings import Bindings
from ingest.discovery import Discovery
from maintenance.ledger import discovered
from maintenance.ledger.discovered import Redecoded
from maintenance.people import Role
from plant.catalogue import Text
from plant.cataloguefile import load_catalogue
from plant.site import Equipment, Plant, Site
from tests.unit.api.house import T0, House

PREFIX = "/api/v1/discovered"
SHELLY = {
    "src": "shellypro3em-08f9e0e5c790",
    "method": "NotifyStatus",
    "params": {"ts": T0 / 1000, "em:0": {"id": 0, "a_voltage": 231.2, "a_current": 4.2, "total_act_power": 920.0}},
}


@pytest.fixture
def found(house: House) -> House:
    """A site of one feeder, with meters that speak and that nobody has bound."""
    feeder = Equipment("f-1", "lv/f-1", "lv_feeder", Text("1 号馈线", "Feeder 1"))
    plant = Plant(load_catalogue(), Site("demo", "Asia/Shanghai", Text("", ""), {"f-1": feeder}))
    house.now_plant = plant
    house.ledger.add_config(Content.of(plant, ()).encode(), "test", T0)
    discovery = Discovery(Bindings(plant))
    for offset, name in enumerate(("08f9e0e5c790", "08f9e0e5c791"), 1):
        body = json.dumps(SHELLY | {"src": f"shellypro3em-{name}"}).encode()
        discovery.observe(offset, Message(T0 + offset, f"shellypro3em-{name}/events/rpc", body))
    discovery.observe(3, Message(T0, "raw/1", b"\xff\xfe"))
    changed, gone = discovery.take_changes()
    house.ledger.write(discovered.keep, changed, gone, site="demo", offset=3)
    return house


async def family(client: httpx2.AsyncClient, pattern: str = "shellypro3em-*/events/rpc") -> str:
    listed = (await client.get(PREFIX)).json()
    return next(str(one["id"]) for one in listed["items"] if one["pattern"] == pattern)


def accepted(equipment: str = "f-1", **changes: object) -> dict[str, object]:
    binding = {"equipment": equipment, "topic": "shellypro3em-08f9e0e5c790/events/rpc", "key": "em:0.a_voltage"}
    return {"bindings": [binding | {"point": "voltage_l1", "unit": "V"} | changes]}


async def test_families_are_listed_with_what_is_wrong_with_them(found: House, engineer: httpx2.AsyncClient) -> None:
    listed = (await engineer.get(PREFIX)).json()
    by_pattern = {one["pattern"]: one for one in listed["items"]}
    assert by_pattern["shellypro3em-*/events/rpc"]["sources"] == 2
    assert by_pattern["shellypro3em-*/events/rpc"]["decoder"] == "shelly"
    assert "UTF-8" in by_pattern["raw/*"]["trouble"]
    assert listed["discover"] == []


async def test_a_known_model_is_named_and_its_points_suggested_with_reasons(
    found: House, engineer: httpx2.AsyncClient
) -> None:
    one = (await engineer.get(f"{PREFIX}/{await family(engineer)}")).json()
    assert one["type"] == "lv_feeder"
    by_name = {row["name"]: row for row in one["suggested"]}
    assert by_name["em:0.a_voltage"]["chosen"]["point"] == "voltage_l1"
    assert by_name["em:0.total_act_power"]["chosen"] | {"reasons": None} == {
        "point": "active_power",
        "score": 100,
        "unit": "W",
        "scale": 1.0,
        "reasons": None,
        "offset": 0.0,
        "sentinels": [],
        "time": None,
        "zone": None,
    }
    assert (one["precedents"], one["clock"]) == ([], "device")
    assert any("W → kW" in reason["en"] for reason in by_name["em:0.total_act_power"]["chosen"]["reasons"])
    assert json.loads(one["payload"])["method"] == "NotifyStatus"


async def test_accepting_puts_the_binding_in_force_and_says_what_became_of_the_past(
    found: House, engineer: httpx2.AsyncClient
) -> None:
    answer = await engineer.post(f"{PREFIX}/{await family(engineer)}/accept", json=accepted())
    assert answer.status_code == 202
    made = answer.json()
    assert (made["equipment"], made["bindings"], made["progress"], made["result"]) == (["f-1"], 1, "waiting", None)
    latest = found.ledger.latest_config()
    assert latest is not None
    (binding,) = Content.decode(latest.content).plant.site.equipment["f-1"].bindings
    assert (binding.decoder, binding.key, binding.device) == ("shelly", "em:0.a_voltage", None)
    (command,) = found.ledger.pending_commands()
    assert command.action == "redecode"
    found.ledger.write(discovered.redecoded, made["id"], Redecoded(7, 7, 0), ("x",), 9)
    later = (await engineer.get(f"/api/v1/acceptances/{made['id']}")).json()
    assert (later["progress"], later["result"]) == ("done", {"messages": 7, "readings": 7, "rejected": 0})


async def test_a_new_machine_may_come_with_it(found: House, engineer: httpx2.AsyncClient) -> None:
    machine = {"id": "f-2", "path": "lv/f-2", "type": "lv_feeder", "zh": "2 号馈线", "en": "Feeder 2"}
    body = accepted("f-2") | {"machines": [machine]}
    assert (await engineer.post(f"{PREFIX}/{await family(engineer)}/accept", json=body)).status_code == 202
    latest = found.ledger.latest_config()
    assert latest is not None
    assert Content.decode(latest.content).plant.site.equipment["f-2"].text.zh == "2 号馈线"


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        (accepted(point="voltage_11"), 400, "did you mean 'voltage_l1'"),
        (accepted(unit="kW"), 400, "no conversion"),
        (accepted(topic="a/#/b"), 400, "no topic"),
        (accepted("f-9"), 404, "there is no equipment 'f-9'"),
        (accepted(decoder="morse"), 400, "morse"),
        ({"bindings": []}, 422, ""),
    ],
)
async def test_what_cannot_be_is_refused_with_what_to_do(
    found: House, engineer: httpx2.AsyncClient, body: dict[str, object], status: int, words: str
) -> None:
    answer = await engineer.post(f"{PREFIX}/{await family(engineer)}/accept", json=body)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert words in answer.text


async def test_a_point_that_is_fed_already_is_a_conflict(found: House, engineer: httpx2.AsyncClient) -> None:
    url = f"{PREFIX}/{await family(engineer)}/accept"
    await engineer.post(url, json=accepted())
    answer = await engineer.post(url, json=accepted())
    assert answer.status_code == 409
    assert "is fed by shellypro3em-08f9e0e5c790/events/rpc" in answer.json()["detail"]


async def test_a_family_is_put_aside_and_back(found: House, engineer: httpx2.AsyncClient) -> None:
    url = f"{PREFIX}/{await family(engineer)}/ignore"
    assert (await engineer.post(url, json={"ignored": True})).json()["ignored_by"] == "a engineer"
    assert (await engineer.post(url, json={"ignored": False})).json()["ignored_by"] is None


async def test_topics_to_listen_to_are_chosen(found: House, engineer: httpx2.AsyncClient) -> None:
    answer = await engineer.post(f"{PREFIX}/listen", json={"filters": ["tele/#"]})
    assert answer.json() == {"filters": ["tele/#"]}
    latest = found.ledger.latest_config()
    assert latest is not None
    assert Content.decode(latest.content).plant.site.discover == ("tele/#",)
    assert (await engineer.post(f"{PREFIX}/listen", json={"filters": ["a+/b"]})).status_code == 400


async def test_it_takes_an_engineer(found: House) -> None:
    async with found.client(Role.CREW) as crew:
        assert (await crew.get(PREFIX)).status_code == 403
        assert (await crew.post(f"{PREFIX}/{'a' * 12}/accept", json=accepted())).status_code == 403


async def test_an_unknown_family_is_not_found(found: House, engineer: httpx2.AsyncClient) -> None:
    assert (await engineer.get(f"{PREFIX}/{'a' * 12}")).status_code == 404

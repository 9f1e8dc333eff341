"""Nothing is lost or made up: what the real service received is what it tells to have become of it, in three places."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

import httpx2
import pytest

from dutyroom.content import Content
from maintenance.ledger import Ledger
from maintenance.people import Role
from plant.catalogue import Text
from plant.cataloguefile import load_catalogue
from plant.site import Equipment, Mode, Plant, PlantClock, Site
from rules.loader import load_pack
from tests.integration.collecting import publish
from tests.integration.test_doctor import doctor
from tests.integration.test_service import service
from tests.support.programs import Mosquitto, free_port, wait_until

pytestmark = pytest.mark.integration

NAME = Text("泵", "pump")
GOOD, BAD, EMPTY, UNKNOWN, MIXED = 40, 7, 5, 3, 2


def put_site(folder: Path, name: str) -> str:
    """A site on the system's clock with one pump; the token of somebody who may look."""
    catalogue = load_catalogue()
    site = Site(name, "UTC", NAME, {"p1": Equipment("p1", "a/p1", "pump", NAME)}, PlantClock.SYSTEM, Mode.LIVE)
    folder.mkdir()
    with Ledger.open(folder / "ledger.db") as ledger:
        ledger.add_config(Content.of(Plant(catalogue, site), load_pack(catalogue=catalogue)).encode(), "test", 0)
        ledger.add_user("chen", Role.ADMIN, author="test", now=0)
        return ledger.add_user("li", Role.ENGINEER, author="test", now=0)


def messages(site: str) -> list[tuple[str, bytes]]:
    """Of every outcome some, and each good frame twice."""
    topic, now = f"dutyroom/v1/{site}/a/p1/telemetry", time.time_ns() // 1_000_000
    good = [json.dumps({"ts": now - n, "points": {"speed": n, "pump_flow": 1}}).encode() for n in range(GOOD, 0, -1)]
    mixed = [json.dumps({"ts": now + n, "points": {"speed": n, "nonsense": 1}}).encode() for n in range(MIXED)]
    return (
        [(topic, body) for body in [*good, *good, *mixed]]
        + [(topic, b"{no json")] * BAD
        + [(topic, b"")] * EMPTY
        + [(f"dutyroom/v1/{site}/a/nobody/telemetry", good[0])] * UNKNOWN
    )


def figures(text: str) -> dict[str, int]:
    """The sums of /metrics that concern messages."""
    found = re.findall(r"^dutyroom_(\w*messages\w*) (\S+)$", text, re.MULTILINE)
    return {name.removesuffix("_total"): int(float(value)) for name, value in found}


def test_three_places_tell_the_same_and_every_message_is_in_it(
    own_mosquitto: Mosquitto, unique_name: str, tmp_path: Path
) -> None:
    folder, port = tmp_path / "data", free_port()
    token = put_site(folder, unique_name)
    own_mosquitto.start()
    sent = messages(unique_name)
    with (
        service(folder, own_mosquitto.url, http_port=port),
        httpx2.Client(base_url=f"http://127.0.0.1:{port}", headers={"Authorization": f"Bearer {token}"}) as http,
    ):

        def seen() -> dict[str, int]:
            try:
                return figures(http.get("/metrics").text)
            except httpx2.TransportError:
                return {}

        wait_until(lambda: seen().get("messages_own", 0) >= 2, seconds=60, what="the service listens")
        publish(own_mosquitto, *sent)
        wait_until(lambda: seen()["messages"] == len(sent), seconds=60, what="all judged")
        told, page = seen(), re.sub(r"<[^>]*>", " ", http.get("/health").raise_for_status().text)
        _, findings = doctor(folder, port, own_mosquitto.url, "--quick")
    assert told["messages_received"] - told["messages_own"] == len(sent)
    expected = {
        "messages": len(sent),
        "read": GOOD + MIXED,
        "refused": BAD + UNKNOWN,
        "empty": EMPTY,
        "repeated": GOOD,
        "flooded": 0,
        "unaccounted": 0,
    }
    names = {"messages": "messages", "unaccounted": "messages_unaccounted"}
    assert {name: told[names.get(name, f"{name}_messages")] for name in expected} == expected
    assert [(item["grade"], item["figures"]) for item in findings["messages"]] == [("ok", expected)]
    words = {"已判读报文": "messages", "有读数报文": "read", "拒收报文": "refused", "超频丢弃报文": "flooded",
             "无读数报文": "empty", "重复报文": "repeated", "去向不明的报文": "unaccounted"}  # fmt: skip
    shown = {name: int(re.findall(rf"(?<!\S){word}\s+(-?\d+)", page)[0]) for word, name in words.items()}
    assert shown == expected

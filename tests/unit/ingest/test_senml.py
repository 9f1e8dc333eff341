"""SenML on its way in: devices are told apart by base name; and a word where a number belongs is a counted reason."""

from __future__ import annotations

import json

from history.entries import Message
from ingest.intake import Intake, Intaken
from ingest.reasons import RejectReason
from plant.site import Binding, Plant
from tests.unit.ingest.plants import GOOD, T0, plant, rows

PACK = [
    {"bn": "urn:dev:ow:1:", "bt": T0 / 1000, "n": "top", "u": "Cel", "v": 55.5},
    {"bn": "urn:dev:ow:2:", "n": "top", "u": "Cel", "v": 44.5},
    {"bn": "urn:dev:ow:1:", "n": "level", "u": "%", "v": "full"},
]


def heard(where: Plant, topic: str, body: object) -> Intaken:
    return Intake(where).feed(1, Message(T0, topic, json.dumps(body).encode()))


def test_each_device_of_a_pack_feeds_its_own_binding() -> None:
    where = plant(
        bindings=(
            Binding("up", "tank_temp_top", key="top", decoder="senml", device="urn:dev:ow:1"),
            Binding("up", "tank_temp_bottom", key="urn:dev:ow:2.top", decoder="senml"),
        )
    )
    taken = heard(where, "up", PACK)
    assert taken.rejected == ()  # nobody has bound the level
    assert rows(where, taken) == [("tank_temp_top", T0, 55.5, *GOOD), ("tank_temp_bottom", T0, 44.5, *GOOD)]


def test_word_for_a_number_is_refused_where_that_number_is_bound() -> None:
    bound = Binding("up", "tank_level", key="level", decoder="senml", device="urn:dev:ow:1")
    taken = heard(plant(bindings=(bound,)), "up", PACK)
    assert [(one.reason, one.detail) for one in taken.rejected] == [
        (RejectReason.NOT_A_VALUE, "level is 'full'; expected a number")
    ]
    assert (len(taken.batch), taken.refused) == (0, 1)


def test_word_of_neuron_is_a_counted_reason_for_a_bound_tag_and_nothing_for_others() -> None:
    where = plant(bindings=(Binding("n", "tank_level", key="level", decoder="neuron"),))
    said = {"node": "s7", "group": "g", "timestamp": T0, "values": {"level": "overflow", "serial": "A-17"}}
    assert [one.detail for one in heard(where, "n", said).rejected] == [
        "level is 'overflow'; expected a number, ON/OFF or true/false"
    ]
    tags = {"node": "s7", "group": "g", "tags": [{"name": "level", "value": 40}, {"name": "serial", "value": "A-17"}]}
    taken = heard(where, "n", tags)
    assert (taken.rejected, rows(where, taken)) == ((), [("tank_level", T0, 40.0, *GOOD)])

"""Sparkplug B: births give aliases their meaning, gaps take it away, deaths end values, and a birth is asked for."""

from __future__ import annotations

import math

import pytest

from history.entries import Message, Tick
from ingest.decoders import FORMATS, decode
from ingest.decoders.sparkplug import EdgeNodes, parse
from ingest.decoders.sparkplug.births import REBIRTH_EVERY_MS
from ingest.decoders.sparkplug.nodes import Came, EdgeState
from ingest.intake import Intake, Intaken
from ingest.reasons import RejectReason
from plant.quality import Quality, Reason
from plant.site import Binding, Plant
from tests.support import sparkplug as sp
from tests.support.sparkplug import EdgeNode, M, payload
from tests.unit.ingest.plants import GOOD, T0, plant, rows

DEVICE = "spBv1.0/plant/DDATA/edge/tank"
NODE = "spBv1.0/plant/+/edge"

OFFLINE = (Quality.BAD, Reason.DEVICE_OFFLINE)


def site() -> Plant:
    return plant(
        bindings=(
            Binding(DEVICE, "tank_temp_top", key="Temp/Top", decoder="sparkplug_b"),
            Binding(DEVICE, "tank_level", key="Level", decoder="sparkplug_b"),
            Binding(DEVICE, "online_status", key="online", decoder="sparkplug_b"),
            Binding(NODE, "heat_total", key="Heat", decoder="sparkplug_b"),
        )
    )


def node() -> EdgeNode:
    return EdgeNode(
        "plant",
        "edge",
        {
            "": {"Heat": (1, sp.UINT64, 5000, None)},
            "tank": {"Temp/Top": (2, sp.FLOAT, 122.0, "degF"), "Level": (3, sp.INT16, 40, None)},
        },
    )


class Listening:
    """An intake, and what each message gave."""

    def __init__(self) -> None:
        self.plant = site()
        self.intake = Intake(self.plant)
        self.offset = 0

    def hear(
        self, *messages: tuple[str, bytes], at: int = T0, retain: bool = False, broker: str = "mqtt://b:1883"
    ) -> Intaken:
        taken = Intaken.nothing()
        for topic, body in messages:
            self.offset += 1
            taken += self.intake.feed(self.offset, Message(at, topic, body, broker=broker, retain=retain))
        return taken

    def tick(self, at: int, *, listening: bool = True) -> list[tuple[str, str]]:
        """(broker, topic) of what is asked at a tick."""
        self.offset += 1
        taken = self.intake.feed(self.offset, Tick(at, listening))
        return [(request.broker, request.topic) for request in taken.requests]

    def rows(self, *messages: tuple[str, bytes], at: int = T0) -> list[tuple[str, int, float, Quality, Reason]]:
        taken = self.hear(*messages, at=at)
        assert [refused.detail for refused in taken.rejected] == []
        return rows(self.plant, taken)


def reasons(taken: Intaken) -> list[RejectReason]:
    return [refused.reason for refused in taken.rejected]


def test_birth_gives_values_units_and_presence() -> None:
    assert Listening().rows(*node().births(T0)) == [
        ("heat_total", T0, 5000.0, *GOOD),
        ("tank_temp_top", T0, pytest.approx(50.0), *GOOD),
        ("tank_level", T0, 40.0, *GOOD),
        ("online_status", T0, 1.0, *GOOD),
    ]


def test_data_by_alias_has_the_name_the_type_and_the_unit_of_the_birth() -> None:
    ear, edge = Listening(), node()
    ear.hear(*edge.births(T0))
    data = edge.data(T0 + 60_000, "tank", **{"Temp/Top": 131.0, "Level": 41})
    assert ear.rows(data, at=T0 + 60_000) == [
        ("tank_temp_top", T0 + 60_000, pytest.approx(55.0), *GOOD),
        ("tank_level", T0 + 60_000, 41.0, *GOOD),
    ]


def test_data_without_any_bound_metric_is_no_fault() -> None:
    ear, edge = Listening(), node()
    ear.hear(*edge.births(T0))
    body = payload(M("Other", sp.DOUBLE, 1.0), ts=T0, seq=edge.seq + 1)
    taken = ear.hear((DEVICE, body))
    assert (taken.rejected, taken.empty) == ((), 1)


def test_running_number_goes_from_255_to_0() -> None:
    ear, edge = Listening(), node()
    ear.hear(*edge.births(T0))
    messages = [edge.data(T0 + n * 1000, "tank", Level=n % 100) for n in range(1, 300)]
    assert len(ear.rows(*messages, at=T0 + 300_000)) == 299


def test_gap_takes_the_meaning_from_aliases_and_asks_for_a_birth_once() -> None:
    ear, edge = Listening(), node()
    ear.hear(*edge.births(T0))
    edge.data(T0, "tank", Level=1)  # lost
    first = ear.hear(edge.data(T0 + 1000, "tank", Level=42), at=T0 + 1000)
    assert reasons(first) == [RejectReason.SEQUENCE_GAP, RejectReason.SEQUENCE_GAP]
    assert "seq 3 came after 1: 1 of" in first.rejected[0].detail
    assert len(first.batch) == 0
    (request,) = first.requests
    assert (request.topic, request.broker, request.offset) == ("spBv1.0/plant/NCMD/edge", "mqtt://b:1883", 3)
    second = ear.hear(edge.data(T0 + 2000, "tank", Level=43), at=T0 + 2000)
    assert (reasons(second), second.requests) == ([RejectReason.SEQUENCE_GAP], ())
    later = ear.hear(edge.data(T0 + 3000, "tank", Level=44), at=T0 + 1000 + REBIRTH_EVERY_MS)
    assert len(later.requests) == 1


def test_bound_metric_that_the_birth_does_not_have_is_told_with_what_was_meant() -> None:
    ear, edge = Listening(), node()
    points = {**edge.points["tank"], "Levels": edge.points["tank"]["Level"]}
    del points["Level"]
    wrong = EdgeNode("plant", "edge", {**edge.points, "tank": points})
    taken = ear.hear(*wrong.births(T0))
    assert [(refused.reason, refused.detail) for refused in taken.rejected] == [
        (
            RejectReason.UNKNOWN_POINT,
            "the birth of plant/edge/tank has no metric 'Level'; did you mean 'Levels'?",
        )
    ]
    assert len(taken.batch) == 3


def test_null_in_a_birth_is_a_metric_that_is_there() -> None:
    ear = Listening()
    body = payload(M("Level", sp.INT16, alias=3, null=True), M("Temp/Top", sp.FLOAT, 50.0), ts=T0, seq=0)
    assert reasons(ear.hear((DEVICE.replace("DDATA", "DBIRTH"), body))) == []


def test_unit_nobody_knows_gives_way_to_that_of_the_binding() -> None:
    on = plant(bindings=(Binding(DEVICE, "tank_temp_top", key="t", decoder="sparkplug_b", unit="degF"),))
    body = payload(M("t", sp.FLOAT, 122.0, ts=T0, properties={"engUnit": "Grad F"}), ts=T0, seq=0)
    taken = Intake(on).feed(1, Message(T0, DEVICE, body))
    assert [row[2] for row in rows(on, taken)] == [pytest.approx(50.0)]


def test_unit_nobody_knows_is_refused_where_the_binding_names_none() -> None:
    on = plant(bindings=(Binding(DEVICE, "tank_temp_top", key="t", decoder="sparkplug_b"),))
    body = payload(M("t", sp.FLOAT, 122.0, ts=T0, properties={"engUnit": "Grad F"}), ts=T0, seq=0)
    assert reasons(Intake(on).feed(1, Message(T0, DEVICE, body))) == [RejectReason.WRONG_UNIT]


def test_flood_is_marked_then_dropped_and_never_takes_the_aliases_meaning() -> None:
    ear, edge = Listening(), node()
    ear.hear(*edge.births(T0), broker="")
    # 60 a minute are nominal; 100 a second use up the allowance of four hours
    flood = []
    for n in range(20_000):
        topic, body = edge.data(T0 + n * 10, "tank", Level=n % 100)
        flood.append((1_000 + n, Message(T0 + n * 10, topic, body)))
    taken = ear.intake.feed_many(flood)
    assert Reason.FLOOD in taken.batch.reason
    assert set(reasons(taken)) == {RejectReason.FLOOD}
    assert taken.flooded > 4_000
    calm = ear.hear(edge.data(T0 + 10**7, "tank", Level=7), at=T0 + 10**7, broker="")
    assert (reasons(calm), [row[2] for row in rows(ear.plant, calm)]) == ([], [7.0])


def test_birth_after_a_gap_makes_everything_good_again() -> None:
    ear, edge = Listening(), node()
    ear.hear(*edge.births(T0))
    edge.data(T0, "tank", Level=1)  # lost
    ear.hear(edge.data(T0 + 1000, "tank", Level=42))
    ear.rows(*edge.births(T0 + 2000))
    assert [row[2] for row in ear.rows(edge.data(T0 + 3000, "tank", Level=43))] == [43.0]


def test_named_value_is_read_after_a_gap_and_the_gap_is_told() -> None:
    ear, edge = Listening(), node()
    ear.hear(*edge.births(T0))
    taken = ear.hear((DEVICE, payload(M("Level", sp.INT16, 44, ts=T0 + 5), ts=T0 + 5, seq=9)))
    assert rows(ear.plant, taken) == [("tank_level", T0 + 5, 44.0, *GOOD)]
    assert reasons(taken) == [RejectReason.SEQUENCE_GAP]


def test_named_whole_number_without_type_is_not_guessed() -> None:
    taken = Listening().hear((DEVICE, payload(M("Level", sp.INT16, -1, typed=False), seq=0)))
    assert (reasons(taken), len(taken.batch)) == ([RejectReason.NOT_BORN], 0)


def test_data_before_any_birth_is_kept_with_its_reason() -> None:
    taken = Listening().hear(node().data(T0, "tank", Level=1))
    assert reasons(taken) == [RejectReason.NOT_BORN]
    assert "alias 3" in taken.rejected[0].detail
    assert len(taken.requests) == 1


def test_alias_the_birth_did_not_define() -> None:
    ear, edge = Listening(), node()
    ear.hear(*edge.births(T0))
    taken = ear.hear((DEVICE, payload(M(None, sp.FLOAT, 1.0, alias=77), seq=2)))
    assert (reasons(taken), len(taken.requests)) == ([RejectReason.UNKNOWN_ALIAS], 1)


def test_aliases_of_an_earlier_birth_are_forgotten() -> None:
    ear, edge = Listening(), node()
    ear.hear(*edge.births(T0))
    moved = EdgeNode("plant", "edge", {**edge.points, "tank": {"Level": (2, sp.INT16, 40, None)}})
    ear.hear(*moved.births(T0 + 1000))
    assert [row[:3] for row in ear.rows(moved.data(T0 + 2000, "tank", Level=41))] == [("tank_level", T0 + 2000, 41.0)]


def test_death_of_the_node_is_the_death_of_its_devices() -> None:
    ear, edge = Listening(), node()
    ear.hear(*edge.births(T0))
    died = ear.rows(edge.death(), at=T0 + 90_000)
    assert [(name, ts, math.isnan(value), *trust) for name, ts, value, *trust in died] == [
        ("heat_total", T0 + 90_000, True, *OFFLINE),
        ("tank_temp_top", T0 + 90_000, True, *OFFLINE),
        ("tank_level", T0 + 90_000, True, *OFFLINE),
        ("online_status", T0 + 90_000, False, *GOOD),
    ]
    assert died[-1][2] == 0.0
    taken = ear.hear(edge.data(T0 + 91_000, "tank", Level=1), at=T0 + 91_000)
    assert reasons(taken) == [RejectReason.NOT_BORN]


def test_will_of_an_earlier_session_kills_nobody() -> None:
    ear, edge = Listening(), node()
    ear.hear(*edge.births(T0))
    late = edge.death()
    edge.bd_seq = 1
    ear.hear(*edge.births(T0 + 1000))
    assert ear.rows(late, at=T0 + 2000) == []
    assert [row[2] for row in ear.rows(edge.data(T0 + 3000, "tank", Level=43))] == [43.0]


def test_death_of_one_device_leaves_the_others() -> None:
    ear, edge = Listening(), node()
    ear.hear(*edge.births(T0))
    edge.seq += 1
    died = ear.rows((edge.topic("DDEATH", "tank"), payload(ts=T0 + 5000, seq=edge.seq)), at=T0 + 5000)
    assert {name for name, *_ in died} == {"tank_temp_top", "tank_level", "online_status"}
    assert [row[0] for row in ear.rows(edge.data(T0 + 6000, "", Heat=5001))] == ["heat_total"]


def test_birth_ends_a_death_even_with_an_older_time() -> None:
    ear, edge = Listening(), node()
    ear.hear(*edge.births(T0))
    ear.hear(edge.death(), at=T0 + 60_000)
    old, top = M("Level", sp.INT16, 40, 3, ts=T0 - 5000), M("Temp/Top", sp.FLOAT, null=True)
    ear.hear((edge.topic("NBIRTH"), payload(M("bdSeq", sp.UINT64, 0), ts=T0 + 70_000, seq=0)))
    back = ear.rows((edge.topic("DBIRTH", "tank"), payload(old, top, ts=T0 + 70_000, seq=1)), at=T0 + 70_000)
    assert ("tank_level", T0 + 70_000, 40.0, *GOOD) in back


def test_redelivery_after_a_restart_changes_nothing() -> None:
    ear, edge = Listening(), node()
    run = [*edge.births(T0), *(edge.data(T0 + n * 1000, "tank", Level=n) for n in (1, 2, 3))]
    ear.hear(*run)
    taken = ear.hear(*run)
    assert (reasons(taken), len(taken.batch), taken.requests) == ([], 0, ())
    assert [row[2] for row in ear.rows(edge.data(T0 + 9000, "tank", Level=4))] == [4.0]


def test_retained_birth_changes_no_alias() -> None:
    ear, edge = Listening(), node()
    ear.hear(*edge.births(T0))
    ear.hear((edge.topic("NBIRTH"), payload(M("Heat", sp.UINT64, 1, 9), ts=T0 - 10**7, seq=0)), retain=True)
    assert [row[2] for row in ear.rows(edge.data(T0 + 1000, "", Heat=5001))] == [5001.0]


def test_unbound_device_of_a_bound_node_is_told_by_its_birth_only() -> None:
    ear, edge = Listening(), node()
    ear.hear(edge.births(T0)[0])
    born = ear.hear((edge.topic("DBIRTH", "new"), payload(M("X", sp.FLOAT, 1.0, 5), seq=1)))
    data = ear.hear((edge.topic("DDATA", "new"), payload(M(None, sp.FLOAT, 2.0, 5), seq=2)))
    assert (reasons(born), reasons(data), data.empty) == ([RejectReason.UNKNOWN_TOPIC], [], 1)


def test_nodes_of_one_name_on_two_brokers_are_two() -> None:
    ear, edge = Listening(), node()
    ear.hear(*edge.births(T0))
    elsewhere = ear.hear(edge.data(T0 + 1000, "tank", Level=1), broker="mqtt://c:1883")
    assert (reasons(elsewhere), [one.broker for one in elsewhere.requests]) == (
        [RejectReason.NOT_BORN],
        ["mqtt://c:1883"],
    )


def test_own_command_that_comes_back_is_nothing() -> None:
    taken = Listening().hear(("spBv1.0/plant/NCMD/edge", payload(M("Node Control/Rebirth", sp.BOOLEAN, True))))
    assert (taken.rejected, taken.empty) == ((), 1)


@pytest.mark.parametrize(
    ("topic", "body", "online"),
    [
        ("spBv1.0/STATE/scada", b'{"online": true, "timestamp": 1700000000000}', {"online": 1.0}),
        ("spBv1.0/STATE/scada", b"OFFLINE", {"online": 0.0}),
        ("spBv1.0/g/NDEATH/n", payload(M("bdSeq", sp.UINT64, 3)), {"online": 0.0}),
    ],
)
def test_presence_is_a_state(topic: str, body: bytes, online: dict[str, float]) -> None:
    assert decode(FORMATS["sparkplug_b"].decode, topic, body).states == online


@pytest.mark.parametrize("topic", ["spBv1.0/g/NBIRTH", "spBv1.0/g/NDATA/n/d", "spBv1.0/g/XDATA/n", "spBv1.0", "a/b"])
def test_topics_that_are_none(topic: str) -> None:
    assert parse(topic) is None


def test_node_that_grows_without_end_is_refused_and_others_forgotten_first() -> None:
    nodes = EdgeNodes(most=8)
    small = payload(*(M(f"m{n}", sp.FLOAT, 1.0, n) for n in range(5)), seq=0)
    for name in ("one", "two"):
        address = parse(f"spBv1.0/g/NBIRTH/{name}")
        assert address is not None
        assert nodes.take(address, small, Came(T0)).parts[0].decoded.rejected == ()
    assert list(nodes.state().nodes) == [" g/two"]
    huge = payload(*(M(f"m{n}", sp.FLOAT, 1.0, n) for n in range(9)), seq=0)
    address = parse("spBv1.0/g/NBIRTH/three")
    assert address is not None
    (refused,) = nodes.take(address, huge, Came(T0)).parts[0].decoded.rejected
    assert refused.reason is RejectReason.TOO_LARGE
    assert EdgeNodes.restore(EdgeState(), 8).state() == EdgeState()

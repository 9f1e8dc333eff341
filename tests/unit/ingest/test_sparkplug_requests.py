"""Whom the way in asks for a new birth of Sparkplug, on which broker, and how often."""

from __future__ import annotations

from ingest.decoders.sparkplug.births import STRANGER_EVERY_MS
from ingest.reasons import RejectReason
from tests.support import sparkplug as sp
from tests.support.sparkplug import M, payload
from tests.unit.ingest.plants import T0
from tests.unit.ingest.test_sparkplug import Listening, node, reasons


def test_birth_that_does_not_come_is_asked_for_again_each_minute_until_it_does() -> None:
    ear, edge = Listening(), node()
    ear.tick(T0)
    ear.hear(edge.data(T0, "tank", Level=1), at=T0)
    seconds = [n for n in range(1, 200) if ear.tick(T0 + n * 1000) == [("mqtt://b:1883", "spBv1.0/plant/NCMD/edge")]]
    assert seconds == [60, 120, 180]
    ear.hear(*edge.births(T0 + 200_000), at=T0 + 200_000)
    assert not any(ear.tick(T0 + n * 1000) for n in range(200, 500))


def test_bound_node_that_was_never_heard_is_asked_on_every_broker_each_ten_minutes() -> None:
    ear = Listening()
    seconds = [n for n in range(1_500) if ear.tick(T0 + n * 1000) == [("", "spBv1.0/plant/NCMD/edge")]]
    # minutes begin at T0 + 40 s, and then it is looked
    assert seconds == [0, 640, 1240]


def test_after_a_time_of_not_listening_every_node_is_asked() -> None:
    ear = Listening()
    ear.tick(T0)
    ear.hear(*node().births(T0))
    assert ear.tick(T0 + 3000) == []
    assert ear.tick(T0 + 90_000, listening=False) == []
    assert ear.tick(T0 + 91_000) == [("mqtt://b:1883", "spBv1.0/plant/NCMD/edge")]
    assert ear.tick(T0 + 92_000) == []


def test_node_that_said_goodbye_is_left_in_peace() -> None:
    ear, edge = Listening(), node()
    ear.tick(T0)
    ear.hear(*edge.births(T0))
    edge.data(T0, "tank", Level=1)  # lost
    ear.hear(edge.data(T0 + 1000, "tank", Level=2), edge.death())
    assert not any(ear.tick(T0 + n * 1000) for n in range(2, 300))


def test_rebirth_request_is_the_command_of_the_specification() -> None:
    (request,) = Listening().hear(node().data(T0, "tank", Level=1)).requests
    assert request.payload == payload(
        M("Node Control/Rebirth", sp.BOOLEAN, True, ts=T0),
        ts=T0,
    )


def stranger(node: str, seq: int = 3) -> tuple[str, bytes]:
    """Data of a node that nobody bound and whose birth nobody heard."""
    return f"spBv1.0/other/DDATA/{node}/x", payload(M(None, sp.FLOAT, 1.0, alias=1), seq=seq)


def test_strangers_are_asked_for_their_names_one_a_tick_and_once() -> None:
    ear = Listening()
    ear.tick(T0)
    taken = ear.hear(stranger("a"), stranger("b"), broker="mqtt://c:1883")
    assert (reasons(taken), taken.requests) == ([RejectReason.UNKNOWN_TOPIC] * 2, ())
    ear.hear(stranger("a", 4))
    asked = [ask for n in range(1, 60) for ask in ear.tick(T0 + n * 1000) if "/other/" in ask[1]]
    assert asked == [("mqtt://c:1883", f"spBv1.0/other/NCMD/{name}") for name in "ab"]
    ear.hear(stranger("a", 5), at=T0 + STRANGER_EVERY_MS)
    assert not any("/other/" in topic for _, topic in ear.tick(T0 + STRANGER_EVERY_MS))
    ear.hear(stranger("a", 6), at=T0 + STRANGER_EVERY_MS + 10_000)
    assert ("mqtt://b:1883", "spBv1.0/other/NCMD/a") in ear.tick(T0 + STRANGER_EVERY_MS + 10_000)


def test_stranger_that_is_born_meanwhile_or_was_heard_to_be_is_left_in_peace() -> None:
    ear = Listening()
    ear.tick(T0)
    birth = ("spBv1.0/other/NBIRTH/a", payload(M("x", sp.FLOAT, 1.0, 1), seq=0))
    ear.hear(stranger("a"), birth, stranger("a", 1))
    ear.hear(stranger("a", 7))  # a gap: its names are known all the same
    assert not any("/other/" in topic for n in range(1, 60) for _, topic in ear.tick(T0 + n * 1000))

"""What `dutyroom decode` says about a message, with and without a registry."""

from __future__ import annotations

import pytest

from ingest.explain import Given, explain_bound, explain_unbound, remarks
from plant.errors import BadInput
from plant.site import Binding
from tests.unit.ingest.plants import T0, TANK, plant


def test_bound_reading_names_equipment_and_point() -> None:
    (line,) = explain_bound(Given("t", b"140"), plant(bindings=(Binding("t", "tank_temp_top", unit="degF"),)))
    assert line == {
        "kind": "reading",
        "device": "t",
        "key": None,
        "ts": None,
        "value": 60.0,
        "unit": "Cel",
        "quality": "good",
        "reason": None,
        "equipment": "tank-2",
        "point": "tank_temp_top",
    }


def test_age_is_judged_only_against_a_given_time_of_receipt() -> None:
    payload = b'{"ts": %d, "points": {"tank_level": 50}}' % (T0 - 90_000)
    for explain in (explain_unbound, lambda given: explain_bound(given, plant())):
        (unjudged,) = explain(Given(TANK, payload))
        (judged,) = explain(Given(TANK, payload, received_at=T0))
        assert (unjudged["quality"], unjudged["ts"]) == ("good", T0 - 90_000)
        assert (judged["reason"], judged["ts"]) == ("delayed", T0 - 90_000)


def test_time_in_the_future_becomes_the_time_of_receipt() -> None:
    payload = b'{"ts": %d, "points": {"tank_level": 50}}' % (T0 + 6_000)
    (line,) = explain_unbound(Given(TANK, payload, received_at=T0))
    assert (line["ts"], line["quality"], line["reason"]) == (T0, "uncertain", "clock_fault")


def test_retained_is_said() -> None:
    (line,) = explain_unbound(Given("t", b"1", retain=True))
    assert (line["quality"], line["reason"]) == ("uncertain", "retained")


def test_decoder_takes_the_place_of_the_bindings() -> None:
    where = plant(bindings=(Binding("t", "tank_level", key="a"),))
    assert [line["kind"] for line in explain_bound(Given("t", b'{"a": 1}'), where)] == ["rejected"]
    assert [line["kind"] for line in explain_bound(Given("t", b'{"a": 1}'), where, "plain")] == ["reading"]


@pytest.mark.parametrize(
    ("topic", "payload", "kind"), [(TANK, b"", "empty"), ("dutyroom/v1/demo/clock", b"{}", "status")]
)
def test_messages_without_reading(topic: str, payload: bytes, kind: str) -> None:
    assert explain_bound(Given(topic, payload), plant()) == [{"kind": kind}]


def test_unknown_decoder_is_bad_input() -> None:
    with pytest.raises(BadInput, match="morse"):
        explain_unbound(Given("t", b"1"), "morse")


def test_a_bound_topic_says_which_device_and_that_a_last_will_is_status() -> None:
    where = plant(bindings=(Binding("tele/plug/+", "tank_level", key="ANALOG.A0", decoder="tasmota"),))
    (line,) = explain_bound(Given("tele/plug/SENSOR", b'{"Time": 1700000000, "ANALOG": {"A0": 42}}'), where)
    assert (line["device"], line["key"], line["ts"]) == ("plug", "ANALOG.A0", T0)
    assert explain_bound(Given("tele/plug/LWT", b"Offline"), where) == [{"kind": "status"}]


def test_a_local_time_is_an_instant_only_with_a_zone() -> None:
    payload = b'{"Time": "2023-11-15T06:13:20", "ANALOG": {"A0": 42}}'
    (unplaced,) = explain_unbound(Given("tele/plug/SENSOR", payload))
    (placed,) = explain_unbound(Given("tele/plug/SENSOR", payload, zone="Asia/Shanghai"))
    where = plant(bindings=(Binding("tele/plug/+", "tank_level", key="ANALOG.A0", decoder="tasmota"),))
    (bound,) = explain_bound(Given("tele/plug/SENSOR", payload), where)
    assert (unplaced["ts"], placed["ts"], bound["ts"]) == (None, T0, T0)


def test_remarks_name_format_states_and_the_zone_that_lacks() -> None:
    (form, states) = remarks(Given("tele/plug/LWT", b"Online"))
    assert form == "format: tasmota"
    assert states.endswith("online = 1")
    assert "--zone" in remarks(Given("tele/plug/SENSOR", b'{"Time": "2023-11-15T06:13:20", "A": {"B": 1}}'))[-1]

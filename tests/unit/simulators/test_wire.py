"""Bytes of MQTT 3.1.1 and addresses, against the standard's own examples."""

from __future__ import annotations

import json

import pytest

from simulators.broker import BrokerAddress
from simulators.errors import BrokerAway, ScenarioError
from simulators.load import POINTS, LoadPlan, run_load, topic, value
from simulators.wire import publish_head, remaining_length


@pytest.mark.parametrize(
    ("size", "encoded"),
    [(0, b"\x00"), (127, b"\x7f"), (128, b"\x80\x01"), (16_383, b"\xff\x7f"), (16_384, b"\x80\x80\x01")],
)
def test_remaining_length_as_in_table_2_4_of_the_standard(size: int, encoded: bytes) -> None:
    assert remaining_length(size) == encoded


def test_publish_head_is_type_length_and_topic() -> None:
    """Topic a/b (2 + 3 bytes), packet id (2), payload 10: 17 bytes follow."""
    assert publish_head("a/b", 10) == b"\x32\x11\x00\x03a/b"


@pytest.mark.parametrize(
    ("url", "host", "port"),
    [
        ("mqtt://here", "here", 1883),
        ("mqtts://here", "here", 8883),
        ("mqtt://u:p%40ss@10.0.0.1:2000", "10.0.0.1", 2000),
    ],
)
def test_broker_addresses(url: str, host: str, port: int) -> None:
    address = BrokerAddress.parse(url)
    assert (address.host, address.port) == (host, port)
    assert "p@ss" not in str(address)
    assert "p@ss" not in repr(address)


@pytest.mark.parametrize("url", ["localhost:1883", "http://x", "mqtt://", "mqtt://x:port"])
def test_what_is_no_broker_address_is_refused(url: str) -> None:
    with pytest.raises(ScenarioError, match="no broker address"):
        BrokerAddress.parse(url)


def test_load_values_are_within_five_percent_of_healthy_and_move() -> None:
    for point, (name, healthy) in enumerate(POINTS):
        values = [value(3, point, sequence) for sequence in range(200)]
        assert all(abs(v - healthy) <= 0.05 * healthy + 0.05 for v in values), name
        assert len(set(values)) > 1


def test_load_names_are_native_topics() -> None:
    assert topic("demo", 0) == "dutyroom/v1/demo/load/pump-0001/telemetry"


def test_impossible_load_is_refused() -> None:
    with pytest.raises(ScenarioError, match="window"):
        LoadPlan(window=60_000)


def test_load_does_not_pretend_to_speak_tls() -> None:
    with pytest.raises(ScenarioError, match="mqtt://"):
        run_load(LoadPlan(), "mqtts://localhost")


def test_absent_broker_is_reported_after_the_patience() -> None:
    plan = LoadPlan(equipment=1, frames=1, patience=0.0)
    with pytest.raises(BrokerAway, match=r"mqtt://127.0.0.1:1 has not let us in"):
        run_load(plan, "mqtt://127.0.0.1:1")


def test_native_frame_size_is_what_a_ten_point_device_sends() -> None:
    points = {name: value(0, index, 0) for index, (name, _) in enumerate(POINTS)}
    assert len(json.dumps({"ts": 1_700_000_000_000, "points": points})) < 300

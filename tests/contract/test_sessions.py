"""One contract for every connection to a broker: plain paho, which everybody knows, and the bulk reader we run."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from ingest.broker import Broker
from ingest.decoders import MAX_PAYLOAD
from ingest.mqtt.packets import Protocol
from tests.contract.sessions import KINDS, Kind, Relay, Remembering, at_work, until
from tests.support.programs import Mosquitto

pytestmark = pytest.mark.integration


@pytest.fixture(params=list(KINDS))
def kind(request: pytest.FixtureRequest) -> Kind:
    return KINDS[request.param]


@pytest.fixture(params=list(Protocol), ids=["3.1.1", "5"])
def broker(request: pytest.FixtureRequest, mosquitto: Mosquitto, unique_name: str) -> Broker:
    return Broker(mosquitto.host, mosquitto.port, unique_name, protocol=request.param)


@pytest.fixture
def plant(unique_name: str) -> str:
    """The beginning of topics that no other test uses."""
    return unique_name


@pytest.fixture
def gateway(mosquitto: Mosquitto) -> Iterator[Client]:
    client = Client(CallbackAPIVersion.VERSION2)
    client.connect(mosquitto.host, mosquitto.port)
    client.loop_start()
    yield client
    client.disconnect()
    client.loop_stop()


def say(gateway: Client, topic: str, *payloads: bytes, qos: int = 1, retain: bool = False) -> None:
    for sent in [gateway.publish(topic, payload, qos, retain) for payload in payloads]:
        sent.wait_for_publish(10)


def listen(gateway: Client, topic: str) -> None:
    """Subscribe and wait until the broker has: what is said afterwards comes live, not as retained."""
    granted = threading.Event()
    gateway.on_subscribe = lambda client, data, mid, codes, properties: granted.set()
    gateway.subscribe(topic, 1)
    assert granted.wait(10)


NUMBERS = [str(number).encode() for number in range(300)]


def test_messages_come_in_order_with_topic_and_flags(kind: Kind, broker: Broker, plant: str, gateway: Client) -> None:
    listener = Remembering()
    with at_work(kind, broker, listener, filters=(f"{plant}/#",)):
        say(gateway, f"{plant}/冷机/1", *NUMBERS)
        until(lambda: len(listener.messages) == 300, "all received")
    assert listener.payloads == NUMBERS
    assert {(m.topic, m.qos, m.retain, m.dup) for m in listener.messages} == {(f"{plant}/冷机/1", 1, False, False)}
    assert len({m.mid for m in listener.messages}) > 1


@pytest.mark.parametrize(("sent", "comes"), [(0, 0), (1, 1), (2, 1)])
def test_quality_of_service_is_at_most_1(
    kind: Kind, broker: Broker, plant: str, gateway: Client, sent: int, comes: int
) -> None:
    listener = Remembering()
    with at_work(kind, broker, listener, filters=(f"{plant}/#",)):
        say(gateway, f"{plant}/t", b"1", qos=sent)
        until(lambda: len(listener.messages) == 1, "received")
    assert (listener.messages[0].qos, listener.messages[0].mid > 0) == (comes, comes > 0)


def test_retained_messages_are_flagged(kind: Kind, broker: Broker, plant: str, gateway: Client) -> None:
    say(gateway, f"{plant}/t", b"old", retain=True)
    listener = Remembering()
    with at_work(kind, broker, listener, filters=(f"{plant}/#",)):
        until(lambda: listener.payloads == [b"old"], "the retained one")
        say(gateway, f"{plant}/t", b"new", retain=True)
        until(lambda: listener.payloads == [b"old", b"new"], "the live one")
    assert [message.retain for message in listener.messages] == [True, False]
    say(gateway, f"{plant}/t", b"", retain=True)


def test_what_was_not_acknowledged_comes_again_and_what_was_does_not(
    kind: Kind, broker: Broker, plant: str, gateway: Client
) -> None:
    first, second = Remembering(acknowledging=False), Remembering()
    with at_work(kind, broker, first, filters=(f"{plant}/#",)) as subject:
        say(gateway, f"{plant}/t", b"1", b"2", b"3")
        until(lambda: len(first.messages) == 3, "received")
        subject.ack(first.messages[:1])
        subject.publish(f"{plant}/flag", b"4")
        until(lambda: first.payloads[-1] == b"4", "the acknowledgement sent before it has arrived")
        assert not subject.session_present
    with at_work(kind, broker, second, filters=(f"{plant}/#",)) as subject:
        say(gateway, f"{plant}/t", b"5")
        until(lambda: len(second.messages) == 4, "redelivered")
        assert subject.session_present
    assert second.payloads == [b"2", b"3", b"4", b"5"]
    assert [message.dup for message in second.messages] == [True, True, True, False]


def test_acknowledgements_do_not_change_over_to_another_connection(
    kind: Kind, broker: Broker, plant: str, gateway: Client
) -> None:
    first, second, third = (Remembering(acknowledging=False) for _ in range(3))
    with at_work(kind, broker, first, filters=(f"{plant}/#",)) as old:
        say(gateway, f"{plant}/t", b"1")
        until(lambda: len(first.messages) == 1, "received")
    with at_work(kind, broker, second, filters=(f"{plant}/#",)):
        until(lambda: len(second.messages) == 1, "redelivered")
        old.ack(first.messages)
    with at_work(kind, broker, third, filters=(f"{plant}/#",)) as last:
        until(lambda: third.payloads == [b"1"], "redelivered once more")
        last.ack(third.messages)


def test_what_came_while_we_were_away_waits(kind: Kind, broker: Broker, plant: str, gateway: Client) -> None:
    with at_work(kind, broker, Remembering(), filters=(f"{plant}/#",)):
        pass
    say(gateway, f"{plant}/t", *NUMBERS)
    listener = Remembering()
    with at_work(kind, broker, listener, filters=(f"{plant}/#",)):
        until(lambda: len(listener.messages) == 300, "the backlog")
    assert listener.payloads == NUMBERS


@pytest.mark.parametrize("size", [0, 1, 126, 127, 128, 16_383, 16_384, MAX_PAYLOAD])
def test_payloads_of_every_size_come_whole(kind: Kind, broker: Broker, plant: str, gateway: Client, size: int) -> None:
    payload = bytes(number % 251 for number in range(size))
    listener = Remembering()
    with at_work(kind, broker, listener, filters=(f"{plant}/#",)):
        say(gateway, f"{plant}/t", payload, b"next")
        until(lambda: len(listener.messages) == 2, "both")
    assert listener.payloads == [payload, b"next"]


def test_a_message_too_large_is_known_as_such_and_the_next_comes(
    kind: Kind, broker: Broker, plant: str, gateway: Client
) -> None:
    listener = Remembering()
    with at_work(kind, broker, listener, filters=(f"{plant}/#",)) as subject:
        say(gateway, f"{plant}/t", bytes(MAX_PAYLOAD + 1), bytes(3 * MAX_PAYLOAD), b"next")
        until(lambda: listener.payloads[-1:] == [b"next"], "what comes behind")
        assert subject.reason is None
    assert [len(payload) > MAX_PAYLOAD for payload in listener.payloads] == [True, True, False]


def test_subscriptions_change_while_connected(kind: Kind, broker: Broker, plant: str, gateway: Client) -> None:
    listener = Remembering()
    with at_work(kind, broker, listener, filters=(f"{plant}/a",)) as subject:
        subject.subscribe([f"{plant}/b"], [f"{plant}/a"])

        def heard() -> bool:
            say(gateway, f"{plant}/b", b"heard")
            return bool(listener.messages)

        until(heard, "the new subscription")
        say(gateway, f"{plant}/a", b"unwanted")
        say(gateway, f"{plant}/b", b"last")
        until(lambda: listener.payloads[-1] == b"last", "the last")
    assert b"unwanted" not in listener.payloads


def test_what_we_publish_comes_back_to_ourselves(kind: Kind, broker: Broker, plant: str) -> None:
    listener = Remembering()
    with at_work(kind, broker, listener, filters=(f"{plant}/#",)) as subject:
        subject.publish(f"{plant}/marker", b"here")
        until(lambda: listener.payloads == [b"here"], "the marker")


def test_status_says_that_we_are_there_and_that_we_left(
    kind: Kind, broker: Broker, plant: str, gateway: Client
) -> None:
    status, said = f"{plant}/collector/status", list[tuple[bytes, bool]]()
    gateway.on_message = lambda client, data, message: said.append((bytes(message.payload), message.retain))
    listen(gateway, status)
    with at_work(kind, broker, Remembering(), status=status, filters=(f"{plant}/x",)) as subject:
        until(lambda: said == [(b'{"online":true}', False)], "the word that we are there")
        subject.leave()
        until(lambda: said[1:] == [(b'{"online":false}', False)], "the word that we left")
    gateway.publish(status, b"", 1, retain=True).wait_for_publish(10)


def test_our_last_will_is_told_where_the_line_is_cut(kind: Kind, broker: Broker, plant: str, gateway: Client) -> None:
    status, said = f"{plant}/collector/status", list[bytes]()
    gateway.on_message = lambda client, data, message: said.append(bytes(message.payload))
    listen(gateway, status)
    listener = Remembering()
    with Relay(broker.port) as relay:
        through = replace(broker, port=relay.port)
        with at_work(kind, through, listener, status=status, filters=(f"{plant}/x",)) as subject:
            until(lambda: said == [b'{"online":true}'], "the word that we are there")
            relay.cut()
            until(lambda: said == [b'{"online":true}', b'{"online":false}'], "the will")
            assert listener.over.wait(10)
    assert "lost" in str(subject.reason)
    gateway.publish(status, b"", 1, retain=True).wait_for_publish(10)


def test_a_stream_that_comes_byte_by_byte_is_the_same_stream(
    kind: Kind, broker: Broker, plant: str, gateway: Client
) -> None:
    listener = Remembering()
    with Relay(broker.port, piece=1) as relay:
        through = replace(broker, port=relay.port)
        with at_work(kind, through, listener, filters=(f"{plant}/#",)):
            say(gateway, f"{plant}/t", *NUMBERS[:100], b"x" * 300)
            until(lambda: len(listener.messages) == 101, "all received")
    assert listener.payloads == [*NUMBERS[:100], b"x" * 300]


def test_the_end_can_be_asked_for_by_any_thread(kind: Kind, broker: Broker, plant: str) -> None:
    listener = Remembering()
    with at_work(kind, broker, listener, filters=(f"{plant}/x",)) as subject:
        threads = [threading.Thread(target=subject.end, args=(f"by {number}",)) for number in range(4)]
        for thread in threads:
            thread.start()
        assert listener.over.wait(10)
        for thread in threads:
            thread.join()
    assert subject.reason is not None
    assert subject.reason.startswith("by ")

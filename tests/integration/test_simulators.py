"""Simulators against a real Mosquitto: everything arrives, the clock comes last, and a lost broker loses nothing."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field

import aiomqtt
import pytest

from simulators.errors import BrokerAway
from simulators.load import POINTS, LoadPlan, run_load, value
from simulators.run import Pace, publish
from simulators.scenario import load_scenario
from simulators.simulation import Simulation
from tests.support.programs import Mosquitto, free_port

pytestmark = pytest.mark.integration


@dataclass
class Heard:
    """What a subscriber has received, in order."""

    messages: list[tuple[str, bytes]] = field(default_factory=list)

    async def listen(self, broker: Mosquitto, topic: str, ready: asyncio.Event) -> None:
        """Collect until cancelled; a lost broker is awaited, and a persistent session misses nothing."""
        while True:
            try:
                async with aiomqtt.Client(
                    "127.0.0.1", broker.port, identifier=f"heard-{topic[-20:]}", clean_session=False
                ) as client:
                    await client.subscribe(topic, qos=1)
                    ready.set()
                    async for message in client.messages:
                        assert isinstance(message.payload, bytes)
                        self.messages.append((str(message.topic), message.payload))
            except aiomqtt.MqttError:
                await asyncio.sleep(0.1)

    def stamps(self) -> list[tuple[str, int]]:
        """(last word of the topic, ts) of every message that carries a time."""
        decoded = ((topic.rsplit("/", 1)[-1], json.loads(payload)) for topic, payload in self.messages)
        return [(word, body["ts"]) for word, body in decoded if "ts" in body]


async def until(condition: Callable[[], bool], what: str, *, seconds: float = 20.0) -> None:
    """Await a condition with a deadline."""
    deadline = asyncio.get_running_loop().time() + seconds
    while not condition():
        assert asyncio.get_running_loop().time() < deadline, f"{what}: not within {seconds:g} s"
        await asyncio.sleep(0.02)


def short(site: str, seconds: int = 300) -> Simulation:
    """The first minutes of a healthy day under a site of the test's own."""
    scenario = load_scenario("healthy_day").model_copy(update={"duration": seconds * 1000})
    return Simulation(scenario, site=site)


@pytest.mark.parametrize("pace", [Pace(None), Pace(1_000, catch_up=180_000)], ids=["as fast as it goes", "past first"])
async def test_everything_arrives_and_each_clock_follows_what_it_closes(
    pace: Pace, mosquitto: Mosquitto, unique_name: str
) -> None:
    heard, ready = Heard(), asyncio.Event()
    listener = asyncio.create_task(heard.listen(mosquitto, f"dutyroom/v1/{unique_name}/#", ready))
    await ready.wait()
    expected = [(m.topic, m.payload) for m in short(unique_name).step(300)]
    sent = await publish(short(unique_name), mosquitto.url, pace=pace)
    await until(lambda: len(heard.messages) >= sent.messages, "all messages")
    listener.cancel()
    assert [item for item in heard.messages if not item[0].endswith("/clock")] == expected
    ticks = [word for word, _ in heard.stamps() if word == "clock"]
    assert sent.messages == len(expected) + len(ticks)
    # a tick a minute as fast as it goes; after a past of three minutes one each ten seconds
    assert len(ticks) == (5 if pace.speed is None else 3 + 12)
    newest = 0
    for word, ts in heard.stamps():
        assert ts > newest or word != "clock"
        newest = ts if word == "clock" else newest
        assert ts >= newest
    assert heard.messages[-1][0].endswith("/clock")


async def test_without_clock_no_clock_is_published(mosquitto: Mosquitto, unique_name: str) -> None:
    heard, ready = Heard(), asyncio.Event()
    listener = asyncio.create_task(heard.listen(mosquitto, f"dutyroom/v1/{unique_name}/#", ready))
    await ready.wait()
    sent = await publish(short(unique_name, 60), mosquitto.url, pace=Pace(None), clock=False)
    await until(lambda: len(heard.messages) >= sent.messages, "all messages")
    listener.cancel()
    assert {topic.rsplit("/", 1)[-1] for topic, _ in heard.messages} == {"telemetry", "status"}


async def test_repair_comes_over_mqtt_and_is_answered(mosquitto: Mosquitto, unique_name: str) -> None:
    simulation = Simulation(load_scenario("pump_dead"), site=unique_name)
    heard, ready = Heard(), asyncio.Event()
    listener = asyncio.create_task(heard.listen(mosquitto, f"simulators/{unique_name}/result", ready))
    await ready.wait()
    simulation.step(31 * 60)
    assert [fault.name for fault in simulation.active_faults()] == ["pump_dead"]
    publishing = asyncio.create_task(publish(simulation, mosquitto.url, pace=Pace(5)))
    async with aiomqtt.Client("127.0.0.1", mosquitto.port) as person:
        async with asyncio.timeout(20):
            while not heard.messages:  # the simulator may not have subscribed yet; a repair may come twice
                await person.publish(f"simulators/{unique_name}/command", '{"repair": "pump_dead"}', qos=1)
                await asyncio.sleep(0.1)
    publishing.cancel()
    listener.cancel()
    await asyncio.gather(publishing, listener, return_exceptions=True)
    assert json.loads(heard.messages[0][1]) == {"done": "repaired pump_dead"}
    assert simulation.active_faults() == ()


async def test_broker_killed_in_the_middle_loses_no_message(own_mosquitto: Mosquitto, unique_name: str) -> None:
    own_mosquitto.start()
    heard, ready = Heard(), asyncio.Event()
    listener = asyncio.create_task(heard.listen(own_mosquitto, f"dutyroom/v1/{unique_name}/#", ready))
    await ready.wait()
    simulation = short(unique_name, 1200)
    publishing = asyncio.create_task(publish(simulation, own_mosquitto.url, pace=Pace(300)))
    await until(lambda: len(heard.messages) > 100, "the first messages")
    await asyncio.to_thread(own_mosquitto.restart)
    sent = await asyncio.wait_for(publishing, 60)
    expected = {(m.topic, m.payload) for m in short(unique_name, 1200).step(1200)}
    await until(lambda: expected <= set(heard.messages), "every message")
    listener.cancel()
    assert sent.reconnects >= 1


async def test_absent_broker_is_given_up_after_the_patience(unique_name: str) -> None:
    with pytest.raises(BrokerAway, match="has not answered for 0 s"):
        await publish(short(unique_name), f"mqtt://127.0.0.1:{free_port()}", pace=Pace(None), patience=0)


async def test_load_arrives_whole_and_in_order(mosquitto: Mosquitto, unique_name: str) -> None:
    heard, ready = Heard(), asyncio.Event()
    listener = asyncio.create_task(heard.listen(mosquitto, f"dutyroom/v1/{unique_name}/#", ready))
    await ready.wait()
    plan = LoadPlan(site=unique_name, equipment=20, frames=50)
    report = await asyncio.to_thread(run_load, plan, mosquitto.url, client_id=unique_name)
    await until(lambda: len(heard.messages) >= 1000, "all frames")
    listener.cancel()
    assert (report.sent, report.acked, report.out_of_order, report.resent) == (1000, 1000, 0, 0)
    third = [json.loads(payload) for topic, payload in heard.messages if "/pump-0003/" in topic]
    assert [frame["ts"] for frame in third] == [plan.start + 1000 * n for n in range(50)]
    assert third[7]["points"] == {name: value(2, index, 7) for index, (name, _) in enumerate(POINTS)}


async def test_live_load_stamps_no_two_frames_of_a_pump_alike(mosquitto: Mosquitto, unique_name: str) -> None:
    heard, ready = Heard(), asyncio.Event()
    listener = asyncio.create_task(heard.listen(mosquitto, f"dutyroom/v1/{unique_name}/#", ready))
    await ready.wait()
    plan = LoadPlan(site=unique_name, equipment=2, frames=500, live=True)  # many frames a millisecond
    await asyncio.to_thread(run_load, plan, mosquitto.url, client_id=unique_name)
    await until(lambda: len(heard.messages) >= 1000, "all frames")
    listener.cancel()
    for pump in ("/pump-0001/", "/pump-0002/"):
        stamps = [json.loads(payload)["ts"] for topic, payload in heard.messages if pump in topic]
        assert stamps == sorted(set(stamps))
        assert len(stamps) == 500


async def test_load_survives_a_killed_broker_and_resends_what_was_not_acknowledged(
    own_mosquitto: Mosquitto, unique_name: str
) -> None:
    own_mosquitto.start()
    heard, ready = Heard(), asyncio.Event()
    listener = asyncio.create_task(heard.listen(own_mosquitto, f"dutyroom/v1/{unique_name}/#", ready))
    await ready.wait()
    plan = LoadPlan(site=unique_name, equipment=50, frames=400, rate=5_000.0)
    loading = asyncio.create_task(asyncio.to_thread(run_load, plan, own_mosquitto.url, client_id=unique_name))
    await until(lambda: len(heard.messages) > 100, "the first frames")
    await asyncio.to_thread(own_mosquitto.restart, kill=True)
    report = await asyncio.wait_for(loading, 60)
    listener.cancel()
    assert (report.sent, report.acked, report.out_of_order) == (20_000, 20_000, 0)
    assert report.reconnects >= 1

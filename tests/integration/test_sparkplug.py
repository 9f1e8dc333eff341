"""A Sparkplug edge node on a real broker and the whole service: what is lost is asked for, and nothing comes twice."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import aiomqtt
import pytest
from pydantic import SecretStr

from dutyroom.content import Content
from dutyroom.progress import topic
from dutyroom.service import Role, Running, running
from dutyroom.settings import BrokerSettings, HttpSettings, Settings
from maintenance.ledger.ledger import Ledger
from plant.catalogue import Text
from plant.cataloguefile import load_catalogue
from plant.quality import Quality, Reason
from plant.reading import SeriesKey
from plant.site import Binding, Equipment, Plant, PlantClock, Site
from rules.loader import load_pack
from tests.integration.test_service import appended, service
from tests.integration.test_simulators import until
from tests.support import sparkplug as sp
from tests.support.programs import Mosquitto
from tests.support.sparkplug import EdgeNode

pytestmark = pytest.mark.integration

T0 = 1_800_000_000_000
ALIAS = 7
TOPIC = "spBv1.0/bath/+/edge/tank"
TOP = SeriesKey("tank", "tank_temp_top", "hot_water_tank")
ONLINE = SeriesKey("tank", "online_status", "hot_water_tank")
REBIRTH = b"Node Control/Rebirth"


@dataclass
class LiveNode:
    """An edge node at work: reports the temperature when it changes, and is born again when a host asks.

    Plant time is what it publishes as the site's clock, on its own connection: so it comes after all it said before.
    """

    client: aiomqtt.Client
    edge: EdgeNode
    site: str
    now: int = T0
    asked: int = 0
    values: list[tuple[int, float]] = field(default_factory=lambda: [(T0, 40.0)])
    ready: asyncio.Event = field(default_factory=asyncio.Event)

    async def obey(self) -> None:
        """Until cancelled: the births, then whatever is commanded."""
        await self.client.subscribe(self.edge.topic("NCMD"), qos=1)
        await self.birth()
        self.ready.set()
        async for message in self.client.messages:
            assert isinstance(message.payload, bytes)
            if REBIRTH in message.payload:
                await self.birth()
                self.asked += 1

    async def birth(self) -> None:
        """Everything there is, with the time at which it was read."""
        ts, value = self.values[-1]
        self.edge.points["tank"]["Top"] = (ALIAS, sp.FLOAT, value, "Cel")
        for message in self.edge.births(ts):
            await self.client.publish(*message, qos=0)

    async def report(self, value: float, *, lose: bool = False) -> None:
        """One change; `lose` has it vanish on its way."""
        self.now += 10
        self.values.append((self.now, value))
        message = self.edge.data(self.now, "tank", Top=value)
        if not lose:
            await self.client.publish(*message, qos=0)

    async def tick(self, seconds: int) -> None:
        """Plant time goes on."""
        self.now += seconds * 1000
        await self.client.publish(f"dutyroom/v1/{self.site}/clock", json.dumps({"ts": self.now}), qos=1)


@asynccontextmanager
async def alive(broker: Mosquitto, site: str, *, power_failure: bool = False) -> AsyncIterator[LiveNode]:
    """The node, connected and born; by a power failure it leaves without goodbye, and the broker publishes its will."""
    edge = EdgeNode("bath", "edge", {"": {}, "tank": {"Top": (ALIAS, sp.FLOAT, 40.0, "Cel")}})
    will = aiomqtt.Will(*edge.death(), qos=1)
    with suppress(*((aiomqtt.MqttError,) if power_failure else ())):
        async with aiomqtt.Client(broker.host, broker.port, will=will) as client:
            node = LiveNode(client, edge, site)
            task = asyncio.create_task(node.obey())
            try:
                await node.ready.wait()
                yield node
            finally:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
                if power_failure:
                    line = client._client.socket()
                    assert isinstance(line, socket.socket)
                    line.shutdown(socket.SHUT_RDWR)


def settings(folder: Path, broker: Mosquitto, name: str) -> Settings:
    """A data folder with one tank that is bound to the edge node."""
    catalogue = load_catalogue()
    words = Text("水箱", "tank")
    bindings = (
        Binding(TOPIC, TOP.point, key="Top", decoder="sparkplug_b"),
        Binding(TOPIC, ONLINE.point, key="online", decoder="sparkplug_b"),
    )
    tank = Equipment("tank", "bath/tank", "hot_water_tank", words, bindings=bindings)
    site = Site(name, "Asia/Shanghai", words, {"tank": tank}, PlantClock.TOPIC)
    with Ledger.open(folder / "ledger.db") as ledger:
        ledger.add_config(Content.of(Plant(catalogue, site), load_pack(catalogue=catalogue)).encode(), "test", T0)
    return Settings(
        data=folder,
        broker=BrokerSettings(url=SecretStr(broker.url), client_id=name),
        http=HttpSettings(port=0),
    )


def stored(service: Running, key: SeriesKey) -> list[tuple[int, float, int]]:
    """(ts, value, reason) of every reading in the store."""
    assert service.store is not None
    found = service.store.raw(key, 0, 2**53)
    return list(zip(found.ts.tolist(), found.value.tolist(), found.reason.tolist(), strict=True))


async def listening(service: Running) -> None:
    """Connected, and what waited in the broker has come."""
    collector = service.collector
    assert collector is not None
    await until(lambda: collector.status().connected and not collector.status().draining, "listening", seconds=40)


@asynccontextmanager
async def serving(setup: Settings, roles: tuple[Role, ...]) -> AsyncIterator[Running]:
    """The service with all its parts, or the collector apart from the rest; the part with the rules."""
    async with AsyncExitStack() as stack:
        parts = [await stack.enter_async_context(running(setup, role)) for role in roles]
        await listening(parts[0])
        yield parts[-1]


@pytest.mark.parametrize("roles", [(Role.ALL,), (Role.COLLECTOR, Role.SERVICE)], ids=["one process", "two"])
async def test_lost_message_is_noticed_asked_for_and_stored_exactly_once(
    roles: tuple[Role, ...], mosquitto: Mosquitto, unique_name: str, tmp_path: Path
) -> None:
    async with serving(settings(tmp_path, mosquitto, unique_name), roles) as service:
        async with alive(mosquitto, unique_name, power_failure=True) as node:
            await node.report(41.0)
            await node.tick(1)
            await until(lambda: values(service) == [40.0, 41.0], "birth and data")
            await node.report(42.0, lose=True)
            await node.report(43.0)
            await node.tick(1)
            await until(lambda: node.asked == 1, "the command to be born again")
            await node.report(44.0)
            await node.tick(1)
            await until(lambda: len(values(service)) == 4, "the new birth and data by its aliases")
            # 42 is gone for good: an edge node tells its present value. Everything else is there once.
            heard = [(ts, value, Reason.NONE) for ts, value in node.values if value != 42.0]
            assert stored(service, TOP) == heard
            assert refused(service) == {"sequence_gap": 2}
            assert requests(service) == 1
        async with alive(mosquitto, unique_name) as back:
            back.now = node.now
            await back.tick(1)
            await until(lambda: len(values(service)) == 5, "the last will")
            trust = service.store.raw(TOP, 0, 2**53) if service.store else None
            assert trust is not None
            assert (trust.quality[4], trust.reason[4]) == (Quality.BAD, Reason.DEVICE_OFFLINE)
            assert [value for _, value, _ in stored(service, ONLINE)][:3] == [1.0, 1.0, 0.0]


async def test_what_was_said_while_nobody_listened_is_asked_for(
    mosquitto: Mosquitto, unique_name: str, tmp_path: Path
) -> None:
    setup = settings(tmp_path, mosquitto, unique_name)
    async with alive(mosquitto, unique_name) as node:
        async with running(setup) as service:
            await listening(service)
            await node.tick(1)
            # born before anybody listened, and silent since: it is asked what it has
            await until(lambda: node.asked == 1, "the first command")
            await node.tick(1)
            await until(lambda: values(service) == [40.0], "the present value")
            await node.report(41.0)
            await node.tick(1)
            await until(lambda: values(service) == [40.0, 41.0], "data")
        await node.report(42.0)
        async with running(setup) as service:
            await listening(service)
            await node.report(43.0)
            await node.tick(1)
            await until(lambda: refused(service) == {"sequence_gap": 2}, "the gap")
            assert (values(service), node.asked) == ([40.0, 41.0], 1)
            # asked less than a minute ago: the next tick after that minute asks again
            await node.tick(60)
            await until(lambda: node.asked == 2, "the second command")
            await node.tick(1)
            await until(lambda: values(service) == [40.0, 41.0, 43.0], "43")


async def test_service_that_is_killed_stores_what_it_heard_once_and_asks_for_the_rest(
    mosquitto: Mosquitto, unique_name: str, tmp_path: Path
) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    setup = settings(folder, mosquitto, unique_name)
    async with alive(mosquitto, unique_name) as node:
        with service(folder, mosquitto.url) as process:
            # ticks until somebody hears them: then the node is asked what it has
            async with asyncio.timeout(60):
                while not node.asked:
                    await node.tick(1)
                    await asyncio.sleep(0.2)
            for value in (41.0, 42.0, 43.0):
                await node.report(value)
            before = appended(folder)
            await node.tick(1)
            await until(lambda: appended(folder) > before, "what was said is in the journal")
            process.kill()
            process.wait()
        await node.report(44.0)
        async with running(setup) as second:
            await listening(second)
            await node.report(45.0)
            await node.tick(61)
            await until(lambda: node.asked > 1, "a birth is asked for")
            await node.tick(1)
            await until(lambda: values(second)[-1:] == [45.0], "the present value")
            # 44 was said while nobody was there. A request that the kill cut off from its commit is made once more:
            # then the node is born with 44 as its present value. Of the rest nothing is missing, and nothing is twice.
            found = [(ts, value) for ts, value, _ in stored(second, TOP)]
            missing = [pair for pair in node.values if pair not in found]
            assert missing in ([], [node.values[-2]])
            assert found == [pair for pair in node.values if pair not in missing]


async def test_node_is_asked_on_its_own_broker_and_progress_is_told_on_every_one(
    mosquitto: Mosquitto, unique_name: str, tmp_path: Path
) -> None:
    with Mosquitto(tmp_path / "second") as second:
        urls = {"first": mosquitto.url, "second": second.url}
        brokers = [
            BrokerSettings(url=SecretStr(url), name=name, client_id=f"{unique_name}-{name}")
            for name, url in urls.items()
        ]
        one = settings(tmp_path, mosquitto, unique_name)
        both = Settings(data=tmp_path, brokers=tuple(brokers), http=one.http)
        async with running(both) as service:
            await listening(service)
            # Two brokers, two edge nodes that happen to have the same name: only one of them has lost something.
            async with alive(mosquitto, unique_name) as whole, alive(second, unique_name) as torn:
                await torn.report(41.0, lose=True)
                await torn.report(42.0)
                await until(lambda: appended(tmp_path) >= 6, "the configuration, four births and data in the journal")
                await whole.tick(1)
                await until(lambda: torn.asked == 1, "the command on the second broker")
                await whole.tick(60)
                await until(lambda: service.passed()[0] >= whole.now, "the minute after")
                assert (torn.asked, whole.asked, requests(service)) == (1, 0, 1)
            assert await told(second, unique_name) == list(service.passed())


async def told(broker: Mosquitto, site: str) -> list[int]:
    """What the next message about progress says."""
    async with asyncio.timeout(20), aiomqtt.Client(broker.host, broker.port) as client:
        await client.subscribe(topic(site))
        message = await anext(aiter(client.messages))
        assert isinstance(message.payload, bytes)
        return list(json.loads(message.payload).values())


def values(service: Running) -> list[float]:
    """Every temperature in the store."""
    return [value for _, value, _ in stored(service, TOP)]


def requests(service: Running) -> int:
    """Births asked for since the service started."""
    assert service.rules is not None
    return service.rules.requests


def refused(service: Running) -> dict[str, int]:
    """Refusals by reason since the service started."""
    assert service.rules is not None
    return dict(service.rules.rejected)

"""Publishes what the way in asks of devices: today, that a Sparkplug edge node be born again."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable, Sequence

import aiomqtt
import structlog

from dutyroom.progress import client
from ingest.broker import Broker
from ingest.requests import Request

_MOST_WAITING = 1_000
_RETRY_SECONDS = 2.0

log = structlog.get_logger()


class Asking:
    """Requests from the rules' thread to the loop's tasks that publish them, each on its broker or on all.

    Bounded, the oldest give way; so do those for a broker that is no longer configured. A request that is lost is made
    anew by the next message that cannot be read. Sparkplug wants commands at QoS 0.
    """

    def __init__(self, brokers: Sequence[Broker]) -> None:
        self._loop = asyncio.get_running_loop()
        self._lines = {broker.url: _Line(broker) for broker in brokers}
        self._strangers = 0

    @property
    def published(self) -> int:
        """Requests that went out."""
        return sum(line.published for line in self._lines.values())

    @property
    def dropped(self) -> int:
        """Requests for which there was no room, or no broker."""
        return self._strangers + sum(line.dropped for line in self._lines.values())

    def put(self, requests: Iterable[Request]) -> None:
        """From any thread."""
        for request in requests:
            self._loop.call_soon_threadsafe(self._take, request)

    async def run(self) -> None:
        """Publish what comes until cancelled."""
        async with asyncio.TaskGroup() as group:
            for line in self._lines.values():
                group.create_task(line.run())

    def _take(self, request: Request) -> None:
        lines = [line for url, line in self._lines.items() if request.broker in ("", url)]
        self._strangers += not lines
        for line in lines:
            line.take(request)


class _Line:
    """What waits for one broker."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._waiting: deque[Request] = deque()
        self._some = asyncio.Event()
        self.published = self.dropped = 0

    async def run(self) -> None:
        """While the broker is away it waits."""
        while True:
            await self._some.wait()
            try:
                async with client(self._broker) as mqtt:
                    await self._publish(mqtt)
            except aiomqtt.MqttError as error:
                log.warning("requests wait", waiting=len(self._waiting), why=str(error))
                await asyncio.sleep(_RETRY_SECONDS)

    def take(self, request: Request) -> None:
        if len(self._waiting) >= _MOST_WAITING:
            self._waiting.popleft()
            self.dropped += 1
        self._waiting.append(request)
        self._some.set()

    async def _publish(self, mqtt: aiomqtt.Client) -> None:
        while self._waiting:
            request = self._waiting[0]
            await mqtt.publish(request.topic, request.payload, qos=0)
            self._waiting.popleft()
            self.published += 1
            log.info("asked", topic=request.topic, because_of=request.offset)
        self._some.clear()

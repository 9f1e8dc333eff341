"""Publishes what the way in asks of devices: today, that a Sparkplug edge node be born again."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable

import aiomqtt
import structlog

from dutyroom.progress import client
from ingest.broker import Broker
from ingest.requests import Request

_MOST_WAITING = 1_000
_RETRY_SECONDS = 2.0

log = structlog.get_logger()


class Asking:
    """Requests from the rules' thread to the loop's task that publishes them; bounded, the oldest give way.

    A request that is lost is made anew by the next message that cannot be read. Sparkplug wants commands at QoS 0.
    """

    def __init__(self) -> None:
        self._waiting: deque[Request] = deque()
        self._loop = asyncio.get_running_loop()
        self._some = asyncio.Event()
        self.published = self.dropped = 0

    def put(self, requests: Iterable[Request]) -> None:
        """From any thread."""
        for request in requests:
            self._loop.call_soon_threadsafe(self._take, request)

    async def run(self, broker: Broker) -> None:
        """Publish what comes until cancelled; while the broker is away it waits."""
        while True:
            await self._some.wait()
            try:
                async with client(broker) as mqtt:
                    await self._publish(mqtt)
            except aiomqtt.MqttError as error:
                log.warning("requests wait", waiting=len(self._waiting), why=str(error))
                await asyncio.sleep(_RETRY_SECONDS)

    def _take(self, request: Request) -> None:
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

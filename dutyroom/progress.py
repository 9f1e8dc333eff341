"""Tells on MQTT how far the service has come, so that whoever publishes a recording can wait for it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from contextlib import suppress

import aiomqtt

from ingest.broker import Broker

_PAUSE_SECONDS = 0.2
_REPEAT_PAUSES = 5
_RETRY_SECONDS = 2.0


def topic(site: str) -> str:
    """Where progress is told; outside the topics that are read as telemetry."""
    return f"dutyroom/service/{site}/passed"


def client(broker: Broker) -> aiomqtt.Client:
    """A client for small talk beside the ingestor."""
    return aiomqtt.Client(
        broker.host,
        broker.port,
        username=broker.username,
        password=broker.password,
        tls_params=_tls(broker) if broker.tls else None,
    )


def _tls(broker: Broker) -> aiomqtt.TLSParameters:
    files = (broker.ca_file, broker.cert_file, broker.key_file)
    ca, cert, key = (None if file is None else str(file) for file in files)
    return aiomqtt.TLSParameters(ca_certs=ca, certfile=cert, keyfile=key)


async def publish_progress(brokers: Sequence[Broker], site: str, passed: Callable[[], tuple[int, int]]) -> None:
    """Publish (plant time evaluated, plant time stored) whenever it changes, and now and then, until cancelled.

    On every broker: whoever publishes a recording knows only the one it publishes on.
    """
    async with asyncio.TaskGroup() as group:
        for broker in brokers:
            group.create_task(_on(broker, site, passed))


async def _on(broker: Broker, site: str, passed: Callable[[], tuple[int, int]]) -> None:
    while True:
        with suppress(aiomqtt.MqttError):
            async with client(broker) as mqtt:
                await _tell(mqtt, site, passed)
        await asyncio.sleep(_RETRY_SECONDS)


async def _tell(mqtt: aiomqtt.Client, site: str, passed: Callable[[], tuple[int, int]]) -> None:
    told, pauses = (0, 0), 0
    while True:
        now = passed()
        if now != told or pauses >= _REPEAT_PAUSES:
            body = json.dumps({"evaluated": now[0], "stored": now[1]})
            await mqtt.publish(topic(site), body, qos=0)
            told, pauses = now, 0
        pauses += 1
        await asyncio.sleep(_PAUSE_SECONDS)

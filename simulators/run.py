"""Publishes a simulation over MQTT at any speed, with the plant clock behind the acknowledgements."""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
from dataclasses import dataclass

import aiomqtt
from pydantic import ValidationError

from simulators.broker import BrokerAddress
from simulators.errors import BrokerAway, ScenarioError
from simulators.past import Past
from simulators.scenario import FaultPlan
from simulators.simulation import Message, Simulation

_IN_FLIGHT = 200
_LONGEST_TICK_S = 10
_TICK_AT_MAX_S = 60
_RETRY_S = 0.5
_ACK_TIMEOUT_S = 10.0


@dataclass(frozen=True, slots=True)
class Pace:
    """How plant time passes: `speed` plant seconds a second (None: as fast as the broker acknowledges).

    The first `catch_up` milliseconds of plant time pass as fast as they can; so a past is made before the present.
    """

    speed: float | None = 1.0
    catch_up: int = 0


@dataclass(slots=True)
class Published:
    """What a run has sent so far: messages acknowledged, those sent again after a lost broker, and reconnections."""

    messages: int = 0
    resent: int = 0
    reconnects: int = 0


async def publish(
    simulation: Simulation,
    broker_url: str,
    *,
    pace: Pace = Pace(),
    clock: bool = True,
    patience: float = 30.0,
) -> Published:
    """Send everything `simulation` says until its scenario ends.

    `pace` is how plant time passes. With `clock` the plant clock follows
    on `dutyroom/v1/<site>/clock`, each time only after the broker has acknowledged everything up to it.
    A lost broker is awaited for `patience` seconds, then BrokerAway; messages without acknowledgement are sent again.
    Meanwhile `{"repair": name}` and `{"inject": {fault plan}}` on `simulators/<site>/command` reach the simulation
    (the answer comes on `simulators/<site>/result`); a caller in the same loop may also call it directly.
    """
    address = BrokerAddress.parse(broker_url)
    sent = Published()
    if pace.catch_up and not address.tls:
        past = Past(simulation, address, clock=clock, patience=patience)
        sent.messages = await asyncio.to_thread(past.make, simulation.start + pace.catch_up)
    feed = _Feed(simulation, pace, clock, sent)
    loop = asyncio.get_running_loop()
    last_heard = loop.time()
    while not feed.finished:
        connected = False
        try:
            async with _client(address) as client:
                connected = True
                await client.subscribe(f"simulators/{simulation.site}/command", qos=1)
                await _serve(client, feed)
        except aiomqtt.MqttError as error:
            if connected:
                last_heard = loop.time()
                feed.sent.reconnects += 1
            if loop.time() - last_heard > patience:
                raise BrokerAway(f"{address} has not answered for {patience:g} s: {error}") from error
            await asyncio.sleep(_RETRY_S)
    return feed.sent


def _client(address: BrokerAddress) -> aiomqtt.Client:
    client = aiomqtt.Client(
        address.host,
        address.port,
        username=address.user,
        password=address.password,
        tls_context=ssl.create_default_context() if address.tls else None,
        max_inflight_messages=_IN_FLIGHT,
        timeout=_ACK_TIMEOUT_S,
        socket_options=[(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)],
    )
    client.pending_calls_threshold = 2 * _IN_FLIGHT
    return client


async def _serve(client: aiomqtt.Client, feed: _Feed) -> None:
    """Send and listen on one connection until the scenario ends or the connection does."""
    listener = asyncio.create_task(_listen(client, feed.simulation), name="simulator commands")
    try:
        await feed.send(client)
    finally:
        listener.cancel()
        await asyncio.gather(listener, return_exceptions=True)


async def _listen(client: aiomqtt.Client, simulation: Simulation) -> None:
    async for message in client.messages:
        raw = message.payload if isinstance(message.payload, bytes) else b""
        answer = command(simulation, raw)
        await client.publish(f"simulators/{simulation.site}/result", json.dumps(answer, ensure_ascii=False), qos=1)


def command(simulation: Simulation, payload: bytes) -> dict[str, str]:
    """Carry out one command, `{"repair": name}` or `{"inject": {…}}`; returns `{"done": …}` or `{"error": …}`."""
    try:
        asked = json.loads(payload)
        match asked:
            case {"repair": str(name)}:
                simulation.repair(name)
                return {"done": f"repaired {name}"}
            case {"inject": dict(plan)}:
                fault = FaultPlan.model_validate(plan)
                simulation.inject(fault)
                return {"done": f"injected {fault.name or fault.kind}"}
    except (ValueError, ValidationError, ScenarioError) as error:
        return {"error": str(error)}
    return {"error": 'expected {"repair": name} or {"inject": {"kind": …}}'}


class _Feed:
    """The stream of a simulation: paced batches, each wholly acknowledged before its clock message."""

    def __init__(self, simulation: Simulation, pace: Pace, clock: bool, sent: Published) -> None:
        self.simulation = simulation
        self.sent = sent
        self._pace = pace
        self._clock = clock
        self._present = simulation.start + pace.catch_up
        self._batch: list[Message] = []
        self._origin: float | None = None

    @property
    def _speed(self) -> float | None:
        """Plant seconds a second now; None: as fast as it goes."""
        return None if self.simulation.now < self._present else self._pace.speed

    def _tick_s(self) -> int:
        """Plant seconds of one batch."""
        if self._speed is None:
            behind = (self._present - self.simulation.now) // 1000
            return min(_TICK_AT_MAX_S, behind) if behind > 0 else _TICK_AT_MAX_S
        return max(1, min(_LONGEST_TICK_S, round(self._speed / 5)))

    @property
    def finished(self) -> bool:
        """Whether everything is sent and acknowledged."""
        return self.simulation.done and not self._batch

    async def send(self, client: aiomqtt.Client) -> None:
        """Go on where the last connection ended."""
        while not self.finished:
            if not self._batch:
                await self._wait()
                left = (self.simulation.end - self.simulation.now) // 1000
                self._batch = self.simulation.step(min(self._tick_s(), left))
                if self._clock:
                    self._batch.append(self.simulation.clock())
            while len(self._batch) > self._clock:
                await self._send_some(client, len(self._batch) - self._clock)
            if self._clock:
                await self._send_some(client, 1)

    async def _send_some(self, client: aiomqtt.Client, count: int) -> None:
        """Send up to 200 messages at once; what is not acknowledged stays in the batch, in order."""
        part = self._batch[: min(count, _IN_FLIGHT)]
        results = await asyncio.gather(
            *(client.publish(m.topic, m.payload, qos=m.qos, retain=m.retain) for m in part), return_exceptions=True
        )
        failed = [(m, result) for m, result in zip(part, results, strict=True) if result is not None]
        self._batch[: len(part)] = [message for message, _ in failed]
        self.sent.messages += len(part) - len(failed)
        self.sent.resent += len(failed)
        for _, error in failed:
            if isinstance(error, BaseException):
                raise error

    async def _wait(self) -> None:
        """Sleep until the next batch's plant time has come at this speed."""
        speed = self._speed
        if speed is None:
            return
        loop = asyncio.get_running_loop()
        plant = (self.simulation.now - self._present) / 1000 / speed
        if self._origin is None:
            self._origin = loop.time() - plant
        await asyncio.sleep(max(0.0, self._origin + plant - loop.time()))

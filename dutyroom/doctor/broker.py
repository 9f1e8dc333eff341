"""The MQTT broker: reachable, which topics we may read, and how much it keeps for a client that is away.

A broker tells nobody its limits, so they are tried out on a topic of the doctor's own: more messages than a careless
broker would keep are published for a session that is away; how many come before the first is acknowledged, and how
many in all, are the two limits.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from dutyroom.doctor.findings import Finding, bad, failed, ok, warn
from ingest.broker import Broker, new_client
from ingest.topics import ROOT
from plant.catalogue import Text
from plant.errors import BadInput, Unavailable

SENT = 1_200
"""More than Mosquitto keeps unless told otherwise (1,000)."""
_LEAST_IN_FLIGHT = 100
_PATIENCE_S = 10.0
_QUIET_S = 0.5
_SEE = Text(
    "照 deploy/mosquitto.conf 设置后重启消息服务器", "set it as in deploy/mosquitto.conf and restart the broker"
)


@dataclass(frozen=True, slots=True)
class Limits:
    """How many messages may be under way unacknowledged, and how many of those sent were kept for who was away."""

    in_flight: int
    kept: int


def check_broker(broker: Broker, site: str | None) -> Iterator[Finding]:
    """Reached, allowed, and able to keep what comes while the service is away."""
    trying = replace(broker, client_id=f"{broker.client_id}-doctor")
    try:
        with _connected(trying, clean=True) as line:
            yield ok("broker", f"已连上 {broker.url}", f"connected to {broker.url}")
            if site is not None and not line.subscribe(f"{ROOT}/{site}/#", 0):
                topic = f"{ROOT}/{site}/#"
                yield bad(
                    "broker",
                    Text(f"不允许订阅 {topic}", f"may not subscribe to {topic}"),
                    Text("在消息服务器的 ACL 中放行", "allow it in the broker's access list"),
                )
        yield from _about(try_limits(trying))
    except (Unavailable, BadInput) as error:
        yield failed("broker", error)


def _about(limits: Limits | None) -> Iterator[Finding]:
    if limits is None:
        yield warn(
            "broker",
            Text(
                "上限无法探明：不允许使用主题 dutyroom/doctor",
                "its limits cannot be told: the topic dutyroom/doctor is not allowed",
            ),
            Text(
                "检查 max_inflight_messages、max_queued_messages",
                "look at max_inflight_messages and max_queued_messages",
            ),
        )
        return
    figures = {"in_flight": float(limits.in_flight), "kept": float(limits.kept), "sent": float(SENT)}
    if limits.kept < SENT:
        yield bad(
            "broker",
            Text(
                f"客户端离线时只留 {limits.kept} 条（发出 {SENT} 条），其余丢弃",
                f"keeps {limits.kept} of {SENT} messages for a client that is away and drops the rest",
            ),
            Text(f"max_queued_messages 2000000；{_SEE.zh}", f"max_queued_messages 2000000; {_SEE.en}"),
            **figures,
        )
    else:
        yield ok(
            "broker", f"离线时至少留 {SENT} 条", f"keeps at least {SENT} messages for a client that is away", **figures
        )
    if limits.in_flight < _LEAST_IN_FLIGHT:
        yield warn(
            "broker",
            Text(
                f"未确认消息上限 {limits.in_flight}，会拖慢采集",
                f"{limits.in_flight} unacknowledged messages at most: this slows intake",
            ),
            Text(f"max_inflight_messages 0；{_SEE.zh}", f"max_inflight_messages 0; {_SEE.en}"),
            **figures,
        )
    # Nobody can ask for this one, and its default loses half an hour.
    yield ok(
        "broker",
        "autosave_interval 查不到：请确认为 1，否则断电会丢消息",
        "autosave_interval cannot be asked for: make sure that it is 1, or a power cut loses messages",
    )


def try_limits(broker: Broker) -> Limits | None:
    """Measure; None where the broker does not let us use the topic. Leaves no session behind.

    Raises Unavailable when the broker goes away meanwhile.
    """
    topic = f"dutyroom/doctor/{broker.client_id}"
    try:
        with _connected(broker) as line:
            if not line.subscribe(topic, 1):
                return None
        with _connected(replace(broker, client_id=f"{broker.client_id}-2"), clean=True) as line:
            line.publish(topic, SENT)
        with _connected(broker) as line:
            in_flight = line.until_quiet()
            line.acknowledge()
            kept = line.until_quiet()
        return Limits(in_flight, kept) if kept else None
    finally:
        with _connected(broker, clean=True):  # forgets the session and what is left in it
            pass


class _Line:
    """One connection, with what comes on it counted."""

    def __init__(self, broker: Broker, *, clean: bool) -> None:
        self.client: Client = new_client(broker, clean=clean)
        self.client.max_inflight_messages_set(SENT)
        self.came = 0
        self.refused: str | None = None
        self.connected, self.answered, self.taken = threading.Event(), threading.Event(), threading.Semaphore(0)
        self._allowed = False
        self._acknowledging = False
        self._waiting: list[MQTTMessage] = []
        self._lock = threading.Lock()
        self.client.on_connect = self._on_connect
        self.client.on_subscribe = self._on_subscribe
        self.client.on_message = self._on_message
        self.client.on_publish = self._on_publish
        self.client.on_disconnect = self._on_disconnect

    def subscribe(self, topic: str, qos: int) -> bool:
        """Whether the broker lets us."""
        self.client.subscribe(topic, qos)
        return self.answered.wait(_PATIENCE_S) and self._allowed

    def publish(self, topic: str, count: int) -> None:
        """Send so many and wait until the broker has taken each."""
        for number in range(count):
            self.client.publish(topic, str(number), qos=1)
        deadline = time.monotonic() + _PATIENCE_S
        for _ in range(count):
            if not self.taken.acquire(timeout=max(0.0, deadline - time.monotonic())):
                raise Unavailable("the broker does not take the doctor's messages; look at its log")

    def until_quiet(self) -> int:
        """Wait until nothing comes any more; how many have come."""
        deadline, before = time.monotonic() + _PATIENCE_S, -1
        while self.came != before and time.monotonic() < deadline:
            before = self.came
            time.sleep(_QUIET_S)
        return self.came

    def acknowledge(self) -> None:
        """From now on, and what has come."""
        with self._lock:
            self._acknowledging = True
            for message in self._waiting:
                self.client.ack(message.mid, message.qos)

    def _on_connect(
        self, client: Client, data: object, flags: ConnectFlags, code: ReasonCode, properties: Properties | None
    ) -> None:
        self.refused = str(code) if code.is_failure else None
        self.connected.set()

    def _on_disconnect(
        self, client: Client, data: object, flags: DisconnectFlags, code: ReasonCode, properties: Properties | None
    ) -> None:
        self.answered.set()

    def _on_subscribe(
        self, client: Client, data: object, mid: int, codes: list[ReasonCode], properties: Properties | None
    ) -> None:
        self._allowed = not any(code.is_failure for code in codes)
        self.answered.set()

    def _on_message(self, client: Client, data: object, message: MQTTMessage) -> None:
        with self._lock:
            self.came += 1
            if self._acknowledging:
                client.ack(message.mid, message.qos)
            else:
                self._waiting.append(message)

    def _on_publish(
        self, client: Client, data: object, mid: int, code: ReasonCode, properties: Properties | None
    ) -> None:
        self.taken.release()


@contextmanager
def _connected(broker: Broker, *, clean: bool = False) -> Iterator[_Line]:
    """A connection for the block; raises Unavailable when there is none to be had."""
    line = _Line(broker, clean=clean)
    try:
        line.client.connect(broker.host, broker.port, broker.keepalive_s)
    except OSError as error:
        raise Unavailable(f"{broker.url} cannot be reached ({error}); start it, or mend broker.url") from error
    line.client.loop_start()
    try:
        if not line.connected.wait(_PATIENCE_S):
            raise Unavailable(f"{broker.url} does not answer; is it an MQTT broker?")
        if line.refused is not None:
            raise Unavailable(f"{broker.url} refuses us: {line.refused}; check user, password and client id")
        yield line
    finally:
        line.client.disconnect()
        line.client.loop_stop()

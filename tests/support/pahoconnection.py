"""The reference of the session's contract: a connection made of plain paho, with the same edges as ours."""

from __future__ import annotations

import socket
import threading
from collections.abc import Sequence
from typing import Protocol as Shape

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from ingest.broker import Broker, tls_context
from ingest.mqtt.connection import OFFLINE, ONLINE
from ingest.mqtt.packets import Protocol, Publish


class Told(Shape):
    """The listener of this kind of connection."""

    def connected(self, connection: PahoConnection) -> None: ...

    def disconnected(self, connection: PahoConnection) -> None: ...

    def received(self, connection: PahoConnection, messages: Sequence[Publish]) -> None: ...


class PahoConnection:
    """As `ingest.mqtt.connection.Connection`, one message at a time."""

    def __init__(
        self, broker: Broker, generation: int, filters: Sequence[str], listener: Told, status: str | None = None
    ) -> None:
        self.broker, self.generation = broker, generation
        self.session_present = False
        self.reason: str | None = None
        self.subscribed = False
        self._filters, self._listener, self._status = filters, listener, status
        self._ended, self._gone, self._leaving = threading.Event(), threading.Event(), False
        five = broker.protocol is Protocol.V5
        self._client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=broker.client_id,
            clean_session=None if five else False,
            protocol=MQTTProtocolVersion.MQTTv5 if five else MQTTProtocolVersion.MQTTv311,
            reconnect_on_failure=False,
            manual_ack=True,
        )
        self._client.connect_timeout = broker.connect_timeout_s
        if broker.username is not None:
            self._client.username_pw_set(broker.username, broker.password)
        if broker.tls:
            self._client.tls_set_context(tls_context(broker))
        if status is not None:
            self._client.will_set(status, OFFLINE, qos=1, retain=True)
        self._client.on_connect = self._on_connect
        self._client.on_subscribe = self._on_subscribe
        self._client.on_message = self._on_message
        self._client.on_disconnect = self._on_disconnect

    def run(self) -> None:
        broker = self.broker
        try:
            if broker.protocol is Protocol.V5:
                properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
                properties.SessionExpiryInterval = broker.session_expiry_s
                self._client.connect(
                    broker.host, broker.port, broker.keepalive_s, clean_start=False, properties=properties
                )
            else:
                self._client.connect(broker.host, broker.port, broker.keepalive_s)
        except OSError as error:
            self.reason = f"{broker.url} cannot be reached: {error}"
            return
        self._client.loop_start()
        self._ended.wait()
        if self._leaving and self._status is not None:
            self._client.publish(self._status, OFFLINE, qos=1, retain=True)
        self._client.disconnect()
        self._gone.wait(1)
        transport = self._client.socket()
        if isinstance(transport, socket.socket):
            transport.shutdown(socket.SHUT_RDWR)
        self._client.loop_stop()
        if self.subscribed:
            self._listener.disconnected(self)

    def end(self, reason: str) -> None:
        self.reason = self.reason or reason
        self._ended.set()

    def leave(self) -> None:
        self._leaving = True
        self.end("stopping")

    def ack(self, messages: Sequence[Publish]) -> None:
        for message in messages:
            if message.qos and not self._ended.is_set():
                self._client.ack(message.mid, message.qos)

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        self._client.publish(topic, payload, qos=1, retain=retain)

    def subscribe(self, added: Sequence[str], removed: Sequence[str]) -> None:
        if added:
            self._client.subscribe(self._wanted(added))
        if removed:
            self._client.unsubscribe(list(removed))

    def _wanted(self, filters: Sequence[str]) -> list[tuple[str, int]] | list[tuple[str, SubscribeOptions]]:
        if self.broker.protocol is Protocol.V5:
            return [(topic, SubscribeOptions(1, retainHandling=1)) for topic in filters]
        return [(topic, 1) for topic in filters]

    def _on_connect(
        self, client: Client, data: object, flags: ConnectFlags, code: ReasonCode, properties: Properties | None
    ) -> None:
        if code.is_failure:
            self.end(f"{self.broker.url} refuses us: {code}")
            return
        self.session_present = flags.session_present
        client.subscribe(self._wanted(self._filters))

    def _on_subscribe(
        self, client: Client, data: object, mid: int, codes: list[ReasonCode], properties: Properties | None
    ) -> None:
        if any(code.is_failure for code in codes) and not self.subscribed:
            self.end(f"{self.broker.url} refuses the subscription to {', '.join(self._filters)}")
        elif not self.subscribed:
            self.subscribed = True
            if self._status is not None:
                self.publish(self._status, ONLINE, retain=True)
            self._listener.connected(self)

    def _on_message(self, client: Client, data: object, message: MQTTMessage) -> None:
        payload = bytes(message.payload)
        came = Publish(message.topic, payload, message.qos, message.retain, bool(message.dup), message.mid)
        self._listener.received(self, [came])

    def _on_disconnect(
        self, client: Client, data: object, flags: DisconnectFlags, code: ReasonCode, properties: Properties | None
    ) -> None:
        self.end(f"connection to {self.broker.url} lost: {code}")
        self._gone.set()

"""How the broker is reached, and a paho client made for one connection to it (for short talks, not for the data)."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from ingest.mqtt.packets import Protocol
from plant.errors import BadInput

_PORTS = {"mqtt": 1883, "mqtts": 8883}


@dataclass(frozen=True, slots=True)
class Broker:
    """Where and as whom. `client_id` is fixed: the broker keeps our session, and what came meanwhile, under it.

    `ca_file` None trusts the system's authorities; `cert_file` and `key_file` are our own certificate, if asked for.
    `session_expiry_s` counts for MQTT 5: so long the broker keeps what comes while we are away.
    """

    host: str
    port: int = 1883
    client_id: str = "dutyroom"
    username: str | None = None
    password: str | None = None
    tls: bool = False
    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None
    keepalive_s: int = 20
    connect_timeout_s: float = 5.0
    protocol: Protocol = Protocol.V311
    session_expiry_s: int = 0xFFFFFFFF
    name: str = "1"
    """What people call it; the collector has one of each name."""
    session_file: Path | None = None
    """Where the collector keeps what it asked this broker's session for; None forgets it with the process."""

    def __repr__(self) -> str:
        return f"Broker({self.url!r}, client_id={self.client_id!r})"

    @property
    def url(self) -> str:
        """Without user and password, so that it may be logged and stored with each message."""
        return f"{'mqtts' if self.tls else 'mqtt'}://{self.host}:{self.port}"

    @property
    def protocol_name(self) -> str:
        """As people write it."""
        return "5" if self.protocol is Protocol.V5 else "3.1.1"

    @staticmethod
    def from_url(url: str, *, client_id: str = "dutyroom") -> Broker:
        """`mqtt://user:password@host:1883` or `mqtts://host`. Raises BadInput."""
        parts = urlsplit(url)
        try:
            port = parts.port
        except ValueError:
            port = -1
        if parts.scheme not in _PORTS or not parts.hostname or port == -1 or parts.path not in ("", "/"):
            # The address may hold a password, so it is not repeated here.
            raise BadInput("the broker's address is no URL such as mqtt://host:1883 or mqtts://user:password@host")
        return Broker(
            parts.hostname,
            port or _PORTS[parts.scheme],
            client_id,
            unquote(parts.username) if parts.username else None,
            unquote(parts.password) if parts.password else None,
            tls=parts.scheme == "mqtts",
        )


def new_client(broker: Broker, *, clean: bool = False) -> Client:
    """A client for one connection: persistent session, nothing acknowledged by itself, no reconnecting of its own.

    `clean` begins and leaves without a session, and ends the one there was. Raises BadInput when the certificate files
    cannot be used.
    """
    client = Client(
        CallbackAPIVersion.VERSION2,
        client_id=broker.client_id,
        clean_session=clean,
        protocol=MQTTProtocolVersion.MQTTv311,
        reconnect_on_failure=False,
        manual_ack=True,
    )
    client.connect_timeout = broker.connect_timeout_s
    if broker.username is not None:
        client.username_pw_set(broker.username, broker.password)
    if broker.tls:
        client.tls_set_context(tls_context(broker))
    return client


def tls_context(broker: Broker) -> ssl.SSLContext:
    """Whom we trust and who we are; raises BadInput when the certificate files cannot be used."""
    try:
        context = ssl.create_default_context(cafile=broker.ca_file)
        if broker.cert_file is not None:
            context.load_cert_chain(broker.cert_file, broker.key_file)
    except OSError as error:
        raise BadInput(f"certificates for {broker.url} cannot be used: {error}; check ca, cert and key") from None
    return context

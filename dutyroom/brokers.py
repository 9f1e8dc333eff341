"""The MQTT brokers as the settings describe them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from dutyroom.settings import BrokerSettings
from ingest.broker import Broker
from ingest.mqtt.packets import Protocol
from plant.errors import BadInput

_DAY_S = 86_400
_NEVER_S = 0xFFFFFFFF


def brokers_of(settings: Sequence[BrokerSettings]) -> list[Broker]:
    """All of them. Raises BadInput as `broker_of`, or for a twin."""
    made = [broker_of(one, number) for number, one in enumerate(settings, 1)]
    for what in ("name", "url"):
        seen = [getattr(broker, what) for broker in made]
        twins = sorted({one for one in seen if seen.count(one) > 1})
        if twins:
            raise BadInput(f"two brokers have the {what} {twins[0]!r}; each of [[brokers]] needs its own")
    return made


def remembering(brokers: Sequence[Broker], folder: Path) -> list[Broker]:
    """The same, each with a file in the folder for what its session was asked for; another address or client id is
    another session, another name is not.
    """
    return [replace(one, session_file=folder / f"{_session(one)}.json") for one in brokers]


def _session(broker: Broker) -> str:
    return hashlib.sha256(f"{broker.url} {broker.client_id}".encode()).hexdigest()[:16]


def broker_of(settings: BrokerSettings, number: int = 1) -> Broker:
    """Raises BadInput where the address is none, a user is named twice, or the password's file cannot be read."""
    name = settings.name or str(number)
    broker = Broker.from_url(settings.url.get_secret_value(), client_id=settings.client_id)
    if settings.username is not None and broker.username is not None:
        raise BadInput(f"broker {name}: its user is named in url and in username; name it once")
    username, password = settings.username or broker.username, broker.password
    if settings.password_file is not None:
        if username is None or password is not None:
            raise BadInput(f"broker {name}: password_file needs a username, and no password in url")
        password = _first_line(settings.password_file, name)
    return replace(
        broker,
        name=name,
        username=username,
        password=password,
        ca_file=settings.ca_file,
        cert_file=settings.cert_file,
        key_file=settings.key_file,
        keepalive_s=settings.keepalive_s,
        protocol=Protocol.V5 if settings.protocol == "5" else Protocol.V311,
        session_expiry_s=_NEVER_S if settings.session_days is None else round(settings.session_days * _DAY_S),
    )


def _first_line(file: Path, name: str) -> str:
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"broker {name}: password_file {file} cannot be read: {error}") from None
    if not lines or not lines[0]:
        raise BadInput(f"broker {name}: password_file {file} is empty; expected the password in its first line")
    return lines[0]

"""The MQTT broker as the settings describe it."""

from __future__ import annotations

from dataclasses import replace

from dutyroom.settings import BrokerSettings
from ingest.broker import Broker


def broker_of(settings: BrokerSettings) -> Broker:
    """Raises BadInput where the address is none."""
    broker = Broker.from_url(settings.url.get_secret_value(), client_id=settings.client_id)
    return replace(broker, ca_file=settings.ca_file, cert_file=settings.cert_file, key_file=settings.key_file)

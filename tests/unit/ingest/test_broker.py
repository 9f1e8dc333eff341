"""How a broker's address is read, and that its password stays inside."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingest.broker import Broker, new_client
from plant.errors import BadInput


def test_address_with_everything() -> None:
    broker = Broker.from_url("mqtts://li:p%40ss@broker.site:8884", client_id="demo")
    assert (broker.host, broker.port, broker.username, broker.password, broker.tls) == (
        "broker.site",
        8884,
        "li",
        "p@ss",
        True,
    )


@pytest.mark.parametrize(("url", "port"), [("mqtt://host", 1883), ("mqtts://host", 8883)])
def test_usual_ports(url: str, port: int) -> None:
    assert Broker.from_url(url).port == port


@pytest.mark.parametrize("url", ["host:1883", "http://host", "mqtt://", "mqtt://host:none", "mqtt://host/topic"])
def test_other_addresses_are_refused(url: str) -> None:
    with pytest.raises(BadInput, match="mqtt://host:1883"):
        Broker.from_url(url)


def test_password_shows_nowhere() -> None:
    broker = Broker.from_url("mqtt://li:secret@host")
    assert "secret" not in repr(broker) + broker.url
    with pytest.raises(BadInput) as refused:
        Broker.from_url("mqtt://li:secret@host:none")
    assert "secret" not in str(refused.value)


def test_missing_certificate_is_said_before_connecting(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="certificates"):
        new_client(Broker("host", tls=True, ca_file=tmp_path / "none.pem"))

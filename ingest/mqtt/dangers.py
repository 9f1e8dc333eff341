"""What a broker tells of its limits when we connect that endangers us.

How much it keeps for us and how many messages it lets be under way it tells nobody: `dutyroom doctor` tries that out.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from ingest.broker import Broker
from ingest.mqtt.packets import Protocol
from ingest.mqtt.properties import MAXIMUM_QOS, SESSION_EXPIRY


class Danger(StrEnum):
    """Each with its words in `api.web.healthwords`."""

    QOS_0_ONLY = "qos_0_only"
    """It delivers without acknowledgement: what it sends while we are away, or cannot write, is lost."""
    SESSION_SHORT = "session_short"
    """It keeps our session for a shorter time than we asked (MQTT 5): a longer absence loses what waited."""


def told(broker: Broker, granted: Mapping[int, int | bytes], *, qos_0_only: bool) -> frozenset[Danger]:
    """What the answers to CONNECT and SUBSCRIBE say."""
    found = set[Danger]()
    if qos_0_only or granted.get(MAXIMUM_QOS) == 0:
        found.add(Danger.QOS_0_ONLY)
    expiry = granted.get(SESSION_EXPIRY)
    if broker.protocol is Protocol.V5 and isinstance(expiry, int) and expiry < broker.session_expiry_s:
        found.add(Danger.SESSION_SHORT)
    return frozenset(found)

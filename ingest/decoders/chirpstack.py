"""ChirpStack 4: https://www.chirpstack.io/docs/chirpstack/integrations/events.html, JSON marshaler."""

from __future__ import annotations

import re

from ingest.decoders.decoded import Decoded, Kind
from ingest.decoders.findings import Findings, Node, json_object, node, nodes, peek_object
from ingest.decoders.format import Format
from ingest.decoders.loose import parse_number
from ingest.decoders.lorawan import add_radio, add_values, codec_missing, is_raw
from ingest.decoders.moments import parse_moment
from ingest.reasons import Refused, RejectReason

_TOPIC = re.compile(r"(?:.*/)?application/[^/]+/device/([^/]+)/event/([a-z]+)")
_ABOUT = re.compile(
    r"(?:.*/)?(?:application/[^/]+/device/[^/]+/command|gateway/[0-9a-fA-F]{16}/(?:event|state|command))/.+"
)
"""Downlinks, and what gateways say of themselves (often protobuf): never a reading of a device."""


def decode(topic: str, payload: bytes) -> Decoded:
    """`up`: what the codec put into `object`, by its path there, and the radio. `status`: battery and link margin.

    All other events (join, ack, txack, log, location, integration) are status. The time is the network server's, the
    device the DevEUI. Raises Refused where the message cannot be understood, or no codec has taken it apart.
    """
    if _ABOUT.fullmatch(topic):
        return Decoded(kind=Kind.STATUS)
    found = _TOPIC.fullmatch(topic)
    message = json_object(payload)
    info = node(message.get("deviceInfo"))
    device = info.get("devEui")
    if not isinstance(device, str):
        detail = (
            "no deviceInfo.devEui; expected an event of ChirpStack 4 in JSON (that of ChirpStack 3 has another form)"
        )
        raise Refused(RejectReason.NOT_A_FRAME, detail)
    event = found[2] if found else _guess(message)
    findings = Findings(parse_moment(message.get("time")))
    match event:
        case "up":
            return _up(findings, message, device)
        case "status":
            _status(findings, message)
    return findings.decoded(device, partial=True)


def _up(findings: Findings, message: Node, device: str) -> Decoded:
    values = message.get("object")
    if is_raw(values) and (values or message.get("data")):
        raise codec_missing("object", "data")
    add_values(findings, values)
    add_radio(findings, nodes(message.get("rxInfo")))
    return findings.decoded(device, otherwise=Kind.EMPTY, partial=True)


def _status(findings: Findings, message: Node) -> None:
    """`margin` is that of the last downlink's signal; no battery level on mains, or where the device cannot tell."""
    findings.add("margin", message.get("margin"), "dB")
    findings.add("externalPowerSource", message.get("externalPowerSource"))
    told = message.get("externalPowerSource") is not True and message.get("batteryLevelUnavailable") is not True
    if told and parse_number(message.get("batteryLevel")) is not None:
        findings.add("batteryLevel", message.get("batteryLevel"), "%")


def _guess(message: Node) -> str:
    """What kind of event it is by its members, where it came on a topic of another form."""
    if "margin" in message or "batteryLevel" in message:
        return "status"
    return "up" if "object" in message or "rxInfo" in message else "other"


def _claims(topic: str, payload: bytes) -> bool:
    if _TOPIC.fullmatch(topic) or _ABOUT.fullmatch(topic):
        return True
    return "devEui" in node(peek_object(payload).get("deviceInfo"))


FORMAT = Format("chirpstack", decode, _claims)

"""The Things Stack 3 (The Things Network): https://www.thethingsindustries.com/docs/integrations/mqtt/."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ingest.decoders.decoded import Decoded, Kind
from ingest.decoders.findings import Findings, Node, first_moment, json_object, leaves, node, nodes, peek_object
from ingest.decoders.format import Format
from ingest.decoders.lorawan import add_radio, add_values, codec_missing, is_raw
from ingest.decoders.moments import parse_moment
from ingest.reasons import Refused, RejectReason

_TOPIC = re.compile(r"v3/[^/]+/devices/([^/]+)/([a-z]+)(?:/[a-z]+)*")

_UNITS: Mapping[str, str] = {
    "air.temperature": "Cel", "air.relativeHumidity": "%", "air.pressure": "hPa", "air.co2": "ppm",
    "air.lightIntensity": "lx", "water.temperature.current": "Cel", "water.temperature.min": "Cel",
    "water.temperature.max": "Cel", "soil.temperature": "Cel", "soil.moisture": "%", "wind.speed": "m/s",
    "wind.direction": "deg", "battery": "V",
}  # fmt: skip
"""The units of the normalized payload, as its schema says."""


def decode(topic: str, payload: bytes) -> Decoded:
    """`up`: what the codec put into `decoded_payload`, by its path there; `normalized_payload` as `normalized.<path>`
    with its units; the radio, and the battery that the device's last status told. Everything else (join, downlinks,
    location, service data) is status.

    Three clocks stand in a message: the gateway's (`rx_metadata[].time`, often set by nobody), the network server's
    (`uplink_message.received_at`) and the application server's (`received_at`). The network server's is taken: a
    message held up on its way to us keeps it, and no gateway can spoil it. The device is the DevEUI.

    Raises Refused where the message cannot be understood, no codec has taken it apart, or a person has simulated it.
    """
    message = json_object(payload)
    ids = node(message.get("end_device_ids"))
    device = ids.get("dev_eui") or ids.get("device_id")
    if not isinstance(device, str):
        raise Refused(RejectReason.NOT_A_FRAME, "no end_device_ids; expected a message of The Things Stack 3")
    found = _TOPIC.fullmatch(topic)
    uplink = node(message.get("uplink_message"))
    if not uplink or (found is not None and found[2] != "up"):
        return Decoded(kind=Kind.STATUS, device=device)
    if message.get("simulated") is True:
        raise Refused(RejectReason.SIMULATED, "an uplink simulated in the console; no device has measured it")
    return _up(message, uplink, device)


def _up(message: Node, uplink: Node, device: str) -> Decoded:
    values, normalized = uplink.get("decoded_payload"), nodes(uplink.get("normalized_payload"))
    if is_raw(values) and not normalized and (values or uplink.get("frm_payload")):
        raise codec_missing("decoded_payload", "frm_payload")
    findings = Findings(first_moment(uplink, "received_at") or first_moment(message, "received_at"))
    add_values(findings, values)
    for one in normalized:
        _add_normalized(findings, one)
    add_radio(findings, nodes(uplink.get("rx_metadata")))
    findings.add("last_battery_percentage", node(uplink.get("last_battery_percentage")).get("value"), "%")
    return findings.decoded(device, otherwise=Kind.EMPTY, partial=True)


def _add_normalized(findings: Findings, measurement: Node) -> None:
    at = parse_moment(measurement.get("time"))
    for path, _, raw in leaves({name: child for name, child in measurement.items() if name != "time"}):
        findings.add_at(f"normalized.{path}", raw, at, _UNITS.get(path))


def _claims(topic: str, payload: bytes) -> bool:
    return _TOPIC.fullmatch(topic) is not None or "end_device_ids" in peek_object(payload)


FORMAT = Format("ttn", decode, _claims)

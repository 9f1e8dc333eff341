"""ThingsBoard, device and gateway: https://thingsboard.io/docs/reference/gateway-mqtt-api/."""

from __future__ import annotations

import re

from ingest.decoders.decoded import ONLINE, Decoded, Kind
from ingest.decoders.findings import Findings, Node, json_object, leaves, node, peek_object
from ingest.decoders.format import Format
from ingest.decoders.loose import parse_json, shown, text
from ingest.decoders.moments import Moment, parse_moment
from ingest.reasons import Refused, RejectReason

_ABOUT = re.compile(
    r"(?:v1/(?:gateway|devices/me)/|v2/)(attributes|rpc|claim|provision|a|r|c)(?:/.*)?|v2/fw/.+|/provision/.+"
)
"""What is no telemetry: attributes are configuration; calls, claims, firmware and provisioning are status."""
_TELEMETRY = ("v1/gateway/", "v1/devices/me/", "v2/t/j")


def decode(topic: str, payload: bytes) -> Decoded:
    """A gateway's `{device: [{"ts", "values"}]}` with the device's name before the key (`Boiler 1.flow`); a device's
    own `{"ts", "values"}`, list of these, or bare members by their path. Connect and disconnect are states,
    attributes are configuration. Raises Refused where the message cannot be understood.
    """
    last = topic.rsplit("/", 1)[-1]
    if last in ("connect", "disconnect"):
        named = json_object(payload).get("device")
        online = float(last == "connect")
        return Decoded(kind=Kind.STATUS, device=named if isinstance(named, str) else None, states={ONLINE: online})
    about = _ABOUT.fullmatch(topic)
    if about is not None:
        return Decoded(kind=Kind.CONFIG if about[1] in ("attributes", "a") else Kind.STATUS)
    message = parse_json(text(payload))
    findings = Findings()
    if "/devices/" in topic or topic.startswith("v2/t") or not _is_gateways(message):
        _records(message, "", findings)
        return findings.decoded(otherwise=Kind.EMPTY)
    for device, records in node(message).items():
        _records(records, f"{device}.", findings)
    return findings.decoded(otherwise=Kind.EMPTY, partial=True, devices=tuple(node(message)))


def _records(raw: object, prefix: str, findings: Findings) -> None:
    for record in raw if isinstance(raw, list) else [raw]:
        if not isinstance(record, dict):
            raise Refused(RejectReason.NOT_A_FRAME, f"{shown(record)} is no record; expected ts and values")
        at: Moment | None = None
        values: Node = record
        if "values" in record or "ts" in record:
            bare = {name: value for name, value in record.items() if name != "ts"}
            values = node(record.get("values", bare))
            try:
                at = parse_moment(record.get("ts"))
            except Refused as refused:
                # Of many records one clock may be wrong: the others are not lost for it.
                where = prefix[:-1] or "a record"
                findings.refuse(RejectReason.BAD_TIME, f"{where}: {refused.rejected.detail}")
                continue
        for path, _, value in leaves(values):
            findings.add_at(f"{prefix}{path}", value, at)


def _is_gateways(message: object) -> bool:
    """An object of lists of objects, one list a device; a single record may stand without its list."""
    found = node(message)
    single = [[raw] for raw in found.values() if "values" in node(raw)]
    lists = [raw for raw in found.values() if isinstance(raw, list)] + single
    return bool(found) and len(lists) == len(found) and all(isinstance(one, dict) for raw in lists for one in raw)


def _claims(topic: str, payload: bytes) -> bool:
    if topic.startswith(_TELEMETRY) or topic == "v2/t" or _ABOUT.fullmatch(topic):
        return True
    message = peek_object(payload)
    records = [one for raw in message.values() if isinstance(raw, list) for one in raw]
    return (
        _is_gateways(message)
        and bool(records)
        and all("ts" in one and isinstance(one.get("values"), dict) for one in records)
    )


FORMAT = Format("thingsboard", decode, _claims)

"""EMQX Neuron, both upload forms: https://docs.emqx.com/en/neuron/latest/configuration/north-apps/mqtt/api.html."""

from __future__ import annotations

from ingest.decoders.decoded import Decoded, Kind
from ingest.decoders.findings import Findings, Node, first_moment, json_object, leaves, node, nodes, peek_object
from ingest.decoders.format import Format
from ingest.decoders.loose import number_with_unit, parse_number, shown
from ingest.reasons import Refused, RejectReason
from plant.quality import Reason


def decode(_topic: str, payload: bytes) -> Decoded:
    """`values` and `errors` by tag, or a list of `tags`; the key is the tag, the device is the node.

    An error code is no value: its tag is a bad reading, even where an old value stands beside it. Raises Refused where
    the message cannot be understood.
    """
    message = json_object(payload)
    findings = Findings(first_moment(message, "timestamp"))
    if "states" in message:
        for one in nodes(message["states"]):
            findings.state(f"{one.get('node')}.link", one.get("link"))
            findings.state(f"{one.get('node')}.running", one.get("running"))
        return findings.decoded()
    if "values" in message or "errors" in message:
        _by_name(node(message.get("values")), node(message.get("errors")), findings)
    elif "uuid" in message and "tags" not in message:
        return Decoded(kind=Kind.STATUS)
    elif isinstance(message.get("tags"), list):
        for tag in nodes(message["tags"]):
            _tag(tag, findings)
    else:
        detail = f"the message is {shown(message)}; expected values and errors, or tags"
        raise Refused(RejectReason.NOT_A_FRAME, detail)
    named = message.get("node")
    return findings.decoded(named if isinstance(named, str) else None, otherwise=Kind.EMPTY, partial=True)


def _by_name(values: Node, errors: Node, findings: Findings) -> None:
    failed = [name for name, code in errors.items() if code not in (None, 0)]
    for name, raw in values.items():
        if name not in failed:
            _add(name, raw, findings)
    for name in failed:
        findings.doubt(name, None, Reason.DEVICE_FAILURE)


def _tag(tag: Node, findings: Findings) -> None:
    name = tag.get("name")
    if not isinstance(name, str):
        findings.refuse(RejectReason.NOT_A_FRAME, f"a tag has the name {shown(name)}; expected text")
    elif tag.get("error") not in (None, 0):
        findings.doubt(name, None, Reason.DEVICE_FAILURE)
    else:
        _add(name, tag.get("value"), findings)


def _add(name: str, raw: object, findings: Findings) -> None:
    """A word in the place of a number is refused by its tag; whether anybody wanted that number, the binding says."""
    for path, _, value in leaves(raw, name):
        if isinstance(value, str) and parse_number(number_with_unit(value)[0]) is None:
            detail = f"{path} is {shown(value)}; expected a number, ON/OFF or true/false"
            findings.refuse(RejectReason.NOT_A_VALUE, detail, path)
        else:
            findings.add(path, value)


def _claims(topic: str, payload: bytes) -> bool:
    levels = [level for level in topic.split("/") if level]
    message = peek_object(payload)
    if levels[:1] == ["neuron"]:
        # An upload of the user's own form (`custom`) is JSON like any other.
        return not message or not message.keys().isdisjoint({"values", "tags", "errors", "states", "uuid"})
    if isinstance(message.get("values"), dict) and isinstance(message.get("errors"), dict):
        return True
    return "node" in message and "group" in message and not message.keys().isdisjoint({"values", "tags", "errors"})


FORMAT = Format("neuron", decode, _claims)

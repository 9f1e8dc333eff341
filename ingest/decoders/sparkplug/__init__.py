"""Sparkplug B 3.0: protobuf payloads whose meaning depends on the birth of their edge node.

The service reads them through `EdgeNodes`, which remembers the births; the format in the table of formats is the same
for one message by itself.
"""

from __future__ import annotations

from ingest.decoders.decoded import Decoded
from ingest.decoders.format import Format
from ingest.decoders.sparkplug.address import NAMESPACE, Address, any_kind, followed, parse
from ingest.decoders.sparkplug.births import Bound
from ingest.decoders.sparkplug.edge import Part, Taken
from ingest.decoders.sparkplug.nodes import Came, EdgeNodes, EdgeState, rebirth_request
from ingest.reasons import Refused, RejectReason

__all__ = [
    "FORMAT",
    "Address",
    "Bound",
    "Came",
    "EdgeNodes",
    "EdgeState",
    "Part",
    "Taken",
    "any_kind",
    "decode",
    "followed",
    "parse",
    "rebirth_request",
]


def decode(topic: str, payload: bytes) -> Decoded:
    """One message as the first that is ever heard of its node: births in full, data as far as it brings names.

    Raises Refused where the topic is none of Sparkplug.
    """
    address = parse(topic)
    if address is None:
        detail = f"{topic[:200]!r} is no Sparkplug topic; expected {NAMESPACE}/<group>/<kind>/<node>[/<device>]"
        raise Refused(RejectReason.NOT_A_FRAME, detail)
    return EdgeNodes().take(address, payload, Came(0)).parts[0].decoded


def _claims(topic: str, _payload: bytes) -> bool:
    return parse(topic) is not None


FORMAT = Format("sparkplug_b", decode, _claims)

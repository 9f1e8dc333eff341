"""The formats: each a pure function from topic and bytes to samples, all of them in one table."""

from __future__ import annotations

from collections.abc import Mapping

from ingest.decoders import (
    chirpstack,
    dlt645,
    emsesp,
    gateway,
    generic,
    ha_discovery,
    heishamon,
    native,
    neuron,
    plain,
    senml,
    shelly,
    sparkplug,
    tasmota,
    thingsboard,
    ttn,
    zigbee2mqtt,
)
from ingest.decoders.decoded import Decoded, Envelope, Kind, Sample, by_device
from ingest.decoders.format import Decode, Format
from ingest.reasons import Refused, Rejected, RejectReason

__all__ = [
    "FORMATS",
    "KNOWN",
    "MAX_PAYLOAD",
    "Decode",
    "Decoded",
    "Envelope",
    "Format",
    "Kind",
    "Sample",
    "by_device",
    "decode",
    "recognise",
]

FORMATS: Mapping[str, Format] = {
    known.name: known
    for known in (
        native.FORMAT,
        native.STATUS_FORMAT,
        sparkplug.FORMAT,
        chirpstack.FORMAT,
        ttn.FORMAT,
        ha_discovery.FORMAT,
        heishamon.FORMAT,
        emsesp.FORMAT,
        thingsboard.FORMAT,
        tasmota.FORMAT,
        shelly.FORMAT,
        zigbee2mqtt.FORMAT,
        neuron.FORMAT,
        gateway.FORMAT,
        dlt645.FORMAT,
        senml.FORMAT,
        generic.FORMAT,
        plain.FORMAT,
    )
}
"""Every format by name, most specific first: the first that claims an unbound message has it. `plain` claims all."""

KNOWN: Mapping[str, bool] = {name: known.timed is not None for name, known in FORMATS.items()}
"""Every format's name, and whether a binding may say where its time is: what the check of site files needs."""

MAX_PAYLOAD = 256 * 1024
"""Bytes; a longer message is no telemetry and is refused unread."""


def decode(decoder: Decode, topic: str, payload: bytes) -> Decoded:
    """Take one message apart; whatever the bytes are, the answer is samples or a reason, never an exception."""
    if len(payload) > MAX_PAYLOAD:
        detail = f"more than {MAX_PAYLOAD} bytes; no telemetry is so long"
        return Decoded(rejected=(Rejected(RejectReason.TOO_LARGE, detail),))
    if not payload or payload.isspace():
        return Decoded(kind=Kind.EMPTY)
    try:
        return decoder(topic, payload)
    except Refused as refused:
        return Decoded(rejected=(refused.rejected,))


def recognise(topic: str, payload: bytes) -> Format:
    """The format an unbound message most likely has, by its topic and what is in it."""
    return next(known for known in FORMATS.values() if known.claims(topic, payload[: MAX_PAYLOAD + 1]))

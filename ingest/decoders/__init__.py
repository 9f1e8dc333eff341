"""The formats: each a pure function from bytes to samples, all of them in one table."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ingest.decoders import native, plain
from ingest.decoders.decoded import Decoded, Kind, Sample
from ingest.reasons import Refused, Rejected, RejectReason

__all__ = ["DECODERS", "MAX_PAYLOAD", "Decoded", "Decoder", "Kind", "Sample", "decode"]

Decoder = Callable[[bytes], Decoded]

DECODERS: Mapping[str, Decoder] = {
    "native": native.telemetry,
    "native_status": native.status,
    "plain": plain.decode,
}

MAX_PAYLOAD = 256 * 1024
"""Bytes; a longer message is no telemetry and is refused unread."""


def decode(decoder: Decoder, payload: bytes) -> Decoded:
    """Take one message apart; whatever the bytes are, the answer is samples or a reason, never an exception."""
    if len(payload) > MAX_PAYLOAD:
        detail = f"more than {MAX_PAYLOAD} bytes; no telemetry is so long"
        return Decoded(rejected=(Rejected(RejectReason.TOO_LARGE, detail),))
    if not payload or payload.isspace():
        return Decoded(kind=Kind.EMPTY)
    try:
        return decoder(payload)
    except Refused as refused:
        return Decoded(rejected=(refused.rejected,))

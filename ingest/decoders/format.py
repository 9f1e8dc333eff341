"""What a format is: a name, a decoder, and how its messages are told from all others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ingest.decoders.decoded import Decoded

Decode = Callable[[str, bytes], Decoded]
"""(topic, payload) → what the message says. Pure; raises nothing but Refused."""


@dataclass(frozen=True, slots=True)
class Format:
    """One way of putting readings into messages.

    `claims` says of a topic and payload that nobody bound whether they look like this format; it never raises.
    `timed` makes a decoder that takes the message's time from the member at a dotted path, for formats without a fixed
    place for it; None where the format says itself where its time is.
    """

    name: str
    decode: Decode
    claims: Callable[[str, bytes], bool]
    timed: Callable[[str], Decode] | None = None

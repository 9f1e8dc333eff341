"""Why a message, or one value in it, did not become a reading: one name for each way."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from plant.errors import BadInput


class RejectReason(StrEnum):
    """The same word feeds counters, the list of rejects, tests and the page."""

    NOT_UTF8 = "not_utf8"
    NOT_JSON = "not_json"
    NOT_A_FRAME = "not_a_frame"
    """JSON, but not of the shape the topic's format has."""
    TOO_LARGE = "too_large"
    UNKNOWN_TOPIC = "unknown_topic"
    """Neither a native topic of this site nor bound to any point."""
    UNKNOWN_EQUIPMENT = "unknown_equipment"
    UNKNOWN_POINT = "unknown_point"
    WRONG_UNIT = "wrong_unit"
    """The unit it names is unknown, or measures something else than the point does."""
    NOT_A_VALUE = "not_a_value"
    BAD_TIME = "bad_time"
    BAD_QUALITY = "bad_quality"
    """Its quality word is none of good, uncertain, bad."""
    FLOOD = "flood"
    """Its topic brings far more messages than it should, and has used up its allowance (DQ-14)."""
    NOT_PROTOBUF = "not_protobuf"
    """A Sparkplug topic, but bytes that are no Sparkplug payload."""
    NOT_BORN = "not_born"
    """Sparkplug data of a node or device whose birth, which says what its aliases mean, has not been seen."""
    SEQUENCE_GAP = "sequence_gap"
    """A message of the Sparkplug node before this one is missing: it may have been a birth with other aliases."""
    UNKNOWN_ALIAS = "unknown_alias"
    """Its birth defined no such alias."""
    CODEC_MISSING = "codec_missing"
    """A LoRaWAN uplink of raw bytes: the network server has no payload codec for this device."""
    SIMULATED = "simulated"
    """Made by hand at the network server's console; no device has measured it."""


@dataclass(frozen=True, slots=True)
class Rejected:
    """One thing refused; `key` names the value within the message, None where it is the whole message."""

    reason: RejectReason
    detail: str
    key: str | None = None


class Refused(BadInput):
    """Raised inside a decoder to refuse the whole message; never leaves `ingest.decoders`."""

    def __init__(self, reason: RejectReason, detail: str) -> None:
        self.rejected = Rejected(reason, detail)
        super().__init__(detail)

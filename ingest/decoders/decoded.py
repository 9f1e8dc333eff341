"""What a decoder makes of one message, before anyone asks which equipment it belongs to."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

import msgspec

from ingest.reasons import Rejected
from plant.quality import Quality, Reason


class Kind(StrEnum):
    """What a message is about. All but READING rightly hold no reading."""

    READING = "reading"
    STATUS = "status"
    """The state of a device or of the service itself (clock, marker), not of a point."""
    CONFIG = "config"
    """Announces a device to some other program."""
    EMPTY = "empty"
    """Nothing inside: a deleted retained message, or only nulls."""


class Sample(msgspec.Struct, frozen=True, gc=False):
    """One value that carries more than a number. `ts` None: it has the message's time; `unit` None: none was named."""

    key: str | None
    value: float
    ts: int | None = None
    unit: str | None = None
    quality: Quality = Quality.GOOD
    reason: Reason = Reason.NONE
    historical: bool = False


class Decoded(msgspec.Struct, frozen=True):
    """One message taken apart.

    `values` are the plain numbers of good quality, by key (None: the message itself is the value); they and the
    samples without a time of their own have the time `ts` (ms UTC; None: the message has no time). `equipment` is
    the id the message names, where it names one. `historical` marks all of it as old by the device's own word.
    """

    kind: Kind = Kind.READING
    ts: int | None = None
    values: Mapping[str, float] | Mapping[str | None, float] | Mapping[None, float] = {}
    samples: tuple[Sample, ...] = ()
    rejected: tuple[Rejected, ...] = ()
    equipment: str | None = None
    historical: bool = False

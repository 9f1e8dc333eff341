"""What the journal holds: everything that changes an outcome, in order (SEMANTICS §3)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

HELD_BYTES = 320
"""What a message in memory takes beside the bytes of its topic and payload, at most: objects and their heads."""


class Message(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A raw MQTT message as it came. `received_at` is plant time, ms UTC; `generation` counts connections."""

    received_at: int
    topic: str
    payload: bytes
    broker: str = ""
    generation: int = 0
    qos: int = 1
    retain: bool = False
    dup: bool = False
    mid: int = 0
    draining: bool = False
    """Received between connecting and the return of the marker: it may have waited in the broker."""


@dataclass(frozen=True, slots=True)
class Tick:
    """Plant time is `plant_time`; `listening` is false while nothing could have been heard."""

    plant_time: int
    listening: bool = True


@dataclass(frozen=True, slots=True)
class Command:
    """A person's act that the engine must know: `reset`, `verify_start`, `verify_stop`.

    `id` is the ledger's number of the act; the engine ignores an id it has seen.
    """

    id: int
    author: str
    action: str
    equipment: str
    rule: str
    args: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Config:
    """A configuration revision with its whole canonical content (catalogue, site, rules)."""

    revision: int
    sha256: str
    content: bytes


@dataclass(frozen=True, slots=True)
class ClockEpoch:
    """The plant clock was stepped from `previous` to `plant_time`: windows and timers start anew."""

    plant_time: int
    previous: int


Entry = Message | Tick | Command | Config | ClockEpoch

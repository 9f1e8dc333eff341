"""What a decoder makes of one message, before anyone asks which equipment it belongs to."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum, StrEnum

import msgspec

from ingest.reasons import Rejected
from plant.quality import Quality, Reason

ONLINE = "online"
"""The state that every format calls so: 1 while the device is there, 0 by its last will or its gateway's word."""


class Kind(StrEnum):
    """What a message is about. All but READING rightly hold no reading."""

    READING = "reading"
    STATUS = "status"
    """The state of a device or of the service itself (clock, marker), not of a point."""
    CONFIG = "config"
    """Announces a device to some other program."""
    EMPTY = "empty"
    """Nothing inside: a deleted retained message, or only nulls."""


class Envelope(IntEnum):
    """In which form a message says what its device says in other forms too. The numbers are in snapshots."""

    ONLY = 0
    """The device says it in this form alone."""
    STATUS = 1
    NOTIFICATION = 2
    EVENT = 3


class Sample(msgspec.Struct, frozen=True, gc=False):
    """One value that carries more than a number. `ts` None: it has the message's time; `unit` None: none was named.

    `implied`: the unit is what the format's documentation says, not the message; a binding's own goes before it.
    """

    key: str | None
    value: float
    ts: int | None = None
    unit: str | None = None
    quality: Quality = Quality.GOOD
    reason: Reason = Reason.NONE
    historical: bool = False
    implied: bool = False


class Decoded(msgspec.Struct, frozen=True):
    """One message taken apart.

    `values` are the plain numbers of good quality, by key (None: the message itself is the value); they and the
    samples without a time of their own have the time `ts` (ms; None: the message has no time). `historical` marks all
    of it as old by the device's own word.

    `wall` None: every time is UTC. Else every time is what a clock on the wall shows, counted as if it were UTC: in
    the zone of that name, or where it is empty in a zone the message does not name. A binding's zone goes before both.

    `equipment` is the id of ours that the message names, where it names one; `device` the device's own identity inside
    or with the message (serial number, DevEUI, the part of the topic that names it).

    `states` tell how the device is rather than what it measures (`online`, a relay's output): they feed points that are
    bound to them by key, and make no reading by themselves. `envelope` tells forms of a message apart that hold the
    same readings. `partial`: the device spreads its values over messages, so that one may rightly hold none
    that is bound. `devices`: the message speaks of several, each key begins with the device's name and a dot.
    """

    kind: Kind = Kind.READING
    ts: int | None = None
    values: Mapping[str, float] | Mapping[str | None, float] | Mapping[None, float] = {}
    samples: tuple[Sample, ...] = ()
    rejected: tuple[Rejected, ...] = ()
    equipment: str | None = None
    historical: bool = False
    device: str | None = None
    wall: str | None = None
    states: Mapping[str, float] = {}
    envelope: Envelope = Envelope.ONLY
    partial: bool = False
    devices: tuple[str, ...] = ()


def by_device(decoded: Decoded) -> dict[str | None, Decoded]:
    """A message about several devices as one of each, keys without the device's name; None has what names no device.

    What was refused of the message is in none of them.
    """
    known = frozenset(decoded.devices)
    values: dict[str | None, dict[str, float]] = {}
    states: dict[str | None, dict[str, float]] = {}
    samples: dict[str | None, list[Sample]] = {}
    for key, value in decoded.values.items():
        device, inner = _apart(key or "", known)
        values.setdefault(device, {})[inner] = value
    for key, value in decoded.states.items():
        device, inner = _apart(key, known)
        states.setdefault(device, {})[inner] = value
    for sample in decoded.samples:
        device, inner = _apart(sample.key or "", known)
        samples.setdefault(device, []).append(msgspec.structs.replace(sample, key=inner))
    return {
        device: msgspec.structs.replace(
            decoded,
            kind=_kind(device in values or device in samples, device in states),
            values=values.get(device, {}),
            samples=tuple(samples.get(device, ())),
            states=states.get(device, {}),
            rejected=(),
            device=decoded.device if device is None else device,
            devices=(),
        )
        for device in (None, *decoded.devices)
    }


def _apart(key: str, known: frozenset[str]) -> tuple[str | None, str]:
    """The device a key begins with (the longest that is known, for names may hold dots) and the rest of the key."""
    for at in range(len(key) - 1, -1, -1):
        if key[at] == "." and key[:at] in known:
            return key[:at], key[at + 1 :]
    return None, key


def _kind(has_readings: bool, has_states: bool) -> Kind:
    if has_readings:
        return Kind.READING
    return Kind.STATUS if has_states else Kind.EMPTY

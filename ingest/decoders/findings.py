"""What decoders of other makers' messages share: finding numbers in JSON and keeping them with unit, time and trust."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from ingest.decoders.decoded import ONLINE, Decoded, Envelope, Kind, Sample
from ingest.decoders.loose import number_with_unit, parse_json, parse_number, shown, text
from ingest.decoders.moments import Moment, bad_time, parse_moment
from ingest.reasons import Refused, Rejected, RejectReason
from plant.quality import Quality, Reason

DEPTH = 8
"""Members nested deeper are not looked for; no device of the trade nests further."""

_ONLINE_WORDS = {"online": 1.0, "true": 1.0, "connected": 1.0, "1": 1.0, "offline": 0.0, "false": 0.0}
_ONLINE_WORDS |= {"disconnected": 0.0, "0": 0.0}

PROBE_FAULTS = (-127.0, 85.0)
"""°C: what the driver of a DS18x20 says of a broken wire, and the probe before its first conversion (DQ-01)."""

Node = Mapping[str, object]


class Findings:
    """Gathers what one message says. `at` is the message's time, None where it gives none."""

    def __init__(self, at: Moment | None = None) -> None:
        self.states: dict[str, float] = {}
        self._at = at
        self._wall = at is not None and at.wall
        self._values: dict[str, float] = {}
        self._samples: list[Sample] = []
        self._rejected: list[Rejected] = []

    def add(self, key: str, raw: object, unit: str | None = None, *, stated: bool = False) -> None:
        """A number, ON/OFF or a number as text, `23.5 °C` too; null and words are no reading.

        `stated`: it is the message that names `unit`.
        """
        if isinstance(raw, str):
            raw, said = number_with_unit(raw)
            unit, stated = (said, True) if said is not None else (unit, stated)
        number = parse_number(raw)
        if number is None:
            return
        if unit is None:
            self._values[key] = number
        else:
            self._samples.append(Sample(key, number, unit=unit, implied=not stated))

    def add_at(
        self, key: str, raw: object, at: Moment | None, unit: str | None = None, *, stated: bool = False
    ) -> None:
        """As `add`, with a time of its own (None: the message's)."""
        if at is None:
            self.add(key, raw, unit, stated=stated)
            return
        if isinstance(raw, str):
            raw, said = number_with_unit(raw)
            unit, stated = (said, True) if said is not None else (unit, stated)
        number = parse_number(raw)
        if number is None:
            return
        if not self._samples and not self._values and self._at is None:
            self._wall = at.wall
        if at.wall != self._wall:
            self.refuse(RejectReason.BAD_TIME, f"{key}: some times of the message name a zone and others do not", key)
            return
        self._samples.append(Sample(key, number, at.ms, unit, implied=unit is not None and not stated))

    def doubt(
        self,
        key: str,
        raw: object,
        reason: Reason,
        quality: Quality = Quality.BAD,
        *,
        unit: str | None = None,
        at: Moment | None = None,
    ) -> None:
        """A value the device itself does not trust, or (`raw` no number) an error in the place of one.

        `unit` is the one of the format's documentation; `at` its own time, None: the message's.
        """
        number = parse_number(raw)
        value = math.nan if number is None else number
        ts = at.ms if at is not None and at.wall == self._wall else None
        self._samples.append(Sample(key, value, ts, unit, quality, reason, implied=unit is not None))

    def refuse(self, reason: RejectReason, detail: str, key: str | None = None) -> None:
        """One value of the message that cannot be used."""
        self._rejected.append(Rejected(reason, detail, key))

    def state(self, key: str, raw: object) -> None:
        """How the device is, where that is a number or ON/OFF."""
        number = parse_number(raw)
        if number is not None and math.isfinite(number):
            self.states[key] = number

    def decoded(
        self,
        device: str | None = None,
        *,
        otherwise: Kind = Kind.STATUS,
        wall: str = "",
        envelope: Envelope = Envelope.ONLY,
        partial: bool = False,
        devices: tuple[str, ...] = (),
    ) -> Decoded:
        """All of it. `otherwise` is the kind of a message without readings, `wall` the zone of times without one; the
        rest is as in `Decoded`.
        """
        found = bool(self._values or self._samples or self._rejected)
        return Decoded(
            kind=Kind.READING if found else otherwise,
            ts=None if self._at is None else self._at.ms,
            values=self._values,
            samples=tuple(self._samples),
            rejected=tuple(self._rejected),
            device=device,
            wall=wall if self._wall else None,
            states=self.states,
            envelope=envelope,
            partial=partial,
            devices=devices,
        )


def json_object(payload: bytes) -> dict[str, object]:
    """The JSON object a message is; raises Refused (not_utf8, not_json, not_a_frame)."""
    message = parse_json(text(payload))
    if not isinstance(message, dict):
        raise Refused(RejectReason.NOT_A_FRAME, f"the message is {shown(message)}; expected a JSON object")
    return message


def peek(payload: bytes) -> object:
    """What JSON a message holds, None where it holds none; for looking at messages that nobody bound."""
    try:
        return parse_json(text(payload))
    except Refused:
        return None


def peek_object(payload: bytes) -> Node:
    """The JSON object a message is; an empty one where it is something else."""
    found = peek(payload)
    return found if isinstance(found, dict) else {}


def node(raw: object) -> Node:
    """`raw` where it is an object, else an empty one."""
    return raw if isinstance(raw, dict) else {}


def nodes(raw: object) -> list[Node]:
    """The objects of a list; empty where `raw` is no list."""
    return [item for item in raw if isinstance(item, dict)] if isinstance(raw, list) else []


def leaves(raw: object, path: str = "", depth: int = DEPTH) -> Iterator[tuple[str, str, object]]:
    """(dotted path, last name, value) of all that is neither object nor list: `P: [1, 2]` is P.0 and P.1."""
    if not isinstance(raw, dict | list):
        yield path, path.rsplit(".", 1)[-1], raw
        return
    if not depth:
        return
    for key, child in raw.items() if isinstance(raw, dict) else enumerate(raw):
        yield from leaves(child, f"{path}.{key}" if path else str(key), depth - 1)


def without_reading(message: Node, *aside: str) -> Kind:
    """What a message is that holds no reading: status where it says anything beside `aside`, else empty."""
    told = any(raw is not None for name, child in message.items() if name not in aside for _, _, raw in leaves(child))
    return Kind.STATUS if told else Kind.EMPTY


def availability(payload: bytes, device: str | None, member: str = "state") -> Decoded:
    """`Online`, `false`, or `{"state": "offline"}`: whether a device is there; raises Refused for anything else."""
    source = text(payload)
    if source[:1] == "{":
        found = parse_json(source)
        raw = node(found).get(member)
    else:
        raw = source.strip('"')
    online = _ONLINE_WORDS.get(str(raw).strip().lower())
    if online is None:
        raise Refused(RejectReason.NOT_A_VALUE, f"{shown(raw)} says neither online nor offline")
    return Decoded(kind=Kind.STATUS, device=device, states={ONLINE: online})


def first_moment(message: Node, *names: str) -> Moment | None:
    """The time in the first of these members that has one; raises Refused (bad_time)."""
    for name in names:
        found = parse_moment(message.get(name))
        if found is not None:
            return found
    return None


def seconds(raw: object) -> float | None:
    """A span in s where it is one."""
    number = parse_number(raw)
    return number if number is not None and math.isfinite(number) and number >= 0 else None


def later(at: Moment, by_s: float) -> Moment:
    """`at` moved by a span; raises Refused where no calendar reaches."""
    ms = at.ms + by_s * 1000
    if not ms < 2**53:
        raise bad_time(ms)
    return Moment(round(ms), at.wall)

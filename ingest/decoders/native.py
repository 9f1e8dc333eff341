"""The native format: `dutyroom/v1/<site>/<area>/<name>/telemetry` and `…/status`, JSON."""

from __future__ import annotations

import math
from collections.abc import Mapping

import msgspec

from ingest.decoders.decoded import Decoded, Kind, Sample
from ingest.decoders.format import Format
from ingest.decoders.loose import MAX_TS, parse_json, parse_number, parse_ts, shown, text
from ingest.reasons import Refused, Rejected, RejectReason
from ingest.topics import Channel, parse
from plant.quality import Quality, Reason

ONLINE = "online_status"
"""The point every equipment has; the status topic feeds it."""

_QUALITIES = {
    "good": (Quality.GOOD, Reason.NONE),
    "uncertain": (Quality.UNCERTAIN, Reason.OUT_OF_SPECIFICATION),
    "bad": (Quality.BAD, Reason.DEVICE_FAILURE),
}


class _Frame(msgspec.Struct, gc=False):
    """The common case, parsed in one pass: every point a plain number or true/false."""

    points: dict[str, float | bool]
    ts: int | None = None
    id: str | None = None
    historical: bool = False


_FRAMES = msgspec.json.Decoder(_Frame)


def plain_frame(payload: bytes) -> tuple[Mapping[str, float], int | None, str | None] | None:
    """Points, time and id of a frame of plain values whose time is in order; None for all that takes a closer look."""
    try:
        frame = _FRAMES.decode(payload)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    if frame.historical or not (frame.ts is None or 0 <= frame.ts <= MAX_TS):
        return None
    return frame.points, frame.ts, frame.id


def telemetry(_topic: str, payload: bytes) -> Decoded:
    """`{"ts": ms, "points": {name: number | bool | null | {"value", "unit", "quality", "historical", "ts"}}, "id"}`.

    Raises Refused where the message as a whole cannot be understood.
    """
    try:
        frame = _FRAMES.decode(payload)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return _telemetry_in_full(payload)
    ts = frame.ts
    if ts is not None and not 0 <= ts <= MAX_TS:
        ts = parse_ts(ts)
    kind = Kind.READING if frame.points else Kind.EMPTY
    return Decoded(kind=kind, ts=ts, values=frame.points, equipment=frame.id, historical=frame.historical)


def status(_topic: str, payload: bytes) -> Decoded:
    """`{"online": bool, "ts": ms}`: one value of the point `online_status`; raises Refused as `telemetry` does."""
    message = _object(payload)
    online = parse_number(message.get("online"))
    if online not in (0.0, 1.0):
        detail = f'"online" is {shown(message.get("online"))}; expected true or false'
        raise Refused(RejectReason.NOT_A_FRAME, detail)
    return Decoded(ts=parse_ts(message.get("ts")), values={ONLINE: online}, equipment=_equipment(message))


def _telemetry_in_full(payload: bytes) -> Decoded:
    message = _object(payload)
    points = message.get("points")
    if not isinstance(points, dict):
        raise Refused(RejectReason.NOT_A_FRAME, f'"points" is {shown(points)}; expected an object of name: value')
    values: dict[str, float] = {}
    samples: list[Sample] = []
    rejected: list[Rejected] = []
    for key, raw in points.items():
        number = parse_number(raw)
        if number is not None:
            values[key] = number
            continue
        made = _sample(key, raw)
        if isinstance(made, Sample):
            samples.append(made)
        elif made is not None:
            rejected.append(made)
    return Decoded(
        kind=Kind.READING if values or samples or rejected else Kind.EMPTY,
        ts=parse_ts(message.get("ts")),
        values=values,
        samples=tuple(samples),
        rejected=tuple(rejected),
        equipment=_equipment(message),
        historical=message.get("historical") is True,
    )


def _object(payload: bytes) -> dict[str, object]:
    message = parse_json(text(payload))
    if not isinstance(message, dict):
        raise Refused(RejectReason.NOT_A_FRAME, f"the message is {shown(message)}; expected a JSON object")
    return message


def _equipment(message: Mapping[str, object]) -> str | None:
    named = message.get("id")
    if named is not None and not isinstance(named, str):
        raise Refused(RejectReason.NOT_A_FRAME, f'"id" is {shown(named)}; expected the id of an equipment')
    return named


def _sample(key: str, raw: object) -> Sample | Rejected | None:
    """What is no plain number: null (no reading), a word where a number belongs, an object, or nothing usable."""
    match raw:
        case None:
            return None
        case str():
            return Sample(key, math.nan, quality=Quality.BAD, reason=Reason.NOT_A_NUMBER)
        case dict():
            return _detailed(key, raw)
    detail = f"{key} is {shown(raw)}; expected a number, true/false, null or an object with a value"
    return Rejected(RejectReason.NOT_A_VALUE, detail, key)


def _detailed(key: str, raw: Mapping[str, object]) -> Sample | Rejected | None:
    word = raw.get("quality", "good")
    trust = _QUALITIES.get(word.lower()) if isinstance(word, str) else None
    if trust is None:
        detail = f"quality of {key} is {shown(word)}; expected good, uncertain or bad"
        return Rejected(RejectReason.BAD_QUALITY, detail, key)
    if "value" not in raw:
        return Rejected(RejectReason.NOT_A_VALUE, f'{key} is an object without "value"', key)
    unit = raw.get("unit")
    if unit is not None and not isinstance(unit, str):
        return Rejected(RejectReason.WRONG_UNIT, f"unit of {key} is {shown(unit)}; expected text such as degF", key)
    try:
        ts = parse_ts(raw.get("ts"))
    except Refused as refused:
        return Rejected(refused.rejected.reason, f"{key}: {refused.rejected.detail}", key)
    historical = raw.get("historical") is True
    quality, reason = trust
    value = raw["value"]
    number = parse_number(value)
    if number is None:
        if value is None and quality is not Quality.BAD:
            return None
        if value is not None and not isinstance(value, str):
            return Rejected(RejectReason.NOT_A_VALUE, f"value of {key} is {shown(value)}; expected a number", key)
        # A device that says "failed" and sends no number has still said something: the point is known to be bad.
        number = math.nan
        if quality is not Quality.BAD:
            quality, reason = Quality.BAD, Reason.NOT_A_NUMBER
    return Sample(key, number, ts, unit, quality, reason, historical)


def _on(channel: Channel, topic: str) -> bool:
    name = parse(topic)
    return name is not None and name.channel is channel


FORMAT = Format("native", telemetry, lambda topic, _: _on(Channel.TELEMETRY, topic))
STATUS_FORMAT = Format("native_status", status, lambda topic, _: _on(Channel.STATUS, topic))

"""One value a topic: `12.3`, `12.3 ℃`, `ON`, or JSON; the binding says which point, unit and scale it is."""

from __future__ import annotations

from collections.abc import Mapping

from ingest.decoders import generic
from ingest.decoders.decoded import Decoded, Kind, Sample
from ingest.decoders.format import Decode, Format
from ingest.decoders.loose import number_with_unit, parse_number, shown, split_quantity, text
from ingest.decoders.moments import Moment, parse_moment
from ingest.reasons import Refused, RejectReason
from plant.quality import Quality, Reason

_STATUS_WORDS = frozenset({"online", "offline", "connected", "disconnected"})
_NO_VALUE = frozenset({"", "null", "none", "unknown", "unavailable"})


def decode(_topic: str, payload: bytes) -> Decoded:
    """A bare value (key None), or each number of a JSON object by its dotted path, as the format `json` has it.

    A JSON object with `value` is a bare value too, with its time and `unit` where it has them. Raises Refused where
    there is no value at all.
    """
    return _decode(_topic, payload, None)


def _decode(_topic: str, payload: bytes, time: str | None) -> Decoded:
    source = text(payload)
    word = source.lower()
    if word in _NO_VALUE:
        return Decoded(kind=Kind.EMPTY)
    if word in _STATUS_WORDS:
        return Decoded(kind=Kind.STATUS)
    if source[0] in "{[" or generic.PREFIX.match(source):
        return _from_json(generic.parse(source), time)
    quantity = split_quantity(source.strip('"'))
    if quantity is None:
        raise Refused(RejectReason.NOT_A_VALUE, f"{shown(source)} is no value; expected a number, ON/OFF or JSON")
    value, unit = quantity
    if unit is None:
        return Decoded(values={None: value})
    return Decoded(samples=(Sample(None, value, unit=unit),))


def timed(path: str) -> Decode:
    """As `decode`, with the time of a JSON message in the member at `path`."""

    def decode_timed(topic: str, payload: bytes) -> Decoded:
        return _decode(topic, payload, path)

    return decode_timed


def _from_json(message: object, time: str | None) -> Decoded:
    if isinstance(message, dict) and "value" in message and not isinstance(message["value"], dict | list):
        found = generic.message_time(message) if time is None else parse_moment(generic.member(message, time))
        return _single(message, found)
    return generic.by_path(message, time)


def _single(message: Mapping[str, object], at: Moment | None) -> Decoded:
    raw, unit = message["value"], generic.unit_beside(message)
    if raw is None:
        return Decoded(kind=Kind.EMPTY)
    if isinstance(raw, str):
        raw, said = number_with_unit(raw)
        unit = said or unit
    number = parse_number(raw)
    if number is None:
        raise Refused(RejectReason.NOT_A_VALUE, f"value is {shown(raw)}; expected a number or ON/OFF")
    ts, wall = (None, None) if at is None else (at.ms, "" if at.wall else None)
    quality, reason = generic.trust_of(message) or (Quality.GOOD, Reason.NONE)
    if isinstance(unit, str) or quality is not Quality.GOOD:
        named = unit if isinstance(unit, str) else None
        return Decoded(ts=ts, wall=wall, samples=(Sample(None, number, None, named, quality, reason),))
    return Decoded(ts=ts, wall=wall, values={None: number})


FORMAT = Format("plain", decode, lambda _topic, _payload: True, timed)

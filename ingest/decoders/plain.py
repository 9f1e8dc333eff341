"""One value a topic: `12.3`, `12.3 ℃`, `ON`, or JSON; the binding says which point, unit and scale it is."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from ingest.decoders.decoded import Decoded, Kind, Sample
from ingest.decoders.format import Format
from ingest.decoders.loose import parse_json, parse_number, parse_ts, shown, split_quantity, text
from ingest.reasons import Refused, RejectReason

_STATUS_WORDS = frozenset({"online", "offline", "connected", "disconnected"})
_NO_VALUE = frozenset({"", "null", "none", "unknown", "unavailable"})
_NOT_FINITE = re.compile(r"[+-]?(?:nan|inf|infinity)", re.IGNORECASE)
_DEPTH = 8
"""Members nested deeper are not looked for; no device of the trade nests further."""

_FIRST_MS = 10**11


def decode(_topic: str, payload: bytes) -> Decoded:
    """A bare value (key None), or each number of a JSON object by its dotted path (`ENERGY.Power`, `Power.0`).

    A JSON object with `value` is a bare value too, with its `ts` and `unit` where it has them; `ts` of any object is
    its time, in ms or s since 1970. Raises Refused where there is no value at all.
    """
    source = text(payload)
    word = source.lower()
    if word in _NO_VALUE:
        return Decoded(kind=Kind.EMPTY)
    if word in _STATUS_WORDS:
        return Decoded(kind=Kind.STATUS)
    if source[0] in "{[":
        return _from_json(parse_json(source))
    if _NOT_FINITE.fullmatch(source):
        return Decoded(values={None: float(source)})
    quantity = split_quantity(source.strip('"'))
    if quantity is None:
        raise Refused(RejectReason.NOT_A_VALUE, f"{shown(source)} is no value; expected a number, ON/OFF or JSON")
    value, unit = quantity
    if unit is None:
        return Decoded(values={None: value})
    return Decoded(samples=(Sample(None, value, unit=unit),))


def _from_json(message: object) -> Decoded:
    if not isinstance(message, dict):
        raise Refused(RejectReason.NOT_A_VALUE, f"{shown(message)} is no value; expected a number or an object")
    ts = _time(message.get("ts"))
    if "value" in message:
        return _single(message, ts)
    values = dict(_members(message, "", _DEPTH))
    values.pop("ts", None)
    if not values:
        raise Refused(RejectReason.NOT_A_VALUE, f"no number in {shown(message)}")
    return Decoded(ts=ts, values=values)


def _time(raw: object) -> int | None:
    """Devices of other makers count seconds or milliseconds; what would be before 1973 in ms is meant in seconds."""
    if isinstance(raw, int | float) and not isinstance(raw, bool) and 0 <= raw < _FIRST_MS:
        return round(raw * 1000)
    return parse_ts(raw)


def _single(message: Mapping[str, object], ts: int | None) -> Decoded:
    raw, unit = message["value"], message.get("unit")
    if raw is None:
        return Decoded(kind=Kind.EMPTY)
    number = parse_number(raw)
    if number is None:
        raise Refused(RejectReason.NOT_A_VALUE, f"value is {shown(raw)}; expected a number or ON/OFF")
    if isinstance(unit, str):
        return Decoded(ts=ts, samples=(Sample(None, number, unit=unit),))
    return Decoded(ts=ts, values={None: number})


def _members(node: object, path: str, depth: int) -> Iterator[tuple[str, float]]:
    if isinstance(node, dict | list) and depth:
        pairs = node.items() if isinstance(node, dict) else enumerate(node)
        for key, child in pairs:
            yield from _members(child, f"{path}.{key}" if path else str(key), depth - 1)
        return
    number = parse_number(node)
    if number is not None:
        yield path, number


FORMAT = Format("plain", decode, lambda _topic, _payload: True)

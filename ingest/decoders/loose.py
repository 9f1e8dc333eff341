"""What all decoders share: JSON as devices really send it, numbers, words and times."""

from __future__ import annotations

import json
import math
import re
import reprlib

import msgspec

from ingest.reasons import Refused, RejectReason
from plant.errors import BadInput
from plant.instants import parse_instant
from plant.units import is_unit

MAX_TS = 2**53
"""Times beyond are all the same clock fault; cut off here so that they fit every column."""

_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,4})?", re.ASCII)
_LONGEST_QUANTITY = 40
_DECIMAL_COMMA = re.compile(r"([+-]?\d{1,9}),(\d{1,2})(\D.*)?", re.ASCII)
"""Three digits behind a comma could be thousands."""

_SHORT = reprlib.Repr()
_SHORT.maxlevel, _SHORT.maxstring, _SHORT.maxother = 2, 60, 60

_WORDS = {"on": 1.0, "true": 1.0, "off": 0.0, "false": 0.0}
_NOT_FINITE = {"nan": math.nan, "-nan": math.nan}
_NOT_FINITE |= {f"{sign}{word}": float(f"{sign}inf") for sign in ("", "+", "-") for word in ("inf", "infinity")}
"""What C programs print for a number that is none: a reading, but a bad one."""

_HEXADECIMAL = re.compile(r"[+-]?0[xX][0-9a-fA-F]", re.ASCII)
_TEXT_OR_NOT_FINITE = re.compile(
    r'"(?:[^"\\]|\\.)*"|(?<![\w.])-?(?:nan|inf(?:inity)?)(?![\w.])', re.ASCII | re.IGNORECASE
)


def text(payload: bytes) -> str:
    """The payload as text without byte-order mark, surrounding space and the final NUL of C programs.

    Raises Refused (not_utf8).
    """
    try:
        decoded = payload.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Refused(RejectReason.NOT_UTF8, f"byte {error.start} is no UTF-8; expected UTF-8 text") from None
    return decoded.strip("\x00 \t\r\n")


def parse_json(source: str) -> object:
    """JSON to plain Python; NaN, Infinity (also `nan`, `inf`) and numbers beyond a float are let through.

    Raises Refused (not_json).
    """
    try:
        parsed: object = msgspec.json.decode(source)
    except (msgspec.DecodeError, RecursionError):
        parsed = _tolerant(source)
    return parsed


def _tolerant(source: str) -> object:
    try:
        parsed: object = json.loads(_TEXT_OR_NOT_FINITE.sub(_as_python_writes, source))
        if "\\u" in source:
            # Half of a surrogate pair is no text: it could be neither stored nor shown.
            json.dumps(parsed, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        detail = str(error)
        raise Refused(RejectReason.NOT_JSON, f"not JSON: {detail[:200]}") from None
    return parsed


def _as_python_writes(found: re.Match[str]) -> str:
    word = found.group()
    if word.startswith('"'):
        return word
    if word.lower().endswith("nan"):
        return "NaN"
    return "-Infinity" if word.startswith("-") else "Infinity"


def parse_number(raw: object) -> float | None:
    """A JSON value as a number: numbers, true/false, and text such as "12.5", "ON"; None for anything else.

    What is beyond a float becomes infinite.
    """
    match raw:
        case bool() | float():
            return float(raw)
        case int():
            try:
                return float(raw)
            except OverflowError:
                return math.inf
        case str():
            word = raw.strip()
            if _NUMBER.fullmatch(word):
                return float(word)
            lower = word.lower()
            return _WORDS.get(lower, _NOT_FINITE.get(lower))
    return None


def split_quantity(source: str) -> tuple[float, str | None] | None:
    """`12.3 ℃` → (12.3, "℃"), `12,3` → (12.3, None), `ON` → (1.0, None); None where no number is at the beginning."""
    source = source.strip()
    lower = source.lower()
    word = _WORDS.get(lower, _NOT_FINITE.get(lower))
    if word is not None:
        return word, None
    comma = _DECIMAL_COMMA.fullmatch(source)
    if comma is not None:
        source = f"{comma[1]}.{comma[2]}{comma[3] or ''}"
    found = _NUMBER.match(source)
    if found is None:
        return None
    unit = source[found.end() :].strip()
    if _HEXADECIMAL.match(source):
        return None
    # A unit is one short word; `12:30` or `3 of 4 pumps` is prose that happens to begin with a digit.
    if len(unit) > 12 or " " in unit or unit[:1] in (":", "-", ".", "_", ",") or any(c in "{}[]\"';=&" for c in unit):
        return None
    if unit.lstrip("+/*^x")[:1].isdigit():
        return None
    return float(found.group()), unit or None


def number_with_unit(raw: str) -> tuple[object, str | None]:
    """`23.5 °C` is a number with its unit, `23,5` one with a decimal comma; other words behind a number are prose."""
    if len(raw) > _LONGEST_QUANTITY or parse_number(raw) is not None:
        return raw, None
    found = split_quantity(raw)
    if found is None or (found[1] is not None and not is_unit(found[1])):
        return raw, None
    return found


def parse_ts(raw: object) -> int | None:
    """A message's own time as ms UTC: a number of ms since 1970, or ISO-8601 text (UTC where it names no zone).

    Raises Refused (bad_time).
    """
    if raw is None:
        return None
    if isinstance(raw, str):
        try:
            ts = parse_instant(raw.strip())
        except (BadInput, OverflowError):
            raise _bad_time(raw) from None
    elif isinstance(raw, int | float) and not isinstance(raw, bool) and raw == raw:
        ts = int(min(raw, MAX_TS)) if raw >= 0 else -1
    else:
        raise _bad_time(raw)
    if ts < 0:
        raise _bad_time(raw)
    return min(ts, MAX_TS)


def _bad_time(raw: object) -> Refused:
    return Refused(RejectReason.BAD_TIME, f"ts is {shown(raw)}; expected ms since 1970 (UTC) or ISO-8601 text")


def shown(raw: object) -> str:
    """A value as it may stand in a message to a person: short, never the whole payload."""
    written = _SHORT.repr(raw)
    return written if len(written) <= 60 else f"{written[:57]}…"

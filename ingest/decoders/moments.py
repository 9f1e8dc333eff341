"""The times devices write: numbers of s, ms, µs or ns, ISO-8601, yyyymmddHHMMSS, dd.mm.yyyy, with a zone or without."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from ingest.decoders.loose import shown
from ingest.reasons import Refused, RejectReason
from plant.errors import BadInput
from plant.instants import parse_instant

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NAIVE_EPOCH = _EPOCH.replace(tzinfo=None)
_EXPECTED = "expected s or ms since 1970, ISO-8601, yyyymmddHHMMSS or dd.mm.yyyy HH:MM"

UNSET = 946_684_800_000
"""2000-01-01; a device that says less has a clock nobody has set, whose time says nothing."""

# A number says by its size what it counts: these hold from 1973 to 5138.
_FIRST_MS, _FIRST_US, _FIRST_NS, _BEYOND = 10**11, 10**14, 10**17, 10**20

_CALENDAR = ((19700101000000, 22000101000000), (19700101000000000, 22000101000000000))
"""Numbers that are a calendar's digits, to the second and to the ms."""

_NUMBER = re.compile(r"\d+(?:\.\d+)?", re.ASCII)
_DIGITS = re.compile(r"(?:19|20|21)\d{10}(?:\d\d(?:\d{3})?)?", re.ASCII)
_CLOCK = r"(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,](?P<part>\d+))?)?"
_CLOCK += r"\s*(?P<zone>Z|UTC|GMT|[+-]\d{1,2}(?::?\d{2})?)?"
_YEAR_FIRST = re.compile(
    rf"(?P<year>\d{{4}})[-/.年](?P<month>\d{{1,2}})[-/.月](?P<day>\d{{1,2}})日?[ T,]*{_CLOCK}", re.ASCII
)
_CLOCK_FIRST = re.compile(rf"{_CLOCK}[ ,]+(?P<day>\d{{1,2}})\.(?P<month>\d{{1,2}})\.(?P<year>\d{{4}})", re.ASCII)
_DAY_FIRST = re.compile(rf"(?P<day>\d{{1,2}})\.(?P<month>\d{{1,2}})\.(?P<year>\d{{4}})[ T,]*{_CLOCK}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Moment:
    """A time as a device wrote it: `ms` since 1970, UTC, or where `wall` what a clock on the wall showed there."""

    ms: int
    wall: bool = False


def parse_moment(raw: object) -> Moment | None:
    """A device's time; None where it gives none (null, empty, 0) or its clock was never set (before 2000).

    Raises Refused (bad_time) for what is no time at all: a 13th month, an hour 25, a word.
    """
    match raw:
        case None | "" | 0:
            return None
        case bool():
            raise bad_time(raw)
        case int() | float():
            found = _from_number(raw)
        case str():
            found = _from_text(raw.strip())
        case _:
            raise bad_time(raw)
    return found if found.ms >= UNSET else None


def bad_time(raw: object) -> Refused:
    """The refusal of a time that is none."""
    return Refused(RejectReason.BAD_TIME, f"the time is {shown(raw)}; {_EXPECTED}")


def _from_number(raw: float) -> Moment:
    if not math.isfinite(raw) or not 0 <= raw < _BEYOND:
        raise bad_time(raw)
    # 20211124101800 as a number: no clock counts to that in ms before the year 2603.
    if isinstance(raw, int) and any(first <= raw < beyond for first, beyond in _CALENDAR):
        return _from_digits(str(raw))
    if raw < _FIRST_MS:
        return Moment(round(raw * 1000))
    if raw < _FIRST_US:
        return Moment(round(raw))
    return Moment(round(raw / 1000 if raw < _FIRST_NS else raw / 1_000_000))


def _from_text(raw: str) -> Moment:
    if _DIGITS.fullmatch(raw):
        return _from_digits(raw)
    if _NUMBER.fullmatch(raw):
        return _from_number(float(raw) if "." in raw or len(raw) > 25 else int(raw))
    found = _YEAR_FIRST.fullmatch(raw) or _DAY_FIRST.fullmatch(raw) or _CLOCK_FIRST.fullmatch(raw)
    if found is not None:
        return _from_parts(raw, found)
    try:
        return Moment(parse_instant(raw), wall=datetime.fromisoformat(raw).tzinfo is None)
    except (BadInput, OverflowError):
        raise bad_time(raw) from None


def _from_digits(raw: str) -> Moment:
    try:
        moment = datetime.strptime(raw[:14].ljust(14, "0"), "%Y%m%d%H%M%S")  # noqa: DTZ007 - wall time
    except ValueError:
        raise bad_time(raw) from None
    return Moment(_wall_ms(moment) + int(raw[14:] or 0), wall=True)


def _from_parts(raw: str, found: re.Match[str]) -> Moment:
    date = f"{found['year']}-{int(found['month']):02d}-{int(found['day']):02d}"
    part = f".{found['part'][:6]}" if found["part"] else ""
    clock = f"{int(found['hour']):02d}:{found['minute']}:{found['second'] or '00'}{part}"
    zone = "Z" if found["zone"] in (None, "UTC", "GMT") else found["zone"]
    if zone[1:].isdigit() and len(zone) < 4:
        zone = f"{zone[0]}{zone[1:].zfill(2)}:00"
    try:
        return Moment(parse_instant(f"{date}T{clock}{zone}"), wall=not found["zone"])
    except (BadInput, OverflowError):
        raise bad_time(raw) from None


def _ms(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(milliseconds=1)


def _wall_ms(moment: datetime) -> int:
    return (moment - _NAIVE_EPOCH) // timedelta(milliseconds=1)


def from_wall(ms: int, zone: str) -> int:
    """The instant (ms UTC) at which clocks in a zone show `ms`; of an hour that comes twice, the first time.

    A zone nobody knows was refused with the configuration; what no calendar holds stays, for the door to judge.
    """
    try:
        shown_there = _EPOCH + timedelta(milliseconds=ms)
        return _ms(shown_there.replace(tzinfo=_zone(zone)))
    except OverflowError:
        return ms


@lru_cache(maxsize=256)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)

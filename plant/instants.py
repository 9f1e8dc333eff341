"""Instants: integer milliseconds UTC since 1970, and how they are written and read."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, tzinfo

from plant.errors import BadInput

NEVER = -(2**62)
"""Earlier than every real instant; stands for "no tick yet" and "no reading yet"."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|min|m|h|d)")
_UNIT_MS = {"ms": 1, "s": 1_000, "m": 60_000, "min": 60_000, "h": 3_600_000, "d": 86_400_000}


def iso(ms: int) -> str:
    """`1700000000000` → `2023-11-14T22:13:20Z`; milliseconds are written only where there are any."""
    moment = _EPOCH + timedelta(milliseconds=ms)
    text = moment.strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}.{ms % 1000:03d}Z" if ms % 1000 else f"{text}Z"


def parse_instant(text: str, zone: tzinfo = UTC) -> int:
    """ISO-8601 text to an instant; a text without a zone is taken as local to `zone`.

    Raises BadInput naming the text when it is no ISO-8601 time.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise BadInput(f"{text!r} is no ISO-8601 time such as 2026-11-23T08:15:00Z") from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone)
    return round((moment - _EPOCH) / timedelta(milliseconds=1))


def parse_duration(text: str) -> int:
    """`90s`, `30m`, `1.5h`, `2d`, `1h30m` to milliseconds.

    Raises BadInput when the text is no duration.
    """
    found = _DURATION.findall(text)
    if not found or "".join(number + unit for number, unit in found) != text:
        raise BadInput(f"{text!r} is no duration such as 90s, 30m, 2h or 1h30m")
    return round(sum(float(number) * _UNIT_MS[unit] for number, unit in found))


def duration_text(ms: int) -> str:
    """Milliseconds in the shortest exact form `parse_duration` reads back: `1h30m`, `90s` is `1m30s`."""
    if ms == 0:
        return "0s"
    parts = []
    for unit in ("d", "h", "m", "s", "ms"):
        count, ms = divmod(ms, _UNIT_MS[unit])
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts)

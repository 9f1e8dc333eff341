"""Topics that differ only in numbers and addresses are one family: `tele/plug-101/SENSOR` is `tele/plug-*/SENSOR`."""

from __future__ import annotations

import hashlib
import re

_VERSION = re.compile(r"v\d+|spBv\d.*", re.IGNORECASE)
_NAMELESS = re.compile(
    r"(?<![0-9a-z])(?:"
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"  # UUID
    r"|[0-9a-f]{2}(?:[:-][0-9a-f]{2}){5,7}"  # MAC, EUI-64
    r"|(?:0x)?(?=[0-9a-f]*\d)[0-9a-f]{6,}"  # addresses in hex
    r")(?![0-9a-z])"
    r"|(?<![0-9])(?<![a-z](?=\d+[a-z]))\d+",  # numbers, but not the 3 of `pro3em`
    re.IGNORECASE,
)


def family_of(topic: str, device: str | None = None) -> str:
    """The topic with `*` for what tells devices apart: numbers, addresses, and the device's own name."""
    return "/".join(_level(level, device) for level in topic.split("/"))


def family_id(pattern: str) -> str:
    """A short name of a family, the same on every machine."""
    return hashlib.sha256(pattern.encode("utf-8", "surrogatepass")).hexdigest()[:12]


def _level(level: str, device: str | None) -> str:
    if device and len(device) > 1 and device in level:
        before, _, after = level.partition(device)
        return f"{_level(before, None)}*{_level(after, None)}"
    return level if _VERSION.fullmatch(level) else _NAMELESS.sub("*", level)

"""Topics that differ only in numbers and addresses are one family: `tele/plug-101/SENSOR` is `tele/plug-*/SENSOR`."""

from __future__ import annotations

import hashlib
import re
from functools import lru_cache

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


@lru_cache(maxsize=65_536)
def family_of(topic: str) -> str:
    """The topic with `*` for what tells devices apart: numbers and addresses."""
    return "/".join(level if _VERSION.fullmatch(level) else _NAMELESS.sub("*", level) for level in topic.split("/"))


@lru_cache(maxsize=4_096)
def family_id(pattern: str) -> str:
    """A short name of a family, the same on every machine."""
    return hashlib.sha256(pattern.encode("utf-8", "surrogatepass")).hexdigest()[:12]

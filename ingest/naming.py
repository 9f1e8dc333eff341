"""What values, topics and new machines of a family of unbound topics are called. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping

from ingest.discovery import Announced, Family, Found, Source
from plant.matching import Value
from plant.site import Equipment
from plant.tradewords import phase_of_element

WORDLESS = frozenset({
    "tele", "stat", "data", "telemetry", "status", "sensor", "state", "events", "rpc", "event", "up", "device",
    "application", "v",
})  # fmt: skip
"""Words of topics that name no device."""


def values_of(family: Family) -> list[Value]:
    """The values of a family as the matching takes them; where a topic is a value its last levels name it."""
    lists = Counter(
        key.rpartition(".")[0] for one in family.found if (key := one.key or "").rpartition(".")[2].isdecimal()
    )
    found = [_value(family, one, lists) for one in family.found if one.key is not None]
    singles = [
        Value(name_of(source), source.value, source.unit) for source in family.sources if source.value is not None
    ]
    return found + singles


def name_of(source: Source) -> str:
    """What a topic that is a value calls it."""
    return ".".join(source.topic.split("/")[-2:])


def device_to_name(source: Source) -> str | None:
    """The device a binding must name: one that the topic does not tell already."""
    if source.device is None or all(part in source.topic for part in source.device.split("/")):
        return None
    return source.device


def new_name(source: Source, taken: Mapping[str, Equipment]) -> str:
    """A name for a machine that is not there yet: what in the topic, or the device's own word, tells it apart."""
    levels = [level for level in source.topic.split("/") if level not in ("+", "#")]
    telling = [level for level in levels if any(char.isdigit() for char in level) and level.lower() not in WORDLESS]
    # Of a gateway's meters (gw/mb01/1, gw/mb01/2) what follows the gateway is what tells them apart.
    after = telling[telling.index(max(telling, key=len)) :] if telling else (levels or ["device"])[-1:]
    named = source.device or "-".join(after)
    base = re.sub(r"[^A-Za-z0-9_.-]+", "-", named).strip("-._")[:56] or "device"
    name, number = base, 2
    while name in taken:
        name, number = f"{base}-{number}", number + 1
    return name


def _value(family: Family, found: Found, lists: Mapping[str, int]) -> Value:
    key = found.key or ""
    said = announced(family, key)
    unit = found.unit if found.unit is not None and not found.implied else None
    told = said.unit if said is not None else None
    name = said.name if said is not None else phase_of_element(key, lists.get(key.rpartition(".")[0], 0))
    return Value(key, found.value, unit or told or found.unit, found.state, name)


def announced(family: Family, key: str) -> Announced | None:
    """What a device has announced of a key; its path may go through more of the message than the format's key does."""
    for one in family.announced:
        if one.key is not None and (one.key == key or one.key.endswith(f".{key}") or key.endswith(f".{one.key}")):
            return one
    return None

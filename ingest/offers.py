"""What a family of unbound topics could be bound to: templates that know it, types that fit it, points for its keys."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ingest.discovery import Announced, Family, Found, Source
from ingest.links import MESSAGE_BROKER
from plant.catalogue import Catalogue, EquipmentType, Text
from plant.device import PLACEHOLDER, Template, fill
from plant.matching import Match, Value, assign, matches
from plant.site import Binding, Clock, Equipment, Plant

_LEAST_SHARE = 0.5
_TOKEN = re.compile(r"[a-z]+|\d+|[\u4e00-\u9fff]+")
_ADDRESS = re.compile(r"(?<![0-9a-z])(?:0x)?(?=[0-9a-f]*[a-f])(?=[0-9a-f]*\d)[0-9a-f]{6,}")
"""Addresses in hex: the numbers in them say nothing."""
_WORDLESS = frozenset({
    "tele", "stat", "data", "telemetry", "status", "sensor", "state", "events", "rpc", "event", "up", "device",
    "application", "v",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class KnownModel:
    """A template that fits: how many of the family's keys it knows, and how many of its own the family has."""

    template: Template
    keys: int
    of: int


@dataclass(frozen=True, slots=True)
class KnownType:
    """An equipment type: for how many values it has a point, and how well they fit (0 to 100)."""

    type: str
    fitting: int
    score: int


def values_of(family: Family) -> list[Value]:
    """The values of a family as the matching takes them; where a topic is a value its last levels name it."""
    found = [_value(family, one) for one in family.found if one.key is not None]
    singles = [
        Value(name_of(source), source.value, source.unit) for source in family.sources if source.value is not None
    ]
    return found + singles


def name_of(source: Source) -> str:
    """What a topic that is a value calls it."""
    return ".".join(source.topic.split("/")[-2:])


def models(family: Family, templates: Iterable[Template]) -> list[KnownModel]:
    """Templates of the family's format that know half of what is there, or of whose keys half are there; best first."""
    found = []
    keys = {one.key for one in family.found}
    for template in templates:
        if template.decoder != family.decoder:
            continue
        filled = set(template_points(family, template))
        known = len(filled & keys)
        if known and known >= _LEAST_SHARE * min(len(template.lines), len(keys)):
            found.append(KnownModel(template, known, len(template.lines)))
    return sorted(found, key=lambda model: (-model.keys, model.template.name))


def template_points(family: Family, template: Template) -> dict[str | None, tuple[str, str | None]]:
    """Key as it is in the family → (point, unit) of a template whose placeholders the family's topic fills."""
    values = dict(template.defaults) | _placeholders(template.topic, family.sources[0].topic if family.sources else "")
    return {
        None if line.key is None else fill(line.key, values): (line.point, line.unit)
        for line in template.lines
        if line.point is not None
    }


def types(family: Family, catalogue: Catalogue) -> list[KnownType]:
    """The equipment types with points for the values, the best first; a message broker's is not for messages."""
    values, found = values_of(family), []
    for kind in catalogue.types.values():
        if kind.name == MESSAGE_BROKER:
            continue
        chosen = assign(values, list(kind.points.values()))
        if chosen:
            score = sum(match.score for match in chosen.values()) // len(chosen)
            found.append(KnownType(kind.name, len(chosen), score))
    # Of two that fit alike the simpler: what only says that it is there is a gateway, not an air handler.
    return sorted(found, key=lambda one: (-one.fitting, -one.score, len(catalogue.types[one.type].points), one.type))


@dataclass(frozen=True, slots=True)
class Assignment:
    """For each value name: the point chosen for it, and others it may be."""

    chosen: Mapping[str, Match]
    others: Mapping[str, Sequence[Match]]


def mapping(family: Family, kind: EquipmentType, template: Template | None = None) -> Assignment:
    """Which point of a type each value of a family feeds: as the template says, else as the matching finds."""
    values, points = values_of(family), list(kind.points.values())
    others = {value.name: matches(value, points) for value in values}
    if template is None or template.type != kind.name:
        return Assignment(assign(values, points), others)
    why = Text(f"模板：{template.text.zh}", f"template: {template.text.en}")
    chosen = {}
    for key, (point, unit) in template_points(family, template).items():
        if key in others:
            same = next((match for match in others[key] if match.point == point), None)
            chosen[key] = Match(point, 100, unit, (why, *(same.reasons if same is not None else ())))
    return Assignment(chosen, others)


def machines(family: Family, plant: Plant, kind: str) -> dict[tuple[str, str | None], str]:
    """(topic, device) → the equipment of a type whose name it shares most with, none twice."""
    there = [one for one in plant.site.equipment.values() if one.type == kind and not one.retired]
    called = [(one, _tokens(f"{one.id} {one.path} {one.text.zh} {one.text.en}")) for one in there]
    pairs = []
    for source in family.sources:
        said = _tokens(f"{source.topic} {source.device or ''}")
        for machine, tokens in called:
            common = said & tokens
            likeness = sum(3 if token.isdigit() and len(token) > 1 else 1 for token in common)
            if likeness >= 2:
                pairs.append((-likeness, source.topic, source.device or "", machine.id, source.device))
    chosen: dict[tuple[str, str | None], str] = {}
    for _, topic, _, id, device in sorted(pairs, key=lambda pair: pair[:4]):
        if (topic, device) not in chosen and id not in chosen.values():
            chosen[topic, device] = id
    return chosen


def device_to_name(source: Source) -> str | None:
    """The device a binding must name: one that the topic does not tell already."""
    if source.device is None or all(part in source.topic for part in source.device.split("/")):
        return None
    return source.device


def new_name(source: Source, taken: Mapping[str, Equipment]) -> str:
    """A name for a machine that is not there yet: what in the topic, or the device's own word, tells it apart."""
    levels = [level for level in source.topic.split("/") if level not in ("+", "#")]
    telling = [level for level in levels if any(char.isdigit() for char in level) and level.lower() not in _WORDLESS]
    named = source.device or (max(telling, key=len) if telling else (levels or ["device"])[-1])
    base = re.sub(r"[^A-Za-z0-9_.-]+", "-", named).strip("-._")[:56] or "device"
    name, number = base, 2
    while name in taken:
        name, number = f"{base}-{number}", number + 1
    return name


def _value(family: Family, found: Found) -> Value:
    key = found.key or ""
    said = announced(family, key)
    unit = found.unit if found.unit is not None and not found.implied else None
    told = said.unit if said is not None else None
    return Value(key, found.value, unit or told or found.unit, found.state, said.name if said is not None else "")


def announced(family: Family, key: str) -> Announced | None:
    """What a device has announced of a key; its path may go through more of the message than the format's key does."""
    for one in family.announced:
        if one.key is not None and (one.key == key or one.key.endswith(f".{key}") or key.endswith(f".{one.key}")):
            return one
    return None


def _placeholders(pattern: str, topic: str) -> dict[str, str]:
    """What the placeholders of a template's topic stand for in a topic; nothing where it is no such topic."""
    regex = re.escape(PLACEHOLDER.sub("\x00\\1\x00", pattern))
    regex = re.sub("\x00\\\\?([a-z0-9_]+)\x00", lambda found: f"(?P<{found[1]}>[^/]+)", regex)
    match = re.fullmatch(regex, topic)
    return {} if match is None else match.groupdict()


def _tokens(text: str) -> frozenset[str]:
    return frozenset(_TOKEN.findall(_ADDRESS.sub(" ", text.lower()))) - _WORDLESS


@dataclass(frozen=True, slots=True)
class Chosen:
    """A value by its name, and the point it is to feed."""

    name: str
    point: str
    unit: str | None = None
    scale: float = 1.0
    offset: float = 0.0


def bindings(
    family: Family,
    chosen: Sequence[Chosen],
    where: Mapping[tuple[str, str | None], str],
    *,
    clock: Clock = Clock.DEVICE,
) -> dict[str, tuple[Binding, ...]]:
    """Equipment → its bindings: each source of `where` ((topic, device) → equipment) feeds the chosen points.

    A topic that is a value feeds the point chosen for its name alone.
    """
    keys = {one.key for one in family.found}
    made: dict[str, tuple[Binding, ...]] = {}
    for source in family.sources:
        id = where.get((source.topic, source.device))
        if id is None:
            continue
        for one in chosen:
            single = source.value is not None and one.name == name_of(source)
            if single or one.name in keys:
                binding = Binding(
                    topic=source.topic,
                    point=one.point,
                    key=None if single else one.name,
                    unit=one.unit,
                    scale=one.scale,
                    offset=one.offset,
                    clock=clock,
                    decoder="plain" if single else family.decoder,
                    device=None if single else device_to_name(source),
                )
                made[id] = (*made.get(id, ()), binding)
    return made

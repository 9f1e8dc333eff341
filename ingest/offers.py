"""What a family of unbound topics could be bound to: templates that know it, types that fit it, points for its keys."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from ingest.decoders.sparkplug.address import NAMESPACE
from ingest.discovery import Announced, Family, Found, Source
from ingest.precedents import Precedent, same_format
from plant.catalogue import Catalogue, EquipmentType, Text
from plant.device import DEVICE, PLACEHOLDER, Template, TemplateLine, fill
from plant.matching import Match, Value, assign, matches
from plant.site import Binding, Clock, Equipment, Plant
from plant.tradewords import phase_of_element

_LEAST_SHARE = 0.5
_TOKEN = re.compile(r"[a-z]+|\d+|[\u4e00-\u9fff]+")
_ADDRESS = re.compile(r"(?<![0-9a-z])(?:0x)?(?=[0-9a-f]*[a-f])(?=[0-9a-f]*\d)[0-9a-f]{6,}")
"""Addresses in hex: the numbers in them say nothing."""
_SPARKPLUG = NAMESPACE.lower()
"""Its version is the number of no machine."""
_FED_ALREADY = 20
"""More than any likeness of names."""
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


def models(family: Family, templates: Iterable[Template]) -> list[KnownModel]:
    """Templates of the family's format that know half of what is there, or of whose keys half are there; best first.

    Of templates that know as much the one whose topic this is goes first, then the one that was given first.
    """
    found = []
    names = {value.name for value in values_of(family)}
    for template in templates:
        if not same_format(template.decoder, family.decoder):
            continue
        known = len(template_lines(family, template).keys() & names)
        if known and known >= _LEAST_SHARE * min(len(template.lines), len(names)):
            found.append(KnownModel(template, known, len(template.lines)))
    topic = family.sources[0].topic if family.sources else ""
    return sorted(found, key=lambda model: (-model.keys, _placeholders(model.template.topic, topic) is None))


def template_lines(family: Family, template: Template) -> dict[str, TemplateLine]:
    """Name of a value of the family → the line of a template that says what it feeds, its placeholders filled."""
    source = family.sources[0] if family.sources else None
    values = dict(template.defaults)
    if source is not None:
        values |= ({} if source.device is None else {DEVICE: source.device}) | (
            _placeholders(template.topic, source.topic) or {}
        )
    singles = [one for one in family.sources if one.value is not None]
    lines: dict[str, TemplateLine] = {}
    for line in template.lines:
        if line.point is None:
            continue
        if line.key is not None:
            lines[fill(line.key, values)] = line
        for one in singles if line.key is None else ():
            if _placeholders(line.topic or template.topic, one.topic) is not None:
                lines[name_of(one)] = line
    return lines


def types(family: Family, catalogue: Catalogue) -> list[KnownType]:
    """The equipment types with points for the values, the best first; none that the service itself speaks for."""
    values, found = values_of(family), []
    for kind in catalogue.types.values():
        if kind.by_service:
            continue
        chosen = assign(values, list(kind.points.values()))
        if chosen:
            score = sum(match.score for match in chosen.values()) // len(chosen)
            found.append(KnownType(kind.name, len(chosen), score))
    # Of two that fit alike the simpler: what only says that it is there is a gateway, not an air handler.
    return sorted(found, key=lambda one: (-one.fitting, -one.score, len(catalogue.types[one.type].points), one.type))


@dataclass(frozen=True, slots=True)
class Chosen:
    """A value by its name, and the point it is to feed; the fields are those of `plant.site.Binding`."""

    name: str
    point: str
    unit: str | None = None
    scale: float = 1.0
    offset: float = 0.0
    sentinels: tuple[float, ...] = ()
    time: str | None = None
    zone: str | None = None


@dataclass(frozen=True, slots=True)
class Suggestion:
    """What a value is taken for: the point with its reasons, and how it would be bound."""

    match: Match
    chosen: Chosen


@dataclass(frozen=True, slots=True)
class Assignment:
    """For each value name: the point chosen for it, and others it may be; and whose time the readings get."""

    chosen: Mapping[str, Suggestion]
    others: Mapping[str, Sequence[Match]]
    clock: Clock = Clock.DEVICE


def mapping(family: Family, kind: EquipmentType, known: Template | Precedent | None = None) -> Assignment:
    """Which point of a type each value of a family feeds: as a machine like it is bound, as its template says, else as
    the matching finds. What is `known` counts only where it is of the type.
    """
    values, points = values_of(family), list(kind.points.values())
    others = {value.name: matches(value, points) for value in values}
    match known:
        case Template(type=kind.name):
            return _by_template(family, known, others)
        case Precedent() if known.equipment.type == kind.name:
            return _by_precedent(family, known, others)
        case _:
            found = {
                name: Suggestion(match, Chosen(name, match.point, match.unit, match.scale))
                for name, match in assign(values, points).items()
            }
            return Assignment(found, others)


def _by_template(family: Family, template: Template, others: Mapping[str, Sequence[Match]]) -> Assignment:
    why = Text(f"模板：{template.text.zh}", f"template: {template.text.en}")
    chosen = {
        name: _said(
            Chosen(name, line.point, line.unit, line.scale, line.offset, line.sentinels, template.time, template.zone),
            others[name],
            why,
        )
        for name, line in template_lines(family, template).items()
        if name in others and line.point is not None
    }
    return Assignment(chosen, others, template.clock)


def _by_precedent(family: Family, like: Precedent, others: Mapping[str, Sequence[Match]]) -> Assignment:
    names = like.equipment.text
    why = Text(f"与“{names.zh}”的绑定相同", f"as {names.en} is bound")
    bound = {name: like.bindings[name] for name in others if name in like.bindings}
    if like.single is not None:
        bound |= {name_of(source): like.single for source in family.sources if source.value is not None}
    chosen = {
        name: _said(
            Chosen(name, one.point, one.unit, one.scale, one.offset, one.sentinels, one.time, one.zone),
            others[name],
            why,
        )
        for name, one in bound.items()
    }
    arrival = any(one.clock is Clock.ARRIVAL for one in bound.values())
    return Assignment(chosen, others, Clock.ARRIVAL if arrival else Clock.DEVICE)


def _said(chosen: Chosen, others: Sequence[Match], why: Text) -> Suggestion:
    """What somebody has said, with what the matching has to say of it."""
    same = next((match for match in others if match.point == chosen.point), None)
    reasons = (why, *(same.reasons if same is not None else ()))
    return Suggestion(Match(chosen.point, 100, chosen.unit, reasons), chosen)


def machines(family: Family, plant: Plant, kind: str) -> dict[tuple[str, str | None], str]:
    """(topic, device) → the equipment of a type that the same device feeds already, else the one whose name it shares
    most with; none twice.
    """
    there = [one for one in plant.site.equipment.values() if one.type == kind and not one.retired]
    called = [(one, _tokens(f"{one.id} {one.path} {one.text.zh} {one.text.en}")) for one in there]
    pairs = []
    for source in family.sources:
        said = _tokens(f"{source.topic} {source.device or ''}")
        for machine, tokens in called:
            common = said & tokens
            likeness = sum(3 if token.isdigit() and len(token) > 1 else 1 for token in common)
            likeness += _FED_ALREADY * any(_same_device(source, binding) for binding in machine.bindings)
            if likeness >= 2:
                pairs.append((-likeness, source.topic, source.device or "", machine.id, source.device))
    chosen: dict[tuple[str, str | None], str] = {}
    for _, topic, _, id, device in sorted(pairs, key=lambda pair: pair[:4]):
        if (topic, device) not in chosen and id not in chosen.values():
            chosen[topic, device] = id
    return chosen


def _same_device(source: Source, binding: Binding) -> bool:
    """Both topics name the device by one address: a Shelly tells its energy on another topic than its power."""
    named = _ADDRESS.findall(source.topic.lower())
    same = bool(named) and named == _ADDRESS.findall(binding.topic.lower())
    return same and binding.device == device_to_name(source)


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


def _placeholders(pattern: str, topic: str) -> dict[str, str] | None:
    """What the placeholders of a template's topic stand for in a topic; None where it is no such topic."""
    match = _topic_regex(pattern).fullmatch(topic)
    return None if match is None else match.groupdict()


@lru_cache(maxsize=1_024)
def _topic_regex(pattern: str) -> re.Pattern[str]:
    """A template's topic as a regular expression; a placeholder that comes again stands for the same."""
    made, end, seen = "", 0, set[str]()
    for found in PLACEHOLDER.finditer(pattern):
        name = found[1]
        made += _levels(pattern[end : found.start()]) + (f"(?P={name})" if name in seen else f"(?P<{name}>[^/]+)")
        seen.add(name)
        end = found.end()
    return re.compile(made + _levels(pattern[end:]))


def _levels(text: str) -> str:
    return re.escape(text).replace(r"\+", "[^/]+").replace(r"\#", ".*")


def _tokens(text: str) -> frozenset[str]:
    return frozenset(_TOKEN.findall(_ADDRESS.sub(" ", text.lower().replace(_SPARKPLUG, " ")))) - _WORDLESS


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
                    sentinels=one.sentinels,
                    time=one.time,
                    zone=one.zone,
                    clock=clock,
                    decoder="plain" if single else family.decoder,
                    device=None if single else device_to_name(source),
                )
                made[id] = (*made.get(id, ()), binding)
    return made

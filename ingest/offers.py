"""What a family of unbound topics could be bound to: types that fit it, points for its keys, machines. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ingest.decoders.sparkplug.address import NAMESPACE
from ingest.discovery import Family, Source
from ingest.models import template_lines
from ingest.naming import WORDLESS, device_to_name, name_of, values_of
from ingest.precedents import Precedent
from plant.catalogue import Catalogue, EquipmentType, Text
from plant.device import Template
from plant.matching import Match, assign, matches
from plant.site import Binding, Clock, Plant

_TOKEN = re.compile(r"[a-z]+|\d+|[\u4e00-\u9fff]+")
_ADDRESS = re.compile(r"(?<![0-9a-z])(?:0x)?(?=[0-9a-f]*[a-f])(?=[0-9a-f]*\d)[0-9a-f]{6,}")
"""Addresses in hex: the numbers in them say nothing."""
_SPARKPLUG = NAMESPACE.lower()
"""Its version is the number of no machine."""
_FED_ALREADY = 20
"""More than any likeness of names."""


@dataclass(frozen=True, slots=True)
class KnownType:
    """An equipment type: for how many values it has a point, and how well they fit (0 to 100)."""

    type: str
    fitting: int
    score: int


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


def _tokens(text: str) -> frozenset[str]:
    return frozenset(_TOKEN.findall(_ADDRESS.sub(" ", text.lower().replace(_SPARKPLUG, " ")))) - WORDLESS


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

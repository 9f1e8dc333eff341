"""A site against the catalogue: nothing unknown, nothing twice, every number in range, every unit convertible."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from plant.catalogue import Catalogue, EquipmentType, Point
from plant.errors import Problem
from plant.site import Equipment, expand
from plant.sitefile import Entry, SiteFile, wrong_id, wrong_path
from plant.wiring import check_wires
from plant.yamlfile import Located, did_you_mean

KnownRules = Mapping[str, Mapping[str, tuple[float, float]]]
"""Rule id → its parameters → their allowed range."""

KnownFormats = Mapping[str, bool]
"""Name of a decoder → whether a binding may say which member holds the time."""

_MEMBER = re.compile(r"[a-z0-9]+(_[a-z0-9]+)*")
_RULE = re.compile(r"[A-Z]+(-[A-Z0-9]+)+[a-z]?")


def check_head(located: Located[SiteFile], zone: str) -> Iterator[Problem]:
    """The site's own words."""
    if not _is_zone(zone):
        hint = did_you_mean(zone, available_timezones())
        yield located.problem(
            ("site", "zone"), f"unknown time zone {zone!r}", expected="such as Asia/Shanghai", hint=hint
        )


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def check_entries(
    entries: list[Entry], catalogue: Catalogue, rules: KnownRules | None, formats: KnownFormats | None
) -> Iterator[Problem]:
    """Every machine by itself, then all of them together."""
    machines = {entry.equipment.id: entry.equipment for entry in entries}
    for entry in entries:
        kind = catalogue.types.get(entry.file.type)
        if kind is None:
            hint = did_you_mean(entry.file.type, catalogue.types)
            yield entry.problem(("type",), f"unknown equipment type {entry.file.type!r}", hint=hint)
            continue
        yield from _check_parameters(entry, kind)
        yield from _check_members(entry, kind)
        yield from check_wires(entry, kind, points_of(entry.equipment, kind))
        yield from _check_formats(entry, formats)
        yield from _check_relations(entry, kind, machines)
        yield from _check_rules(entry, rules)
        yield from _check_names(entry)
    yield from _check_twice(entries, "id")
    yield from _check_twice(entries, "path")
    yield from _check_rings(entries, machines)


def _check_names(entry: Entry) -> Iterator[Problem]:
    """What `for` has filled in makes an id and a path."""
    for word, wrong in (("id", wrong_id(entry.equipment.id)), ("path", wrong_path(entry.equipment.path))):
        if wrong is not None:
            value = getattr(entry.equipment, word)
            yield entry.problem((word,), f"{value!r}: {wrong}", hint="a placeholder takes its values from 'for'")


def points_of(machine: Equipment, kind: EquipmentType) -> dict[str, Point]:
    """Points of a machine whose members may still be wrong: what is wrong expands to nothing."""
    points = dict(kind.points)
    for name, declared in machine.members.items():
        family = kind.families.get(name)
        if family is not None:
            points.update((point.name, point) for point in expand(family, declared))
    return points


def _check_parameters(entry: Entry, kind: EquipmentType) -> Iterator[Problem]:
    for name, value in entry.file.parameters.items():
        parameter = kind.parameters.get(name)
        if parameter is None:
            hint = did_you_mean(name, kind.parameters)
            yield entry.problem(("parameters", name), f"{kind.name} has no parameter {name!r}", hint=hint, key=True)
        elif not parameter.low <= value <= parameter.high:
            expected = f"{parameter.low:g} to {parameter.high:g} {parameter.unit}"
            yield entry.problem(("parameters", name), f"{name} is out of range", expected=expected)


def _check_members(entry: Entry, kind: EquipmentType) -> Iterator[Problem]:
    taken = {*kind.points, *kind.parameters, *kind.derived}
    for name, declared in entry.file.members.items():
        family = kind.families.get(name)
        if family is None:
            hint = did_you_mean(name, kind.families)
            yield entry.problem(("members", name), f"{kind.name} has no family {name!r}", hint=hint, key=True)
            continue
        for holder, members in declared.items():
            at = ("members", name, holder)
            if holder not in family.placeholders:
                yield entry.problem(
                    at, f"no {{{holder}}} in {name}", hint=did_you_mean(holder, family.placeholders), key=True
                )
            for number, member in enumerate(members):
                if holder in family.fixed and member not in family.fixed[holder]:
                    yield entry.problem(
                        (*at, number), f"unknown {holder} {member!r}", expected=", ".join(family.fixed[holder])
                    )
                elif not _MEMBER.fullmatch(member):
                    yield entry.problem(
                        (*at, number), f"{member!r} is no member", expected="small letters, digits and '_'"
                    )
                elif member in members[:number]:
                    yield entry.problem((*at, number), f"{member!r} is declared twice")
        for point in expand(family, declared):
            if point.name in taken:
                yield entry.problem(("members", name), f"this makes a point {point.name!r}, which is there already")


def _check_formats(entry: Entry, formats: KnownFormats | None) -> Iterator[Problem]:
    """Decoders and zones that bindings name."""
    for one in entry.wires:
        decoder, zone = one.binding.decoder, one.binding.zone
        if formats is not None and decoder not in formats:
            expected, hint = ", ".join(formats), did_you_mean(decoder, formats)
            yield one.problem("decoder", f"there is no decoder {decoder!r}", expected=expected, hint=hint)
        elif formats is not None and one.binding.time is not None and not formats[decoder]:
            expected = ", ".join(name for name, timed in formats.items() if timed)
            hint = f"leave time out: {decoder} knows where its time is"
            yield one.problem(
                "time", f"{decoder} has a time of its own", expected=f"a decoder of {expected}", hint=hint
            )
        if zone is not None and not _is_zone(zone):
            hint = did_you_mean(zone, available_timezones())
            yield one.problem("zone", f"unknown time zone {zone!r}", expected="such as Asia/Shanghai", hint=hint)


def _check_relations(entry: Entry, kind: EquipmentType, machines: Mapping[str, Equipment]) -> Iterator[Problem]:
    for relation, targets in entry.equipment.relations.items():
        wanted = kind.relations.get(relation)
        if wanted is None:
            hint = did_you_mean(relation, kind.relations)
            yield entry.problem(
                ("relations", relation), f"{kind.name} has no relation {relation!r}", hint=hint, key=True
            )
            continue
        for number, target in enumerate(targets):
            listed = not isinstance(entry.file.relations[relation], str)
            at = ("relations", relation, *((number,) if listed else ()))
            found = machines.get(target)
            if found is None:
                fitting = [other.id for other in machines.values() if other.type == wanted]
                yield entry.problem(at, f"no equipment has the id {target!r}", hint=did_you_mean(target, fitting))
            elif found.type != wanted:
                yield entry.problem(at, f"{target!r} is a {found.type}", expected=f"the id of a {wanted}")
            elif target == entry.equipment.id:
                yield entry.problem(at, f"{target!r} is related to itself")
            elif target in targets[:number]:
                yield entry.problem(at, f"{target!r} is named twice")


def _check_rules(entry: Entry, rules: KnownRules | None) -> Iterator[Problem]:
    for rule, said in entry.file.rules.items():
        if not _RULE.fullmatch(rule):
            yield entry.problem(("rules", rule), f"{rule!r} is no rule id", expected="such as CH-04", key=True)
        if rules is None:
            continue
        params = rules.get(rule)
        if params is None:
            yield entry.problem(("rules", rule), f"unknown rule {rule!r}", hint=did_you_mean(rule, rules), key=True)
            continue
        for name, value in said.params.items():
            at = ("rules", rule, "params", name)
            if name not in params:
                hint = did_you_mean(name, params)
                yield entry.problem(at, f"{rule} has no parameter {name!r}", hint=hint, key=True)
            elif not params[name][0] <= value <= params[name][1]:
                low, high = params[name]
                yield entry.problem(at, f"{name} is out of range", expected=f"{low:g} to {high:g}")


def _check_twice(entries: Iterable[Entry], word: str) -> Iterator[Problem]:
    first: dict[str, Entry] = {}
    for entry in entries:
        value = getattr(entry.equipment, word)
        if value in first:
            message = f"{word} {value!r} is used twice"
            yield entry.problem((word,), message, hint=f"the machine of {first[value].place} has it")
        first.setdefault(value, entry)


def _check_rings(entries: Iterable[Entry], machines: Mapping[str, Equipment]) -> Iterator[Problem]:
    """A relation that leads back to where it began (A fed by B fed by A) would let two causes suppress each other."""
    for entry in entries:
        for relation in entry.equipment.relations:
            reached: set[str] = set()
            edge = set(entry.equipment.relations[relation]) - {entry.equipment.id}
            while edge:
                reached |= edge
                further = (machines[name].relations.get(relation, ()) for name in edge if name in machines)
                edge = {target for targets in further for target in targets} - reached
            if entry.equipment.id in reached:
                message = f"{relation} leads from {entry.equipment.id!r} back to itself"
                yield entry.problem(("relations", relation), message, hint="one of the links is the wrong way round")

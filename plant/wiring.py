"""Which bindings each machine has: its own, those of templates, and those that other files give it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from plant.catalogue import Catalogue, EquipmentType, Point
from plant.device import DEVICE, Template, Use, fill
from plant.devicefile import DeviceFile, FeedFile, check_template, filled_binding, filled_device, shipped_templates
from plant.errors import BadInput, Problem
from plant.repeating import rows
from plant.sitefile import Entry, SiteFile, Wire
from plant.suggestions import did_you_mean
from plant.units import UNITS, conversion, unit_symbol
from plant.yamlfile import Located
from plant.yamlnodes import Path


@dataclass(frozen=True, slots=True)
class _Used:
    """A device as written, and where."""

    located: Located[SiteFile]
    at: Path
    file: DeviceFile


def read_templates(
    files: Iterable[Located[SiteFile]], catalogue: Catalogue, problems: list[Problem]
) -> Mapping[str, Template]:
    """The templates we ship and those of the site, by name; a name may be given once. Adds to `problems`."""
    found = dict(shipped_templates())
    for located in files:
        for number, file in enumerate(located.value.templates):
            at: Path = ("templates", number)
            if file.name in found:
                message = f"there is a template {file.name!r} already"
                problems.append(located.problem((*at, "name"), message, hint="give yours a name of its own"))
            problems.extend(check_template(located, at, file, catalogue))
            found[file.name] = file.template()
    return found


def own_templates(templates: Mapping[str, Template]) -> tuple[Template, ...]:
    """Those of the site itself, by name."""
    shipped = shipped_templates()
    return tuple(templates[name] for name in sorted(templates) if name not in shipped)


def wire(
    entries: list[Entry],
    files: Iterable[Located[SiteFile]],
    templates: Mapping[str, Template],
    problems: list[Problem],
) -> list[Entry]:
    """The machines with all their bindings. Adds to `problems`."""
    given: dict[str, list[_Used]] = {}
    known = {entry.equipment.id for entry in entries}
    for located in files:
        for number, feed in enumerate(located.value.devices):
            for id, used in _feeds(located, ("devices", number), feed, problems):
                if id not in known:
                    hint = did_you_mean(id, known)
                    at = (*used.at, "equipment")
                    problems.append(located.problem(at, f"no equipment has the id {id!r}", hint=hint))
                given.setdefault(id, []).append(used)
    return [entry.wired(_wires(entry, given.get(entry.equipment.id, ()), templates, problems)) for entry in entries]


def _feeds(
    located: Located[SiteFile], at: Path, feed: FeedFile, problems: list[Problem]
) -> Iterator[tuple[str, _Used]]:
    """(equipment, device) of each that an entry of `devices` stands for."""
    try:
        repeated = [{}] if feed.repeat is None else rows(feed.repeat)
    except ValueError as error:
        problems.append(located.problem((*at, "for"), str(error)))
        return
    for values in repeated:
        yield fill(feed.equipment, values), _Used(located, at, filled_device(feed, values))


def _wires(
    entry: Entry, given: Iterable[_Used], templates: Mapping[str, Template], problems: list[Problem]
) -> tuple[Wire, ...]:
    """Bindings written out come first and go before what a template makes for the same point."""
    own = [_Used(entry.located, (*entry.at, "devices", n), file) for n, file in enumerate(entry.file.devices)]
    wires = [
        Wire(binding.binding(), entry.located, (*entry.at, "bindings", n), made=False)
        for n, binding in enumerate(entry.file.bindings)
    ]
    made: list[Wire] = []
    for used in (*own, *given):
        wires += _written(used)
        made += _made(used, entry, templates, problems)
    written = {wire.binding.point for wire in wires}
    return (*wires, *(wire for wire in made if wire.binding.point not in written))


def _written(used: _Used) -> Iterator[Wire]:
    values = _values(used.file)
    for number, file in enumerate(used.file.bindings):
        binding = filled_binding(file, values).binding()
        yield Wire(binding, used.located, (*used.at, "bindings", number), made=False)


def _values(file: DeviceFile) -> dict[str, str]:
    return dict(file.values) if file.device is None else {**file.values, DEVICE: file.device}


def _made(used: _Used, entry: Entry, templates: Mapping[str, Template], problems: list[Problem]) -> Iterable[Wire]:
    """What a template makes of a device; nothing, and a problem, where it cannot be used so."""
    file, located, at = used.file, used.located, used.at
    if file.template is None:
        if not file.bindings:
            problems.append(located.problem(at, "names no template and has no bindings", hint="give it one of the two"))
        return ()
    template = templates.get(file.template)
    if template is None:
        hint = did_you_mean(file.template, templates)
        problems.append(located.problem((*at, "template"), f"unknown template {file.template!r}", hint=hint))
        return ()
    wrong = [*_misused(used, template, entry)]
    problems += wrong
    if wrong:
        return ()
    use = Use(_values(file), file.topic, file.points)
    return [Wire(binding, located, at, made=True) for binding in template.bindings(use)]


def _misused(used: _Used, template: Template, entry: Entry) -> Iterator[Problem]:
    file, located, at = used.file, used.located, used.at
    values = _values(file)
    missing = [name for name in template.placeholders(topic=file.topic is None) if name not in values]
    if missing:
        hint = "add " + ", ".join(f"{name}: …" if name == DEVICE else f"with: {{{name}: …}}" for name in missing)
        message = f"template {template.name} needs {' and '.join(f'{{{name}}}' for name in missing)}"
        yield located.problem((*at, "template"), message, hint=hint)
    keys = [line.key or "" for line in template.lines]
    for key in file.points:
        if key not in keys:
            message = f"template {template.name} has no key {key!r}"
            yield located.key_problem((*at, "points", key), message, hint=did_you_mean(key, keys))
    if not file.points and template.type != entry.equipment.type:
        message = f"template {template.name} feeds a {template.type}, this is a {entry.equipment.type}"
        yield located.problem((*at, "template"), message, hint="say which points it feeds: points: {key: point}")


def check_wires(entry: Entry, kind: EquipmentType, points: Mapping[str, Point]) -> Iterator[Problem]:
    """Every binding of a machine: its point is there and fed once, its unit converts; none where the service speaks."""
    if kind.by_service and entry.wires:
        message = f"the service says the points of a {kind.name} itself"
        yield entry.wires[0].problem("point", message, hint="leave its bindings out")
        return
    fed: dict[str, int] = {}
    for number, one in enumerate(entry.wires, 1):
        binding = one.binding
        point = points.get(binding.point)
        if point is None:
            hint = did_you_mean(binding.point, points)
            yield one.problem("point", f"{entry.file.type} has no point {binding.point!r}", hint=hint)
        elif binding.unit is not None:
            yield from _check_unit(one, binding.unit, point)
        if binding.point in fed:
            hint = f"binding {fed[binding.point]} feeds it already; keep one of the two"
            yield one.problem("point", f"point {binding.point!r} is fed twice", hint=hint)
        fed.setdefault(binding.point, number)
        if binding.scale == 0:
            yield one.problem("scale", "a scale of 0 makes every value the same", hint="leave it out for 1")


def _check_unit(one: Wire, unit: str, point: Point) -> Iterator[Problem]:
    try:
        symbol = unit_symbol(unit)
    except BadInput:
        hint = did_you_mean(unit, [known for known in UNITS if UNITS[known].quantity == UNITS[point.unit].quantity])
        yield one.problem("unit", f"unknown unit {unit!r}", expected=f"one that converts to {point.unit}", hint=hint)
        return
    try:
        conversion(symbol, point.unit)
    except BadInput as error:
        yield one.problem("unit", str(error), expected=f"a unit of {UNITS[point.unit].quantity}")

"""Bindings that people accept beside the files: put into a site, and kept when the files are imported again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from plant.catalogue import Catalogue, Point
from plant.errors import BadInput, Conflict, NotFound
from plant.site import Binding, Equipment, Site, expand
from plant.sitefile import wrong_id, wrong_path
from plant.suggestions import did_you_mean
from plant.units import conversion


@dataclass(frozen=True, slots=True)
class Accepted:
    """New machines (without bindings) and the bindings given to machines, new or there already, by equipment id."""

    bindings: Mapping[str, tuple[Binding, ...]]
    machines: tuple[Equipment, ...] = field(default=())

    @property
    def count(self) -> int:
        """How many bindings there are."""
        return sum(map(len, self.bindings.values()))


def accept(site: Site, accepted: Accepted, catalogue: Catalogue) -> Site:
    """The site with what is accepted.

    Raises BadInput for what cannot be (an unknown point, a unit of something else), NotFound for an equipment there is
    none of, Conflict where an id, a path or a point is taken.
    """
    equipment = dict(site.equipment)
    paths = {machine.path for machine in equipment.values()}
    for machine in accepted.machines:
        _check_machine(machine, equipment, paths, catalogue)
        equipment[machine.id] = machine
        paths.add(machine.path)
    for id, bindings in accepted.bindings.items():
        found = equipment.get(id)
        if found is None or found.retired:
            raise NotFound(f"there is no equipment {id!r}; {did_you_mean(id, equipment)}")
        if catalogue.types[found.type].by_service:
            raise BadInput(f"{id} is a {found.type}: the service says its points itself; bind to another equipment")
        points = points_of(found, catalogue)
        for binding in bindings:
            _check_binding(found, binding, points)
            found = replace(found, bindings=(*found.bindings, binding))
        equipment[id] = found
    return _with(site, equipment)


def keep(site: Site, accepted: Accepted, catalogue: Catalogue) -> tuple[Site, int]:
    """A site from files with what had been accepted before and the files do not say; and how many bindings that gave.

    Files go first: a machine they describe stays as they say, a point they feed is fed as they say. What no longer
    fits (another type, a machine that is gone) is left out.
    """
    equipment = dict(site.equipment)
    paths = {machine.path for machine in equipment.values()}
    kept = 0
    for machine in accepted.machines:
        if machine.id not in equipment and machine.path not in paths and machine.type in catalogue.types:
            equipment[machine.id] = machine
            paths.add(machine.path)
    for id, bindings in accepted.bindings.items():
        found = equipment.get(id)
        if found is None or found.retired or catalogue.types[found.type].by_service:
            continue
        for binding in bindings:
            try:
                _check_binding(found, binding, points_of(found, catalogue))
            except (BadInput, Conflict):
                continue
            found = equipment[id] = replace(found, bindings=(*found.bindings, binding))
            kept += 1
    return _with(site, equipment), kept


def points_of(machine: Equipment, catalogue: Catalogue) -> Mapping[str, Point]:
    """The points of a machine, its declared members among them."""
    kind = catalogue.types[machine.type]
    points = dict(kind.points)
    for family in kind.families.values():
        points.update((point.name, point) for point in expand(family, machine.members.get(family.name, {})))
    return points


def _with(site: Site, equipment: Mapping[str, Equipment]) -> Site:
    return replace(site, equipment=equipment)


def _check_machine(machine: Equipment, there: Mapping[str, Equipment], paths: set[str], catalogue: Catalogue) -> None:
    if machine.type not in catalogue.types:
        raise BadInput(f"unknown equipment type {machine.type!r}; {did_you_mean(machine.type, catalogue.types)}")
    for value, wrong in ((machine.id, wrong_id(machine.id)), (machine.path, wrong_path(machine.path))):
        if wrong is not None:
            raise BadInput(f"{value!r}: {wrong}")
    if machine.id in there:
        raise Conflict(f"there is an equipment {machine.id!r} already; choose another id, or bind to that one")
    if machine.path in paths:
        raise Conflict(f"the path {machine.path!r} is taken; choose another")


def _check_binding(machine: Equipment, binding: Binding, points: Mapping[str, Point]) -> None:
    point = points.get(binding.point)
    if point is None:
        hint = did_you_mean(binding.point, points)
        raise BadInput(f"{machine.id} is a {machine.type} and has no point {binding.point!r}; {hint}")
    if binding.unit is not None:
        try:
            conversion(binding.unit, point.unit)
        except BadInput as error:
            raise BadInput(f"{machine.id} {binding.point}: {error}") from None
    if binding.scale == 0:
        raise BadInput(f"{machine.id} {binding.point}: a scale of 0 makes every value the same; use 1")
    fed = next((one for one in machine.bindings if one.point == binding.point), None)
    if fed is not None:
        key = "" if fed.key is None else f", key {fed.key}"
        raise Conflict(f"{machine.id} {binding.point} is fed by {fed.topic}{key} already; leave one of the two out")

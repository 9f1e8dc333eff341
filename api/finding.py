"""Turns what people look for (an area, a type, a text) into ids of equipment and rules: all that the ledger knows."""

from __future__ import annotations

from collections.abc import Sequence

from api.office import Office
from maintenance.ledger.queries import Named
from plant.catalogue import Text
from plant.errors import NotFound
from plant.site import Equipment, Plant
from rules.model import Rule


def known_equipment(office: Office, id: str) -> Equipment:
    """The equipment of that id that is not retired; raises NotFound."""
    machine = office.deps.configuration.plant().site.equipment.get(id)
    if machine is None or machine.retired:
        raise NotFound(f"there is no equipment {id}; GET /api/v1/equipment lists what there is")
    return machine


def area_of(machine: Equipment) -> str:
    """The area a machine stands in: its path without its own name."""
    return machine.path.rpartition("/")[0]


def equipment_in(plant: Plant, *, area: str | None, type: str | None) -> frozenset[str] | None:
    """Ids of the equipment of an area (with the areas below it) and type; None when neither is asked for."""
    if area is None and type is None:
        return None
    return frozenset(
        machine.id
        for machine in plant.site.equipment.values()
        if (area is None or f"{area_of(machine)}/".startswith(f"{area}/")) and (type is None or machine.type == type)
    )


def named(text: str | None, plant: Plant, rules: Sequence[Rule]) -> Named | None:
    """Equipment and rules whose id, path, name or title holds a text, in either language; None for no text."""
    wanted = (text or "").strip().casefold()
    if not wanted:
        return None
    return Named(
        frozenset(
            machine.id
            for machine in plant.site.equipment.values()
            if _holds(wanted, machine.text, machine.id, machine.path)
        ),
        frozenset(rule.id for rule in rules if _holds(wanted, rule.title, rule.id)),
    )


def called(machine: Equipment, text: str) -> bool:
    """Every word of a text is in the machine's id, path or name, in either language."""
    said = f"{machine.id} {machine.path} {machine.text.zh} {machine.text.en}".casefold()
    return all(word in said for word in text.casefold().split())


def _holds(wanted: str, text: Text, *ids: str) -> bool:
    return any(wanted in part.casefold() for part in (text.zh, text.en, *ids))

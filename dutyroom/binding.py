"""What people bind beside the files: accepted bindings become the next configuration, and stay over later imports."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from sqlalchemy import Connection

from dutyroom.content import Content
from dutyroom.systemtime import system_now
from ingest.bindings import Bindings
from ingest.discovery import Family
from maintenance.ledger import audit, discovered
from maintenance.ledger.commissionings import applied, decisions
from maintenance.ledger.discovered import Acceptance, Wanted
from maintenance.ledger.ledger import Ledger
from maintenance.people import Actor, Role
from plant.accepting import Accepted, accept, keep
from plant.bindingfile import check_topic
from plant.catalogue import Catalogue
from plant.errors import BadInput, NotFound, NotPermitted
from plant.registry import bound_to_yaml
from plant.site import Binding, Plant, Site

MOST_FILTERS = 50


class BindingDesk:
    """Changes the configuration of a ledger; the relay carries it into the journal, a running service takes it up."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def accept(self, family: Family, accepted: Accepted, actor: Actor) -> Acceptance:
        """Bind what was found, and have what came before decoded again.

        Raises BadInput, NotFound or Conflict where it does not fit the site, NotPermitted below an engineer.
        """
        _require(actor)
        if not accepted.count:
            raise BadInput("nothing is bound: choose a point for at least one key")
        content, base = self._content()
        # Nobody has looked yet whether they send what their rules take them for: these observe until it is checked.
        accepted = replace(accepted, machines=tuple(replace(one, commissioned=False) for one in accepted.machines))
        plant = Plant(content.plant.catalogue, accept(content.plant.site, accepted, content.plant.catalogue))
        Bindings(plant)  # raises BadInput for a binding that no decoder can serve
        topics = sorted({one.topic for bindings in accepted.bindings.values() for one in bindings})
        encoded = Content(plant, content.rules).encode()
        wanted = Wanted(family, accepted, encoded, base, topics, max(family.first_offset - 1, 0))
        now = system_now()
        return self._ledger.write(discovered.accept, wanted, actor, self._plant_now(now), now)

    def listen(self, filters: Sequence[str], actor: Actor) -> None:
        """Listen to these topic filters beside what is bound, and to no others. Raises BadInput for what is none."""
        _require(actor)
        wanted = tuple(dict.fromkeys(filters))
        if len(wanted) > MOST_FILTERS:
            raise BadInput(f"{len(wanted)} topic filters; at most {MOST_FILTERS}, '#' stands for many topics")
        for topic in wanted:
            try:
                check_topic(topic)
            except ValueError as error:
                raise BadInput(f"{topic[:200]!r}: {error}") from None
        content, base = self._content()
        site = replace(content.plant.site, discover=wanted)
        encoded = Content(Plant(content.plant.catalogue, site), content.rules).encode()
        now = system_now()
        self._ledger.write(_listen, encoded, base, (actor, ", ".join(wanted)), (self._plant_now(now), now))

    def _content(self) -> tuple[Content, int]:
        latest = self._ledger.latest_config()
        if latest is None:
            raise NotFound("there is no plant yet; put one in by `dutyroom plant import`")
        return Content.decode(latest.content), latest.revision

    def _plant_now(self, now: int) -> int:
        reached = self._ledger.plant_now()
        return now if reached is None else reached


def kept(ledger: Ledger, site: Site, catalogue: Catalogue) -> tuple[Site, int, Collection[int]]:
    """A site from files with what people accepted and the files do not say; how many bindings that is, and the numbers
    of the acceptances that the files now say in full.
    """
    total, said = 0, []
    for one in ledger.read(discovered.accepted_all):
        if one.in_files:
            continue
        if _says(site, one.accepted):
            said.append(one.id)
            continue
        site, count = keep(site, one.accepted, catalogue)
        total += count
    if not site.discover:
        latest = ledger.latest_config()
        before = () if latest is None else Content.decode(latest.content).plant.site.discover
        site = replace(site, discover=before)
    return applied(site, ledger.read(decisions)), total, said


def accepted_to_yaml(accepted: Sequence[Accepted]) -> str:
    """Acceptances as a site file: new machines, and what machines described elsewhere are fed by."""
    machines = [machine for one in accepted for machine in one.machines]
    fed: dict[str, tuple[Binding, ...]] = {}
    for one in accepted:
        for id, bindings in one.bindings.items():
            fed[id] = (*fed.get(id, ()), *bindings)
    return bound_to_yaml(machines, fed)


def _says(site: Site, accepted: Accepted) -> bool:
    """The files feed every point that was accepted."""
    for id, bindings in accepted.bindings.items():
        machine = site.equipment.get(id)
        if machine is None or {one.point for one in bindings} - {one.point for one in machine.bindings}:
            return False
    return True


def _require(actor: Actor) -> None:
    if not actor.at_least(Role.ENGINEER):
        raise NotPermitted(f"{actor.name} is {actor.role}; this takes {Role.ENGINEER} or above")


def _listen(connection: Connection, content: bytes, base: int, who: tuple[Actor, str], times: tuple[int, int]) -> None:
    actor, filters = who
    discovered.changed_config(connection, content, base, actor, times[0])
    audit.write(connection, audit.Entry(times[1], actor.name, audit.Action.DISCOVERY_SET, filters[:200] or "-"))

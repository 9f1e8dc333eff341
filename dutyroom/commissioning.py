"""Commissioning decided: a machine that passes its check, or that a person releases, has its rules open tickets."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import Connection

from dutyroom.content import Content
from dutyroom.systemtime import system_now
from maintenance.commissioning import Outcome, Report
from maintenance.ledger import audit, commissionings, discovered
from maintenance.ledger.commissionings import Commissioning, Wanted
from maintenance.ledger.ledger import Ledger
from maintenance.people import Actor, Role
from plant.errors import BadInput, NotFound, NotPermitted
from plant.site import Equipment, Plant

_LONGEST_REASON = 500


class CommissioningDesk:
    """Keeps checks, and changes the configuration where one decides something; a running service takes it up."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def record(self, report: Report, actor: Actor) -> Commissioning:
        """Keep a check; where it passed, the machine is commissioned from now on. Raises NotPermitted, NotFound."""
        passed = report.outcome is Outcome.PASSED
        released = True if passed and not self._machine(report.equipment).commissioned else None
        return self._write(Wanted(report.equipment, actor.name, self._now(), report, released), actor)

    def release(self, equipment: str, reason: str, actor: Actor) -> Commissioning:
        """Commission a machine whatever its check says; raises BadInput without a reason."""
        return self._decide(equipment, reason, actor, released=True)

    def withhold(self, equipment: str, reason: str, actor: Actor) -> Commissioning:
        """Have a machine's rules observe until it is checked again; raises BadInput without a reason."""
        return self._decide(equipment, reason, actor, released=False)

    def _decide(self, equipment: str, reason: str, actor: Actor, *, released: bool) -> Commissioning:
        if not reason.strip():
            raise BadInput("a decision beside the check needs a reason: say why, for those who come after")
        if self._machine(equipment).commissioned is released:
            already = "is commissioned" if released else "is not commissioned"
            raise BadInput(f"{equipment} {already} already")
        wanted = Wanted(equipment, actor.name, self._now(), None, released, reason.strip()[:_LONGEST_REASON])
        return self._write(wanted, actor)

    def _machine(self, equipment: str) -> Equipment:
        content, _ = self._content()
        machine = content.plant.site.equipment.get(equipment)
        if machine is None or machine.retired:
            raise NotFound(f"there is no equipment {equipment!r}")
        return machine

    def _write(self, wanted: Wanted, actor: Actor) -> Commissioning:
        if not actor.at_least(Role.ENGINEER):
            raise NotPermitted(f"{actor.name} is {actor.role}; this takes {Role.ENGINEER} or above")
        changed = None
        if wanted.released is not None:
            content, base = self._content()
            site = content.plant.site
            machine = replace(site.equipment[wanted.equipment], commissioned=wanted.released)
            plant = Plant(content.plant.catalogue, replace(site, equipment={**site.equipment, machine.id: machine}))
            changed = (Content(plant, content.rules).encode(), base)
        return self._ledger.write(_write, wanted, changed, actor, system_now())

    def _content(self) -> tuple[Content, int]:
        latest = self._ledger.latest_config()
        if latest is None:
            raise NotFound("there is no plant yet; put one in by `dutyroom plant import`")
        return Content.decode(latest.content), latest.revision

    def _now(self) -> int:
        reached = self._ledger.plant_now()
        return system_now() if reached is None else reached


def _write(
    connection: Connection, wanted: Wanted, changed: tuple[bytes, int] | None, actor: Actor, at: int
) -> Commissioning:
    """The line, and where it decides something the configuration and the audit, in one transaction."""
    if changed is not None:
        discovered.changed_config(connection, *changed, actor, wanted.at)
        action = audit.Action.COMMISSIONED if wanted.released else audit.Action.DECOMMISSIONED
        audit.write(connection, audit.Entry(at, actor.name, action, wanted.equipment, wanted.reason))
    return commissionings.add(connection, wanted)

"""Every machine has the code of its label from the moment it is registered, so that no page has to write one."""

from __future__ import annotations

from dutyroom.systemtime import system_now
from maintenance.ledger import codes
from maintenance.ledger.ledger import Ledger
from plant.site import Plant


def give_codes(ledger: Ledger, plant: Plant) -> int:
    """Make the codes that machines in use still lack; how many these were. A code once made is kept for ever."""
    lacking = {one.id for one in plant.site.equipment.values() if not one.retired} - ledger.read(codes.all_codes).keys()
    if lacking:
        now = ledger.plant_now()
        ledger.write(codes.ensure, lacking, system_now() if now is None else now)
    return len(lacking)

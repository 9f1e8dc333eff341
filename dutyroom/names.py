"""What equipment and rules are called, from the configuration last put in force."""

from __future__ import annotations

from dutyroom.content import Content
from maintenance.ledger.ledger import Ledger
from plant.catalogue import Text


class SiteNames:
    """Names for notices (`maintenance.notices.Names`); follows a changed configuration."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._revision = 0
        self._equipment: dict[str, Text] = {}
        self._rules: dict[str, Text] = {}

    def equipment(self, id: str) -> Text:
        """The equipment's name, or its id."""
        self._refresh()
        return self._equipment.get(id, Text(id, id))

    def rule(self, id: str) -> Text:
        """The rule's title, or its id."""
        self._refresh()
        return self._rules.get(id, Text(id, id))

    def _refresh(self) -> None:
        latest = self._ledger.latest_config()
        if latest is not None and latest.revision != self._revision:
            content = Content.decode(latest.content)
            self._revision = latest.revision
            self._equipment = {machine.id: machine.text for machine in content.plant.site.equipment.values()}
            self._rules = {rule.id: rule.title for rule in content.rules}

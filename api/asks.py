"""What may be asked of the lists of tickets, alarms and rejects: filters by their names in the query."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import Field

from api.finding import equipment_in, named
from api.shapes import Ask, AskedInstant, RowsAsk, SeverityName
from ingest.reasons import RejectReason
from maintenance.ledger.queries import AlarmFilter, AlarmState, TicketFilter
from maintenance.ticket import State
from plant.severity import Severity
from plant.site import Mode, Plant
from rules.model import Rule


class TicketsAsk(RowsAsk):
    """Which tickets; every filter left out lets all pass."""

    area: str | None = Field(None, description="path of an area, with the areas below it")
    type: str | None = Field(None, description="equipment type")
    text: str | None = Field(None, max_length=100, description="part of a number, title or name, in either language")
    state: list[State] = Field([], max_length=len(State), description="one or several")
    severity: SeverityName | None = Field(None, description="this one or graver")
    equipment: str | None = None
    rule: str | None = None
    assignee: str | None = None
    parent: str | None = None
    since: AskedInstant | None = Field(None, description="opened then or later")

    def filter(self, plant: Plant, rules: Sequence[Rule]) -> TicketFilter:
        """The same in the ledger's words."""
        text = (self.text or "").strip() or None
        return TicketFilter(
            equipments=equipment_in(plant, area=self.area, type=self.type),
            text=text,
            named=named(text, plant, rules),
            states=self.state or None,
            least=_grade(self.severity),
            equipment=self.equipment,
            rule=self.rule,
            assignee=self.assignee,
            parent=self.parent,
            since=self.since,
        )


class AlarmsFilterAsk(Ask):
    """Which alarms; every filter left out lets all pass."""

    state: AlarmState | None = Field(
        None, description="active: unacked and acked; returned: over, and not acknowledged"
    )
    severity: SeverityName | None = Field(None, description="this one or graver")
    area: str | None = Field(None, description="path of an area, with the areas below it")
    type: str | None = Field(None, description="equipment type")
    equipment: str | None = None
    rule: str | None = None
    text: str | None = Field(None, max_length=100, description="part of a name, title or id, in either language")
    shelved: bool | None = None
    mode: Mode | None = None
    suppressed: bool | None = None
    ticket: str | None = None
    since: AskedInstant | None = Field(None, description="raised then or later")

    def filter(self, plant: Plant, rules: Sequence[Rule], now: int) -> AlarmFilter:
        """The same in the ledger's words; `now` is plant time, for the shelf."""
        return AlarmFilter(
            state=self.state,
            least=_grade(self.severity),
            equipment=self.equipment,
            rule=self.rule,
            mode=self.mode,
            suppressed=self.suppressed,
            ticket=self.ticket,
            since=self.since,
            equipments=equipment_in(plant, area=self.area, type=self.type),
            named=named(self.text, plant, rules),
            shelved=self.shelved,
            shelved_at=now,
        )


class AlarmsAsk(RowsAsk, AlarmsFilterAsk):
    """Which alarms, page by page."""


class RejectsAsk(RowsAsk):
    """Which rejected messages."""

    reason: RejectReason | None = None


def _grade(name: SeverityName | None) -> Severity | None:
    return None if name is None else Severity[name]

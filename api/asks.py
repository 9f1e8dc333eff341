"""What may be asked of the lists of tickets, alarms and rejects: filters by their names in the query."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from api.shapes import AskedInstant, RowsAsk, SeverityName
from ingest.reasons import RejectReason
from maintenance.ledger.queries import AlarmFilter, TicketFilter
from maintenance.ticket import State
from plant.severity import Severity
from plant.site import Mode


class Activity(StrEnum):
    """Whether an alarm is over."""

    ACTIVE = "active"
    CLEARED = "cleared"


class TicketsAsk(RowsAsk):
    """Which tickets; every filter left out lets all pass."""

    state: list[State] = Field([], max_length=len(State), description="one or several")
    severity: SeverityName | None = Field(None, description="this one or graver")
    equipment: str | None = None
    rule: str | None = None
    assignee: str | None = None
    parent: str | None = None
    since: AskedInstant | None = Field(None, description="opened then or later")

    def filter(self) -> TicketFilter:
        """The same in the ledger's words."""
        return TicketFilter(
            states=self.state or None,
            least=_grade(self.severity),
            equipment=self.equipment,
            rule=self.rule,
            assignee=self.assignee,
            parent=self.parent,
            since=self.since,
        )


class AlarmsAsk(RowsAsk):
    """Which alarms; every filter left out lets all pass."""

    state: Activity | None = None
    severity: SeverityName | None = Field(None, description="this one or graver")
    equipment: str | None = None
    rule: str | None = None
    mode: Mode | None = None
    suppressed: bool | None = None
    ticket: str | None = None
    since: AskedInstant | None = Field(None, description="raised then or later")

    def filter(self) -> AlarmFilter:
        """The same in the ledger's words."""
        return AlarmFilter(
            active=None if self.state is None else self.state is Activity.ACTIVE,
            least=_grade(self.severity),
            equipment=self.equipment,
            rule=self.rule,
            mode=self.mode,
            suppressed=self.suppressed,
            ticket=self.ticket,
            since=self.since,
        )


class RejectsAsk(RowsAsk):
    """Which rejected messages."""

    reason: RejectReason | None = None


def _grade(name: SeverityName | None) -> Severity | None:
    return None if name is None else Severity[name]

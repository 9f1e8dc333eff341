"""Routes for labels and for people without an account: whose code is this, tell of a fault, what became of it."""

from __future__ import annotations

import secrets
from typing import Annotated

from fastapi import Depends, Path
from pydantic import Field
from sqlalchemy import Connection

from api.finding import known_equipment
from api.guard.allowance import allowance
from api.guard.limits import Purpose
from api.office import AnOffice, Office
from api.shapes import Ask, Instant, SeverityName, Shape, Words
from maintenance.ledger import codes, reports
from maintenance.ledger.queries import LONGEST_PAGE, AlarmFilter, AlarmState, TicketFilter, list_alarms, list_tickets
from maintenance.ledger.rows import Phrase
from maintenance.ticket import Resolution, State, Ticket
from plant.severity import Severity
from plant.site import Equipment, Mode

Code = Annotated[str, Path(max_length=20, description="as on the label: ABCD-EFGH")]
Token = Annotated[str, Path(min_length=32, max_length=64, description="what the report answered, or was sent with")]


class LabelOut(Shape):
    """What a machine's label says."""

    equipment: str
    path: str
    name: Words
    code: str = Field(description="ABCD-EFGH")


class MachineOut(Shape):
    """What anybody standing before a machine may know of it."""

    code: str
    equipment: str
    path: str
    name: Words
    severity: SeverityName | None = Field(description="of its gravest active alarm; null: none")
    ticket: str | None = Field(description="number of the newest unfinished ticket")
    state: State | None


class FaultAsk(Ask):
    """What is wrong, by one tap and as many words as one likes."""

    phrase: Phrase
    text: str = Field("", max_length=1_000)
    phone: str = Field("", max_length=30, pattern=r"^[0-9+()\- ]*$", description="shown to the crew only")
    token: str | None = Field(
        None,
        pattern=r"^[A-Za-z0-9_-]{32,64}$",
        description="the sender's own secret, the same at every attempt; without it one is made",
    )


class FaultOut(Shape):
    """A report was taken; keep the token, it opens the status."""

    ticket: str
    token: str
    merged: bool = Field(description="true: it was reported before, and this was added to it")


class StatusOut(Shape):
    """What became of a report."""

    ticket: str
    reported_at: Instant
    phrase: Phrase
    state: State
    resolution: Resolution | None
    closed_at: Instant | None


async def list_labels(office: AnOffice) -> list[LabelOut]:
    """The label of every equipment, by path; one registered a moment ago is missing until it has its code."""
    return [
        LabelOut(equipment=one.id, path=one.path, name=Words.model_validate(one.text), code=code)
        for one, code in await labelled(office)
    ]


async def show_machine(office: AnOffice, code: Code) -> MachineOut:
    """Whose code this is, whether it has an alarm, and whether somebody knows: without signing in."""
    machine = await scanned(office, code)
    severity, ticket = await office.read(outlook, machine.id)
    return MachineOut(
        code=codes.printed(codes.normal(code)),
        equipment=machine.id,
        path=machine.path,
        name=Words.model_validate(machine.text),
        severity=None if severity is None else severity.name,
        ticket=None if ticket is None else ticket.id,
        state=None if ticket is None else ticket.state,
    )


async def report_fault(
    office: AnOffice,
    code: Code,
    ask: FaultAsk,
    _address: Annotated[None, Depends(allowance(Purpose.REPORT_ADDRESS))],
    _asset: Annotated[None, Depends(allowance(Purpose.REPORT_ASSET, "code"))],
) -> FaultOut:
    """Tell of a fault without signing in: a new ticket, or a line on the reported one that is still open."""
    machine = await scanned(office, code)
    token = ask.token or secrets.token_urlsafe(32)
    told = reports.Told(machine.id, ask.phrase, token, ask.text, ask.phone)
    made = await office.record(reports.report, told)
    return FaultOut(ticket=made.ticket, token=token, merged=made.merged)


async def show_status(office: AnOffice, token: Token) -> StatusOut:
    """What became of a report, for whoever holds its token."""
    report, ticket = await office.read(reports.status, token)
    return StatusOut(
        ticket=ticket.id,
        reported_at=report.at,
        phrase=report.phrase,
        state=ticket.state,
        resolution=ticket.resolution,
        closed_at=ticket.closed_at,
    )


async def scanned(office: Office, code: str) -> Equipment:
    """The equipment of a code that is not retired; raises BadInput and NotFound."""
    return known_equipment(office, await office.read(codes.equipment_of, code))


async def labelled(office: Office) -> list[tuple[Equipment, str]]:
    """Equipment in use with its code as printed, by path."""
    made = await office.read(codes.all_codes)
    machines = office.deps.configuration.plant().site.equipment.values()
    known = [(one, codes.printed(made[one.id])) for one in machines if not one.retired and one.id in made]
    return sorted(known, key=lambda pair: pair[0].path)


def outlook(connection: Connection, equipment: str) -> tuple[Severity | None, Ticket | None]:
    """The gravest severity active on an equipment in live rules, and its newest unfinished ticket."""
    which = AlarmFilter(state=AlarmState.ACTIVE, equipment=equipment, mode=Mode.LIVE)
    active = list_alarms(connection, which, limit=LONGEST_PAGE).items
    jobs = list_tickets(connection, TicketFilter(unfinished=True, equipment=equipment), limit=1).items
    return min((alarm.severity for alarm in active), default=None), jobs[0] if jobs else None

"""What people do during a fault run, at which minute of plant time: the same in every run."""

from __future__ import annotations

from dataclasses import dataclass

from maintenance.ledger import queries
from maintenance.ledger.ledger import Ledger
from maintenance.ledger.queries import AlarmFilter, AlarmState, TicketFilter
from maintenance.moves import Move
from maintenance.people import Actor, Role
from maintenance.ticket import Resolution, State, Ticket
from plant.errors import NotFound

CREW = Actor("crew", Role.CREW)
ENGINEER = Actor("engineer", Role.ENGINEER)


@dataclass(frozen=True, slots=True)
class Act:
    """At `minute` the ticket of (equipment, rule) is moved to `to`; None resets its latched alarm."""

    minute: int
    equipment: str
    rule: str
    to: State | None
    reason: str = ""
    resolution: Resolution | None = None


@dataclass(frozen=True, slots=True)
class Retire:
    """At `minute` a rule leaves: its tickets are parked."""

    minute: int
    rule: str


_A, _P, _V, _H, _X = State.ACKNOWLEDGED, State.IN_PROGRESS, State.VERIFYING, State.ON_HOLD, State.CANCELLED

SCRIPT: tuple[Act | Retire, ...] = (
    Act(15, "pump-1", "PU-01", _A),
    Act(15, "pump-1", "PU-01", _P),
    Act(15, "mix-1", "BH-05", _P),
    Act(24, "mix-1", "BH-05", None),
    Act(24, "mix-1", "BH-05", _V),
    Act(24, "pump-1", "PU-01", _V),
    Act(37, "pump-7", "PU-01", _X, "tested by hand", Resolution.FALSE_ALARM),
    Act(37, "heater-1", "BH-11", _P),
    Act(55, "pump-4", "PU-01", _A),
    Act(55, "mix-2", "BH-05", _P),
    Act(55, "mix-2", "BH-05", _V),
    Act(55, "heater-1", "BH-11", _V),
    Act(55, "pump-5", "PU-01", _P),
    Act(66, "pump-6", "PU-01", _H, "waits for a motor"),
    Act(66, "ahu-1", "AH-FC13", _P),
    Act(66, "mix-3", "BH-05", None),
    Act(66, "mix-3", "BH-05", _A),
    Act(92, "ahu-2", "AH-FC14", _H, "waits for a valve"),
    Act(118, "heater-2", "BH-11", _P),
    Act(118, "heater-2", "BH-11", _V),
    Act(118, "ahu-2", "AH-FC14", _P),
    Act(180, "heater-2", "BH-11", _V),
    Retire(180, "EL-16"),
)


def minutes() -> frozenset[int]:
    """When somebody does something."""
    return frozenset(act.minute for act in SCRIPT)


def perform(ledger: Ledger, minute: int, now: int) -> int:
    """Everything people do at this minute, `now` in ms UTC; how many acts. Raises where one is not possible."""
    due = [act for act in SCRIPT if act.minute == minute]
    for act in due:
        match act:
            case Retire(_, rule):
                ledger.retire_rule(rule, now)
            case Act(to=None):
                ledger.reset_alarm(_alarm(ledger, act), CREW, now)
            case Act(to=State() as to):
                who = ENGINEER if to is State.CANCELLED else CREW
                ledger.move_ticket(_ticket(ledger, act).id, Move(to, who, now, act.reason, act.resolution))
    return len(due)


def _ticket(ledger: Ledger, act: Act) -> Ticket:
    found = ledger.read(queries.list_tickets, TicketFilter(equipment=act.equipment, rule=act.rule)).items
    if not found:
        raise NotFound(f"minute {act.minute}: {act.equipment} has no ticket of {act.rule}")
    return found[0]


def _alarm(ledger: Ledger, act: Act) -> int:
    which = AlarmFilter(equipment=act.equipment, rule=act.rule, state=AlarmState.ACTIVE)
    found = ledger.read(queries.list_alarms, which).items
    if not found:
        raise NotFound(f"minute {act.minute}: {act.equipment} has no active alarm of {act.rule}")
    return found[0].id

"""Events, tickets and people with defaults, so that a test says only what it is about."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from ingest.repairs import Repair
from maintenance.ledger import EngineCommit, Ledger, Policy, Reject, queries
from maintenance.ledger.rows import TimelineRow
from maintenance.moves import Move
from maintenance.people import Actor, Role
from maintenance.ticket import State, Ticket
from plant.severity import Severity
from plant.site import Mode
from rules.events import AlarmEvent, EventKind

SECOND = 1_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

T0 = 1_795_399_200_000
"""2026-11-23T02:00:00Z: Monday, 10:00 in Shanghai."""

CREW = Actor("li.wei", Role.CREW)
ENGINEER = Actor("zhang.min", Role.ENGINEER)
VIEWER = Actor("guest", Role.VIEWER)


def ticket(**changes: object) -> Ticket:
    """An open P2 ticket of CH-04 on ch-1, opened at T0."""
    plain = Ticket("WO-20261123-001", "ch-1", "CH-04", Severity.P2, T0, "engine")
    return replace(plain, **changes)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Course:
    """One occurrence of an alarm, of which events are made; raised at `raised_at`, a minute after its onset."""

    raised_at: int = T0
    equipment: str = "ch-1"
    rule: str = "CH-04"
    severity: Severity = Severity.P2
    mode: Mode = Mode.LIVE
    cause: str | None = None

    def event(self, kind: EventKind, at: int, severity: Severity | None = None) -> AlarmEvent:
        grade = severity or self.severity
        return AlarmEvent(
            kind=kind,
            at=at,
            equipment=self.equipment,
            rule=self.rule,
            mode=self.mode,
            severity=grade,
            highest=min(grade, self.severity),
            onset_at=self.raised_at - MINUTE,
            raised_at=self.raised_at,
            cause=self.cause if kind is EventKind.RAISED else None,
        )

    def raised(self) -> AlarmEvent:
        hash = f"proof of {self.equipment}/{self.rule}@{self.raised_at}"
        return replace(self.event(EventKind.RAISED, self.raised_at), proof=b"{}", proof_hash=hash)

    def level(self, at: int, severity: Severity) -> AlarmEvent:
        return self.event(EventKind.LEVEL, at, severity)

    def released(self, at: int) -> AlarmEvent:
        return self.event(EventKind.RELEASED, at)

    def cleared(self, at: int) -> AlarmEvent:
        return self.event(EventKind.CLEARED, at)

    def verified(self, at: int) -> AlarmEvent:
        shown = replace(self.event(EventKind.VERIFIED, at), counted_ms=30 * MINUTE, needed_ms=30 * MINUTE)
        return replace(shown, proof=b"{1}", proof_hash=f"clear at {at}")

    def failed(self, at: int) -> AlarmEvent:
        return replace(self.event(EventKind.VERIFY_FAILED, at), proof=b"{2}", proof_hash=f"seen at {at}")


class Desk:
    """A ledger with its engine: commits follow each other, as the pipeline makes them."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger

    def engine(
        self,
        *events: AlarmEvent,
        now: int | None = None,
        catching_up: bool = False,
        rejects: tuple[Reject, ...] = (),
        repairs: tuple[Repair, ...] = (),
    ) -> None:
        """Commit events; `now` defaults to the last event's time."""
        reached = now if now is not None else events[-1].at
        here = self.ledger.offset("rules", "site")
        self.ledger.commit_engine(
            EngineCommit("rules", "site", here, here + 1, 0, reached, events, rejects, catching_up, repairs)
        )

    def move(self, id: str, to: State, at: int, *, actor: Actor = CREW, reason: str = "") -> Ticket:
        return self.ledger.move_ticket(id, Move(to, actor, at, reason))

    def tickets(self) -> list[Ticket]:
        """All tickets, oldest first."""
        return list(reversed(self.ledger.read(queries.list_tickets).items))

    def only(self) -> Ticket:
        """The one ticket there is."""
        (found,) = self.tickets()
        return found

    def history(self, id: str) -> list[TimelineRow]:
        return self.ledger.read(queries.ticket_timeline, id)


@contextmanager
def desk(folder: Path, policy: Policy | None = None) -> Iterator[Desk]:
    """A fresh desk over a real file."""
    with Ledger.open(folder / "ledger.db", policy) as ledger:
        yield Desk(ledger)

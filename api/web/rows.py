"""What stands on the boards: alarms with their tickets and what their proof says, in the order people look at them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from sqlalchemy import Connection, func, select

from api.queries import standing
from api.web.evidence import Claim, Evidence, Fact, open_proof
from api.web.sparks import Spark, spark
from api.web.switches import switched
from maintenance.ledger.book import to_ticket
from maintenance.ledger.occurrences import to_alarm
from maintenance.ledger.queries import AlarmFilter, AlarmState, list_alarms
from maintenance.ledger.rows import Alarm
from maintenance.ledger.tables import alarms, proofs, tickets
from maintenance.ticket import FINISHED, State, Ticket
from plant.catalogue import Point, Text
from plant.errors import NotFound
from plant.severity import Severity
from plant.site import Equipment, Mode, Plant
from rules.model import Rule

_KEPT = 1_024
"""Opened proofs: as many as a bad day has alarms at once."""


@dataclass(frozen=True, slots=True)
class Proof:
    """A proof opened, and the line drawn of it."""

    evidence: Evidence
    spark: Spark | None


@dataclass(frozen=True, slots=True)
class Concern:
    """One alarm that is not over, with its ticket (None for a P4 or a rule in observe) and its opened proof."""

    alarm: Alarm
    ticket: Ticket | None
    proof: Proof | None

    @property
    def acknowledged(self) -> bool:
        """Somebody has it."""
        return self.alarm.acknowledged_at is not None or (
            self.ticket is not None and self.ticket.acknowledged_at is not None
        )

    @property
    def who(self) -> str | None:
        """Who has it."""
        if self.ticket is not None and (self.ticket.assignee or self.ticket.acknowledged_by):
            return self.ticket.assignee or self.ticket.acknowledged_by
        return self.alarm.acknowledged_by

    @property
    def loud(self) -> bool:
        """An unacknowledged P1: the one thing on the page that is."""
        return self.alarm.severity is Severity.P1 and self.ticket is not None and not self.acknowledged


@dataclass(frozen=True, slots=True)
class Board:
    """Everything abnormal: `concerns` by urgency, `working` tickets whose alarm is already over."""

    concerns: Sequence[Concern]
    working: Sequence[Ticket]


def board(connection: Connection) -> Board:
    """What is not normal now; alarms of rules in observe and suppressed effects are left out."""
    found = standing(connection)
    shown = [alarm for alarm in found.alarms if alarm.mode is Mode.LIVE and not alarm.suppressed]
    concerns = _by_urgency(with_proofs(connection, shown, found.tickets))
    active = {alarm.ticket for alarm in shown}
    return Board(concerns, [ticket for ticket in found.tickets if ticket.id not in active])


def worst_by_machine(connection: Connection) -> dict[str, Severity]:
    """The gravest severity of each machine that the board shows something of."""
    shown = (alarms.c.cleared_at.is_(None), alarms.c.mode == Mode.LIVE, alarms.c.suppressed.is_(False))
    rows = connection.execute(
        select(alarms.c.equipment, func.min(alarms.c.severity)).where(*shown).group_by(alarms.c.equipment)
    )
    return {equipment: Severity(severity) for equipment, severity in rows}


def concerns_of(connection: Connection, equipment: str) -> list[Concern]:
    """What is not normal about one machine now, as on the board."""
    which = AlarmFilter(state=AlarmState.ACTIVE, equipment=equipment, mode=Mode.LIVE, suppressed=False)
    return _by_urgency(with_proofs(connection, list_alarms(connection, which).items))


def _by_urgency(concerns: Sequence[Concern]) -> list[Concern]:
    return sorted(concerns, key=lambda c: (not c.loud, c.alarm.severity, -c.alarm.raised_at))


def with_proofs(connection: Connection, found: Sequence[Alarm], known: Sequence[Ticket] = ()) -> list[Concern]:
    """Alarms with their tickets (of which some are `known`) and opened proofs, in the same order."""
    bodies = proof_bodies(connection, [alarm.proof_hash for alarm in found if alarm.proof_hash])
    jobs = {ticket.id: ticket for ticket in known}
    ids = {alarm.ticket for alarm in found if alarm.ticket} - jobs.keys()
    if ids:
        rows = connection.execute(select(tickets).where(tickets.c.id.in_(ids))).mappings().all()
        jobs |= {row["id"]: to_ticket(row) for row in rows}
    opened = {hash: _opened(body) for hash, body in bodies.items()}
    return [Concern(alarm, jobs.get(alarm.ticket or ""), opened.get(alarm.proof_hash or "")) for alarm in found]


def open_alarm(connection: Connection, id: int) -> Concern:
    """One alarm. Raises NotFound."""
    row = connection.execute(select(alarms).where(alarms.c.id == id)).mappings().first()
    if row is None:
        raise NotFound(f"there is no alarm {id}")
    return with_proofs(connection, [to_alarm(row)])[0]


@lru_cache(maxsize=_KEPT)
def _opened(body: bytes) -> Proof:
    """Kept, since a proof never changes and the boards show it again at every look."""
    evidence = open_proof(body)
    return Proof(evidence, _spark(evidence))


def proof_bodies(connection: Connection, hashes: Sequence[str]) -> Mapping[str, bytes]:
    """Canonical JSON of some proofs."""
    rows = connection.execute(select(proofs.c.hash, proofs.c.body).where(proofs.c.hash.in_(set(hashes))))
    return {row.hash: bytes(row.body) for row in rows}


def badge_counts(connection: Connection) -> dict[str, int]:
    """What stands beside the menu's entries: `alarms` unacknowledged, of them `urgent` P1, and open `tickets`."""
    unfinished = tickets.c.state.not_in(FINISHED)
    waiting = select(tickets.c.severity, func.count().label("found")).where(tickets.c.state == State.OPEN)
    by_severity = {row.severity: row.found for row in connection.execute(waiting.group_by(tickets.c.severity))}
    jobs = connection.execute(select(func.count()).select_from(tickets).where(unfinished)).scalar_one()
    active = select(func.count()).select_from(alarms)
    return {
        "alarms": connection.execute(active.where(alarms.c.cleared_at.is_(None))).scalar_one(),
        "waiting": sum(by_severity.values()),
        "urgent": by_severity.get(Severity.P1, 0),
        "tickets": jobs,
    }


@dataclass(frozen=True, slots=True)
class Words:
    """A concern in names: of the machine, its area, and what its evidence claims."""

    concern: Concern
    machine: Equipment | None
    title: Text
    claims: Sequence[tuple[Text, Claim]]
    facts: Sequence[tuple[Text, Text]]
    spark: Spark | None


def in_words(concern: Concern, plant: Plant, rules: Mapping[str, Rule]) -> Words:
    """The names of everything a concern is about; an id stands where the site no longer has the thing."""
    machine = plant.site.equipment.get(concern.alarm.equipment)
    rule = rules.get(concern.alarm.rule)
    points = {} if machine is None else plant.points(machine)
    names = _names(plant, machine)
    evidence = None if concern.proof is None else concern.proof.evidence
    claims = [] if evidence is None else [(names.get(claim.what, _NAMELESS), claim) for claim in evidence.claims]
    # what has no name of its own is worked out from what has one
    claims = [(name, claim) for name, claim in claims if name is not _NAMELESS] or claims[:1]
    facts = [] if evidence is None else said_of(evidence.facts, names, points)
    title = Text(concern.alarm.rule, concern.alarm.rule) if rule is None else rule.title
    return Words(concern, machine, title, claims, facts, None if concern.proof is None else concern.proof.spark)


def said_of(facts: Sequence[Fact], names: Mapping[str, Text], points: Mapping[str, Point]) -> list[tuple[Text, Text]]:
    """Statuses by their names, each with the word for how it stood."""
    return [(names[fact.what], switched(points.get(fact.what), fact.value)) for fact in facts if fact.what in names]


_NAMELESS = Text("", "")


def _names(plant: Plant, machine: Equipment | None) -> dict[str, Text]:
    if machine is None:
        return {}
    kind = plant.catalogue.types[machine.type]
    names = {name: point.text for name, point in plant.points(machine).items()}
    return names | {name: derived.text for name, derived in kind.derived.items()}


def _spark(evidence: Evidence) -> Spark | None:
    """The line of the value that passed its limit, else of the last status of a contradiction.

    None where neither is a point of its own (a joint against its sisters): a line of another point would mislead.
    """
    claim = next((claim for claim in evidence.claims if claim.what in evidence.points), None)
    if claim is not None:
        return spark(evidence.instants, evidence.points[claim.what], limit=claim.limit)
    shown = [fact.what for fact in evidence.facts if fact.what in evidence.points]
    return spark(evidence.instants, evidence.points[shown[-1]]) if shown else None

"""Alarms inside one write transaction: each event is applied to the row of its occurrence."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, insert, select, update

from maintenance.ledger.rows import Alarm
from maintenance.ledger.tables import alarms, proofs
from plant.severity import Severity
from rules.events import AlarmEvent, EventKind

_ABOUT_LEVELS = frozenset({EventKind.RAISED, EventKind.LEVEL, EventKind.RELEASED})


@dataclass(frozen=True, slots=True)
class Occurrence:
    """An alarm after an event. `rose` is true when the event made it graver; `id` is None for one never recorded."""

    id: int | None
    severity: Severity
    cause: str | None = None
    suppressed: bool = False
    ticket: str | None = None
    rose: bool = False


def to_alarm(row: RowMapping) -> Alarm:
    """A row of `alarms` as an Alarm."""
    return Alarm(**{**row, "members": tuple(json.loads(row["members"]))})


def apply(connection: Connection, event: AlarmEvent) -> Occurrence:
    """Write what the event says of its alarm (found by equipment, rule and `raised_at`), and its proof."""
    if event.proof is not None and event.proof_hash is not None:
        _keep_proof(connection, event.proof_hash, event.proof)
    this = _of(event)
    before = connection.execute(this).mappings().first()
    if before is None and event.kind not in _ABOUT_LEVELS:
        # A verification may outlive the record of its alarm; it still decides the ticket.
        return Occurrence(None, event.severity)
    if before is None:
        connection.execute(insert(alarms).values(_first(event)))
    else:
        connection.execute(update(alarms).where(alarms.c.id == before["id"]).values(_changes(event, before)))
    after = connection.execute(this).mappings().one()
    return Occurrence(
        after["id"],
        after["severity"],
        after["cause"],
        after["suppressed"],
        after["ticket"],
        rose=before is not None and after["severity"] < before["severity"],
    )


def own(connection: Connection, alarm: int | None, ticket: str) -> None:
    """The alarm belongs to the ticket."""
    connection.execute(update(alarms).where(alarms.c.id == alarm).values(ticket=ticket))


def _of(event: AlarmEvent) -> Select[Any]:
    return select(alarms).where(
        alarms.c.equipment == event.equipment, alarms.c.rule == event.rule, alarms.c.raised_at == event.raised_at
    )


def _first(event: AlarmEvent) -> dict[str, object]:
    return {
        "equipment": event.equipment,
        "rule": event.rule,
        "mode": event.mode,
        "severity": event.severity,
        "highest": event.highest,
        "onset_at": event.onset_at,
        "raised_at": event.raised_at,
        "unevaluable": False,
        "members": json.dumps(event.members),
        "cause": event.cause,
        "suppressed": event.kind is not EventKind.RELEASED and event.cause is not None,
        "proof_hash": event.proof_hash,
    }


def _changes(event: AlarmEvent, before: RowMapping) -> dict[str, object]:
    changes: dict[str, object] = {"mode": event.mode}
    if event.members:
        changes["members"] = json.dumps(event.members)
    match event.kind:
        case EventKind.RAISED | EventKind.LEVEL:
            changes |= {"severity": event.severity, "highest": min(before["highest"], event.highest)}
        case EventKind.RELEASED:
            changes["suppressed"] = False
        case EventKind.UNEVALUABLE:
            changes["unevaluable"] = True
        case EventKind.EVALUABLE:
            changes["unevaluable"] = False
        case EventKind.CLEARED:
            changes |= {"cleared_at": event.at, "unevaluable": False}
        case EventKind.VERIFIED:
            changes["verified_at"] = event.at
    return changes


def _keep_proof(connection: Connection, hash: str, body: bytes) -> None:
    if connection.execute(select(proofs.c.hash).where(proofs.c.hash == hash)).first() is None:
        connection.execute(insert(proofs).values(hash=hash, body=body))

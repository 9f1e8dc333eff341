"""What a run must have left: the same alarms, tickets and timeline as the undisturbed one, and every message stored."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, select

from dutyroom.cli.rules_past import as_row, over_store
from dutyroom.settings import Settings, load_settings
from dutyroom.stores import open_store
from history.entries import Message
from history.journal import JournalFollower
from history.verify import verify
from ingest.decoders.sparkplug.address import NAMESPACE
from ingest.decoders.sparkplug.metrics import parse_payload
from maintenance.ledger.ledger import Ledger
from maintenance.ledger.queries import AlarmLine, TicketLine
from maintenance.ledger.rows import Happening
from maintenance.ledger.tables import alarms, tickets, timeline
from tests.faults import campus
from tests.faults.campus import CLOCK_TOPIC, MINUTE_MS, SITE, START
from tests.faults.run import Ran

Stored = dict[tuple[str, str, int], tuple[float, int, int]]
MoveLine = tuple[int, str, str, str, str, str]

_MOVES = (Happening.OPENED, Happening.MOVED, Happening.ACKNOWLEDGED, Happening.RESET, Happening.ESCALATED)


@dataclass(frozen=True, slots=True)
class Left:
    """What a run has left. `moves` are (at, equipment, rule, what, from, to) of the timeline of tickets.

    `backtest` are the alarms that judging the stored readings once more gives (people's resets are not among them),
    `redelivered` are messages that stand in the journal once more than needed, `not_saved` those that a killed broker
    had acknowledged and not saved: they came only because the gateway sent them again.
    """

    alarms: tuple[AlarmLine, ...]
    tickets: tuple[TicketLine, ...]
    moves: tuple[MoveLine, ...]
    stored: Stored
    backtest: tuple[str, ...]
    damage: tuple[str, ...]
    entries: int
    redelivered: int
    not_saved: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """Differences from the undisturbed run, empty when there are none, and what was merely counted."""

    differences: tuple[str, ...]
    other_quality: int


def look(ran: Ran) -> Left:
    """Read what the run has left in its folder and store."""
    with Ledger.open(ran.folder / "ledger.db") as ledger:
        projection = ledger.projection()
        moves = ledger.read(_moves)
    report = verify(ran.folder / "journal.db")
    journal = _messages(ran.folder)
    with settings_of(ran) as settings:
        stored = _stored(settings, ran.plan.minutes)
        spans = over_store(settings, [], rules=None, start=None, end=None, tz="UTC")
    return Left(
        projection.alarms,
        projection.tickets,
        moves,
        stored,
        tuple(json.dumps(as_row(span)) for span in spans),
        tuple(str(problem) for problem in report.problems),
        report.entries,
        journal.total() - len(journal),
        sum(max(0, times - journal[key]) for key, times in ran.acknowledged.items() if key[0] != CLOCK_TOPIC),
    )


@contextmanager
def settings_of(ran: Ran) -> Iterator[Settings]:
    """The settings the run's service had."""
    before = dict(os.environ)
    os.environ.update(ran.settings)
    try:
        yield load_settings(None, ran.folder)
    finally:
        os.environ.clear()
        os.environ.update(before)


def compare(reference: Left, ran: Ran, left: Left) -> Verdict:
    """Everything that must be equal, and that every published value is stored once, as it was sent."""
    found = [
        *_unlike("alarm", reference.alarms, left.alarms),
        *_unlike("ticket", reference.tickets, left.tickets),
        *_unlike("move", reference.moves, left.moves),
        *_unlike("alarm read back from the store", reference.backtest, left.backtest),
        *missing(ran, left),
        *(f"journal: {problem}" for problem in left.damage),
    ]
    others = sum(left.stored[key][1:] != value[1:] for key, value in reference.stored.items() if key in left.stored)
    return Verdict(tuple(found), others)


def missing(ran: Ran, left: Left) -> list[str]:
    """Published and acknowledged values that the store lacks, holds differently, or holds without their being sent."""
    wanted = {
        (said.equipment, point, said.ts): value
        for _, step in campus.steps(campus.plant(), ran.plan.seed, ran.plan.minutes)
        for said in step
        for point, value in said.points.items()
    }
    found = [f"store lacks {key}" for key in wanted.keys() - left.stored.keys()]
    found += [f"store holds {key}, which nobody sent" for key in left.stored.keys() - wanted.keys()]
    found += [
        f"store holds {left.stored[key][0]} at {key}, sent was {value}"
        for key, value in wanted.items()
        if key in left.stored and left.stored[key][0] != value
    ]
    return found


def _unlike(what: str, wanted: Iterable[object], got: Iterable[object]) -> list[str]:
    before, after = Counter(wanted), Counter(got)
    lost = [f"{what} missing: {row}" for row in (before - after).elements()]
    return lost + [f"{what} too many: {row}" for row in (after - before).elements()]


def _moves(connection: Connection) -> tuple[MoveLine, ...]:
    owner = {row.id: (row.equipment, row.rule or "") for row in connection.execute(select(tickets))}
    alarm = {row.id: (row.equipment, row.rule) for row in connection.execute(select(alarms))}
    rows = connection.execute(select(timeline).where(timeline.c.kind.in_(_MOVES)).order_by(timeline.c.id))
    return tuple(
        (
            row.at,
            *(owner[row.ticket] if row.ticket else alarm[row.alarm]),
            row.kind.value,
            row.source.value if row.source else "",
            row.target.value if row.target else "",
        )
        for row in rows
    )


def _messages(folder: Path) -> Counter[tuple[str, int]]:
    """How often each (topic, ts) stands in the journal."""
    found: Counter[tuple[str, int]] = Counter()
    journal = JournalFollower(folder / "journal.db")
    at = journal.first_offset - 1
    while entries := journal.read(at):
        at = entries[-1][0]
        for _, entry in entries:
            if isinstance(entry, Message) and entry.topic.startswith(NAMESPACE):
                found[entry.topic, parse_payload(entry.payload).timestamp] += 1
            elif isinstance(entry, Message) and entry.topic.endswith("/telemetry"):
                found[entry.topic, json.loads(entry.payload)["ts"]] += 1
    journal.close()
    return found


def _stored(settings: Settings, minutes: int) -> Stored:
    table = campus.plant().series
    with open_store(settings, SITE) as store:
        batch = store.rows(table.keys, table, START - MINUTE_MS, START + (minutes + 1) * MINUTE_MS)
    return {
        (table.keys[series].equipment, table.keys[series].point, ts): (value, quality, reason)
        for series, ts, value, quality, reason in zip(
            batch.series.tolist(),
            batch.ts.tolist(),
            batch.value.tolist(),
            batch.quality.tolist(),
            batch.reason.tolist(),
            strict=True,
        )
    }

"""Commissioning checks as they were made, and what was decided: who, when, with which result, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import msgspec
from sqlalchemy import Connection, Row, Select, delete, func, insert, select

from maintenance.commissioning import Outcome, Report
from maintenance.commissioning.report import of_all
from maintenance.ledger.book import inserted
from maintenance.ledger.tables import commissionings
from plant.errors import NotFound
from plant.site import Site

KEPT = 100
"""Checks kept of each equipment; decisions are never let go."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to write: a check (`report`), a decision (`released`: rules may open tickets; or not any more), or both."""

    equipment: str
    author: str
    at: int
    report: Report | None = None
    released: bool | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Commissioning:
    """A line of the ledger; times are plant time, ms UTC."""

    id: int
    equipment: str
    author: str
    at: int
    report: Report | None
    released: bool | None
    reason: str


@dataclass(frozen=True, slots=True)
class Ended:
    """How a check ended, without its report; `at` as in `Commissioning`."""

    author: str
    at: int
    outcome: Outcome


class _Result(msgspec.Struct, frozen=True):
    outcome: Outcome


class _Results(msgspec.Struct, frozen=True):
    """Of a report only how its checks ended: a list of a thousand machines needs no faults."""

    results: tuple[_Result, ...]


def add(connection: Connection, wanted: Wanted) -> Commissioning:
    """Write a line, and let go of the oldest checks of its equipment that decided nothing."""
    row = {
        "at": wanted.at,
        "author": wanted.author,
        "equipment": wanted.equipment,
        "report": None if wanted.report is None else msgspec.json.encode(wanted.report),
        "released": wanted.released,
        "reason": wanted.reason,
    }
    id = inserted(connection.execute(insert(commissionings).values(row)))
    mine = (commissionings.c.equipment == wanted.equipment) & commissionings.c.released.is_(None)
    surplus = select(commissionings.c.id).where(mine).order_by(commissionings.c.id.desc()).limit(1).offset(KEPT)
    oldest = connection.execute(surplus).scalar_one_or_none()
    if oldest is not None:
        connection.execute(delete(commissionings).where(mine, commissionings.c.id <= oldest))
    return one(connection, id)


def one(connection: Connection, id: int) -> Commissioning:
    """The line of that number; raises NotFound."""
    row = connection.execute(select(commissionings).where(commissionings.c.id == id)).first()
    if row is None:
        raise NotFound(f"there is no commissioning check {id}")
    return _line(row)


def of_equipment(connection: Connection, equipment: str, limit: int = 20) -> list[Commissioning]:
    """The newest lines of one equipment, newest first."""
    query = select(commissionings).where(commissionings.c.equipment == equipment)
    return [_line(row) for row in connection.execute(query.order_by(commissionings.c.id.desc()).limit(limit))]


def newest_checks(connection: Connection) -> dict[str, Ended]:
    """How the newest check of each equipment ended that was ever checked."""
    decoder = msgspec.json.Decoder(_Results)
    return {
        row.equipment: Ended(row.author, row.at, of_all(one.outcome for one in decoder.decode(row.report).results))
        for row in connection.execute(_newest("report"))
    }


def decisions(connection: Connection) -> dict[str, bool]:
    """What was decided last of each equipment: whether its rules may open tickets."""
    return {row.equipment: row.released for row in connection.execute(_newest("released"))}


def applied(site: Site, decided: Mapping[str, bool]) -> Site:
    """A site from files with what people decided since; where nobody has, the file's word stands."""
    equipment = {
        id: replace(machine, commissioned=decided.get(id, machine.commissioned))
        for id, machine in site.equipment.items()
    }
    return replace(site, equipment=equipment)


def _newest(word: str) -> Select[tuple[object, ...]]:
    """The newest line of each equipment that has something in a column.

    Asked for equipment by equipment, so that of a hundred checks each only the last is read.
    """
    each, mine = select(commissionings.c.equipment).distinct().subquery(), commissionings.alias()
    said = mine.c[word].is_not(None)
    newest = select(func.max(mine.c.id)).where(mine.c.equipment == each.c.equipment, said).scalar_subquery()
    return select(commissionings).where(commissionings.c.id.in_(select(newest).select_from(each)))


def _line(row: Row[tuple[object, ...]]) -> Commissioning:
    report = None if row.report is None else msgspec.json.decode(row.report, type=Report)
    return Commissioning(row.id, row.equipment, row.author, row.at, report, row.released, row.reason)

"""The ledger of repairs: each doubtful reading that was decided, written with the offset of the rules, so once only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, fields

from sqlalchemy import Connection, delete, insert, select

from ingest.repairs import Repair, RepairKind
from maintenance.ledger.tables import repairs

KEPT = 500
"""How many repairs are kept of each point and kind: a sensor that spikes all day pushes out no reset of a meter."""

_COLUMNS = tuple(field.name for field in fields(Repair))


def add(connection: Connection, found: Sequence[Repair]) -> None:
    """Write repairs in their order, and let go of the oldest of a point."""
    if not found:
        return
    connection.execute(insert(repairs), [asdict(repair) for repair in found])
    for equipment, point, kind in sorted({(one.equipment, one.point, one.kind) for one in found}):
        _trim(connection, equipment, point, kind)


def listed(
    connection: Connection,
    *,
    equipment: str | None = None,
    point: str | None = None,
    kind: RepairKind | None = None,
    before: int | None = None,
    limit: int = 100,
) -> list[tuple[int, Repair]]:
    """(id, repair), newest first; `before` is the id to go on from."""
    query = select(repairs).order_by(repairs.c.id.desc()).limit(limit)
    for column, wanted in ((repairs.c.equipment, equipment), (repairs.c.point, point), (repairs.c.kind, kind)):
        if wanted is not None:
            query = query.where(column == wanted)
    if before is not None:
        query = query.where(repairs.c.id < before)
    rows = connection.execute(query).mappings()
    return [(row["id"], Repair(**{name: row[name] for name in _COLUMNS})) for row in rows]


def _trim(connection: Connection, equipment: str, point: str, kind: RepairKind) -> None:
    mine = (repairs.c.equipment == equipment) & (repairs.c.point == point) & (repairs.c.kind == kind)
    surplus = select(repairs.c.id).where(mine).order_by(repairs.c.id.desc()).limit(1).offset(KEPT)
    oldest = connection.execute(surplus).scalar_one_or_none()
    if oldest is not None:
        connection.execute(delete(repairs).where(mine, repairs.c.id <= oldest))

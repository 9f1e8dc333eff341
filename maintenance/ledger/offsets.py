"""How far each consumer of the journal has come, and which writer holds the lease."""

from __future__ import annotations

from sqlalchemy import Connection, func, insert, select, update

from maintenance.ledger.rows import EngineCommit
from maintenance.ledger.tables import consumer_offsets as table
from plant.errors import Conflict


def offset(connection: Connection, consumer: str, partition: str) -> int:
    """The last journal offset the consumer has committed; 0 when it never has."""
    return _position(connection, consumer, partition)[0]


def plant_now(connection: Connection) -> int | None:
    """The plant time the service had reached at its last commit; None before the first."""
    now = connection.execute(select(func.max(table.c.now))).scalar_one()
    return None if now is None else int(now)


def take_lease(connection: Connection, consumer: str, partition: str) -> int:
    """A new epoch for a writer that starts; whoever held the lease before can commit no more."""
    epoch = _position(connection, consumer, partition)[1] + 1
    _upsert(connection, consumer, partition, {"lease_epoch": epoch})
    return epoch


def advance(connection: Connection, commit: EngineCommit) -> None:
    """Move the offset by compare-and-set; raises Conflict when it is not where the writer believes."""
    stored, epoch = _position(connection, commit.consumer, commit.partition)
    who = f"{commit.consumer} of {commit.partition}"
    if commit.lease_epoch != epoch:
        raise Conflict(
            f"{who} holds lease {commit.lease_epoch}, the ledger gave {epoch} to a later writer; "
            "stop this one, or take the lease anew"
        )
    if commit.expected_offset != stored:
        raise Conflict(
            f"{who} expected offset {commit.expected_offset}, the ledger is at {stored}; "
            "nothing was written, read the journal from there"
        )
    if commit.offset < stored:
        raise Conflict(f"{who} wants to go back from offset {stored} to {commit.offset}; offsets only grow")
    _upsert(connection, commit.consumer, commit.partition, {"offset": commit.offset, "now": commit.now})


def remember(connection: Connection, consumer: str, partition: str, offset: int) -> None:
    """How far a consumer has come that holds no lease, because what it writes is its own alone."""
    _upsert(connection, consumer, partition, {"offset": offset})


def _position(connection: Connection, consumer: str, partition: str) -> tuple[int, int]:
    query = select(table.c.offset, table.c.lease_epoch).where(
        table.c.consumer == consumer, table.c.partition == partition
    )
    row = connection.execute(query).first()
    return (0, 0) if row is None else (int(row.offset), int(row.lease_epoch))


def _upsert(connection: Connection, consumer: str, partition: str, values: dict[str, int]) -> None:
    here = (table.c.consumer == consumer) & (table.c.partition == partition)
    if connection.execute(update(table).where(here).values(values)).rowcount == 0:
        first = {"consumer": consumer, "partition": partition, "offset": 0, "lease_epoch": 0}
        connection.execute(insert(table).values(first | values))

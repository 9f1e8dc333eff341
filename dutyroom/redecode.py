"""The command `redecode` in the store's thread: journal entries of the past, decoded with bindings of today."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import msgspec

from dutyroom.following import READ_LIMIT
from history.entries import Command
from history.protocols import JournalReader
from ingest.redecoding import Past, Redecoding
from maintenance.ledger.discovered import Redecoded
from plant.errors import Corrupt
from plant.reading import ReadingBatch
from plant.site import Plant

MOST_BACK = 5_000_000
"""Journal entries looked back at: some two minutes of reading, in which the store stands behind (alarms do not)."""


class _Args(msgspec.Struct, frozen=True):
    """A command's arguments are texts; lists are JSON in them."""

    acceptance: str
    revision: str
    after: str
    topics: str
    equipment: str


@dataclass(frozen=True, slots=True)
class Order:
    """What a command asks for: the messages `past` after journal offset `after`, for acceptance number `acceptance`."""

    acceptance: int
    past: Past
    after: int

    @staticmethod
    def of(command: Command) -> Order:
        """Raises Corrupt for a command that nobody of ours wrote."""
        try:
            args = msgspec.convert(dict(command.args), _Args)
            lists = (args.topics, args.equipment)
            topics, equipment = (msgspec.json.decode(text, type=tuple[str, ...]) for text in lists)
            past = Past(topics, equipment, int(args.revision))
            return Order(int(args.acceptance), past, int(args.after))
        except (msgspec.MsgspecError, ValueError) as error:
            raise Corrupt(
                f"command {command.id} cannot be read ({error}); the journal is of another version"
            ) from error


class Report(Protocol):
    """Takes what decoding again gave; the messages were before the offset given."""

    def __call__(self, order: Order, result: Redecoded, before: int) -> None: ...


def redecode(
    journal: JournalReader, plant: Plant, order: Order, until: int
) -> Iterator[tuple[ReadingBatch, Redecoding]]:
    """Readings of the past batch by batch, from offset `order.after` (or what retention has left) to `until`."""
    work = Redecoding(plant, order.past)
    at = max(order.after, journal.first_offset - 1, until - MOST_BACK)
    while at < until and not work.over:
        entries = [item for item in journal.read(at, READ_LIMIT) if item[0] <= until]
        if not entries:
            break
        batch = work.feed(entries)
        at = entries[-1][0]
        yield batch, work

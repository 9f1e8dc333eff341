"""From the journal to the ledger of repairs and its command: each doubtful reading once, also after a restart."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from typer.testing import CliRunner

from dutyroom.cli import app
from dutyroom.content import Content
from dutyroom.rules_consumer import CONSUMER, RulesConsumer
from history.entries import Config, Entry, Tick
from history.journal import JournalFile
from ingest.repairs import Repair, RepairKind
from maintenance.ledger import Ledger, Policy, repairs
from maintenance.ledger.schema import migrate
from tests.support.programs import wait_until
from tests.unit.ingest.plants import T0, frame, message, plant

MINUTE = 60_000
VALUES = (50.0, 70.0, 50.5, 51.0, 20.0, 51.0)
"""A spike up that the second restart falls into, and one down."""


def entries(start: int, values: Sequence[float]) -> list[Entry]:
    found: list[Entry] = []
    for number, value in enumerate(values, start):
        at = T0 + number * MINUTE
        found += [message(frame(at, tank_temp_top=value), received_at=at), Tick(at + 1_000)]
    return found


def judged(folder: Path, journal: JournalFile) -> list[Repair]:
    """All repairs once a consumer that starts anew has read the journal to its end."""
    with Ledger.open(folder / "ledger.db", Policy()) as ledger:
        consumer = RulesConsumer(journal, ledger, folder / "snapshots", site="demo")
        consumer.start()
        wait_until(lambda: ledger.offset(CONSUMER, "demo") == journal.last_offset, seconds=30, what="all is judged")
        consumer.stop()
        return [one for _, one in ledger.read(repairs.listed)]


def test_each_repair_is_written_once_however_often_the_service_restarts(tmp_path: Path) -> None:
    migrate(tmp_path / "ledger.db")
    journal = JournalFile(tmp_path / "journal.db")
    journal.append([Config(1, "", Content.of(plant(), ()).encode()), *entries(0, VALUES[:2])])
    assert judged(tmp_path, journal) == []
    journal.append(entries(2, VALUES[2:]))
    found = judged(tmp_path, journal)
    again = judged(tmp_path, journal)
    journal.close()

    assert [(one.kind, one.ts, one.original, one.repaired) for one in found] == [
        (RepairKind.SPIKE, T0 + 4 * MINUTE, 20.0, 51.0),
        (RepairKind.SPIKE, T0 + MINUTE, 70.0, 50.5),
    ]
    assert again == found
    printed = CliRunner().invoke(app, ["repairs", "--data", str(tmp_path), "--format", "jsonl"])
    assert [json.loads(line)["original"] for line in printed.stdout.splitlines()] == [20.0, 70.0]
    table = CliRunner().invoke(app, ["repairs", "--data", str(tmp_path), "--kind", "spike"])
    assert table.stdout.splitlines()[1] == "2023-11-14T22:14:20Z  spike     tank-1/tank_temp_top  70 -> 50.5"

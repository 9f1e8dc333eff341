"""Backups taken while a folder is being written: each goes on to exactly what its own journal says."""

from __future__ import annotations

from pathlib import Path

from dutyroom.backup import back_up
from dutyroom.content import Content
from dutyroom.restore import restore
from dutyroom.rules_consumer import CONSUMER, RulesConsumer
from history.entries import Config, Message, Tick
from history.journal import JournalFile
from maintenance.ledger.ledger import Ledger
from maintenance.ledger.queries import Projection
from rules.loader import load_pack
from tests.faults import campus
from tests.support.programs import wait_until

NOW = 1_800_000_000_000
EVERY = 150
"""Steps of 20 s of plant time between two backups."""


def judged(journal_folder: Path, ledger_folder: Path) -> Projection:
    """Let the rules go on in a folder until its journal's end."""
    ledger_folder.mkdir(exist_ok=True)
    with (
        JournalFile(journal_folder / "journal.db") as journal,
        Ledger.open(ledger_folder / "ledger.db") as ledger,
    ):
        rules = RulesConsumer(journal, ledger, ledger_folder / "snapshots", site=campus.SITE)
        rules.start()
        wait_until(
            lambda: ledger.offset(CONSUMER, campus.SITE) == journal.last_offset, seconds=120, what="all is judged"
        )
        rules.stop()
        return ledger.projection()


def busy(data: Path, into: Path) -> list[Path]:
    """A hundred minutes of a campus with faults, judged as it comes, backed up again and again meanwhile."""
    where = campus.plant()
    content = Content.of(where, load_pack(catalogue=where.catalogue)).encode()
    files = []
    data.mkdir()
    with JournalFile(data / "journal.db") as journal, Ledger.open(data / "ledger.db") as ledger:
        ledger.add_config(content, "test", NOW)
        rules = RulesConsumer(journal, ledger, data / "snapshots", site=campus.SITE)
        rules.snapshot_seconds = 0.1
        rules.start()
        journal.append([Config(1, "", content)])
        for step, (now, said) in enumerate(campus.steps(where, 1, 100), 1):
            journal.append([*(Message(now, item.topic, item.payload()) for item in said), Tick(now)])
            if step % EVERY == 0:
                files.append(into / f"{step}.tar.zst")
                back_up(data, files[-1], NOW)
        rules.stop()
    return files


def test_every_backup_goes_on_to_what_its_journal_says(tmp_path: Path) -> None:
    files = busy(tmp_path / "data", tmp_path)
    assert len(files) == 2
    alarms = []
    for file in files:
        folder = tmp_path / file.name.split(".")[0]
        made = restore(file, folder)
        assert made.rules_offset <= made.journal_last
        went_on = judged(folder, folder)
        assert went_on == judged(folder, tmp_path / f"anew-{folder.name}")
        alarms.append(len(went_on.alarms))
    # each knows more than the one before, so that they were compared over something
    assert alarms == sorted(alarms)
    assert 0 < alarms[0] < alarms[-1]

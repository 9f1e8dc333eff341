"""The rules consumer and a ledger that is away: nothing that was judged is passed over."""

from __future__ import annotations

import threading
from pathlib import Path

from dutyroom.content import Content
from dutyroom.rules_consumer import CONSUMER, RulesConsumer
from history.entries import Config, Message, Tick
from history.journal import JournalFile
from maintenance.ledger.database import Database
from maintenance.ledger.ledger import Ledger
from maintenance.ledger.rows import EngineCommit, Policy
from maintenance.ledger.schema import migrate
from plant.errors import Unavailable
from rules.loader import load_pack
from tests.faults import campus
from tests.support.programs import wait_until


class AwayLedger(Ledger):
    """A real ledger that, while `away`, refuses the commits with events, and says so."""

    def __init__(self, database: Database) -> None:
        super().__init__(database, Policy())
        self.away = True
        self.refused = threading.Event()

    def commit_engine(self, commit: EngineCommit) -> None:
        if commit.events and self.away:
            self.refused.set()
            raise Unavailable("the ledger is away for the test")
        super().commit_engine(commit)


def test_told_to_stop_while_the_ledger_is_away_the_next_start_judges_it_again(tmp_path: Path) -> None:
    where = campus.plant()
    journal = JournalFile(tmp_path / "journal.db")
    journal.append([Config(1, "", Content.of(where, load_pack(catalogue=where.catalogue)).encode())])
    for now, said in campus.steps(where, 1, 11):
        journal.append([*(Message(now, item.topic, item.payload()) for item in said), Tick(now)])
    migrate(tmp_path / "ledger.db")
    database = Database(tmp_path / "ledger.db")
    ledger = AwayLedger(database)

    stopped = RulesConsumer(journal, ledger, tmp_path / "snapshots", site=campus.SITE)
    stopped.start()
    assert ledger.refused.wait(60)
    stopped.stop()
    ledger.away = False
    at_stop = ledger.offset(CONSUMER, campus.SITE)

    again = RulesConsumer(journal, ledger, tmp_path / "snapshots", site=campus.SITE)
    again.start()
    wait_until(lambda: ledger.offset(CONSUMER, campus.SITE) == journal.last_offset, seconds=60, what="all is judged")
    again.stop()
    alarms = ledger.projection().alarms
    database.close()
    journal.close()

    assert at_stop < journal.last_offset
    assert [(equipment, rule) for equipment, rule, *_ in alarms] == [("pump-1", "PU-01")]

"""Codes on labels are there as soon as a machine is registered, and none is made twice."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from dutyroom.content import Content
from dutyroom.labels import give_codes
from dutyroom.relay import Relay
from history.entries import Command, Config
from history.journal import JournalFile
from maintenance.ledger import Ledger, codes
from plant.catalogue import Text
from plant.site import Equipment, Plant
from tests.unit.api.house import T0, site


class Straight:
    """Takes entries into a journal at once."""

    def __init__(self, journal: JournalFile) -> None:
        self.journal = journal

    def submit(self, entry: Command | Config) -> Future[int]:
        done: Future[int] = Future()
        done.set_result(self.journal.append([entry]))
        return done


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger.open(tmp_path / "ledger.db") as opened:
        yield opened


def test_a_folder_from_before_gets_its_codes_once_and_only_for_machines_in_use(ledger: Ledger) -> None:
    assert give_codes(ledger, site()) == 2
    made = ledger.read(codes.all_codes)
    assert made.keys() == {"tank-1", "tank-2"}
    assert give_codes(ledger, site()) == 0
    assert ledger.read(codes.all_codes) == made


def test_a_machine_that_a_new_configuration_brings_has_its_code_when_the_configuration_is_carried(
    ledger: Ledger, tmp_path: Path
) -> None:
    give_codes(ledger, site())
    before = ledger.read(codes.all_codes)
    new = Equipment("tank-3", "bath/three", "hot_water_tank", Text("三号水箱", "Tank 3"))
    plant = site()
    grown = replace(plant, site=replace(plant.site, equipment={**plant.site.equipment, new.id: new}))
    taken: list[Plant] = []
    ledger.add_config(Content.of(grown, ()).encode(), "test", T0)
    with closing(JournalFile(tmp_path / "journal.db")) as journal:
        Relay(ledger, Straight(journal), taken.append).round()
    after = ledger.read(codes.all_codes)
    assert after.keys() - before.keys() == {"tank-3"}
    assert before.items() <= after.items()
    assert len(taken) == 1

"""Commissioning decided: observing until passed, released by a check or a person, kept over imports; its command."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from dutyroom.cli import app
from dutyroom.commissioning import CommissioningDesk
from dutyroom.content import Content
from history.duck import DuckStore
from maintenance.commissioning import Outcome, Report
from maintenance.commissioning.report import Check, Result
from maintenance.ledger import Ledger, audit, commissionings
from maintenance.ledger.commissionings import Ended
from maintenance.people import Actor, Role
from plant.errors import BadInput, NotFound, NotPermitted
from plant.reading import Reading
from plant.registry import load_site, site_to_yaml
from plant.site import Mode, Plant
from rules.engine import Engine
from rules.loader import load_pack
from tests.support.simulated import demo_plant

T0 = 1_784_534_400_000
MINUTE = 60_000
LI = Actor("li.gong", Role.ENGINEER)


def with_pump(*, commissioned: bool) -> Plant:
    """The demo site, its first chilled water pump commissioned or not."""
    plant = demo_plant()
    pump = replace(plant.site.equipment["chwp-1"], commissioned=commissioned)
    return replace(plant, site=replace(plant.site, equipment={**plant.site.equipment, "chwp-1": pump}))


def report(outcome: Outcome) -> Report:
    return Report("chwp-1", T0, T0 + 1, (Result(Check.HEARD, outcome),))


@dataclass
class Bench:
    folder: Path
    ledger: Ledger
    desk: CommissioningDesk

    @property
    def commissioned(self) -> bool:
        latest = self.ledger.latest_config()
        assert latest is not None
        return Content.decode(latest.content).plant.site.equipment["chwp-1"].commissioned

    @property
    def revision(self) -> int:
        latest = self.ledger.latest_config()
        assert latest is not None
        return latest.revision


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with Ledger.open(tmp_path / "ledger.db") as ledger:
        ledger.add_config(Content.of(with_pump(commissioned=False), ()).encode(), "test", T0)
        yield Bench(tmp_path, ledger, CommissioningDesk(ledger))


def test_a_check_that_passes_commissions_the_machine_and_says_who(bench: Bench) -> None:
    kept = bench.desk.record(report(Outcome.PASSED), LI)
    assert (kept.released, kept.author, bench.commissioned, bench.revision) == (True, "li.gong", True, 2)
    (line, *_) = bench.ledger.read(audit.listed)
    assert (line.entry.action, line.entry.subject) == (audit.Action.COMMISSIONED, "chwp-1")


@pytest.mark.parametrize("outcome", [Outcome.FAILED, Outcome.NOT_ENOUGH])
def test_a_check_that_does_not_pass_is_kept_and_changes_nothing(bench: Bench, outcome: Outcome) -> None:
    kept = bench.desk.record(report(outcome), LI)
    assert (kept.released, bench.commissioned, bench.revision) == (None, False, 1)
    (line,) = bench.ledger.read(commissionings.of_equipment, "chwp-1")
    assert line.report == report(outcome)
    assert bench.ledger.read(commissionings.newest_checks) == {"chwp-1": Ended("li.gong", line.at, outcome)}


def test_a_later_check_that_fails_takes_nothing_back(bench: Bench) -> None:
    bench.desk.record(report(Outcome.PASSED), LI)
    bench.desk.record(report(Outcome.FAILED), LI)
    assert bench.commissioned


def test_a_person_releases_and_withholds_with_a_reason(bench: Bench) -> None:
    bench.desk.release("chwp-1", "seldom runs", LI)
    assert bench.commissioned
    bench.desk.withhold("chwp-1", "new gateway", LI)
    assert not bench.commissioned
    told = [(line.released, line.reason) for line in bench.ledger.read(commissionings.of_equipment, "chwp-1")]
    assert told == [(False, "new gateway"), (True, "seldom runs")]


def test_what_is_refused(bench: Bench) -> None:
    with pytest.raises(BadInput, match="needs a reason"):
        bench.desk.release("chwp-1", "  ", LI)
    with pytest.raises(BadInput, match="is not commissioned already"):
        bench.desk.withhold("chwp-1", "again", LI)
    with pytest.raises(NotFound):
        bench.desk.release("nothing", "why", LI)
    with pytest.raises(NotPermitted):
        bench.desk.record(report(Outcome.PASSED), Actor("wang", Role.CREW))
    assert bench.revision == 1


def test_an_import_of_files_keeps_what_was_decided(bench: Bench) -> None:
    site = with_pump(commissioned=False).site
    decided = bench.ledger.read(commissionings.decisions)
    assert not commissionings.applied(site, decided).equipment["chwp-1"].commissioned
    bench.desk.record(report(Outcome.PASSED), LI)
    decided = bench.ledger.read(commissionings.decisions)
    assert commissionings.applied(site, decided).equipment["chwp-1"].commissioned
    bench.desk.withhold("chwp-1", "new gateway", LI)
    decided = bench.ledger.read(commissionings.decisions)
    assert not commissionings.applied(demo_plant().site, decided).equipment["chwp-1"].commissioned


def test_the_checks_kept_of_a_machine_are_bounded_and_decisions_stay(bench: Bench) -> None:
    bench.desk.release("chwp-1", "first", LI)
    for _ in range(commissionings.KEPT + 2):
        bench.desk.record(report(Outcome.FAILED), LI)
    lines = bench.ledger.read(commissionings.of_equipment, "chwp-1", 1_000)
    assert [line.released for line in lines] == [None] * commissionings.KEPT + [True]


@pytest.mark.parametrize(("commissioned", "mode"), [(False, Mode.OBSERVE), (True, Mode.LIVE)])
def test_until_commissioned_rules_observe_on_a_live_site(commissioned: bool, mode: Mode) -> None:
    plant = with_pump(commissioned=commissioned)
    rules = [rule for rule in load_pack(catalogue=plant.catalogue) if rule.id == "PU-01"]
    engine = Engine(plant, rules)
    readings = [
        Reading("chwp-1", point, T0 + MINUTE * minute, value)
        for minute in range(30)
        for point, value in (("pump_command", 1.0), ("pump_status", 0.0))
    ]
    engine.tick(T0)
    engine.feed(plant.series.batch(readings))
    raised = [event for event in engine.tick(T0 + 30 * MINUTE) if event.equipment == "chwp-1"]
    assert [(event.rule, event.mode) for event in raised] == [("PU-01", mode)]


def test_the_word_is_read_and_written_in_site_files(tmp_path: Path) -> None:
    plant = with_pump(commissioned=False)
    (tmp_path / "site.yaml").write_text(site_to_yaml(plant.site))
    read = load_site(tmp_path / "site.yaml", plant.catalogue)
    assert [id for id, machine in read.equipment.items() if not machine.commissioned] == ["chwp-1"]
    assert "commissioned" not in site_to_yaml(demo_plant().site)


def invoke(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["commission", *words])
    return done.exit_code, done.stdout


def test_the_command_checks_what_is_stored(tmp_path: Path) -> None:
    plant = with_pump(commissioned=False)
    with Ledger.open(tmp_path / "ledger.db") as ledger:
        ledger.add_config(Content.of(plant, ()).encode(), "test", T0)
    store = DuckStore(tmp_path / "telemetry")
    # The pump runs as its nameplate says (206 m3/h, 30 kW), but power comes a tenfold.
    said = {"pump_status": 1.0, "pump_flow": 200.0, "discharge_pressure": 450.0, "suction_pressure": 180.0}
    readings = [
        Reading("chwp-1", point, T0 + MINUTE * minute, value)
        for minute in range(60)
        for point, value in {**said, "active_power": 250.0}.items()
    ]
    store.write(plant.series.batch(readings), plant.series, 1)
    store.close()

    code, text = invoke("check", "--data", str(tmp_path))
    assert code == 1
    assert "active_power: 倍率错误 / wrong scale (250, expected 25)" in text
    code, text = invoke("check", "chwp-1", "--data", str(tmp_path), "--format", "jsonl")
    assert json.loads(text)["outcome"] == "fail"
    assert "chwp-1  NOT commissioned  fail" in invoke("list", "--data", str(tmp_path))[1]
    assert invoke("release", "chwp-1", "--reason", "mended", "--data", str(tmp_path))[0] == 0
    assert "chwp-1  commissioned  fail" in invoke("list", "--data", str(tmp_path))[1]
    assert invoke("withhold", "chwp-1", "--reason", "again", "--data", str(tmp_path))[0] == 0

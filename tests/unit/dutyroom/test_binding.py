"""From an unbound topic to bound, with its past: discovery, acceptance and decoding again on the real parts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from dutyroom import redecode
from dutyroom.binding import BindingDesk, kept
from dutyroom.commissioning import CommissioningDesk
from dutyroom.content import Content
from dutyroom.discovery_consumer import DiscoveryConsumer
from dutyroom.redecode import Order
from dutyroom.relay import Relay
from dutyroom.store_consumer import StoreConsumer
from history.duck import DuckStore
from history.entries import Command, Config, Message, Tick
from history.journal import JournalFile
from ingest.discovery import Family
from maintenance.ledger import audit, discovered, rejects
from maintenance.ledger.discovered import Acceptance, Redecoded
from maintenance.ledger.ledger import Ledger
from maintenance.ledger.rows import Reject
from maintenance.people import Actor, Role
from plant.accepting import Accepted
from plant.catalogue import Text
from plant.cataloguefile import load_catalogue
from plant.errors import BadInput, Conflict, NotFound, NotPermitted
from plant.reading import SeriesKey
from plant.site import Binding, Equipment, Mode, Plant, Site
from tests.support.programs import wait_until

T0 = 1_700_000_000_000
CATALOGUE = load_catalogue()
LI = Actor("li", Role.ENGINEER)
LEVEL = SeriesKey("tank", "tank_level", "hot_water_tank")
TOPIC = "gw/7/data"
BINDING = Binding(TOPIC, "tank_level", key="level", unit="%", decoder="json")


def site(*bindings: Binding) -> Site:
    tank = Equipment("tank", "bath/tank", "hot_water_tank", Text("水箱", "Tank"), bindings=bindings)
    return Site("s", "Asia/Shanghai", Text("站", "Site"), {"tank": tank})


class Sink:
    """The journal as the relay's sink."""

    def __init__(self, journal: JournalFile) -> None:
        self.journal = journal

    def submit(self, entry: Command | Config) -> Future[int]:
        done: Future[int] = Future()
        done.set_result(self.journal.append([entry]))
        return done


class Bench:
    """A ledger, a journal and a store of one site, with some messages nobody has bound."""

    def __init__(self, folder: Path, ledger: Ledger, journal: JournalFile) -> None:
        self.folder, self.ledger, self.journal = folder, ledger, journal
        self.store = DuckStore(folder / "telemetry")
        ledger.add_config(Content.of(Plant(CATALOGUE, site()), ()).encode(), "test", T0)
        self.relay = Relay(ledger, Sink(journal), lambda _: None)
        self.relay.round()
        for turn in range(5):
            self.say(turn)
        rejected = Reject(2, T0, TOPIC, b"{}", "unknown_topic", "")
        ledger.write(rejects.add, [rejected])

    def say(self, turn: int) -> None:
        at = T0 + 10_000 * turn
        body = json.dumps({"level": 40 + turn, "ts": at}).encode()
        self.journal.append([Message(at, TOPIC, body), Tick(at + 1_000)])

    def discover(self) -> Family:
        consumer = DiscoveryConsumer(self.journal, self.ledger, site="s", keep_seconds=0)
        consumer.start()
        wait_until(lambda: consumer.offset == self.journal.last_offset, seconds=30, what="the journal is read")
        consumer.stop()
        assert consumer.fatal is None
        (found,) = self.ledger.read(discovered.listed)
        return found.family

    def accept(self, *bindings: Binding) -> Acceptance:
        accepted = Accepted({"tank": bindings or (BINDING,)})
        return BindingDesk(self.ledger).accept(self.discover(), accepted, LI)

    def report(self, order: Order, result: Redecoded, before: int) -> None:
        self.ledger.write(discovered.redecoded, order.acceptance, result, order.past.topics, before)

    @contextmanager
    def storing(self, report: object = None) -> Iterator[StoreConsumer]:
        chosen = report or self.report
        consumer = StoreConsumer(
            self.journal,
            self.store,
            self.folder / "snapshots",
            keep=lambda _: False,
            report=chosen,  # type: ignore[arg-type]
        )
        consumer.start()
        yield consumer
        consumer.stop()

    def levels(self) -> list[float]:
        return [float(value) for value in self.store.raw(LEVEL, 0, 2**60).value]


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with Ledger.open(tmp_path / "ledger.db") as ledger, JournalFile(tmp_path / "journal.db") as journal:
        made = Bench(tmp_path, ledger, journal)
        yield made
        made.store.close()


def test_what_was_said_before_the_binding_is_history_and_the_answer_says_how_much(bench: Bench) -> None:
    id = bench.accept().id
    bench.relay.round()
    bench.say(5)
    with bench.storing() as storing:
        wait_until(lambda: bench.store.offset() == bench.journal.last_offset, seconds=30, what="all is stored")
    assert storing.fatal is None
    assert bench.levels() == [40.0, 41.0, 42.0, 43.0, 44.0, 45.0]
    found = bench.ledger.read(discovered.acceptance, id)
    assert found.result == Redecoded(5, 5, 0)
    assert bench.ledger.read(discovered.totals) == Redecoded(5, 5, 0)
    assert bench.ledger.read(rejects.listed) == []


def test_a_bound_topic_is_no_longer_on_the_list(bench: Bench) -> None:
    assert bench.discover().count == 5
    bench.accept()
    bench.relay.round()
    consumer = DiscoveryConsumer(bench.journal, bench.ledger, site="s", keep_seconds=0)
    consumer.start()
    wait_until(lambda: bench.ledger.read(discovered.listed) == [], seconds=30, what="the family goes")
    consumer.stop()


def test_counts_are_exact_over_restarts_of_the_discovery(bench: Bench) -> None:
    assert bench.discover().count == 5
    bench.say(5)
    assert bench.discover().count == 6
    assert bench.discover().count == 6


def test_decoding_again_that_was_cut_short_is_done_again_and_doubles_nothing(bench: Bench) -> None:
    bench.accept()
    bench.relay.round()

    def killed(order: Order, result: Redecoded, before: int) -> None:
        raise RuntimeError("killed")

    with bench.storing(killed) as storing:
        wait_until(lambda: storing.fatal is not None, seconds=30, what="the consumer ends")
    assert bench.levels() == [40.0, 41.0, 42.0, 43.0, 44.0]
    with bench.storing() as storing:
        wait_until(lambda: bench.store.offset() == bench.journal.last_offset, seconds=30, what="all is stored")
    assert bench.levels() == [40.0, 41.0, 42.0, 43.0, 44.0]
    assert bench.ledger.read(discovered.totals) == Redecoded(5, 5, 0)


def test_acceptance_is_in_the_audit(bench: Bench) -> None:
    bench.accept()
    line = bench.ledger.read(audit.listed)[0].entry
    assert (line.author, line.action, line.subject, line.detail) == ("li", "topic_bound", "gw/*/data", "tank")


def test_files_imported_later_keep_what_was_accepted_until_they_say_it_themselves(bench: Bench) -> None:
    id = bench.accept().id
    merged, count, said = kept(bench.ledger, site(), CATALOGUE)
    assert (merged.equipment["tank"].bindings, count, list(said)) == ((BINDING,), 1, [])
    own = Binding("other", "tank_level", key="l", decoder="json")
    merged, count, said = kept(bench.ledger, site(own), CATALOGUE)
    assert (merged.equipment["tank"].bindings, count, list(said)) == ((own,), 0, [id])
    bench.ledger.write(discovered.in_files, [id])
    merged, count, said = kept(bench.ledger, site(), CATALOGUE)
    assert (merged.equipment["tank"].bindings, count, list(said)) == ((), 0, [])


def test_topics_to_listen_to_stay_over_an_import_that_names_none(bench: Bench) -> None:
    BindingDesk(bench.ledger).listen(["tele/#", "meters/+/data"], LI)
    merged, _, _ = kept(bench.ledger, site(), CATALOGUE)
    assert merged.discover == ("tele/#", "meters/+/data")


@pytest.mark.parametrize(
    ("binding", "error", "words"),
    [
        (Binding(TOPIC, "tank_lvl", key="level", decoder="json"), BadInput, "did you mean 'tank_level'"),
        (Binding(TOPIC, "tank_level", key="level", unit="kW", decoder="json"), BadInput, "no conversion"),
        (Binding(TOPIC, "tank_level", key="level", decoder="morse"), BadInput, "names the decoder 'morse'"),
        (Binding(TOPIC, "tank_level", key="level", scale=0, decoder="json"), BadInput, "a scale of 0"),
    ],
)
def test_what_does_not_fit_is_refused_and_changes_nothing(
    bench: Bench, binding: Binding, error: type[Exception], words: str
) -> None:
    before = bench.ledger.latest_config()
    with pytest.raises(error, match=words):
        bench.accept(binding)
    assert bench.ledger.latest_config() == before


def test_a_point_is_not_fed_twice_and_machines_must_be_there_or_new(bench: Bench) -> None:
    bench.accept()
    desk, family = BindingDesk(bench.ledger), bench.discover()
    with pytest.raises(Conflict, match="fed by gw/7/data, key level already"):
        desk.accept(family, Accepted({"tank": (BINDING,)}), LI)
    with pytest.raises(NotFound, match="did you mean 'tank'"):
        desk.accept(family, Accepted({"tnk": (BINDING,)}), LI)
    new = Equipment("tank", "bath/other", "hot_water_tank", Text("甲", "A"))
    with pytest.raises(Conflict, match="an equipment 'tank' already"):
        desk.accept(family, Accepted({"tank": (BINDING,)}, (new,)), LI)
    with pytest.raises(NotPermitted, match="this takes engineer"):
        desk.accept(family, Accepted({"tank": (BINDING,)}), Actor("wang", Role.CREW))


def test_a_new_machine_comes_with_its_bindings(bench: Bench) -> None:
    new = Equipment("tank-2", "bath/tank-2", "hot_water_tank", Text("2 号水箱", "Tank 2"))
    BindingDesk(bench.ledger).accept(bench.discover(), Accepted({"tank-2": (BINDING,)}, (new,)), LI)
    latest = bench.ledger.latest_config()
    assert latest is not None
    machine = Content.decode(latest.content).plant.site.equipment["tank-2"]
    assert (machine.text.zh, machine.bindings) == ("2 号水箱", (BINDING,))


def test_a_new_machine_is_not_commissioned_and_stays_so_over_an_import_of_files(bench: Bench) -> None:
    live = replace(site(), mode=Mode.LIVE)
    bench.ledger.add_config(Content.of(Plant(CATALOGUE, live), ()).encode(), "test", T0)
    new = Equipment("tank-2", "bath/tank-2", "hot_water_tank", Text("2 号水箱", "Tank 2"))
    BindingDesk(bench.ledger).accept(bench.discover(), Accepted({"tank-2": (BINDING,)}, (new,)), LI)
    latest = bench.ledger.latest_config()
    assert latest is not None
    machines = Content.decode(latest.content).plant.site.equipment
    assert {id for id, machine in machines.items() if not machine.commissioned} == {"tank-2"}
    imported, _, _ = kept(bench.ledger, live, CATALOGUE)
    assert not imported.equipment["tank-2"].commissioned
    CommissioningDesk(bench.ledger).release("tank-2", "checked by hand", LI)
    imported, _, _ = kept(bench.ledger, live, CATALOGUE)
    assert imported.equipment["tank-2"].commissioned


def test_it_looks_back_so_far_and_no_further(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redecode, "MOST_BACK", 6)
    id = bench.accept().id
    bench.relay.round()
    with bench.storing():
        wait_until(lambda: bench.store.offset() == bench.journal.last_offset, seconds=30, what="all is stored")
    # configuration, five messages each with its tick, configuration, command: 13 entries, of which 8 to 13 are read
    assert bench.levels() == [43.0, 44.0]
    assert bench.ledger.read(discovered.acceptance, id).result == Redecoded(2, 2, 0)

"""A simulated scenario through the front door: messages and ticks into intake, engine and a real ledger."""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path

from dutyroom.content import Content
from dutyroom.judging import Judging
from history.entries import Config, Entry, Message, Tick
from ingest.intake import RejectedMessage
from maintenance.ledger import EngineCommit, Ledger, queries
from maintenance.ticket import Ticket
from plant.cataloguefile import load_catalogue
from plant.registry import load_site
from plant.site import Plant
from rules.events import AlarmEvent, EventKind
from rules.loader import load_pack
from simulators.scenario import Deadline, Scenario, deadlines, load_scenario
from simulators.simulation import Simulation

_COMMIT_MS = 60_000


@dataclass(slots=True)
class Day:
    """What a scenario made of the site."""

    scenario: Scenario
    plant: Plant
    events: list[AlarmEvent] = field(default_factory=list)
    rejected: list[RejectedMessage] = field(default_factory=list)
    tickets: list[Ticket] = field(default_factory=list)
    rule_ids: frozenset[str] = frozenset()

    def raised(self, *, tickets_only: bool = False) -> list[AlarmEvent]:
        """RAISED events; those of a suppressed alarm left out with `tickets_only`."""
        found = [event for event in self.events if event.kind is EventKind.RAISED]
        return [event for event in found if event.cause is None] if tickets_only else found

    def expected(self) -> list[Deadline]:
        """The scenario's expectations of rules that are in the pack."""
        return [item for item in deadlines(self.scenario) if item.rule in self.rule_ids]

    def met(self, deadline: Deadline) -> bool:
        """Whether the alarm came on its machine and in its time."""
        site = self.plant.site.equipment
        return any(
            event.rule == deadline.rule
            and site[event.equipment].path == deadline.equipment
            and deadline.onset <= event.at <= deadline.latest
            for event in self.raised()
        )


def demo_plant() -> Plant:
    """The demo site under the packaged catalogue."""
    catalogue = load_catalogue()
    with resources.as_file(resources.files("dutyroom.demo") / "site.yaml") as path:
        return Plant(catalogue, load_site(path, catalogue))


def live_through(name: str, ledger_file: Path, *, until: int | None = None, tick_s: int = 10) -> Day:
    """A packaged scenario from its start to its end, or to `until` ms after its start; a tick each `tick_s` s."""
    scenario, plant = load_scenario(name), demo_plant()
    rules = load_pack(catalogue=plant.catalogue)
    simulation = Simulation(scenario, site=plant.site.id)
    day = Day(scenario, plant, rule_ids=frozenset(rule.id for rule in rules))
    end = simulation.end if until is None else min(simulation.end, simulation.start + until)
    judging = Judging()
    entries: list[Entry] = [Config(1, "", Content.of(plant, rules).encode())]
    offset = committed = 0
    waiting: list[AlarmEvent] = []
    with Ledger.open(ledger_file) as ledger:
        epoch = ledger.take_lease("rules", plant.site.id)
        while simulation.now < end:
            sent = simulation.step(tick_s)
            entries += [Message(simulation.now, m.topic, m.payload, retain=False) for m in sent]
            entries.append(Tick(simulation.now))
            judged = judging.take(list(enumerate(entries, start=offset + 1)))
            offset, entries = offset + len(entries), []
            waiting += judged.events
            day.rejected += judged.rejected
            if simulation.now % _COMMIT_MS == 0 or simulation.now >= end:
                commit = EngineCommit(
                    "rules", plant.site.id, committed, offset, epoch, max(judging.plant_time, 0), tuple(waiting)
                )
                ledger.commit_engine(commit)
                day.events += waiting
                committed, waiting = offset, []
        day.tickets = list(ledger.read(queries.list_tickets).items)
    return day

"""A simulated scenario through the front door: messages, ticks and people's acts into intake, engine and a ledger."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path

from dutyroom.content import Content
from history.entries import Config, Entry, Message, Tick
from ingest.intake import RejectedMessage
from maintenance.ledger import EngineCommit, Ledger, queries
from maintenance.moves import Move
from maintenance.people import Actor, Role
from maintenance.ticket import State, Ticket
from plant.cataloguefile import load_catalogue
from plant.registry import load_site
from plant.site import Plant
from rules.events import AlarmEvent, EventKind
from rules.loader import load_pack
from simulators.scenario import Deadline, deadlines, load_scenario
from simulators.simulation import Simulation
from tests.support.alone import Alone

MINUTE = 60_000
CREW = Actor("li.wei", Role.CREW)
_TICK_S = 60
"""How the ticks cut the day changes nothing; once a minute is quick, and no reading is yet "delayed" by it."""


def demo_plant() -> Plant:
    """The demo site under the packaged catalogue."""
    catalogue = load_catalogue()
    with resources.as_file(resources.files("dutyroom.demo") / "site.yaml") as path:
        return Plant(catalogue, load_site(path, catalogue))


class LiveSite:
    """The demo site in a packaged scenario: `advance` lives on, crew acts come between. Times are minutes from start.

    `events`, `rejected` and `late` tell what the telemetry has made so far, the ledger holds what became of it.
    """

    def __init__(self, name: str, ledger: Ledger) -> None:
        self.scenario, self.plant = load_scenario(name), demo_plant()
        rules = load_pack(catalogue=self.plant.catalogue)
        self.installed = frozenset(rule.id for rule in rules)
        self.simulation = Simulation(self.scenario, site=self.plant.site.id)
        self.events: list[AlarmEvent] = []
        self.rejected: list[RejectedMessage] = []
        self._ledger = ledger
        self._judging = Alone()
        self._lease = ledger.take_lease("rules", self.plant.site.id)
        self._offset = 0
        self._commit([Config(1, "", Content.of(self.plant, rules).encode())])

    def advance(self, minute: float | None = None) -> None:
        """Live on to `minute` after the start, or to the scenario's end."""
        end = self.simulation.end if minute is None else self.simulation.start + round(minute * MINUTE)
        while self.simulation.now < end:
            commands = self._ledger.pending_commands()
            for place, command in enumerate(commands, start=self._offset + 1):
                self._ledger.mark_relayed(command.id, place)
            sent = self.simulation.step(_TICK_S)
            now = self.simulation.now
            messages = [Message(now, message.topic, message.payload) for message in sent]
            self._commit([*commands, *messages, Tick(now)])

    def repair(self) -> None:
        """End the scenario's one fault now."""
        (plan,) = self.scenario.faults
        self.simulation.repair(plan.name or plan.kind)

    def move(self, *states: State) -> Ticket:
        """The crew moves the only ticket through the states, now."""
        for state in states:
            self._ledger.move_ticket(self.ticket.id, Move(state, CREW, self.simulation.now, "by the test's crew"))
        return self.ticket

    def reset(self) -> None:
        """The crew resets the only active alarm, now."""
        (alarm,) = self._ledger.read(queries.list_alarms, queries.AlarmFilter(state=queries.AlarmState.ACTIVE)).items
        self._ledger.reset_alarm(alarm.id, CREW, self.simulation.now)

    @property
    def tickets(self) -> list[Ticket]:
        """All tickets."""
        return list(self._ledger.read(queries.list_tickets).items)

    @property
    def ticket(self) -> Ticket:
        """The one ticket there is."""
        (found,) = self.tickets
        return found

    def raised(self) -> dict[tuple[str, str], list[AlarmEvent]]:
        """RAISED events by (equipment, rule)."""
        found: dict[tuple[str, str], list[AlarmEvent]] = {}
        for event in self.events:
            if event.kind is EventKind.RAISED:
                found.setdefault((event.equipment, event.rule), []).append(event)
        return found

    def minutes(self, kind: EventKind) -> list[float]:
        """When events of a kind happened."""
        return [(event.at - self.simulation.start) / MINUTE for event in self.events if event.kind is kind]

    def promised(self) -> dict[tuple[str, str], Deadline]:
        """What the scenario promises of rules that are in the pack, by (equipment id, rule)."""
        ids = {path: machine.id for path, machine in self.plant.site.by_path.items()}
        found = deadlines(self.scenario)
        return {(ids[item.equipment], item.rule): item for item in found if item.rule in self.installed}

    def _commit(self, entries: list[Entry]) -> None:
        """Judge the entries and commit what comes of them with the offset, as the service does."""
        judged = self._judging.take(list(enumerate(entries, start=self._offset + 1)))
        before, self._offset = self._offset, self._offset + len(entries)
        now = max(judged.plant_time, 0)
        self._ledger.commit_engine(
            EngineCommit("rules", self.plant.site.id, before, self._offset, self._lease, now, judged.events)
        )
        self.events += judged.events
        self.rejected += judged.rejected


@contextmanager
def live_site(name: str, folder: Path) -> Iterator[LiveSite]:
    """A fresh site at the scenario's start, its ledger a real file in `folder`."""
    with Ledger.open(folder / "ledger.db") as ledger:
        yield LiveSite(name, ledger)

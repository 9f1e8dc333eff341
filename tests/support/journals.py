"""Journals for the laws: batches, ticks and resets in order, run through the engine in any cut."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

from history.entries import Command
from plant.instants import NEVER
from plant.reading import Reading, ReadingBatch
from plant.site import Plant
from rules.engine import Engine
from rules.events import AlarmEvent, EventKind
from rules.frames import lateness_live
from rules.model import Rule
from tests.support.naive_engine import NaiveEngine, Reset, Transition
from tests.support.tiny import START, arrivals, long_rules, plant, rules

_TOLD = frozenset(
    {
        EventKind.RAISED,
        EventKind.LEVEL,
        EventKind.RELEASED,
        EventKind.UNEVALUABLE,
        EventKind.EVALUABLE,
        EventKind.CLEARED,
    }
)


_PAUSES = (1_000, 3_300, 10_000, 10_000, 27_000)
_LONG_PAUSES = (10_000, 60_000, 60_000, 170_000, 600_000)
"""Between ticks, ms."""


@dataclass(frozen=True)
class Batch:
    """Readings received between two ticks."""

    readings: tuple[Reading, ...]
    seen: int


@dataclass(frozen=True)
class Tick:
    """Plant time is `at`."""

    at: int


@dataclass(frozen=True)
class Act:
    """A person resets a latched alarm."""

    number: int
    equipment: str
    rule: str


Item = Batch | Tick | Act


@dataclass(frozen=True)
class Scenario:
    """A site, its rules and what was received."""

    plant: Plant
    rules: list[Rule]
    journal: list[Item]

    @property
    def end(self) -> int:
        """Plant time of the last tick."""
        return next(item.at for item in reversed(self.journal) if isinstance(item, Tick))

    def batch(self) -> ReadingBatch:
        """All readings in journal order, with what was seen before each."""
        parts = [
            self.plant.series.batch(item.readings, seen=item.seen) for item in self.journal if isinstance(item, Batch)
        ]
        return ReadingBatch.concat(parts)

    def resets(self) -> list[Reset]:
        """A person's acts with the plant time they came after."""
        found, last = [], NEVER
        for item in self.journal:
            if isinstance(item, Tick):
                last = item.at
            elif isinstance(item, Act):
                found.append(Reset(last, item.equipment, item.rule))
        return found


def scenario(seed: int, minutes: int = 25, *, acts: bool = True) -> Scenario:
    """A random site, rules and journal; the same for the same seed."""
    random = Random(seed)
    site, pack = plant(random), rules(random)
    return Scenario(site, pack, _journal(random, site, pack, minutes, acts=acts, pauses=_PAUSES))


def long_scenario(seed: int, minutes: int) -> Scenario:
    """As `scenario`, for hours: one machine on the grid of a minute, with windows that move in panes."""
    random = Random(seed)
    site, pack = plant(random, alone=True), long_rules(random)
    return Scenario(site, pack, _journal(random, site, pack, minutes, acts=True, pauses=_LONG_PAUSES))


def _journal(
    random: Random, site: Plant, pack: Sequence[Rule], minutes: int, *, acts: bool, pauses: Sequence[int]
) -> list[Item]:
    """What is received over `minutes`, with ticks `pauses` apart."""
    stream = arrivals(random, site, minutes)
    journal: list[Item] = []
    # The first tick comes when every grid can close its first instant: where evaluation begins is not at stake here.
    last, place, now = NEVER, 0, START + 65_000
    latching = [rule.id for rule in pack if rule.latching]
    while now < START + (minutes + 6) * 60_000:
        now += random.choice(pauses)
        upto = place
        while upto < len(stream) and stream[upto].at <= now:
            upto += 1
        if upto > place:
            journal.append(Batch(tuple(arrival.reading for arrival in stream[place:upto]), last))
            place = upto
        journal.append(Tick(now))
        last = now
        if acts and latching and random.random() < 0.15:
            machine = random.choice([name for name in site.site.equipment if name != "p1"] or ["p1"])
            journal.append(Act(len(journal), machine, random.choice(latching)))
    return journal


@dataclass(frozen=True)
class Told:
    """What the engine told over a journal, and how many readings came too late to count."""

    events: list[AlarmEvent]
    late: int


def run(
    of: Scenario,
    *,
    journal: Sequence[Item] | None = None,
    restart: Callable[[int], bool] = lambda _: False,
) -> Told:
    """The engine over a journal; before the items `restart` names it is stored and restored."""
    engine = Engine(of.plant, of.rules)
    events: list[AlarmEvent] = []
    late = 0
    for number, item in enumerate(of.journal if journal is None else journal):
        if restart(number):
            late += engine.late
            engine = Engine.restore(of.plant, of.rules, engine.snapshot())
            late -= engine.late
        if isinstance(item, Batch):
            engine.feed(of.plant.series.batch(item.readings, seen=item.seen))
        elif isinstance(item, Tick):
            events += engine.tick(item.at)
        else:
            engine.command(Command(item.number, "crew", "reset", item.equipment, item.rule))
    return Told(events, late + engine.late)


def transitions(events: Sequence[AlarmEvent]) -> list[Transition]:
    """What the engine told, in the reference's words."""
    return sorted(
        Transition(
            e.at,
            e.equipment,
            e.rule,
            e.kind,
            e.severity,
            e.highest,
            e.onset_at,
            e.raised_at,
            (e.cause or "") if e.kind == EventKind.RAISED else "",
        )
        for e in events
        if e.kind in _TOLD
    )


def reference(of: Scenario) -> list[Transition]:
    """The naive engine over the same journal."""
    return NaiveEngine(of.plant, of.rules, of.batch(), lateness=lateness_live).run(of.end, of.resets())

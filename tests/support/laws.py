"""The laws of the engine: a journal told in another way ends in the same events; each law is tried from a seed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random

from plant.instants import NEVER
from plant.reading import Reading
from rules.backtest import backtest, spans
from rules.engine import Engine
from rules.events import AlarmEvent, EventKind
from rules.frames import lateness_file
from tests.support.journals import (
    Batch,
    Item,
    Scenario,
    Tick,
    Told,
    long_scenario,
    reference,
    run,
    scenario,
    transitions,
)

PATHS = (
    *("raised", "cleared", "level", "latched", "unknown", "known_again", "suppressed", "released", "stale", "late"),
    *("panes", "ewma", "clock", "verified"),
)
"""What a set must have seen before its agreement means anything."""

_WORDS = {"panes": "coverage=", "ewma": "ewma(", "clock": "local_hour()"}
"""Parts of the language that count as taken where a rule that uses them was raised or cleared."""

_EVENT_PATHS: Mapping[EventKind, str] = {
    EventKind.RAISED: "raised",
    EventKind.CLEARED: "cleared",
    EventKind.LEVEL: "level",
    EventKind.UNEVALUABLE: "unknown",
    EventKind.EVALUABLE: "known_again",
    EventKind.RELEASED: "released",
    EventKind.VERIFIED: "verified",
}
_TURNS = (EventKind.RAISED, EventKind.CLEARED)
_SAFELY_BEFORE_MS = 130_000


@dataclass(frozen=True)
class Tried:
    """One trial: how many transitions there were, which differ, and which paths were taken."""

    transitions: int
    differing: tuple[object, ...]
    paths: Counter[str]


def agrees_with_reference(seed: int, minutes: int) -> Tried:
    """The engine and the row-by-row reference tell the same transitions."""
    trial = scenario(seed, minutes)
    told = run(trial)
    return _tried(trial, told, transitions(told.events), reference(trial))


def cuts(seed: int, minutes: int) -> Tried:
    """Dropping ticks and cutting batches anywhere changes nothing; a tick before a person's act stays where it is."""
    trial, random = scenario(seed, minutes), Random(seed)
    journal: list[Item] = []
    for number, item in enumerate(trial.journal):
        following = next((i for i in trial.journal[number + 1 :] if not isinstance(i, Batch)), None)
        if isinstance(item, Tick) and isinstance(following, Tick) and random.random() < 0.7:
            continue
        journal += _cut(random, item) if isinstance(item, Batch) else [item]
    return _compared(trial, run(trial, journal=journal).events)


def interleaving(seed: int, minutes: int) -> Tried:
    """Sources may take turns in any way, as long as each series keeps its own order."""
    trial, random = scenario(seed, minutes), Random(seed)
    journal = [
        Batch(_shuffled(random, item.readings), item.seen) if isinstance(item, Batch) else item
        for item in trial.journal
    ]
    return _compared(trial, run(trial, journal=journal).events)


def duplicates(seed: int, minutes: int) -> Tried:
    """A reading delivered twice in a row counts once."""
    trial, random = scenario(seed, minutes), Random(seed)
    journal = [
        Batch(tuple(r for r in item.readings for _ in range(random.choice((1, 1, 2, 3)))), item.seen)
        if isinstance(item, Batch)
        else item
        for item in trial.journal
    ]
    return _compared(trial, run(trial, journal=journal).events)


def late_readings(seed: int, minutes: int) -> Tried:
    """Readings older than what has long been in force never change anything."""
    trial, random = scenario(seed, minutes), Random(seed)
    newest: dict[tuple[str, str], int] = {}
    waiting: list[tuple[int, Reading]] = []
    journal: list[Item] = []
    for item in trial.journal:
        if not isinstance(item, Batch):
            journal.append(item)
            continue
        while waiting and waiting[0][0] <= item.seen - _SAFELY_BEFORE_MS:
            _, reading = waiting.pop(0)
            newest[reading.equipment, reading.point] = max(
                newest.get((reading.equipment, reading.point), 0), reading.ts
            )
        extra = tuple(
            Reading(
                *key,
                ts - random.randrange(1, 90_000),
                random.choice((0.0, 1.0)) if key[1] in ("s", "trip", "command", "online_status") else 25.9,
            )
            for key, ts in sorted(newest.items())
            if random.random() < 0.3
        )
        journal.append(Batch((*extra, *item.readings), item.seen))
        waiting += [(max(item.seen, r.ts), r) for r in item.readings if r.reason == 0]
        waiting.sort(key=lambda entry: entry[0])
    return _compared(trial, run(trial, journal=journal).events)


def restarts(seed: int, minutes: int) -> Tried:
    """Stored and restored anywhere, the engine goes on as if nothing had been."""
    trial, random = scenario(seed, minutes), Random(seed)
    at = {number for number in range(len(trial.journal)) if random.random() < 0.08}
    return _compared(trial, run(trial, restart=lambda number: number in at).events)


def long_windows(seed: int, minutes: int) -> Tried:
    """Over hours, when what has left a long window must be gone: cut, stored and restored, still as the reference."""
    trial, random = long_scenario(seed, 150 + 5 * minutes), Random(seed)
    journal = [part for item in trial.journal for part in (_cut(random, item) if isinstance(item, Batch) else [item])]
    at = {number for number in range(len(journal)) if random.random() < 0.02}
    told = run(trial, journal=journal, restart=lambda number: number in at)
    return _tried(trial, told, transitions(told.events), reference(trial))


def live_and_past(seed: int, minutes: int) -> Tried:
    """The whole past in one block ends in the alarms of the live run, and a file may be ticked in any steps."""
    trial, random = scenario(seed, minutes, acts=False), Random(seed)
    live = run(trial)
    whole = Engine(trial.plant, trial.rules)
    whole.feed(trial.batch())
    past = whole.tick(trial.end)
    batch = replace(trial.batch(), seen=trial.batch().seen * 0 + NEVER)
    stepped = Engine(trial.plant, trial.rules, lateness=lateness_file)
    stepped.feed(batch)
    now, told = trial.end - (minutes + 6) * 60_000 + 120_000, list[AlarmEvent]()
    while now < trial.end:
        told += stepped.tick(now)
        now += random.choice((1_000, 60_000, 333_000))
    told += stepped.tick(trial.end)
    one = backtest(trial.plant, trial.rules, batch, trial.end, file=True)
    return _tried(trial, live, [*_ordered(live.events), *spans(told)], [*_ordered(past), *one])


Law = Callable[[int, int], Tried]
LAWS: Mapping[str, Law] = {
    "reference": agrees_with_reference,
    "cuts": cuts,
    "interleaving": interleaving,
    "duplicates": duplicates,
    "late": late_readings,
    "restarts": restarts,
    "long_windows": long_windows,
    "live_and_past": live_and_past,
}


def _cut(random: Random, batch: Batch) -> list[Item]:
    parts: list[Item] = []
    start = 0
    while start < len(batch.readings):
        end = start + random.randrange(1, 8)
        parts.append(Batch(batch.readings[start:end], batch.seen))
        start = end
    return parts


def _shuffled(random: Random, readings: Sequence[Reading]) -> tuple[Reading, ...]:
    """Any order that keeps that of each series."""
    queues: dict[tuple[str, str], list[Reading]] = {}
    for reading in readings:
        queues.setdefault((reading.equipment, reading.point), []).append(reading)
    order = [key for key, queue in queues.items() for _ in queue]
    random.shuffle(order)
    return tuple(queues[key].pop(0) for key in order)


def _ordered(events: Sequence[AlarmEvent]) -> list[AlarmEvent]:
    return sorted(events, key=lambda e: (e.at, e.equipment, e.rule, e.kind))


def _compared(trial: Scenario, other: Sequence[AlarmEvent]) -> Tried:
    """Whole events, proofs included, of the plain run and another telling of it."""
    plain = run(trial)
    return _tried(trial, plain, _ordered(plain.events), _ordered(other))


def _tried(trial: Scenario, told: Told, one: Sequence[object], other: Sequence[object]) -> Tried:
    differing = tuple([x for x in one if x not in other] + [x for x in other if x not in one])
    if not differing and len(one) != len(other):
        differing = (f"{len(one)} against {len(other)} events",)
    return Tried(len(transitions(told.events)), differing, _paths(trial, told))


def _paths(trial: Scenario, told: Told) -> Counter[str]:
    latching = {rule.id for rule in trial.rules if rule.latching}
    found = Counter(_EVENT_PATHS[event.kind] for event in told.events if event.kind in _EVENT_PATHS)
    found["latched"] = sum(event.kind == EventKind.CLEARED and event.rule in latching for event in told.events)
    found["suppressed"] = sum(event.kind == EventKind.RAISED and event.cause is not None for event in told.events)
    found["late"] = told.late
    for path, word in _WORDS.items():
        using = {rule.id for rule in trial.rules for level in rule.levels if word in level.when or word in level.clear}
        found[path] = sum(
            event.kind in (EventKind.RAISED, EventKind.CLEARED) and event.rule in using for event in told.events
        )
    latest: dict[tuple[str, str], int] = {}
    for reading in (reading for item in trial.journal if isinstance(item, Batch) for reading in item.readings):
        key = (reading.equipment, reading.point)
        life = max(3 * (trial.plant.site.equipment[reading.equipment].interval_ms or 0), 90_000)
        found["stale"] += reading.ts - latest.get(key, reading.ts) > life
        latest[key] = max(latest.get(key, 0), reading.ts)
    return found

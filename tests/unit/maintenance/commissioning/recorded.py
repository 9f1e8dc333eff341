"""Three hours of the healthy simulated campus as its machines sent them, to be spoilt at the source and judged anew."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import cache

from history.entries import Entry, Message, Tick
from ingest.intake import Intake
from maintenance.commissioning import Report, Window, check, wanted
from plant.reading import ReadingBatch
from plant.site import Plant
from simulators.scenario import load_scenario
from simulators.simulation import Simulation
from tests.support.simulated import demo_plant

HOUR = 3_600_000
FROM, TO = 8, 11
"""Hours of the healthy day: everything runs."""

Points = dict[str, float]
Spoil = Callable[[Points], Points]
"""What the machine sends instead of its points."""


@cache
def campus() -> Plant:
    """The demo site."""
    return demo_plant()


@cache
def morning() -> tuple[int, int, tuple[tuple[int, str, bytes], ...]]:
    """Begin, end, and every (time, topic, payload)."""
    simulation = Simulation(load_scenario("healthy_day"), site=campus().site.id)
    start, end = simulation.start + FROM * HOUR, simulation.start + TO * HOUR
    sent: list[tuple[int, str, bytes]] = []
    while simulation.now < end:
        messages = simulation.step(60)
        if simulation.now > start:
            sent += [(simulation.now, message.topic, message.payload) for message in messages]
    return start, end, tuple(sent)


def judged(
    equipment: str,
    spoilt: Mapping[str, Spoil] | None = None,
    *,
    plant: Plant | None = None,
    late_ms: int = 0,
    every: int = 1,
) -> Report:
    """The check of one machine, with the points of some machines spoilt on their way; the rest as in `readings`."""
    plant = plant or campus()
    start, end, _ = morning()
    batch = readings(equipment, spoilt, plant=plant, late_ms=late_ms, every=every)
    return check(Window.of(plant, batch, plant.series, start, end), equipment)


def readings(
    equipment: str, spoilt: Mapping[str, Spoil] | None = None, *, plant: Plant, late_ms: int = 0, every: int = 1
) -> ReadingBatch:
    """What the store holds of one machine and those it is compared with.

    `late_ms` sets the clock of the machine back, `every` lets only each n-th of its messages through.
    """
    start, end, sent = morning()
    needed = {key.equipment for key in wanted(plant, plant.site.equipment[equipment])}
    paths = {f"dutyroom/v1/demo/{plant.site.equipment[id].path}/telemetry": id for id in needed}
    intake, entries, passed, now = Intake(plant), list[Entry](), 0, start
    for at, topic, payload in sent:
        if at != now:
            # the clock says that a minute is over once all of it has been sent
            entries.append(Tick(now))
            now = at
        id = paths.get(topic)
        if id is None:
            continue
        if id == equipment:
            passed += 1
            if passed % every:
                continue
        spoil = (spoilt or {}).get(id)
        entries.append(Message(at, topic, _spoilt(payload, spoil, late_ms if id == equipment else 0)))
    entries.append(Tick(end))
    return intake.feed_many(list(enumerate(entries, 1))).batch


def _spoilt(payload: bytes, spoil: Spoil | None, late_ms: int) -> bytes:
    message = json.loads(payload)
    if spoil is not None:
        message["points"] = spoil(message["points"])
    message["ts"] -= late_ms
    return json.dumps(message).encode()


def times(factor: float, *points: str) -> Spoil:
    """These points come out `factor` times too large."""
    return lambda said: {name: value * factor if name in points else value for name, value in said.items()}


def swapped(one: str, other: str) -> Spoil:
    """Two points are bound to each other's sensor."""
    names = {one: other, other: one}
    return lambda said: {names.get(name, name): value for name, value in said.items()}

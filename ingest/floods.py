"""Devices that send far more than they should: noticed within a minute, and bounded, while a backlog passes (DQ-14)."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum

import msgspec
from msgspec.structs import replace

from plant.site import Plant

TIMES = 5
"""A topic floods when it brings more than so many times its nominal messages (DOMAIN §1.5 DQ-14), …"""

WINDOW_MS = 60_000
"""… over at least so long."""

BACKLOG_MINUTES = 4 * 60
"""So many minutes' nominal messages may come at once: what a gateway kept while its network was away.

Undeclared these are 14,400: a day of a message each six seconds.
"""

UNDECLARED = 60.0
"""Messages a minute that are nominal where nobody declared an interval, and where states are sent on change."""

MOST_TOPICS = 65_536
"""Topics watched; a stream of ever new topics empties the list and costs time, never memory."""


class Flow(Enum):
    """What becomes of a message."""

    PASS = 0
    MARKED = 1
    """Its topic floods: its values are taken, as uncertain."""
    DROPPED = 2
    """Its topic floods and has used up its allowance."""


class _Topic(msgspec.Struct):
    """`since` begins the window (ms), `count` messages in it; `allowance` messages, last topped up at `at`."""

    since: int
    count: int
    flooding: bool
    allowance: float
    at: int


class FloodsState(msgspec.Struct, frozen=True):
    """A snapshot: every topic watched, by name."""

    topics: dict[str, _Topic] = {}


class Floods:
    """The rate of every bound topic, on the plant clock."""

    def __init__(self) -> None:
        self._topics: dict[str, _Topic] = {}

    def judge(self, topic: str, at: int, nominal: float) -> Flow:
        """One message of a topic that nominally brings `nominal` a minute, received at `at` (plant time, ms)."""
        known = self._topics.get(topic)
        if known is None or at < known.since:
            if len(self._topics) >= MOST_TOPICS:
                self._topics.clear()
            self._topics[topic] = _Topic(at, 1, False, nominal * BACKLOG_MINUTES - 1, at)
            return Flow.PASS
        elapsed = at - known.since
        if elapsed >= WINDOW_MS:
            known.flooding = known.count * WINDOW_MS > TIMES * nominal * elapsed
            refill = TIMES * nominal * (at - known.at) / WINDOW_MS
            known.allowance = min(max(known.allowance, 0.0) + refill, nominal * BACKLOG_MINUTES)
            known.since, known.count, known.at = at, 0, at
        known.count += 1
        known.allowance -= 1
        if not known.flooding:
            return Flow.PASS
        return Flow.DROPPED if known.allowance < 0 else Flow.MARKED

    def first_dropped(self, topic: str) -> bool:
        """Whether the message just dropped is the first of its window: that one is kept to be looked at."""
        known = self._topics[topic]
        return -1 <= known.allowance < 0

    def state(self) -> FloodsState:
        """A snapshot; equal histories give equal ones."""
        return FloodsState({topic: replace(known) for topic, known in sorted(self._topics.items())})

    @staticmethod
    def restore(state: FloodsState) -> Floods:
        """From a snapshot."""
        floods = Floods()
        floods._topics = {topic: replace(known) for topic, known in state.topics.items()}
        return floods


def declared_rates(plant: Plant) -> tuple[float | None, ...]:
    """Messages a minute each series brings if each value comes in one of its own; None where nothing is declared.

    A state is sent when it changes: no interval bounds it.
    """
    found: list[float | None] = []
    for key in plant.series.keys:
        machine = plant.site.equipment[key.equipment]
        point = plant.points(machine)[key.point]
        declared = machine.interval_ms
        found.append(None if declared is None or point.kind.holds else WINDOW_MS / declared)
    return tuple(found)


def nominal_rate(rates: Iterable[float | None]) -> float:
    """Messages a minute that are nominal on a topic which feeds series of these rates."""
    said = list(rates)
    known = sum(rate for rate in said if rate is not None)
    return known if known and None not in said else max(known, UNDECLARED)

"""Messages from before their topic was bound, decoded again: readings for history only, never for rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from paho.mqtt.matcher import MQTTMatcher

from history.entries import ClockEpoch, Config, Entry, Message
from ingest.bindings import Bindings
from ingest.intake import Intake, Intaken
from plant.quality import Quality, Reason
from plant.reading import ReadingBatch
from plant.site import Plant, PlantClock


@dataclass(frozen=True, slots=True)
class Past:
    """Which messages to decode again: those of `topics` (filters) before configuration `revision` came into force.

    Readings are made for the bindings of `equipment` to these topics and for no others.
    """

    topics: tuple[str, ...]
    equipment: tuple[str, ...]
    revision: int


def narrowed(plant: Plant, past: Past) -> Plant:
    """The plant with nothing but what is decoded again; its clock is the messages' own receipt."""
    machines = {
        id: replace(machine, bindings=tuple(one for one in machine.bindings if one.topic in past.topics))
        for id, machine in plant.site.equipment.items()
        if id in past.equipment
    }
    return Plant(plant.catalogue, replace(plant.site, equipment=machines, clock=PlantClock.SYSTEM))


class Redecoding:
    """Entries in journal order in, historical readings out (SEMANTICS §6: stored, never evaluated)."""

    def __init__(self, plant: Plant, past: Past) -> None:
        narrow = narrowed(plant, past)
        numbers = (plant.series.find(key.equipment, key.point) for key in narrow.series.keys)
        self._numbers = np.array([number for number in numbers if number is not None], np.int32)
        self.messages = self.readings = self.rejected = 0
        self.over = False
        self._revision = past.revision
        self._intake = Intake(narrow)
        self._wanted = MQTTMatcher()  # type: ignore[no-untyped-call]  # paho's matcher has no types
        for topic in Bindings(narrow).filters:
            self._wanted[topic] = True

    def feed(self, entries: Sequence[tuple[int, Entry]]) -> ReadingBatch:
        """The readings of a run of entries, series numbered as in the whole plant.

        `over` is true once the configuration that binds the topics has come.
        """
        run: list[tuple[int, Entry]] = []
        for offset, entry in entries:
            if isinstance(entry, Config) and entry.revision >= self._revision:
                self.over = True
                break
            if isinstance(entry, ClockEpoch) or (isinstance(entry, Message) and self._is_wanted(entry.topic)):
                run.append((offset, entry))
        return self._historical(self._intake.feed_many(run))

    def _is_wanted(self, topic: str) -> bool:
        return next(self._wanted.iter_match(topic), None) is not None  # type: ignore[no-untyped-call]

    def _historical(self, taken: Intaken) -> ReadingBatch:
        batch = taken.batch
        self.messages += len(np.unique(batch.offset))
        self.readings += len(batch)
        self.rejected += len({refused.offset for refused in taken.rejected} - set(batch.offset.tolist()))
        quality = np.maximum(batch.quality, np.uint8(Quality.UNCERTAIN))
        series = self._numbers[batch.series]
        return replace(batch, series=series, quality=quality, reason=np.full(len(batch), Reason.HISTORICAL, np.uint8))

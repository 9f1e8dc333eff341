"""The readings a commissioning check looks at: series by name, and several of them side by side once a minute."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from plant.quality import Quality, Reason
from plant.reading import ReadingBatch, SeriesKey, SeriesTable
from plant.site import Equipment, Plant

STEP_MS = 60_000
LEAST = 10
"""So few values decide nothing."""

_HOLD_MS = 180_000
_LEAST_HOLD_MS = 90_000

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Series:
    """Readings of one point in time order; shape (n,) each. `seen` is plant time of the last tick before each."""

    ts: NDArray[np.int64]
    value: Floats
    usable: Mask
    reason: NDArray[np.uint8]
    seen: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.ts)

    def share(self, reason: Reason) -> float:
        """Which part of the readings has this reason."""
        return float(np.mean(self.reason == reason)) if len(self) else 0.0


@dataclass(frozen=True)
class Window:
    """Readings of some equipment with start ≤ ts < end."""

    plant: Plant
    start: int
    end: int
    series: Mapping[tuple[str, str], Series]

    @staticmethod
    def of(plant: Plant, batch: ReadingBatch, table: SeriesTable, start: int, end: int) -> Window:
        """From what `TelemetryStore.rows` gives: by (ts, series)."""
        order = np.lexsort((batch.ts, batch.series))
        numbers = batch.series[order]
        begins = np.flatnonzero(np.r_[True, numbers[1:] != numbers[:-1]]) if len(numbers) else np.array([], np.int64)
        found: dict[tuple[str, str], Series] = {}
        for rows in np.split(order, begins[1:]) if len(numbers) else []:
            key = table.keys[int(batch.series[rows[0]])]
            value = batch.value[rows]
            usable = (batch.quality[rows] != Quality.BAD) & np.isfinite(value)
            found[key.equipment, key.point] = Series(
                batch.ts[rows], value, usable, batch.reason[rows], batch.seen[rows]
            )
        return Window(plant, start, end, found)

    def of_point(self, machine: Equipment, point: str) -> Series | None:
        """The readings of a point; None where there are none."""
        return self.series.get((machine.id, point))

    def held(self, machine: Equipment, point: str, *, even: Collection[Reason] = ()) -> Floats:
        """Its value at each minute of the window, NaN where none is in force; shape (minutes,).

        Bad readings count only where their reason is among `even`.
        """
        grid = np.arange(self.start, self.end, STEP_MS)
        found = self.of_point(machine, point)
        usable = None if found is None else found.usable | np.isin(found.reason, list(even))
        if found is None or usable is None or not usable.any():
            return np.full(len(grid), np.nan)
        known = self.plant.points(machine)[point]
        ts, value = found.ts[usable], found.value[usable]
        at = np.searchsorted(ts, grid, side="right") - 1
        interval = machine.interval_ms or known.sampling.interval_ms
        longest = self.end - self.start if known.kind.holds else max(_HOLD_MS, _LEAST_HOLD_MS, 3 * interval)
        there = (at >= 0) & (grid - ts[at] <= longest)
        return np.where(there, value[at], np.nan)


def wanted(plant: Plant, machine: Equipment) -> list[SeriesKey]:
    """The series a check of this machine needs: its own, and the power of the feeders it is compared with."""
    powers = {one.id for one in related(plant, machine)} - {machine.id}
    return [
        key
        for key in plant.series.keys
        if key.equipment == machine.id or (key.equipment in powers and key.point == "active_power")
    ]


def related(plant: Plant, machine: Equipment) -> list[Equipment]:
    """An incomer and all feeders it feeds, where the machine is one of them; empty else."""
    if machine.type != "lv_feeder":
        return []
    equipment = plant.site.equipment
    fed = {
        one.id: [above for above in one.relations.get("fed_by", ()) if above in equipment] for one in _feeders(plant)
    }
    above = next((id for id in fed[machine.id] if equipment[id].type == "lv_feeder"), None)
    head = machine.id if any(machine.id in ids for ids in fed.values()) else above
    if head is None:
        return []
    return [equipment[head], *(equipment[id] for id, ids in fed.items() if head in ids)]


def _feeders(plant: Plant) -> list[Equipment]:
    return [one for one in plant.site.equipment.values() if one.type == "lv_feeder" and not one.retired]

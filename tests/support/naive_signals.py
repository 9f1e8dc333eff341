"""What a point's value is at an instant, told row by row from SEMANTICS §1 and §6; slow, exact, nothing shared."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from plant.catalogue import Fold, Point
from plant.quality import Quality, Reason
from plant.reading import ReadingBatch
from plant.site import Equipment, Plant


@dataclass(frozen=True)
class Row:
    """One reading with its place in the journal."""

    order: int
    ts: int
    value: float
    quality: int
    reason: int
    seen: int


@dataclass
class InForce:
    """The reading that holds for a point."""

    ts: int
    value: float
    quality: int
    reason: int


def rows_of(plant: Plant, batch: ReadingBatch) -> dict[tuple[str, str], list[Row]]:
    """Readings that may take effect at all, by (equipment, point), in journal order."""
    found: dict[tuple[str, str], list[Row]] = {}
    for order in range(len(batch)):
        key = plant.series.keys[int(batch.series[order])]
        point = plant.points(plant.site.equipment[key.equipment])[key.point]
        reason = int(batch.reason[order])
        if reason in (Reason.HISTORICAL, Reason.NO_TIME_IN_BACKLOG):
            continue
        if reason == Reason.RETAINED and not point.kind.holds:
            continue
        row = Row(
            order,
            int(batch.ts[order]),
            float(batch.value[order]),
            int(batch.quality[order]),
            reason,
            int(batch.seen[order]),
        )
        found.setdefault((key.equipment, key.point), []).append(row)
    return found


def effect(row: Row, step: int, lateness: int) -> int:
    """The first not yet closed instant at or after the reading's time."""
    own = -(-row.ts // step) * step
    open_again = ((row.seen - lateness) // step + 1) * step
    return max(own, open_again)


class Signals:
    """Values at the instants of one step, asked for in rising order of instants."""

    def __init__(self, plant: Plant, rows: dict[tuple[str, str], list[Row]], step: int, lateness: int) -> None:
        self.plant, self.step = plant, step
        self.effects: dict[tuple[str, str], list[tuple[int, Row]]] = {
            key: sorted(((effect(row, step, lateness), row) for row in found), key=lambda e: (e[0], e[1].order))
            for key, found in rows.items()
        }
        self.force: dict[tuple[str, str], InForce] = {}

    def first(self) -> int | None:
        """The instant of the first effect."""
        return min((effects[0][0] for effects in self.effects.values()), default=None)

    def advance(self, instant: int) -> None:
        """Let the readings of this instant (and of none later) take effect."""
        for key, effects in self.effects.items():
            batch = []
            while effects and effects[0][0] <= instant:
                batch.append(effects.pop(0)[1])
            if batch:
                self._take(key, batch)

    def _take(self, key: tuple[str, str], batch: list[Row]) -> None:
        before = self.force.get(key)
        counted = [row for row in batch if before is None or row.ts >= before.ts]
        if not counted:
            return
        point = self._point(key)
        latest = max(counted, key=lambda row: (row.ts, row.order))
        chosen = latest
        if point.fold == Fold.MAX:
            usable = [row for row in counted if row.quality != Quality.BAD] or counted
            chosen = max(usable, key=lambda row: row.value)
        self.force[key] = InForce(latest.ts, chosen.value, chosen.quality, chosen.reason)

    def _point(self, key: tuple[str, str]) -> Point:
        return self.plant.points(self.plant.site.equipment[key[0]])[key[1]]

    def value(self, equipment: str, name: str, instant: int) -> Fraction | None:
        """The point's value, None where unknown."""
        held = self.force.get((equipment, name))
        if held is None or held.quality == Quality.BAD:
            return None
        machine = self.plant.site.equipment[equipment]
        point = self._point((equipment, name))
        if point.kind.holds:
            if not self._alive(machine, instant):
                return None
        elif instant - held.ts > max(3 * (machine.interval_ms or point.sampling.interval_ms), 90_000):
            return None
        lift = 10**point.decimals
        return Fraction(round(held.value * lift), lift)

    def reason(self, equipment: str, name: str) -> int:
        """Why the reading in force is not plainly good."""
        held = self.force.get((equipment, name))
        return int(Reason.NONE) if held is None else held.reason

    def _alive(self, machine: Equipment, instant: int) -> bool:
        if machine.interval_ms is None:
            raise ValueError("the reference judges held points only where an interval is declared")
        mine = [held for key, held in self.force.items() if key[0] == machine.id]
        online = self.force.get((machine.id, "online_status"))
        heard = max(held.ts for held in mine)
        gone = online is not None and online.value == 0
        return not gone and instant - heard <= max(3 * machine.interval_ms, 90_000)


def signals_for(
    plant: Plant, batch: ReadingBatch, steps: Sequence[int], lateness: Callable[[int], int]
) -> dict[int, Signals]:
    """Signals for each step."""
    rows = rows_of(plant, batch)
    return {step: Signals(plant, rows, step, lateness(step)) for step in steps}

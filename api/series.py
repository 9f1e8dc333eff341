"""What a trend can show by the name EQUIPMENT/POINT: a point as it was measured, or a quantity derived from points."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from api.deps import HistoryReads
from history.protocols import Buckets
from plant.catalogue import Point
from plant.errors import BadInput, NotFound
from plant.reading import SeriesKey
from plant.site import Equipment, Plant
from rules.quantities import Quantity, quantity


@dataclass(frozen=True, slots=True)
class Series:
    """One line of a trend. `derived` is None for a point."""

    machine: Equipment
    point: Point
    derived: Quantity | None

    @property
    def keys(self) -> tuple[SeriesKey, ...]:
        """What is read for it."""
        if self.derived is None:
            return (_key(self.machine, self.point),)
        return tuple(_key(machine, point) for machine, point in self.derived.sources.values())


def series_of(plant: Plant, name: str) -> Series:
    """The series EQUIPMENT/POINT names, the equipment by id or path; raises BadInput or NotFound."""
    equipment, slash, what = name.rpartition("/")
    if not slash:
        raise BadInput(f"{name!r} names no point: expected EQUIPMENT/POINT such as chiller-1/chw_supply_temp")
    machine = machine_of(plant, equipment)
    point = plant.points(machine).get(what)
    if point is not None:
        return Series(machine, point, None)
    derived = quantity(plant, machine, what)
    if derived is None:
        lists = f"GET /api/v1/points?equipment={machine.id} lists the points"
        raise NotFound(f"{machine.id} has no point and no quantity {what} that can be drawn; {lists}")
    return Series(machine, derived.point, derived)


def machine_of(plant: Plant, name: str) -> Equipment:
    """The equipment of that id or path; raises NotFound."""
    machine = plant.site.equipment.get(name) or plant.site.by_path.get(name)
    if machine is None:
        raise NotFound(f"there is no equipment {name}; GET /api/v1/equipment lists those there are")
    return machine


def read_trends(history: HistoryReads, shown: Sequence[Series], start: int, end: int, count: int) -> list[Buckets]:
    """The range [start, end) of each series in `count` buckets. Blocks.

    A derived quantity is worked out from the means of its points in each bucket, so it has no least and greatest of its
    own, and what lasted shorter than a bucket shows in it only by its share.
    """
    keys = list(dict.fromkeys(key for one in shown for key in one.keys))
    found = dict(zip(keys, history.trends(keys, start, end, count), strict=True)) if keys else {}
    return [_buckets(one, [found[key] for key in one.keys]) for one in shown]


def _buckets(one: Series, read: Sequence[Buckets]) -> Buckets:
    if one.derived is None:
        return read[0]
    means = {name: buckets.mean for name, buckets in zip(one.derived.sources, read, strict=True)}
    values = one.derived.over(read[0].start, means)
    known = np.isfinite(values).astype(np.int64)
    sure = np.logical_and.reduce([(buckets.good == buckets.count) & (buckets.bad == 0) for buckets in read])
    doubt = np.logical_or.reduce([buckets.bad > 0 for buckets in read]).astype(np.int64) * (1 - known)
    return replace(read[0], minimum=values, mean=values, maximum=values, count=known, good=known * sure, bad=doubt)


def _key(machine: Equipment, point: Point) -> SeriesKey:
    return SeriesKey(machine.id, point.name, machine.type)

"""A machine's values as bars: the whole scale, the normal band, limits as posts, now as a needle, an hour as a tail."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from api.deps import HistoryReads
from api.web.sparks import Spark, spark
from plant.catalogue import Kind, Point
from plant.quality import Quality, Reason
from plant.reading import SeriesKey
from plant.site import Equipment, Plant
from rules.group import LEAST_TTL_MS
from rules.limits import Limit, limits_on
from rules.model import Rule

TAIL_MS = 3_600_000
_TAIL_BUCKETS = 60
_ORDER = {Kind.SENSOR: 0, Kind.SETPOINT: 1, Kind.COMMAND: 2, Kind.STATUS: 3, Kind.METER: 4}


@dataclass(frozen=True, slots=True)
class Bar:
    """Places on a bar from 0 to 100: the normal band, limits with what they are, and the needle."""

    low: float
    high: float
    posts: Sequence[tuple[float, Limit]]
    needle: float


@dataclass(slots=True)
class Value:
    """One point now. `stale` and `doubt` say why not to take it at its word, `passed` the limit it lies beyond."""

    point: Point
    at: int | None
    value: float | None
    stale: bool
    doubt: Reason | None
    bar: Bar | None
    passed: Limit | None
    tail: Spark | None = None


def values_of(
    history: HistoryReads, plant: Plant, machine: Equipment, rules: Sequence[Rule], now: int | None
) -> tuple[dict[str, tuple[int, float, int, int]], list[Value]]:
    """The newest readings of a machine, and every point of it that was ever heard as a value, sensors first."""
    newest = history.latest(machine.id)
    values = []
    for name, point in plant.points(machine).items():
        if name in newest:
            limits = () if point.unit == "bool" else limits_on(plant, machine, name, rules)
            values.append(_value(point, newest[name], limits, machine, now))
    _draw_tails(history, machine, [value for value in values if value.bar is not None], now)
    return newest, sorted(values, key=lambda value: (_ORDER[value.point.kind], value.bar is None))


def hold_ms(machine: Equipment, point: Point) -> int | None:
    """How long a value of a point is taken for true (SEMANTICS §1); None until the next."""
    return None if point.kind.holds else ttl_ms(machine.interval_ms or point.sampling.interval_ms)


def ttl_ms(interval_ms: int) -> int:
    """How long a word counts that is expected every `interval_ms`; as the engine takes it."""
    return max(3 * interval_ms, LEAST_TTL_MS)


def _value(
    point: Point, newest: tuple[int, float, int, int], limits: Sequence[Limit], machine: Equipment, now: int | None
) -> Value:
    ts, number, quality, reason = newest
    value = number if math.isfinite(number) else None
    hold = hold_ms(machine, point)
    stale = hold is not None and now is not None and now - ts > hold
    bar = None if value is None else _bar(point, value, limits)
    passed = next((limit for limit in limits if value is not None and _beyond(value, limit)), None)
    return Value(point, ts, value, stale, Reason(reason) if quality != Quality.GOOD else None, bar, passed)


def _draw_tails(history: HistoryReads, machine: Equipment, values: Sequence[Value], now: int | None) -> None:
    """The last hour of each value, all read at once."""
    if now is None or not values:
        return
    keys = [SeriesKey(machine.id, value.point.name, machine.type) for value in values]
    for value, found in zip(values, history.trends(keys, now - TAIL_MS, now, _TAIL_BUCKETS), strict=True):
        means = [None if math.isnan(mean) else mean for mean in found.mean.tolist()]
        value.tail = spark(found.start.tolist(), means, least=_half_band(value.point))


def _beyond(value: float, limit: Limit) -> bool:
    return value > limit.value if limit.upper else value < limit.value


def _half_band(point: Point) -> float:
    return 0.0 if point.typical is None else (point.typical[1] - point.typical[0]) / 2


def _bar(point: Point, value: float, limits: Sequence[Limit]) -> Bar | None:
    """A scale half a band wider than the normal band on each side, and as wide as limits and value ask."""
    if point.typical is None:
        return None
    low, high = point.typical
    margin = (high - low) / 2
    near = [limit for limit in limits if low - 3 * margin <= limit.value <= high + 3 * margin]
    start = min(low - margin, value, *(limit.value for limit in near), low)
    end = max(high + margin, value, *(limit.value for limit in near), high)
    start, end = max(start, point.low), min(max(end, value), max(point.high, value))
    width = (end - start) or 1.0

    def place(number: float) -> float:
        return round(min(100.0, max(0.0, (number - start) / width * 100)), 2)

    return Bar(place(low), place(high), [(place(limit.value), limit) for limit in near], place(value))

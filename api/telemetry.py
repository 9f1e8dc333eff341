"""Routes about readings: the newest of each point, and trends in buckets."""

from __future__ import annotations

import csv
import io
import math
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated
from zoneinfo import ZoneInfo

import numpy as np
from fastapi import Query, Response
from numpy.typing import NDArray
from pydantic import Field

from api.deps import HistoryReads
from api.office import AnOffice
from api.series import Series, machine_of, read_trends, series_of
from api.shapes import Ask, AskedInstant, Instant, Shape
from plant.errors import BadInput
from plant.instants import iso
from plant.quality import Quality, Reason
from plant.site import Equipment, Plant

_HOUR = 3_600_000
_DAY = 24 * _HOUR
LONGEST = 400 * _DAY
"""The longest trend, ms."""


class Csv(Response):
    """A table for a spreadsheet."""

    media_type = "text/csv"


class LatestOut(Shape):
    """The newest reading of one point; all but its names are null where none ever came."""

    equipment: str
    point: str
    unit: str
    at: Instant | None
    value: float | None = Field(description="null also where the reading was no number")
    quality: str | None = Field(description="good, uncertain or bad")
    reason: str | None = Field(description="why it is not good; null where it is")


class LatestAsk(Ask):
    """Of which equipment, by id or path."""

    equipment: list[str] = Field(min_length=1, max_length=50)


class TrendsAsk(Ask):
    """Which points over which time, in how many buckets; by default the last 24 h of plant time."""

    point: list[str] = Field(
        min_length=1, max_length=12, description="EQUIPMENT/POINT or EQUIPMENT/QUANTITY, equipment by id or path"
    )
    start: AskedInstant | None = Field(None, alias="from")
    end: AskedInstant | None = Field(None, alias="to", description="not included")
    buckets: int = Field(240, ge=1, le=2_000)


class Trend(Shape):
    """One point's buckets, column by column; null where a bucket holds no usable reading."""

    equipment: str
    point: str
    unit: str
    min: list[float | None]
    mean: list[float | None]
    max: list[float | None]
    count: list[int] = Field(description="usable readings, those of quality bad left out")
    good: list[int] = Field(description="readings of quality good")
    bad: list[int] = Field(description="readings that are not usable: of quality bad, or no number")


class Trends(Shape):
    """Several points or derived quantities over the same buckets."""

    start: Instant = Field(serialization_alias="from")
    end: Instant = Field(serialization_alias="to")
    at: list[Instant] = Field(description="first instant of each bucket")
    step_ms: int = Field(description="the rollup the buckets are made of (60000 is a minute); 0: readings")
    series: list[Trend]


@dataclass(frozen=True, slots=True)
class _Asked:
    plant: Plant
    series: list[Series]
    start: int
    end: int
    buckets: int


async def latest(office: AnOffice, ask: Annotated[LatestAsk, Query()]) -> list[LatestOut]:
    """The newest reading of every point of some equipment."""
    plant = office.deps.configuration.plant()
    machines = [machine_of(plant, name) for name in dict.fromkeys(ask.equipment)]
    return await office.history(_latest, office.deps.history, plant, machines)


async def trends(office: AnOffice, ask: Annotated[TrendsAsk, Query()]) -> Trends:
    """Least, mean and greatest value in each bucket.

    Buckets are equal up to the grid of the rollup they are made of (see `at`); the range's ends are exact.
    """
    return await office.history(_trends, office.deps.history, _asked(office, ask))


async def trends_csv(office: AnOffice, ask: Annotated[TrendsAsk, Query()]) -> Csv:
    """The same as a table for a spreadsheet: UTC and the site's time, then min, mean, max and count of each point.

    Buckets in which no point has a value are left out.
    """
    asked = _asked(office, ask)
    text = await office.history(lambda: _csv(_trends(office.deps.history, asked), asked.plant))
    name = f"trends-{iso(asked.start)[:16]}-{iso(asked.end)[:16]}.csv".replace(":", "")
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Csv(text, headers=headers)


def _asked(office: AnOffice, ask: TrendsAsk) -> _Asked:
    plant = office.deps.configuration.plant()
    series = [series_of(plant, name) for name in dict.fromkeys(ask.point)]
    end = office.now() if ask.end is None else ask.end
    start = end - _DAY if ask.start is None else ask.start
    check_range(start, end)
    return _Asked(plant, series, start, end, ask.buckets)


def check_range(start: int, end: int) -> None:
    """Raises BadInput where a trend has no time, or too much."""
    if not 0 < end - start <= LONGEST:
        raise BadInput(f"{iso(start)} to {iso(end)}: expected `from` before `to`, at most 400 days between them")


def _latest(history: HistoryReads, plant: Plant, machines: list[Equipment]) -> list[LatestOut]:
    lines = []
    for machine in machines:
        newest = history.latest(machine.id)
        for name, point in sorted(plant.points(machine).items()):
            line = LatestOut(
                equipment=machine.id, point=name, unit=point.unit, at=None, value=None, quality=None, reason=None
            )
            if name in newest:
                ts, value, quality, reason = newest[name]
                line.at, line.value = ts, value if math.isfinite(value) else None
                line.quality = Quality(quality).name.lower()
                line.reason = Reason(reason).name.lower() if reason else None
            lines.append(line)
    return lines


def _trends(history: HistoryReads, asked: _Asked) -> Trends:
    buckets = read_trends(history, asked.series, asked.start, asked.end, asked.buckets)
    series = []
    for one, found in zip(asked.series, buckets, strict=True):
        series.append(
            Trend(
                equipment=one.machine.id,
                point=one.point.name,
                unit=one.point.unit,
                min=_numbers(found.minimum),
                mean=_numbers(found.mean),
                max=_numbers(found.maximum),
                count=found.count.tolist(),
                good=found.good.tolist(),
                bad=found.bad.tolist(),
            )
        )
    at = buckets[0].start.tolist()
    return Trends(start=asked.start, end=asked.end, at=at, step_ms=buckets[0].step, series=series)


def _csv(found: Trends, plant: Plant) -> str:
    """Lines end as spreadsheets expect; the mark at the front tells them that it is UTF-8."""
    out = io.StringIO()
    out.write("\ufeff")
    lines = csv.writer(out)
    zone = ZoneInfo(plant.site.zone)
    kinds = ("min", "mean", "max", "count")
    heads = [f"{one.equipment}/{one.point} {kind} [{one.unit}]" for one in found.series for kind in kinds]
    lines.writerow(["time_utc", f"time_{plant.site.zone}", *heads])
    for row, at in enumerate(found.at):
        if any(one.count[row] for one in found.series):
            here = datetime.fromtimestamp(at / 1000, UTC).astimezone(zone).isoformat(sep=" ", timespec="seconds")
            lines.writerow([iso(at), here, *(_cell(one, kind, row) for one in found.series for kind in kinds)])
    return out.getvalue()


def _cell(one: Trend, kind: str, row: int) -> str:
    value: float | int | None = getattr(one, kind)[row]
    if value is None:
        return ""
    return str(value) if isinstance(value, int) else f"{value:.10g}"


def _numbers(column: NDArray[np.float64]) -> list[float | None]:
    """NaN as null, which is what JSON has for it."""
    return [value if math.isfinite(value) else None for value in column.tolist()]

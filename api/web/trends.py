"""The trend explorer: what changed, when, together with what. The address holds everything, so it can be shared."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal
from urllib.parse import urlencode

from fastapi import Query
from fastapi.responses import HTMLResponse
from pydantic import Field

from api.series import Series, read_trends, series_of
from api.shapes import Ask, AskedInstant
from api.telemetry import LONGEST, check_range
from api.web.charts import Chart, Curve, Frame, Line, chart, lane, time_ticks
from api.web.figures import number, unit_text
from api.web.render import APage, Page
from api.web.trendevents import Happenings, Lane, happenings, lanes_of, states
from api.web.values import hold_ms
from history.protocols import Buckets
from plant.catalogue import Point, Text
from plant.instants import iso
from plant.site import Equipment
from rules.limits import Limit, limits_on
from rules.quantities import quantity

_HOUR, _DAY = 3_600_000, 86_400_000
SPANS: Mapping[str, int] = {
    "1h": _HOUR, "8h": 8 * _HOUR, "24h": _DAY, "7d": 7 * _DAY, "30d": 30 * _DAY, "1y": 365 * _DAY,
}  # fmt: skip
_SHIFTS = {"day": _DAY, "week": 7 * _DAY}
_BUCKETS = 300
_STYLES = 4
_BESIDE = 9
"""The stroke of yesterday or last week."""
_SUGGESTED = 40
_SHORTEST = 60_000


class ExplorerAsk(Ask):
    """Which points over which time. Without `from` and `to` the last `span` until now."""

    point: list[str] = Field([], max_length=12)
    start: AskedInstant | None = Field(None, alias="from")
    end: AskedInstant | None = Field(None, alias="to")
    span: Literal["1h", "8h", "24h", "7d", "30d", "1y"] = "24h"
    compare: Literal["", "day", "week"] = ""
    q: str = Field("", max_length=100)


@dataclass(frozen=True, slots=True)
class Shown:
    """One point of the trend: `latest` is its last value in it, `low` and `high` its extremes (None: no value)."""

    series: Series
    buckets: Buckets
    before: Buckets | None
    style: int
    low: float | None
    high: float | None
    latest: float | None
    limits: Sequence[Limit]

    @property
    def machine(self) -> Equipment:
        """Whose it is."""
        return self.series.machine

    @property
    def point(self) -> Point:
        """What is measured, or worked out as if it were."""
        return self.series.point

    @property
    def passed(self) -> Limit | None:
        """The gravest limit its last value lies beyond."""
        value = self.latest
        if value is None:
            return None
        beyond = (limit for limit in self.limits if (value > limit.value if limit.upper else value < limit.value))
        return next(beyond, None)

    @property
    def name(self) -> str:
        """As addresses name it."""
        return f"{self.machine.id}/{self.point.name}"

    @property
    def hold_ms(self) -> int | None:
        """How long a value is taken for true; None until the next."""
        return hold_ms(self.machine, self.point)


@dataclass(frozen=True, slots=True)
class Pane:
    """The points of one unit on one scale."""

    unit: str
    points: Sequence[Shown]
    drawn: Chart
    limits: Sequence[Line]
    band: tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class Address:
    """The page's address, and others made from it."""

    ask: ExplorerAsk
    points: Sequence[str]
    start: int
    end: int

    def to(self, **changes: object) -> str:
        """The address with some of `point`, `span`, `compare`, `times` (from and to) changed; `span` drops times."""
        times = changes.get("times", (self.start, self.end) if self.fixed and "span" not in changes else None)
        span, compare = changes.get("span", self.ask.span), changes.get("compare", self.ask.compare)
        query: list[tuple[str, object]] = [("point", name) for name in changes.get("point", self.points)]  # type: ignore[attr-defined]
        if isinstance(times, tuple):
            query += [("from", iso(times[0])), ("to", iso(times[1]))]
        if span != "24h":
            query.append(("span", span))
        if compare:
            query.append(("compare", compare))
        return f"/trends?{urlencode(query, safe='/:')}"

    @property
    def fixed(self) -> bool:
        """It names its times; otherwise it ends now."""
        return self.ask.start is not None or self.ask.end is not None

    @property
    def shared(self) -> str:
        """With its times, so that it shows the same tomorrow."""
        return self.to(times=(self.start, self.end))

    def moved(self, by: float) -> str:
        """As long a time, earlier or later by that share of it."""
        shift = round((self.end - self.start) * by)
        return self.to(times=(self.start + shift, self.end + shift))

    def wider(self) -> str:
        """Twice the time round the same middle."""
        length = min(2 * (self.end - self.start), LONGEST)
        start = (self.start + self.end - length) // 2
        return self.to(times=(start, start + length))

    def repairs(self) -> str:
        """Where the repaired readings are: of the point, where it is one, else of its machine, else of all."""
        named = [name.rpartition("/") for name in self.points]
        machines, points = {machine for machine, _, _ in named}, {point for _, _, point in named}
        if len(machines) != 1:
            return "/repairs"
        query = {"equipment": machines.pop()} | ({"point": points.pop()} if len(points) == 1 else {})
        return f"/repairs?{urlencode(query)}"

    def table(self) -> str:
        """Where the table for a spreadsheet is."""
        query = [("point", name) for name in self.points]
        query += [("from", iso(self.start)), ("to", iso(self.end)), ("buckets", "2000")]
        return f"/api/v1/trends.csv?{urlencode(query, safe='/:')}"


async def explore(page: APage, ask: Annotated[ExplorerAsk, Query()]) -> HTMLResponse:
    """Panes of one unit each, lanes of what happened, and the points to choose from."""
    plant = page.plant
    series = [series_of(plant, name) for name in dict.fromkeys(ask.point)]
    end = ask.end if ask.end is not None else (page.now if page.now is not None else page.office.now())
    start = ask.start if ask.start is not None else end - SPANS[ask.span]
    check_range(start, end)
    shift = _SHIFTS.get(ask.compare)
    shown = await page.office.history(_shown, page, series, (start, end), shift) if series else []
    found = await page.office.read(happenings, {one.machine.id for one in series}, start, end)
    address = Address(ask, [one.name for one in shown], start, end)
    panes = _panes(page, shown, (start, end), shift or 0)
    names = {one.machine.id: page.text(one.machine.text) for one in shown}
    return page.render(
        "trends.html",
        ask=ask,
        address=address,
        shown=shown,
        panes=panes,
        lanes=_lanes(page, shown, found, (start, end)),
        ticks=time_ticks(start, end, page.zone, page.language),
        spans=SPANS,
        title=next(iter(names.values())) if len(names) == 1 else "",
        several=len(names) > 1,
        suggested=_suggested(page, ask.q, {one.name for one in shown}),
        drawing=json.dumps(_drawing(address, panes, shift or 0), ensure_ascii=False),
        live=not address.fixed,
    )


def _shown(page: Page, series: Sequence[Series], when: tuple[int, int], shift: int | None) -> list[Shown]:
    """Reads the points; in a thread."""
    start, end = when
    history = page.office.deps.history
    now = read_trends(history, series, start, end, _BUCKETS)
    before = (
        [None] * len(series) if shift is None else read_trends(history, series, start - shift, end - shift, _BUCKETS)
    )
    styles: dict[str, int] = {}
    rules = page.office.deps.configuration.rules()
    shown = []
    for one, buckets, earlier in zip(series, now, before, strict=True):
        unit = one.point.unit
        styles[unit] = styles.get(unit, 0) % _STYLES + 1
        known = [value for value in buckets.mean.tolist() if math.isfinite(value)]
        low = float(buckets.minimum[buckets.count > 0].min()) if known else None
        high = float(buckets.maximum[buckets.count > 0].max()) if known else None
        latest = known[-1] if known else None
        limits = () if unit == "bool" else limits_on(page.plant, one.machine, one.point.name, rules)
        shown.append(Shown(one, buckets, earlier, styles[unit], low, high, latest, limits))
    return shown


def _panes(page: Page, shown: Sequence[Shown], when: tuple[int, int], shift: int) -> list[Pane]:
    units = dict.fromkeys(one.point.unit for one in shown if one.point.unit != "bool")
    panes = []
    for unit in units:
        points = [one for one in shown if one.point.unit == unit]
        limits = _limits(page, points)
        bands = {one.point.typical for one in points}
        band = bands.pop() if len(bands) == 1 else None
        curves = [
            Curve(one.before, one.hold_ms, _BESIDE, shift) for one in points if one.before is not None and shift
        ] + [Curve(one.buckets, one.hold_ms, one.style) for one in points]
        frame = Frame(*when, unit, limits, band, least=max(map(_least, points)))
        panes.append(Pane(unit, points, chart(curves, frame, height=180 if len(points) > 1 else 132), limits, band))
    return panes


def _least(one: Shown) -> float:
    """The smallest height of a scale for it: a sixteenth of its normal band, else ten of the last digit shown."""
    if one.point.typical is not None:
        low, high = one.point.typical
        return (high - low) / 16
    return 10.0 ** (1 - _decimals(one))


def _limits(page: Page, points: Sequence[Shown]) -> list[Line]:
    """The limits of all points of a pane, each once."""
    found: dict[tuple[float, bool], Line] = {}
    for one in points:
        for limit in one.limits:
            found.setdefault((limit.value, limit.upper), _line(page, limit, one.point))
    return list(found.values())


def _line(page: Page, limit: Limit, point: Point) -> Line:
    side = page.gettext("上限") if limit.upper else page.gettext("下限")
    label = f"{side} {number(limit.value, point.unit, point.decimals)}"
    return Line(limit.value, label, limit.severity, page.text(limit.title))


def _lanes(page: Page, shown: Sequence[Shown], found: Happenings, when: tuple[int, int]) -> list[Lane]:
    """States as runs, then what happened."""
    several = len({one.machine.id for one in shown}) > 1
    runs = [
        Lane(
            page.text(one.machine.text) if several else page.gettext("状态"),
            lane(states(one.buckets, when[1], page.text(one.point.text)), *when),
            runs=True,
        )
        for one in shown
        if one.point.unit == "bool"
    ]
    return runs + lanes_of(page, found, when, several=several)


def _suggested(page: Page, q: str, taken: set[str]) -> list[tuple[Equipment, Point, bool]]:
    """Points and derived quantities (true) that match every word, at most so many; without words none."""
    words = q.lower().split()
    found: list[tuple[Equipment, Point, bool]] = []
    for machine in page.plant.site.equipment.values() if words else ():
        if machine.retired:
            continue
        points = page.plant.points(machine)
        measured = _matching(machine, {name: point.text for name, point in points.items()}, words)
        found += [(machine, points[name], False) for name in measured if f"{machine.id}/{name}" not in taken]
        derived = page.plant.catalogue.types[machine.type].derived
        named = _matching(machine, {name: one.text for name, one in derived.items()}, words)
        made = [quantity(page.plant, machine, name) for name in named if f"{machine.id}/{name}" not in taken]
        found += [(machine, one.point, True) for one in made if one is not None]
        if len(found) >= _SUGGESTED:
            break
    return found[:_SUGGESTED]


def _matching(machine: Equipment, texts: Mapping[str, Text], words: Sequence[str]) -> list[str]:
    """The names of those that, with their machine, hold every word."""
    place = f"{machine.id} {machine.path} {machine.text.zh} {machine.text.en}"
    wholes = {name: f"{place} {name} {text.zh} {text.en}".lower() for name, text in texts.items()}
    return [name for name, whole in wholes.items() if all(word in whole for word in words)]


def _decimals(one: Shown) -> int:
    """As many as the page shows of its last value."""
    return len(number(one.latest, one.point.unit, one.point.decimals).partition(".")[2])


def _drawing(address: Address, panes: Sequence[Pane], shift: int) -> dict[str, object]:
    """What trends.js needs beside the page to draw the same with a cursor."""
    return {
        "from": address.start,
        "to": address.end,
        "shortest": _SHORTEST,
        "shift": shift,
        "points": [one.name for pane in panes for one in pane.points],
        "panes": [
            {
                "unit": unit_text(pane.unit),
                "height": pane.drawn.height,
                "scale": pane.drawn.scale,
                "ticks": pane.drawn.ticks,
                "band": pane.band,
                "limits": [
                    {"y": y, "label": line.label, "name": line.name, "severity": line.severity}
                    for y, line, _ in pane.drawn.limits
                ],
                "points": [
                    {
                        "name": one.name,
                        "style": one.style,
                        "hold": one.hold_ms,
                        "decimals": _decimals(one),
                    }
                    for one in pane.points
                ],
            }
            for pane in panes
        ],
    }

"""Charts drawn on the server: lines over time, limits, the normal band, events, hatching where nothing is known.

A chart is places, not pixels: x runs from 0 to 100 (percent of the width), y from 0 to `height` (CSS pixels), so one
drawing fits a phone and a wall. `charts.html` turns it into SVG. `chart(…)` for evidence and equipment pages, `lanes`
for events; the small lines of lists are in `sparks.py`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from api.web.figures import number
from api.web.language import Language
from api.web.times import EN_MONTHS, clock, local
from history.protocols import Buckets
from plant.severity import Severity

PATH_WIDTH = 1_000.0
"""Paths are drawn in a box of this width that is stretched to the chart's."""

_TICKS = 4
_MINUTE, _HOUR, _DAY = 60_000, 3_600_000, 86_400_000
_STEPS = (_MINUTE, 5 * _MINUTE, 10 * _MINUTE, 15 * _MINUTE, 30 * _MINUTE, _HOUR, 2 * _HOUR, 3 * _HOUR, 6 * _HOUR,
          12 * _HOUR, _DAY, 2 * _DAY, 7 * _DAY, 14 * _DAY, 31 * _DAY, 62 * _DAY)  # fmt: skip
_NAME_HEIGHT = 16
_NEAR = 1.5
"""A limit farther from the values than this many of their spans would flatten them, so it is named and not drawn."""


@dataclass(frozen=True, slots=True)
class Curve:
    """One line: buckets over time.

    A silence longer than `hold_ms` is a gap; None: the value holds until the next one (set-points, states), drawn in
    steps. `shift_ms` moves the line right, for yesterday beside today. `style` numbers the stroke from 1.
    """

    buckets: Buckets
    hold_ms: int | None
    style: int = 1
    shift_ms: int = 0


@dataclass(frozen=True, slots=True)
class Line:
    """A limit: where it lies, what is written there, how grave it is to pass it (None: a plain mark).

    `name` (of the rule) follows the label where there is room.
    """

    value: float
    label: str
    severity: Severity | None = None
    name: str = ""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that lasted: `end` None lasts on. `href` is where more is told."""

    start: int
    end: int | None
    label: str
    severity: Severity | None = None
    href: str = ""


@dataclass(frozen=True, slots=True)
class Frame:
    """What is drawn beside the curves, over [start, end) ms."""

    start: int
    end: int
    unit: str
    limits: Sequence[Line] = ()
    band: tuple[float, float] | None = None
    events: Sequence[Event] = ()
    least: float = 0.0
    """The smallest height of the scale in the unit: a steady value should look steady."""


@dataclass(frozen=True, slots=True)
class Stroke:
    """One curve as paths: the line of means, and the area from least to greatest (empty where they are one)."""

    style: int
    line: str
    area: str


@dataclass(frozen=True, slots=True)
class Box:
    """From x to x + width in percent; `kind` says what: none, doubt, event."""

    x: float
    width: float
    kind: str
    label: str = ""
    severity: Severity | None = None
    href: str = ""


@dataclass(frozen=True, slots=True)
class Chart:
    """Everything placed. `limits` are (y, limit, whether its name stands at the right).

    `scale` is the value at the bottom and at the top; `beyond` are limits too far off to draw.
    """

    height: int
    strokes: Sequence[Stroke]
    boxes: Sequence[Box]
    limits: Sequence[tuple[float, Line, bool]]
    beyond: Sequence[Line]
    band: tuple[float, float] | None
    ticks: Sequence[tuple[float, str]]
    scale: tuple[float, float]


@dataclass(slots=True)
class _Scale:
    """Value to y. `low` and `high` are whole ticks."""

    low: float
    high: float
    step: float
    height: int
    marks: list[float] = field(default_factory=list)

    def y(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low)
        return round(self.height * (1 - min(1.2, max(-0.2, share))), 1)


def chart(curves: Sequence[Curve], frame: Frame, *, height: int = 132) -> Chart:
    """The curves on one scale of one unit. Empty axes where no curve has a value."""
    scale, near, beyond = _scaled(curves, frame, height)
    boxes = [_box(event.start, event.end, frame, "event", event) for event in frame.events]
    boxes += _joined([box for curve in curves if not curve.shift_ms for box in _silences(curve, frame)])
    band = None
    if frame.band is not None:
        top, bottom = max(0.0, scale.y(frame.band[1])), min(float(height), scale.y(frame.band[0]))
        band = (top, round(bottom - top, 1)) if bottom > top else None
    decimals = max(0, -math.floor(math.log10(scale.step))) if scale.step < 1 else 0
    return Chart(
        height,
        [_stroke(curve, frame, scale) for curve in curves],
        [box for box in boxes if box.width > 0],
        _named(near, scale),
        beyond,
        band,
        [(scale.y(mark), number(mark, "", decimals)) for mark in scale.marks],
        (scale.low, scale.high),
    )


def lane(events: Sequence[Event], start: int, end: int) -> list[Box]:
    """Events of one kind as boxes of one lane over [start, end)."""
    frame = Frame(start, end, "")
    return [box for event in events if (box := _box(event.start, event.end, frame, "event", event)).width > 0]


def time_ticks(start: int, end: int, zone: ZoneInfo, language: Language, most: int = 5) -> list[tuple[float, str]]:
    """(x in percent, text) at whole steps of the site's local time; the date where a day begins."""
    step = next((step for step in _STEPS if (end - start) / step <= most), _STEPS[-1])
    moment = local(start, zone).replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    ticks = []
    while (ms := round(moment.replace(tzinfo=zone).timestamp() * 1000)) < end:
        if ms > start and (step < _DAY or moment.toordinal() % (step // _DAY) == 0):
            text = clock(ms, zone) if moment.hour or moment.minute else _date(moment, language)
            ticks.append((_x(ms, start, end), text))
        moment += timedelta(milliseconds=min(step, _DAY))
    return ticks


def _date(moment: datetime, language: Language) -> str:
    if language is Language.ZH:
        return f"{moment.month}月{moment.day}日"
    return f"{moment.day} {EN_MONTHS[moment.month - 1]}"


def _x(ms: int, start: int, end: int) -> float:
    return round(min(100.0, max(0.0, (ms - start) / (end - start) * 100)), 2)


def _box(first: int, last: int | None, frame: Frame, kind: str, event: Event | None = None) -> Box:
    x = _x(first, frame.start, frame.end)
    width = round(_x(frame.end if last is None else last, frame.start, frame.end) - x, 2)
    if event is None:
        return Box(x, width, kind)
    return Box(x, width, kind, event.label, event.severity, event.href)


def _known(curve: Curve) -> list[tuple[int, float, float, float]]:
    """(instant, min, mean, max) of the buckets that hold a value."""
    found = curve.buckets
    rows = zip(found.start.tolist(), found.minimum.tolist(), found.mean.tolist(), found.maximum.tolist(), strict=True)
    return [(start + curve.shift_ms, low, mean, high) for start, low, mean, high in rows if math.isfinite(mean)]


def _width(curve: Curve) -> int:
    """The widest bucket, ms."""
    start = curve.buckets.start
    return int((start[1:] - start[:-1]).max()) if len(start) > 1 else 0


def _pieces(curve: Curve) -> list[list[tuple[int, float, float, float]]]:
    """The known buckets, cut where the silence between two is a gap."""
    pieces: list[list[tuple[int, float, float, float]]] = []
    apart = None if curve.hold_ms is None else max(curve.hold_ms, 2 * _width(curve))
    for row in _known(curve):
        if not pieces or (apart is not None and row[0] - pieces[-1][-1][0] > apart):
            pieces.append([])
        pieces[-1].append(row)
    return pieces


def _silences(curve: Curve, frame: Frame) -> list[Box]:
    """Where nothing was heard, and where what was heard is in doubt."""
    if curve.hold_ms is None:
        return []
    width = _width(curve)
    found = []
    last = frame.start
    for piece in _pieces(curve):
        if piece[0][0] - last > curve.hold_ms + width:
            found.append(_box(last, piece[0][0], frame, "none"))
        last = piece[-1][0] + width
    if frame.end - last > curve.hold_ms:
        found.append(_box(last, frame.end, frame, "none"))
    buckets = curve.buckets
    doubtful = (buckets.count > 0) & (buckets.good < buckets.count) | (buckets.bad > 0)
    edge = -1
    for start, yes in [*zip(buckets.start.tolist(), doubtful.tolist(), strict=True), (frame.end, False)]:
        if yes and edge < 0:
            edge = start
        elif not yes and edge >= 0:
            found.append(_box(edge, start, frame, "doubt"))
            edge = -1
    return found


def _joined(boxes: Sequence[Box]) -> list[Box]:
    """Overlapping boxes of one kind as one, so that hatching is drawn once."""
    found: list[Box] = []
    for box in sorted(boxes, key=lambda box: (box.kind, box.x)):
        last = found[-1] if found else None
        if last is not None and last.kind == box.kind and box.x <= last.x + last.width:
            found[-1] = replace(last, width=round(max(last.x + last.width, box.x + box.width) - last.x, 2))
        else:
            found.append(box)
    return found


def _named(limits: Sequence[Line], scale: _Scale) -> list[tuple[float, Line, bool]]:
    """From top to bottom; of two close together the names stand on different sides."""
    placed: list[tuple[float, Line, bool]] = []
    above = -math.inf
    for limit in sorted(limits, key=lambda limit: -limit.value):
        y = scale.y(limit.value)
        right = y - above < _NAME_HEIGHT
        above = above if right else y
        placed.append((y, limit, right))
    return placed


def _stroke(curve: Curve, frame: Frame, scale: _Scale) -> Stroke:
    def x(ms: int) -> float:
        return round((ms - frame.start) / (frame.end - frame.start) * PATH_WIDTH, 1)

    line, area = [], []
    for piece in _pieces(curve):
        if curve.hold_ms is None:
            last = x(frame.end)
            steps = [f"H{x(row[0])}V{scale.y(row[2])}" for row in piece[1:]]
            line.append(f"M{x(piece[0][0])} {scale.y(piece[0][2])}{''.join(steps)}H{last}")
            continue
        means = "L".join(f"{x(row[0])} {scale.y(row[2])}" for row in piece)
        line.append(f"M{means}{'h1' if len(piece) == 1 else ''}")  # a lone value is a dash, not nothing
        if any(scale.y(row[1]) != scale.y(row[3]) for row in piece):
            upper = "L".join(f"{x(row[0])} {scale.y(row[3])}" for row in piece)
            lower = "L".join(f"{x(row[0])} {scale.y(row[1])}" for row in reversed(piece))
            area.append(f"M{upper}L{lower}Z")
    return Stroke(curve.style, "".join(line), "".join(area))


def _scaled(curves: Sequence[Curve], frame: Frame, height: int) -> tuple[_Scale, list[Line], list[Line]]:
    """The scale that shows every value, and which limits lie near enough to be on it."""
    rows = [row for curve in curves for row in _known(curve)]
    low = min((row[1] for row in rows), default=frame.band[0] if frame.band else 0.0)
    high = max((row[3] for row in rows), default=frame.band[1] if frame.band else 1.0)
    if frame.unit == "bool":
        return _Scale(0.0, 1.0, 1.0, height, [0.0, 1.0]), [], list(frame.limits)
    reach = _NEAR * max(high - low, (frame.band[1] - frame.band[0]) if frame.band else 0.0, frame.least)
    near = [limit for limit in frame.limits if low - reach <= limit.value <= high + reach]
    beyond = [limit for limit in frame.limits if limit not in near]
    low, high = min([low, *(limit.value for limit in near)]), max([high, *(limit.value for limit in near)])
    span = max(high - low, frame.least, abs(high) * 1e-6, 1e-6)
    middle = (low + high) / 2
    low, high = min(low, middle - span / 2), max(high, middle + span / 2)
    step = _nice((high - low) / _TICKS)
    bottom, top = math.floor(low / step + 1e-9) * step, math.ceil(high / step - 1e-9) * step
    marks = [bottom + n * step for n in range(round((top - bottom) / step) + 1)]
    return _Scale(bottom, top, step, height, marks), near, beyond


def _nice(step: float) -> float:
    """The next of 1, 2, 5, 10 … at or above."""
    power = 10.0 ** math.floor(math.log10(step))
    return next(power * factor for factor in (1, 2, 5, 10) if power * factor >= step * (1 - 1e-9))

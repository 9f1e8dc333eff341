"""Small drawn lines for rows: a path in a stretched box, a limit, and gaps that stay gaps."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 100.0, 30.0
_MARGIN = 2.0


@dataclass(frozen=True, slots=True)
class Spark:
    """A line for `<svg viewBox="0 0 100 30">`; `limit` is the y of the limit's dashes, None without one."""

    path: str
    limit: float | None
    length_ms: int


def spark(
    instants: Sequence[int], values: Sequence[float | None], *, limit: float | None = None, least: float = 0.0
) -> Spark | None:
    """The line of some values over time; None where there are fewer than two.

    `least` is the smallest height of the scale in the value's unit: a steady value should look steady.
    """
    known = [value for value in values if value is not None and math.isfinite(value)]
    if len(known) < 2:
        return None
    shown = known if limit is None else [*known, limit]
    low, high = min(shown), max(shown)
    if high - low < least:
        middle = (high + low) / 2
        low, high = middle - least / 2, middle + least / 2
    span, length = (high - low) or 1.0, max(1, instants[-1] - instants[0])

    def y(value: float) -> float:
        return round(HEIGHT - _MARGIN - (value - low) / span * (HEIGHT - 2 * _MARGIN), 1)

    parts, pen = [], False
    for instant, value in zip(instants, values, strict=True):
        if value is None or not math.isfinite(value):
            pen = False
            continue
        parts.append(f"{'L' if pen else 'M'}{round((instant - instants[0]) / length * WIDTH, 1)} {y(value)}")
        pen = True
    return Spark("".join(parts), None if limit is None else y(limit), length)

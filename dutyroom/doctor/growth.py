"""How long a disk will last, from what grows on it and where retention stops that."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

LONGEST_DAYS = 3_650


@dataclass(frozen=True, slots=True)
class Growing:
    """Something on the disk: bytes now, bytes it grows a day, and the bytes at which retention holds it (None: never).

    `per_day` is None while it is too young to tell.
    """

    name: str
    now: int
    per_day: float | None
    most: float | None = None

    def added(self, days: float) -> float:
        """Bytes it will have added after so many days."""
        room = math.inf if self.most is None else max(0.0, self.most - self.now)
        return min((self.per_day or 0.0) * days, room)


def days_left(parts: Sequence[Growing], free: int) -> int | None:
    """Whole days until the parts have filled `free` bytes; None when they do not within ten years."""

    def full(days: int) -> bool:
        return sum(part.added(days) for part in parts) > free

    if not full(LONGEST_DAYS):
        return None
    low, high = 0, LONGEST_DAYS  # not full after `low`, full after `high`
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if full(middle) else (middle, high)
    return low


def rate(amount: int, span_ms: int, least_ms: int = 3_600_000) -> float | None:
    """Bytes a day of something that took `span_ms` to grow to `amount`; None when that is too short to tell."""
    return None if span_ms < least_ms else amount * 86_400_000 / span_ms

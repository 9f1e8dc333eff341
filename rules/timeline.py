"""What was true from when on: short histories of steps, asked by instant, so that groups on different grids agree."""

from __future__ import annotations

from bisect import bisect_right

import numpy as np

from rules.lang.fixed import Ints


class Timeline:
    """A value that changes at instants; 0 before the first change."""

    __slots__ = ("ats", "values")

    def __init__(self, ats: list[int] | None = None, values: list[int] | None = None) -> None:
        self.ats = ats or []
        self.values = values or []

    def set(self, at: int, value: int) -> None:
        """The value is `value` from `at` on; `at` is not before the last change."""
        if self.ats and self.ats[-1] == at:
            self.values[-1] = value
        elif not self.values or self.values[-1] != value:
            self.ats.append(at)
            self.values.append(value)

    def at(self, moment: int) -> int:
        """The value in force at a moment."""
        place = bisect_right(self.ats, moment)
        return self.values[place - 1] if place else 0

    def over(self, moments: Ints) -> Ints:
        """The values in force at ascending moments."""
        place = np.searchsorted(np.array(self.ats, np.int64), moments, side="right")
        return np.array([0, *self.values], np.int64)[place]

    def forget_before(self, moment: int) -> None:
        """Drop changes that no question about `moment` or later can need."""
        place = bisect_right(self.ats, moment) - 1
        if place > 0:
            del self.ats[:place], self.values[:place]

    @property
    def quiet(self) -> bool:
        """Nothing but rest is remembered."""
        return not any(self.values)


def visible_at(at: int, own_step_ms: int, asking_step_ms: int) -> int:
    """The latest moment of a grid of `own_step_ms` that an instant of another grid may ask about.

    Grids close at different times after an instant. On its own grid the same instant counts; from another grid only
    what is surely closed there: one whole step earlier.
    """
    return at if own_step_ms == asking_step_ms else at - own_step_ms

"""How fast data comes in just now: the difference of totals over the last minute."""

from __future__ import annotations

from collections import deque

from api.deps import Counted

STEP_S = 5.0
"""How often totals are noted."""
_SPAN = 13
_LEAST_S = 1.0


class Rates:
    """Totals of the last minute. Times are seconds of a clock that never goes back."""

    def __init__(self) -> None:
        self._noted: deque[tuple[float, int, int]] = deque(maxlen=_SPAN)

    def note(self, at: float, counted: Counted) -> None:
        """Remember the totals at a time."""
        self._noted.append((at, counted.messages, counted.readings))

    def per_second(self) -> tuple[float, float] | None:
        """Messages and readings a second; None before there are two times to compare."""
        if len(self._noted) < 2:
            return None
        (began, messages, readings), (at, messages_now, readings_now) = self._noted[0], self._noted[-1]
        passed = at - began
        if passed < _LEAST_S:
            return None
        return (messages_now - messages) / passed, (readings_now - readings) / passed

"""Time in which somebody listened: only of this is silence made (SEMANTICS §2)."""

from __future__ import annotations

import numpy as np

from rules.lang.fixed import Ints


class Listening:
    """Remembers when the site was not being listened to; spans are disjoint and ascending."""

    def __init__(self, spans: list[tuple[int, int]] | None = None) -> None:
        self.spans = spans or []

    def deaf(self, start: int, end: int) -> None:
        """Nobody listened from `start` to `end`."""
        if self.spans and self.spans[-1][1] == start:
            self.spans[-1] = (self.spans[-1][0], end)
        elif end > start:
            self.spans.append((start, end))

    def deaf_before(self, moments: Ints) -> Ints:
        """Total time not listened to before each moment, ms; any shape."""
        total = np.zeros(moments.shape, np.int64)
        for start, end in self.spans:
            total += np.clip(moments, start, end) - start
        return total

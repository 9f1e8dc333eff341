"""Which points the data-quality rules hold for bad, from when to when: these are unknown to every other rule."""

from __future__ import annotations

from rules.lang.fixed import Bools, Ints
from rules.timeline import Timeline


class Judge:
    """Verdicts of the data-quality rules on points; `steps` is the grid each was reached on."""

    def __init__(self) -> None:
        self.timelines: dict[tuple[str, str, str], tuple[Timeline, int]] = {}

    def record(self, rule: str, equipment: str, point: str, step_ms: int, change: tuple[int, int]) -> None:
        """A point is bad (1) or not (0) from an instant on, by a rule."""
        timeline, _ = self.timelines.setdefault((equipment, point, rule), (Timeline(), step_ms))
        timeline.set(*change)

    def over(self, equipment: str, point: str, instants: Ints, step_ms: int) -> Bools | None:
        """Where a point is held for bad at ascending instants of a grid; None: nowhere.

        From another grid only what is surely closed there counts: one step of the judging grid earlier.
        """
        bad: Bools | None = None
        for (owner, name, _), (timeline, own_step) in self.timelines.items():
            if owner == equipment and name == point:
                moments = instants if own_step == step_ms else instants - own_step
                found = timeline.over(moments) != 0
                bad = found if bad is None else bad | found
        return bad

    def forget_before(self, moment: int) -> None:
        """Drop what no question about `moment` or later can need."""
        for key in list(self.timelines):
            timeline, _ = self.timelines[key]
            timeline.forget_before(moment)
            if timeline.quiet and timeline.ats and timeline.ats[-1] < moment:
                del self.timelines[key]

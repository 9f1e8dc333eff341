"""A cause suppresses its effects: which alarms wait for which, and when they are let go (SEMANTICS §5).

Views over alarms: nothing here feeds back into a timer.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from plant.severity import Severity
from rules.events import AlarmEvent, EventKind
from rules.timeline import Timeline, visible_at

RESTING, MAYBE, CERTAIN = 0, 1, 2
"""Timeline values of a cause: normal, pending, active."""


@dataclass(frozen=True, slots=True)
class Cause:
    """A possible cause of an alarm: `key` is (rule, equipment); its grid and the longest `for` of its levels, ms."""

    key: tuple[str, str]
    step_ms: int
    longest_for_ms: int


@dataclass(slots=True)
class Waiting:
    """A suppressed alarm: its RAISED event and the instant up to which it has been judged."""

    raised: AlarmEvent
    judged_to: int


class Suppression:
    """Keeps the timelines of causes and the alarms that wait for them."""

    def __init__(self) -> None:
        self.timelines: dict[tuple[str, str], Timeline] = {}
        self.waiting: dict[tuple[str, str], Waiting] = {}

    def record(self, key: tuple[str, str], at: int, level: int) -> None:
        """A cause is normal, pending or active from `at` on."""
        self.timelines.setdefault(key, Timeline()).set(at, level)

    def judge(
        self,
        key: tuple[str, str],
        events: Sequence[AlarmEvent],
        causes: Sequence[Cause],
        *,
        step_ms: int,
        closed_to: int,
    ) -> list[AlarmEvent]:
        """The events of one alarm (`key`: rule, equipment) over a block, in time order.

        `cause` is set where it is suppressed and RELEASED added where it is let go; `closed_to` is the last instant
        of the block.
        """
        result: list[AlarmEvent] = []
        for event in events:
            result.extend(self._releases(key, causes, step_ms, event.at))
            if event.kind == EventKind.RAISED:
                cause = self._cause_at(causes, event.at, step_ms)
                if cause is not None:
                    event = replace(event, cause=f"{cause.key[1]}/{cause.key[0]}")
                    if event.severity != Severity.P1:
                        self.waiting[key] = Waiting(event, event.at)
            elif event.kind == EventKind.CLEARED:
                self.waiting.pop(key, None)
            elif event.kind == EventKind.LEVEL and event.severity == Severity.P1 and key in self.waiting:
                result.append(event)
                event = replace(event, kind=EventKind.RELEASED, cause=self.waiting.pop(key).raised.cause)
            elif event.kind == EventKind.LEVEL and key in self.waiting:
                waiting = self.waiting[key]
                waiting.raised = replace(waiting.raised, severity=event.severity, highest=event.highest)
            result.append(event)
        result.extend(self._releases(key, causes, step_ms, closed_to + 1))
        return result

    def _cause_at(self, causes: Sequence[Cause], at: int, step_ms: int) -> Cause | None:
        for cause in causes:
            if self._level(cause, at, step_ms) != RESTING:
                return cause
        return None

    def _level(self, cause: Cause, at: int, step_ms: int) -> int:
        timeline = self.timelines.get(cause.key)
        return RESTING if timeline is None else timeline.at(visible_at(at, cause.step_ms, step_ms))

    def _releases(
        self, key: tuple[str, str], causes: Sequence[Cause], step_ms: int, before: int
    ) -> Iterator[AlarmEvent]:
        """RELEASED of a waiting alarm at the first instant before `before` at which no cause holds it any more."""
        waiting = self.waiting.get(key)
        if waiting is None:
            return
        for at in self._moments(waiting, causes, step_ms, before):
            levels = [self._level(cause, at, step_ms) for cause in causes]
            if CERTAIN in levels:
                continue
            patience = max((c.longest_for_ms for c, level in zip(causes, levels, strict=True) if level), default=-1)
            if patience < 0 or at - waiting.raised.at >= patience:
                del self.waiting[key]
                yield replace(waiting.raised, kind=EventKind.RELEASED, at=at, proof=None, proof_hash=None)
                return
        waiting.judged_to = max(waiting.judged_to, before - 1)

    def _moments(self, waiting: Waiting, causes: Sequence[Cause], step_ms: int, before: int) -> list[int]:
        """Instants after the last judged one at which the answer may change: a cause changed, or patience ended."""
        found = set()
        for cause in causes:
            shift = 0 if cause.step_ms == step_ms else cause.step_ms
            timeline = self.timelines.get(cause.key)
            changes = timeline.ats if timeline is not None else []
            for moment in [*(at + shift for at in changes), waiting.raised.at + cause.longest_for_ms]:
                at = -(-moment // step_ms) * step_ms
                if waiting.judged_to < at < before:
                    found.add(at)
        return sorted(found)

    def pending_keys(self) -> list[tuple[str, str]]:
        """(rule, equipment) of the alarms that wait."""
        return sorted(self.waiting)

    def forget_before(self, moment: int) -> None:
        """Drop what no question about `moment` or later can need."""
        for key in [key for key, timeline in self.timelines.items() if self._spent(timeline, moment)]:
            del self.timelines[key]

    @staticmethod
    def _spent(timeline: Timeline, moment: int) -> bool:
        timeline.forget_before(moment)
        return timeline.quiet and (not timeline.ats or timeline.ats[-1] < moment)

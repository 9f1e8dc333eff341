"""The past through the same engine: which alarms would a set of rules have raised on these readings?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from plant.reading import ReadingBatch
from plant.severity import Severity
from plant.site import Plant
from rules.engine import Engine
from rules.events import AlarmEvent, EventKind
from rules.frames import lateness_file, lateness_live
from rules.model import Rule


@dataclass(frozen=True, slots=True)
class AlarmSpan:
    """One alarm from onset to clearing; `severity` is the gravest it reached, `cleared_at` None while active."""

    equipment: str
    rule: str
    severity: Severity
    onset_at: int
    raised_at: int
    cleared_at: int | None


def backtest(
    plant: Plant, rules: Sequence[Rule], batch: ReadingBatch, end: int, *, file: bool = True
) -> list[AlarmSpan]:
    """Alarms over readings in journal order, evaluated up to the instant `end` (ms), by (raised, equipment, rule).

    `file` says that nothing was on its way (readings of a file); False replays what a store holds, where `seen` tells
    how late each reading was.
    """
    engine = Engine(plant, rules, lateness=lateness_file if file else lateness_live)
    engine.feed(batch)
    grace = 0 if file else max((lateness_live(g.step_ms) for g in engine.groups), default=0)
    return spans(event for event in engine.tick(end + grace) if event.at <= end)


def spans(events: Iterable[AlarmEvent]) -> list[AlarmSpan]:
    """Alarm spans out of events in time order."""
    running: dict[tuple[str, str], AlarmSpan] = {}
    done: list[AlarmSpan] = []
    for event in events:
        key = (event.equipment, event.rule)
        if event.kind == EventKind.RAISED:
            running[key] = AlarmSpan(*key, event.highest, event.onset_at, event.raised_at, None)
        elif key in running and event.kind == EventKind.LEVEL:
            span = running[key]
            running[key] = AlarmSpan(*key, event.highest, span.onset_at, span.raised_at, None)
        elif key in running and event.kind == EventKind.CLEARED:
            span = running.pop(key)
            done.append(AlarmSpan(*key, span.severity, span.onset_at, span.raised_at, event.at))
    return sorted([*done, *running.values()], key=lambda s: (s.raised_at, s.equipment, s.rule))

"""One alarm for each rule and equipment, made of the machines of all its levels and members."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from plant.severity import Severity
from plant.site import Mode
from rules.events import AlarmEvent, EventKind
from rules.lang.fixed import Bools, Ints, any_along
from rules.machines import Phase, Transition
from rules.verification import Evaluated, Verification, advance


@dataclass(slots=True)
class Alarm:
    """An alarm that is active or being verified.

    `rows` are the machines (member × level) active now, `members` the points at fault now or last; `references` the
    values of the comparable expressions when it was raised (None: unknown then, so nothing is demanded).
    """

    rows: set[int] = field(default_factory=set)
    onset_at: int = 0
    raised_at: int = 0
    severity: Severity = Severity.P4
    highest: Severity = Severity.P4
    members: tuple[str, ...] = ()
    unevaluable: bool = False
    references: tuple[int | None, ...] = ()
    verification: Verification | None = None

    @property
    def active(self) -> bool:
        """Some machine is active or recovering."""
        return bool(self.rows)


@dataclass(frozen=True, slots=True)
class AlarmKind:
    """What all alarms of a rule share: one severity and member for each machine row, the rule's `for` per row."""

    rule: str
    severities: tuple[Severity, ...]
    members: tuple[str | None, ...]
    for_ms: tuple[int, ...]
    verify_for_ms: int
    safety: bool


@dataclass(frozen=True, slots=True)
class Compared:
    """A comparable expression over a block: counts and mask (n,), and how far it may be from its reference."""

    value: Ints
    known: Bools
    within: int


@dataclass(frozen=True, slots=True)
class Course:
    """A block as one alarm sees it.

    `fault` and `decided` (rows, n) say of each machine where its raw verdict is fault and where there is one at all,
    `clear` (n,) where the verdict of the rule is ok with an open gate.
    """

    instants: Ints
    step_ms: int
    fault: Bools
    decided: Bools
    clear: Bools
    compared: tuple[Compared, ...] = ()

    def references(self, column: int) -> tuple[int | None, ...]:
        """Values of the comparable expressions at a column."""
        return tuple(int(c.value[column]) if c.known[column] else None for c in self.compared)

    def comparable(self, references: tuple[int | None, ...]) -> Bools:
        """Where the conditions are near those of the fault."""
        near = self.clear
        for item, reference in zip(self.compared, references, strict=False):
            if reference is not None:
                near = near & item.known & (np.abs(item.value - reference) <= item.within)
        return near


@dataclass(frozen=True, slots=True)
class _Facts:
    """What an event says of its alarm, as it stood from a column on."""

    column: int
    severity: Severity
    highest: Severity
    onset_at: int
    raised_at: int
    members: tuple[str, ...]
    references: tuple[int | None, ...]


class Walk:
    """Takes one alarm through a block and collects its events."""

    def __init__(self, alarm: Alarm, kind: AlarmKind, course: Course, *, equipment: str, mode: Mode) -> None:
        self.alarm, self.kind, self.course = alarm, kind, course
        self.equipment, self.mode = equipment, mode
        self.active = np.zeros(len(course.instants), bool)
        self.events: list[tuple[int, int, AlarmEvent]] = []
        self.facts: list[_Facts] = []
        self._note(0)

    def run(self, transitions: Sequence[Transition]) -> list[AlarmEvent]:
        """All events of the block in time order; `transitions` of the alarm's machines, by time."""
        columns = np.searchsorted(self.course.instants, [t.at for t in transitions]).tolist()
        position = place = 0
        while place < len(transitions):
            column = columns[place]
            self._evaluability(position, column)
            end = place
            while end < len(transitions) and columns[end] == column:
                end += 1
            self._change(column, transitions[place:end])
            position, place = column, end
        self._evaluability(position, len(self.course.instants))
        self._verify()
        self.events.sort(key=lambda item: item[:2])
        return [item[2] for item in self.events]

    def _note(self, column: int) -> None:
        alarm = self.alarm
        self.facts.append(
            _Facts(
                column, alarm.severity, alarm.highest, alarm.onset_at, alarm.raised_at, alarm.members, alarm.references
            )
        )

    def _tell(self, kind: EventKind, column: int, *, order: int, counted: int = 0) -> None:
        facts = next(facts for facts in reversed(self.facts) if facts.column <= column)
        needed = self.kind.verify_for_ms if order == _VERIFYING else 0
        event = AlarmEvent(
            kind,
            int(self.course.instants[column]),
            self.equipment,
            self.kind.rule,
            self.mode,
            facts.severity,
            facts.highest,
            facts.onset_at,
            facts.raised_at,
            facts.members,
            counted_ms=counted,
            needed_ms=needed,
        )
        self.events.append((column, order, event))

    def _change(self, column: int, transitions: Sequence[Transition]) -> None:
        """Apply the transitions of one instant and tell what they mean for the alarm."""
        alarm, was, severity = self.alarm, self.alarm.active, self.alarm.severity
        onsets = []
        for transition in transitions:
            if transition.phase == Phase.ACTIVE:
                alarm.rows.add(transition.row)
                onsets.append(transition.onset)
            elif transition.phase == Phase.NORMAL:
                alarm.rows.discard(transition.row)
        if alarm.active:
            alarm.members = tuple(sorted({m for row in alarm.rows if (m := self.kind.members[row]) is not None}))
            alarm.severity = min(self.kind.severities[row] for row in alarm.rows)
        if alarm.active and not was:
            alarm.onset_at, alarm.raised_at = min(onsets), int(self.course.instants[column])
            alarm.highest, alarm.unevaluable = alarm.severity, False
            alarm.references = self.course.references(column)
            self._note(column)
            self._tell(EventKind.RAISED, column, order=_CHANGED)
        elif was and not alarm.active:
            alarm.unevaluable = False
            self._tell(EventKind.CLEARED, column, order=_CHANGED)
        elif alarm.active:
            alarm.highest = min(alarm.highest, alarm.severity)
            self._note(column)
            if alarm.severity != severity:
                self._tell(EventKind.LEVEL, column, order=_CHANGED)

    def _evaluability(self, start: int, end: int) -> None:
        """UNEVALUABLE and EVALUABLE while the alarm is active over columns start … end − 1."""
        self.active[start:end] = self.alarm.active
        if not self.alarm.active:
            return
        for column in _flips(self._decided(start, end), self.alarm.unevaluable):
            self.alarm.unevaluable = not self.alarm.unevaluable
            kind = EventKind.UNEVALUABLE if self.alarm.unevaluable else EventKind.EVALUABLE
            self._tell(kind, start + column, order=_JUDGED)

    def _decided(self, start: int, end: int) -> Bools:
        """Where every member that holds the alarm has a verdict at some level, over columns start … end − 1."""
        holding = {self.kind.members[row] for row in self.alarm.rows}
        decided = np.ones(end - start, bool)
        for member in holding:
            rows = [row for row, name in enumerate(self.kind.members) if name == member]
            decided &= any_along(self.course.decided[rows, start:end], 0)
        return decided

    def _verify(self) -> None:
        """Advance the verification; one begins by itself after every CLEARED."""
        alarm, course = self.alarm, self.course
        cleared = [column for column, _, event in self.events if event.kind == EventKind.CLEARED]
        start = 0
        while start < len(course.instants):
            if alarm.verification is None:
                begin = next((column for column in cleared if column >= start), None)
                if begin is None:
                    return
                references = next(facts for facts in reversed(self.facts) if facts.column <= begin).references
                alarm.verification = Verification(self.kind.verify_for_ms, 0, [0] * len(self.kind.for_ms), references)
                start = begin + 1
                continue
            ok = course.comparable(alarm.verification.references)
            seen = Evaluated(course.instants, ok, course.fault, self.active, self.kind.for_ms, course.step_ms)
            ended = None
            for column, kind, counted in advance(alarm.verification, seen, start):
                self._tell(kind, column, order=_VERIFYING, counted=counted)
                if kind != EventKind.VERIFY_PROGRESS:
                    ended = column
            if ended is None:
                return
            alarm.verification, start = None, ended + 1


_CHANGED, _JUDGED, _VERIFYING = 0, 1, 2


def _flips(decided: Bools, unevaluable: bool) -> list[int]:
    """Columns at which "can be evaluated" changes, given what it was before."""
    before = np.concatenate([[not unevaluable], decided[:-1]])
    found: list[int] = np.flatnonzero(decided != before).tolist()
    return found

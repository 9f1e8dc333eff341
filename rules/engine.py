"""The engine: readings and ticks in, alarm events out; the same for live, replay and backtest (SEMANTICS §1–8).

    feed(readings) … tick(plant time):
        signals → data-quality verdicts of the whole site → rules → alarm machines → suppression → events

Nothing here knows the time but by ticks, and no result depends on how the ticks cut it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from history.entries import Command
from plant.instants import NEVER
from plant.reading import ReadingBatch
from plant.site import Plant
from rules.compile import applies, every_ms
from rules.events import AlarmEvent
from rules.frames import Frames, lateness_live
from rules.group import Group, Ran
from rules.judge import Judge
from rules.listening import Listening
from rules.model import Rule
from rules.runner import RuleRunner, TypeRunner
from rules.snapshot import ENGINE_VERSION, EngineState, decode, encode, load_group, restore_waiting, save_group
from rules.suppression import Cause, Suppression
from rules.timeline import Timeline
from rules.verification import Verification

STEPS_MS = (1_000, 5_000, 10_000, 60_000)
_CHUNK_CELLS = 500_000
"""Signals × instants of one pass: 4 MB a plane, of which a type's rules have some dozens at a time."""
_CHUNK_INSTANTS = 8_192
_COMMANDS_KEPT = 10_000


class Engine:
    """Evaluates the rules of one site."""

    def __init__(self, plant: Plant, rules: Sequence[Rule], *, lateness: Callable[[int], int] = lateness_live) -> None:
        self.plant = plant
        self.rules = {rule.id: rule for rule in rules}
        ordered = sorted(rules, key=lambda rule: rule.id)
        groups = (Group(plant, ordered, step, lateness(step)) for step in STEPS_MS)
        self.groups = [group for group in groups if group.types]
        self.judge = Judge()
        self.suppression = Suppression()
        self.listening = Listening()
        self.plant_time = NEVER
        self.seen_commands: set[int] = set()
        self._causes: dict[tuple[str, str], tuple[Cause, ...]] = {}

    def feed(self, batch: ReadingBatch) -> None:
        """Take readings in journal order; they are evaluated when a tick closes their instants."""
        for group in self.groups:
            group.assembler.feed(batch)

    def tick(self, plant_time: int, listening: bool = True) -> list[AlarmEvent]:
        """Plant time is `plant_time`: close what it closes and tell what happened, by (time, equipment, rule).

        A tick that goes back in time closes nothing.
        """
        if plant_time <= self.plant_time:
            return []
        if not listening and self.plant_time != NEVER:
            self.listening.deaf(self.plant_time, plant_time)
        first = self._begin(plant_time)
        self.plant_time = plant_time
        events: list[AlarmEvent] = []
        if first is None:
            return events
        stride = self._stride()
        moment = first
        while True:
            moment = min(moment + stride, plant_time)
            events.extend(self._advance(moment))
            if moment == plant_time:
                break
        return sorted(events, key=lambda e: (e.at, e.equipment, e.rule))

    def command(self, command: Command) -> bool:
        """Apply a person's act; True when it had an effect. An act already seen has none."""
        if command.id in self.seen_commands:
            return False
        self.seen_commands.add(command.id)
        for kind, runner, column in self._find(command.rule, command.equipment):
            if command.action == "reset":
                return runner.machines.request_reset(column)
            if command.action == "verify_start":
                alarm = kind.alarm(runner, column)
                alarm.verification = Verification(
                    runner.rule.verify_for_ms, 0, [0] * len(runner.kind.for_ms), alarm.references
                )
                return True
            if command.action == "verify_stop" and column in runner.alarms:
                runner.alarms[column].verification = None
                return True
        return False

    def clock_epoch(self, plant_time: int) -> None:
        """The plant clock was stepped: windows and timers start anew, active alarms stay."""
        self.plant_time = NEVER
        for group in self.groups:
            group.assembler.next_instant = None
            group.assembler.waiting.clear()
            group.started = NEVER
            for kind in group.types:
                kind.state.arrays.clear()
                kind.judge_state.arrays.clear()
                for runner in kind.runners:
                    runner.machines.restart()

    def snapshot(self) -> bytes:
        """The whole state between two ticks."""
        state = EngineState(
            ENGINE_VERSION,
            self.plant_time,
            sorted(self.seen_commands)[-_COMMANDS_KEPT:],
            self.listening.spans,
            [(*key, step, line.ats, line.values) for key, (line, step) in self.judge.timelines.items()],
            [(*key, line.ats, line.values) for key, line in self.suppression.timelines.items()],
            [(*key, item.raised, item.judged_to) for key, item in self.suppression.waiting.items()],
            {group.step_ms: save_group(group, self.plant.series) for group in self.groups},
        )
        return encode(state)

    @staticmethod
    def restore(
        plant: Plant, rules: Sequence[Rule], data: bytes, *, lateness: Callable[[int], int] = lateness_live
    ) -> Engine:
        """An engine that goes on where a snapshot was taken; plant and rules may have changed since.

        Raises Corrupt when the bytes are damaged or of another engine version.
        """
        state = decode(data)
        engine = Engine(plant, rules, lateness=lateness)
        engine.plant_time = state.plant_time
        engine.seen_commands = set(state.commands)
        engine.listening = Listening(state.deaf)
        for equipment, point, rule, step, ats, values in state.judged:
            engine.judge.timelines[equipment, point, rule] = (Timeline(ats, values), step)
        for rule, equipment, ats, values in state.causes:
            engine.suppression.timelines[rule, equipment] = Timeline(ats, values)
        engine.suppression.waiting = restore_waiting(state)
        for group in engine.groups:
            if group.step_ms in state.groups:
                load_group(group, state.groups[group.step_ms], plant.series)
        return engine

    @property
    def late(self) -> int:
        """Readings that came too late to be evaluated, on any grid."""
        return sum(group.assembler.late for group in self.groups)

    def _begin(self, plant_time: int) -> int | None:
        """Set the first instant of grids that have none; the earliest open instant, None when nothing is open."""
        opens = []
        for group in self.groups:
            assembler = group.assembler
            last = assembler.last_closable(plant_time)
            if assembler.next_instant is None:
                waiting = assembler.waiting.first_effect()
                assembler.next_instant = last if waiting is None else min(waiting, last)
                group.started = assembler.next_instant
            if assembler.next_instant <= last:
                opens.append(assembler.next_instant)
        return min(opens) if opens else None

    def _stride(self) -> int:
        """How much plant time one pass may cover, so that its planes stay in memory."""
        signals = max(len(group.assembler.spec.number) for group in self.groups)
        finest = min(group.step_ms for group in self.groups)
        return max(16, min(_CHUNK_INSTANTS, _CHUNK_CELLS // max(signals, 1))) * finest

    def _advance(self, moment: int) -> list[AlarmEvent]:
        made: list[tuple[Group, Frames]] = []
        for group in self.groups:
            last = group.assembler.last_closable(moment)
            start = group.assembler.next_instant
            if start is not None and start <= last:
                made.append((group, group.frames(last)))
        context = (self.judge, self.suppression)
        ran: list[Ran] = []
        for group, frames in made:
            ran.extend(group.judge_points(frames, self.listening, context))
        for group, frames in made:
            ran.extend(group.run(frames, self.listening, context))
        events: list[AlarmEvent] = []
        for item in ran:
            causes = self._causes_of(item.rule, item.equipment.id)
            events.extend(
                self.suppression.judge(
                    (item.rule.id, item.equipment.id),
                    item.events,
                    causes,
                    step_ms=item.step_ms,
                    closed_to=item.closed_to,
                )
            )
        for group, _ in made:
            group.trim()
        horizon = moment - 4 * STEPS_MS[-1]
        self.judge.forget_before(horizon)
        self.suppression.forget_before(horizon)
        return events

    def _causes_of(self, rule: Rule, equipment: str) -> tuple[Cause, ...]:
        """The possible causes of a rule's alarm on an equipment."""
        key = (rule.id, equipment)
        if key not in self._causes:
            machine = self.plant.site.equipment[equipment]
            found = []
            for text in rule.suppressed_by:
                relation, _, cause_id = text.rpartition(":")
                cause = self.rules.get(cause_id)
                targets = machine.relations.get(relation, ()) if relation else (equipment,)
                for target in targets:
                    kind = self.plant.catalogue.types[self.plant.site.equipment[target].type]
                    if cause is not None and applies(cause, kind.name):
                        longest = max(level.for_ms for level in cause.levels)
                        found.append(Cause((cause_id, target), every_ms(cause, kind), longest))
            self._causes[key] = tuple(found)
        return self._causes[key]

    def _find(self, rule: str, equipment: str) -> list[tuple[TypeRunner, RuleRunner, int]]:
        return [
            (kind, runner, column)
            for group in self.groups
            for kind in group.types
            for column, machine in enumerate(kind.equipment)
            if machine.id == equipment
            for runner in kind.runners
            if runner.rule.id == rule
        ]

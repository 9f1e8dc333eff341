"""Evaluates the rules of one equipment type on one grid over a block of frames."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from plant.catalogue import EquipmentType
from plant.site import Equipment, Mode, Plant
from rules.alarms import Alarm, AlarmKind, Compared, Course, Walk
from rules.compile import CompiledRule, Roster, compile_rule
from rules.events import AlarmEvent, EventKind
from rules.frames import Frames
from rules.judge import Judge
from rules.lang.fixed import Bools, Ints, all_along, any_along, exact
from rules.lang.nodes import Block, Node, Num, State
from rules.machines import Code, Machines, Phase, Timing, Transition
from rules.model import Rule
from rules.proof import History, Json, Shown, frames, seal, tree


@dataclass(slots=True)
class Counts:
    """Instants by verdict (e,): fault, ok, unknown for want of inputs, gate closed."""

    fault: Ints
    ok: Ints
    unknown: Ints
    gated: Ints


@dataclass(frozen=True, slots=True)
class Latest:
    """Verdicts of the newest judged instant `at`, ms UTC; arrays of shape (e,), as in Counts."""

    at: int
    fault: Bools
    ok: Bools
    gated: Bools


class RuleRunner:
    """One rule on the equipment of one type. `latest` is replaced whole, so other threads may read it."""

    def __init__(self, compiled: CompiledRule, roster: Roster) -> None:
        rule = compiled.rule
        self.compiled, self.rule, self.roster = compiled, rule, roster
        levels = len(rule.levels)
        rows = [(member, level) for member in compiled.members for level in range(levels)]
        timings = tuple(
            Timing(rule.levels[level].for_ms, rule.levels[level].clear_for_ms, rule.latching) for _, level in rows
        )
        self.machines = Machines(timings, len(roster.equipment))
        self.kind = AlarmKind(
            rule.id,
            tuple(rule.levels[level].severity for _, level in rows),
            tuple(member for member, _ in rows),
            tuple(timing.for_ms for timing in timings),
            rule.verify_for_ms,
            rule.safety,
        )
        self.installed = np.repeat(compiled.installed, levels, axis=0)
        self.alarms: dict[int, Alarm] = {}
        self.latest: Latest | None = None
        size = len(roster.equipment)
        self.counts = Counts(*(np.zeros(size, np.int64) for _ in range(4)))

    def row_names(self) -> list[tuple[str, int]]:
        """(member, level) of every machine row."""
        return [(member or "", level) for member in self.compiled.members for level in range(len(self.rule.levels))]

    def mode(self, column: int) -> Mode:
        """Whether this rule opens tickets on an equipment."""
        machine = self.roster.equipment[column]
        if not machine.commissioned:
            return Mode.OBSERVE
        return machine.rule_modes.get(self.rule.id) or self.rule.mode or self.roster.plant.site.mode

    def run(self, block: Block) -> tuple[Verdicts, list[Transition]]:
        """Verdicts of the block and the transitions of the machines, by (row, equipment, time)."""
        verdicts = self._verdicts(block)
        self._count(verdicts, int(block.instants[-1]))
        codes = np.zeros(verdicts.fault.shape, np.int8)
        codes[verdicts.fault] = Code.FAULT
        codes[verdicts.fine] = Code.HELD
        codes[verdicts.fine & verdicts.clear] = Code.CLEAR
        return verdicts, self.machines.run(codes, block.instants, block.step_ms)

    def _verdicts(self, block: Block) -> Verdicts:
        size = (len(self.kind.severities), block.rows, block.n)
        fault, fine, clear = (np.zeros(size, bool) for _ in range(3))
        gated = np.zeros((block.rows, block.n), bool)
        row = 0
        for gate, levels in zip(self.compiled.gates, self.compiled.levels, strict=True):
            is_open = gate.truth(block) if gate else None
            if is_open is not None:
                gated |= is_open.false
            for level in levels:
                when, back = level.when.truth(block), level.clear.truth(block)
                where = self.installed[row][:, None] & (is_open.true if is_open is not None else True)
                fault[row], fine[row], clear[row] = when.true & where, when.false & where, back.true & where
                row += 1
        for node, _ in self.compiled.comparable:
            # What looks back must see every block, also those in which no alarm asks for it.
            node.num(block)
        return Verdicts(fault, fine, clear, gated)

    def _count(self, verdicts: Verdicts, last: int) -> None:
        installed = any_along(self.installed, 0)[:, None]
        fault = any_along(verdicts.fault, 0)
        ok = verdicts.ok(self.installed)
        rest = installed & ~fault & ~ok
        self.counts.fault += fault.sum(axis=1)
        self.counts.ok += ok.sum(axis=1)
        self.counts.gated += (rest & verdicts.gated).sum(axis=1)
        self.counts.unknown += (rest & ~verdicts.gated).sum(axis=1)
        self.latest = Latest(last, fault[:, -1].copy(), ok[:, -1].copy(), verdicts.gated[:, -1].copy())

    def course(self, block: Block, verdicts: Verdicts, column: int) -> Course:
        """The block as the alarm of one equipment sees it."""
        fault = verdicts.fault[:, column]
        decided = fault | verdicts.fine[:, column]
        compared = []
        for node, within in self.compiled.comparable:
            plane = node.num(block)
            compared.append(Compared(plane.value[column], plane.known[column], within))
        clear = verdicts.ok(self.installed)[column]
        return Course(block.instants, block.step_ms, fault, decided, clear, tuple(compared))


@dataclass(frozen=True, slots=True)
class Verdicts:
    """Raw verdicts: `fault`, `fine` (not fault) and `clear` have shape (rows, e, n); `gated` (e, n)."""

    fault: Bools
    fine: Bools
    clear: Bools
    gated: Bools

    def ok(self, installed: Bools) -> Bools:
        """Where every installed row is known and none is a fault; (e, n)."""
        good = all_along(self.fine | ~installed[:, :, None], 0)
        return np.logical_and(good, any_along(installed, 0)[:, None])


class TypeRunner:
    """All rules of one type on one grid: reads frames, runs the rules, tells what happened."""

    def __init__(self, plant: Plant, kind: EquipmentType, rules: Sequence[Rule], step_ms: int) -> None:
        machines = sorted(plant.site.equipment.values(), key=lambda m: m.id)
        equipment = tuple(m for m in machines if m.type == kind.name and not m.retired)
        self.plant, self.kind, self.step_ms = plant, kind, step_ms
        self.nodes: dict[str, Node] = {}
        self.roster = Roster(plant, kind, equipment, step_ms, self.nodes)
        self.runners = [RuleRunner(compile_rule(rule, self.roster), self.roster) for rule in rules]
        self.state = State(len(equipment))
        self.judge_state = State(len(equipment))
        self.points = self.roster.points()
        self.signal_rows: dict[str, NDArray[np.int64]] = {}
        self.owner_rows: NDArray[np.int64] = np.zeros(len(equipment), np.int64)

    def alarm(self, runner: RuleRunner, column: int) -> Alarm:
        """The alarm of a rule on an equipment, made when there is none."""
        return runner.alarms.setdefault(column, Alarm())

    @property
    def equipment(self) -> tuple[Equipment, ...]:
        """The rows of every plane."""
        return self.roster.equipment

    def bind(self, row_of: Mapping[tuple[str, str], int], owner_of: Mapping[str, int]) -> None:
        """Learn where each point of each equipment stands among the signals of the group (−1: nowhere)."""
        for name in self.points:
            relation, _, point = name.rpartition(".")
            rows = []
            for machine in self.equipment:
                target = machine.relations.get(relation, ("",))[0] if relation else machine.id
                rows.append(row_of.get((target, point), -1))
            self.signal_rows[name] = np.array(rows, np.int64)
        self.owner_rows = np.array([owner_of[machine.id] for machine in self.equipment], np.int64)

    def block(self, block_frames: Frames, ages: Callable[[str], Num], judge: Judge | None) -> Block:
        """The frames as nodes read them; with `judge` None (data-quality rules) nothing is masked."""

        def read(name: str) -> Num:
            rows = self.signal_rows[name]
            known = block_frames.known[rows] & (rows >= 0)[:, None]
            if judge is not None and judge.timelines:
                known = self._mask(name, known, block_frames.instants, judge)
            return Num(block_frames.value[rows], known)

        def reasons(name: str) -> Ints:
            rows = self.signal_rows[name]
            return np.where((rows >= 0)[:, None], block_frames.reason[rows], 0).astype(np.int64)

        def mine(name: str) -> Num:
            num = ages(name)
            return Num(num.value[self.owner_rows], num.known[self.owner_rows])

        state = self.judge_state if judge is None else self.state
        return Block(block_frames.instants, len(self.equipment), self.step_ms, read, reasons, mine, state)

    def _mask(self, name: str, known: Bools, instants: Ints, judge: Judge) -> Bools:
        relation, _, point = name.rpartition(".")
        for row, machine in enumerate(self.equipment):
            target = machine.relations.get(relation, ("",))[0] if relation else machine.id
            bad = judge.over(target, point, instants, self.step_ms)
            if bad is not None:
                known[row] &= ~bad
        return known

    def events(
        self, runner: RuleRunner, block: Block, outcome: tuple[Verdicts, list[Transition]], history: History
    ) -> dict[int, list[AlarmEvent]]:
        """Events of one rule over a block, by equipment row, with proofs; alarms at rest are forgotten."""
        verdicts, transitions = outcome
        by_column: dict[int, list[Transition]] = {column: [] for column in runner.alarms}
        for transition in transitions:
            by_column.setdefault(transition.column, []).append(transition)
        result: dict[int, list[AlarmEvent]] = {}
        for column in sorted(by_column):
            alarm = runner.alarms.setdefault(column, Alarm())
            course = runner.course(block, verdicts, column)
            walk = Walk(alarm, runner.kind, course, equipment=self.equipment[column].id, mode=runner.mode(column))
            events = walk.run(sorted(by_column[column], key=lambda t: (t.at, t.row)))
            if events:
                result[column] = [self._with_proof(event, runner, block, column, history) for event in events]
            if not alarm.active and alarm.verification is None:
                del runner.alarms[column]
        return result

    def _with_proof(
        self, event: AlarmEvent, runner: RuleRunner, block: Block, column: int, history: History
    ) -> AlarmEvent:
        if event.kind not in (EventKind.RAISED, EventKind.VERIFIED, EventKind.VERIFY_FAILED):
            return event
        rule, machine = runner.rule, self.equipment[column]
        place = int(np.searchsorted(block.instants, event.at))
        levels: list[Json] = []
        for member, compiled in zip(runner.compiled.members, runner.compiled.levels, strict=True):
            if member is not None and event.members and member not in event.members:
                continue
            for level, nodes in zip(rule.levels, compiled, strict=True):
                levels.append(
                    {
                        "severity": int(level.severity),
                        "for_ms": level.for_ms,
                        "member": member,
                        "when": tree(nodes.when, block, column, place),
                    }
                )
        content: dict[str, Json] = {
            "event": event.kind.value,
            "equipment": machine.id,
            "rule": rule.id,
            "version": rule.version,
            "at": event.at,
            "onset_at": event.onset_at,
            "raised_at": event.raised_at,
            "members": list(event.members),
            "params": self._params(rule, machine),
            "levels": levels,
            "frames": frames(history, self._shown(rule, column, event), event.at, max(v.for_ms for v in rule.levels)),
        }
        body, digest = seal(content)
        return replace(event, proof=body, proof_hash=digest)

    def _params(self, rule: Rule, machine: Equipment) -> dict[str, Json]:
        chosen = machine.rule_params.get(rule.id, {})
        return {
            name: {"value": str(exact(chosen.get(name, param.default))), "unit": param.unit}
            for name, param in rule.params.items()
        }

    def _shown(self, rule: Rule, column: int, event: AlarmEvent) -> list[Shown]:
        names = [name for name in rule.points if name in self.points] + list(event.members)
        families = [n for n, point in self.points.items() if point.family is not None and point.family in rule.points]
        wanted = dict.fromkeys([*names, *(families if not event.members else [])])
        return [Shown(name, int(self.signal_rows[name][column]), self.points[name].decimals) for name in wanted]


def busy_changes(transitions: Sequence[Transition], column: int, before: Sequence[int]) -> list[tuple[int, int]]:
    """(instant, level) at which a cause becomes normal (0), pending (1) or active (2) in a block.

    `before` are the phases of the machines of this equipment before the block.
    """
    phases = list(before)
    level = _level(phases)
    found: list[tuple[int, int]] = []
    ordered = sorted((t for t in transitions if t.column == column), key=lambda t: (t.at, t.row))
    for number, transition in enumerate(ordered):
        phases[transition.row] = int(transition.phase)
        if number + 1 < len(ordered) and ordered[number + 1].at == transition.at:
            continue
        if _level(phases) != level:
            level = _level(phases)
            found.append((transition.at, level))
    return found


def _level(phases: Sequence[int]) -> int:
    if any(phase in (Phase.ACTIVE, Phase.RECOVERING) for phase in phases):
        return 2
    return int(any(phase == Phase.PENDING for phase in phases))

"""All rules evaluated on one grid: one assembler, the runners of every type, recent frames for the evidence."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from plant.catalogue import Fold, Point
from plant.instants import NEVER
from plant.site import Equipment, Plant
from rules.compile import applies, every_ms
from rules.events import AlarmEvent
from rules.frames import Assembler, Frames, SignalSpec
from rules.judge import Judge
from rules.lang.nodes import Num
from rules.listening import Listening
from rules.machines import Transition
from rules.model import Rule
from rules.proof import LEAST_FRAMES_MS, MAX_FRAMES, History
from rules.runner import RuleRunner, TypeRunner, busy_changes
from rules.suppression import Suppression

LEAST_TTL_MS = 90_000
GATEWAY = "gateway"
ONLINE = "online_status"


@dataclass(frozen=True, slots=True)
class Ran:
    """Events of one alarm over a block."""

    rule: Rule
    equipment: Equipment
    step_ms: int
    closed_to: int
    events: list[AlarmEvent]


class Group:
    """The rules of one grid on a site."""

    def __init__(self, plant: Plant, rules: Sequence[Rule], step_ms: int, lateness_ms: int) -> None:
        self.plant, self.step_ms = plant, step_ms
        self.started = NEVER
        self.types: list[TypeRunner] = []
        for name in sorted({machine.type for machine in plant.site.equipment.values() if not machine.retired}):
            kind = plant.catalogue.types[name]
            mine = [rule for rule in rules if applies(rule, name) and every_ms(rule, kind) == step_ms]
            if mine:
                self.types.append(TypeRunner(plant, kind, mine, step_ms))
        self.machines = _members(plant, self.types)
        owner_of = {machine.id: row for row, machine in enumerate(self.machines)}
        spec, row_of = _signals(plant, self.machines, owner_of)
        self.assembler = Assembler(spec, step_ms, lateness_ms)
        for runner in self.types:
            runner.bind(row_of, owner_of)
        self.history = History(
            np.zeros(0, np.int64),
            np.zeros((len(spec.number), 0), np.int64),
            np.zeros((len(spec.number), 0), bool),
        )
        longest = max((v.for_ms for t in self.types for r in t.runners for v in r.rule.levels), default=0)
        self._keep = min(MAX_FRAMES, max(longest, LEAST_FRAMES_MS) // step_ms + 1)

    def frames(self, last: int) -> Frames:
        """Close the instants up to `last` and remember the newest frames for evidence."""
        made = self.assembler.close(last)
        self.history = History(
            np.concatenate([self.history.instants, made.instants]),
            np.concatenate([self.history.value, made.value], axis=1),
            np.concatenate([self.history.known, made.known], axis=1),
        )
        return made

    def trim(self) -> None:
        """Let go of frames no evidence will need again."""
        keep = self._keep
        self.history = History(
            self.history.instants[-keep:], self.history.value[:, -keep:], self.history.known[:, -keep:]
        )

    def judge_points(self, made: Frames, listening: Listening, context: tuple[Judge, Suppression]) -> list[Ran]:
        """Run the data-quality rules that judge points, and record what they hold for bad."""
        return self._run(made, listening, context, judging=True)

    def run(self, made: Frames, listening: Listening, context: tuple[Judge, Suppression]) -> list[Ran]:
        """Run every other rule."""
        return self._run(made, listening, context, judging=False)

    def _run(
        self, made: Frames, listening: Listening, context: tuple[Judge, Suppression], *, judging: bool
    ) -> list[Ran]:
        judge, suppression = context
        result: list[Ran] = []
        for kind in self.types:
            runners = [runner for runner in kind.runners if runner.rule.judges_points is judging]
            if not runners:
                continue
            block = kind.block(made, self.ages(made, listening), None if judging else judge)
            for runner in runners:
                before = runner.machines.phase.copy()
                outcome = runner.run(block)
                changed = sorted({transition.column for transition in outcome[1]})
                for column in changed:
                    machine = kind.equipment[column]
                    changes = busy_changes(outcome[1], column, before[:, column].tolist())
                    for change in changes:
                        suppression.record((runner.rule.id, machine.id), *change)
                    if judging:
                        self._record_bad(judge, runner, machine, (outcome[1], before), column)
                events = kind.events(runner, block, outcome, self.history)
                waiting = [
                    column
                    for column, machine in enumerate(kind.equipment)
                    if (runner.rule.id, machine.id) in suppression.waiting
                ]
                last = int(made.instants[-1])
                for column in sorted({*events, *waiting}):
                    found = events.get(column, [])
                    result.append(Ran(runner.rule, kind.equipment[column], self.step_ms, last, found))
        return result

    def _record_bad(
        self,
        judge: Judge,
        runner: RuleRunner,
        machine: Equipment,
        moved: tuple[list[Transition], NDArray[np.int8]],
        column: int,
    ) -> None:
        """Tell the judge from when to when each member is held for bad: pending or active at any level."""
        transitions, before = moved
        levels = len(runner.rule.levels)
        for number, member in enumerate(runner.compiled.members):
            if member is None:
                continue
            rows = range(number * levels, (number + 1) * levels)
            mine = [replace(t, row=t.row - rows.start) for t in transitions if t.column == column and t.row in rows]
            phases = before[rows.start : rows.stop, column].tolist()
            for at, level in busy_changes(mine, column, phases):
                judge.record(runner.rule.id, machine.id, member, self.step_ms, (at, int(level > 0)))

    def ages(self, made: Frames, listening: Listening) -> Callable[[str], Num]:
        """Planes of `silent` and `stale_after` for every equipment of the group, ms counted as 0.001 s."""

        def ages(name: str) -> Num:
            everything = np.ones(made.alive_at.shape, bool)
            if name == "stale_after":
                ttl = np.broadcast_to(self.assembler.spec.alive_ttl[:, None], made.alive_at.shape)
                return Num(ttl, everything)
            now = made.instants[None, :]
            heard = np.maximum(made.alive_at, self.started)
            silent = (now - heard) - (listening.deaf_before(now) - listening.deaf_before(heard))
            return Num(np.maximum(silent, 0), everything)

        return ages


def _members(plant: Plant, types: Sequence[TypeRunner]) -> list[Equipment]:
    """Equipment whose signals a grid needs: that of its types, what these relate to, and what is behind gateways."""
    wanted = {machine.id for runner in types for machine in runner.equipment}
    site = plant.site.equipment
    for runner in types:
        for machine in runner.equipment:
            wanted.update(target for targets in machine.relations.values() for target in targets)
    gateways = {name for name in wanted if site[name].type == GATEWAY}
    wanted.update(m.id for m in site.values() if gateways & set(m.relations.get(GATEWAY, ())))
    return [site[name] for name in sorted(wanted) if not site[name].retired]


def _signals(
    plant: Plant, machines: Sequence[Equipment], owner_of: Mapping[str, int]
) -> tuple[SignalSpec, dict[tuple[str, str], int]]:
    """The signals of the equipment, equipment by equipment, and the row of each (equipment, point)."""
    rows: list[tuple[int, int, Point, int]] = []
    row_of: dict[tuple[str, str], int] = {}
    alive_ttl = []
    for owner, machine in enumerate(machines):
        points = plant.points(machine)
        alive_ttl.append(_ttl(min(_intervals(machine, points.values()), default=60_000)))
        for name in sorted(points):
            number = plant.series.find(machine.id, name)
            if number is not None:
                row_of[machine.id, name] = len(rows)
                interval = machine.interval_ms or points[name].sampling.interval_ms
                rows.append((number, owner, points[name], _ttl(interval)))
    behind = [
        (owner_of[gateway], owner)
        for owner, machine in enumerate(machines)
        for gateway in machine.relations.get(GATEWAY, ())
        if gateway in owner_of
    ]
    for gateway, owner in behind:
        alive_ttl[gateway] = max(alive_ttl[gateway], alive_ttl[owner])
    spec = SignalSpec(
        number=np.array([row[0] for row in rows], np.int32),
        owner=np.array([row[1] for row in rows], np.int64),
        scale=np.array([10.0 ** row[2].decimals for row in rows], np.float64),
        ttl=np.array([row[3] for row in rows], np.int64),
        holds=np.array([row[2].kind.holds for row in rows], bool),
        fold_max=np.array([row[2].fold == Fold.MAX for row in rows], bool),
        online=np.array([row[2].name == ONLINE for row in rows], bool),
        alive_ttl=np.array(alive_ttl, np.int64),
        alive_of=tuple(behind),
    )
    return spec, row_of


def _intervals(machine: Equipment, points: Iterable[Point]) -> list[int]:
    if machine.interval_ms:
        return [machine.interval_ms]
    return [point.sampling.interval_ms for point in points if not point.kind.holds]


def _ttl(interval_ms: int) -> int:
    """How long a word counts: max(3 × declared interval, 90 s)."""
    return max(3 * interval_ms, LEAST_TTL_MS)

"""Why a rule says what it says of one equipment: its expressions with every value in them at the newest instant.

The values come from stored readings through the same engine, so they are what the live engine saw (SEMANTICS §1).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from plant.errors import NotFound
from plant.instants import parse_duration
from plant.reading import ReadingBatch
from plant.severity import Severity
from plant.site import Equipment, Plant
from rules.compile import applies
from rules.engine import Engine
from rules.group import Group
from rules.lang.nodes import Block
from rules.machines import Phase
from rules.model import Rule
from rules.proof import Json, tree
from rules.runner import RuleRunner, TypeRunner

MOST_MS = 3 * 86_400_000
"""No explanation reads more of the past than this."""

_SETTLING_MS = 10 * 60_000
_QUOTED = re.compile(r"\"(\d+(?:\.\d+)?[a-z]+)\"")

Read = Callable[[Plant, int, int], ReadingBatch]
"""Readings of every series of a plant with start ≤ ts < end, with their `seen`."""


@dataclass(frozen=True, slots=True)
class ExplainedLevel:
    """One level: its expressions with their values, and how far its timer has come (`since` ms UTC)."""

    severity: Severity
    for_ms: int
    clear_for_ms: int
    when: Json
    clear: Json
    phase: Phase
    since: int


@dataclass(frozen=True, slots=True)
class ExplainedMember:
    """The rule over one point (None where it runs once); `gate` is None where the rule has none."""

    member: str | None
    gate: Json
    levels: tuple[ExplainedLevel, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """The rule at the instant `at` of its grid; `short` says that it looks further back than was read."""

    at: int
    step_ms: int
    members: tuple[ExplainedMember, ...]
    short: bool


def explain(plant: Plant, rules: Sequence[Rule], which: tuple[str, str], now: int, read: Read) -> Explanation:
    """The rule and the equipment of `which` at plant time `now` (ms UTC).

    Raises NotFound where there is no such rule or equipment, or the rule is not for its type.
    """
    name, equipment = which
    rule = next((rule for rule in rules if rule.id == name), None)
    machine = plant.site.equipment.get(equipment)
    if rule is None or machine is None or not applies(rule, machine.type):
        raise NotFound(f"{name} does not watch {equipment}")
    small = _around(plant, machine)
    judging = [other for other in rules if other.judges_points and other is not rule]
    engine = Engine(small, [rule, *judging])
    reach = looks_back(rule)
    engine.feed(read(small, now - min(reach, MOST_MS), now + 1))
    group, kind, runner = _find(engine, rule, machine)
    engine.tick(now - group.step_ms)
    return replace(_last_instant(engine, group, (kind, runner), machine, now), short=reach > MOST_MS)


def looks_back(rule: Rule) -> int:
    """How much of the past a verdict and its timers need at most, ms: windows within windows add up."""
    own = sum(_durations(derived.expression) for derived in rule.derived.values())
    texts = [rule.gate or "", *(text for level in rule.levels for text in (level.when, level.clear))]
    longest = max(max(level.for_ms, level.clear_for_ms) for level in rule.levels)
    return max(map(_durations, texts)) + _durations(rule.gate or "") + own + longest + _SETTLING_MS


def _durations(text: str) -> int:
    return sum(parse_duration(found) for found in _QUOTED.findall(text))


def _around(plant: Plant, machine: Equipment) -> Plant:
    """The machine with what it relates to, and nothing else."""
    site = plant.site
    near = {target for targets in machine.relations.values() for target in targets}
    equipment = {id: replace(site.equipment[id], relations={}) for id in near if id in site.equipment}
    return Plant(plant.catalogue, replace(site, equipment=equipment | {machine.id: machine}))


def _find(engine: Engine, rule: Rule, machine: Equipment) -> tuple[Group, TypeRunner, RuleRunner]:
    return next(
        (group, kind, runner)
        for group in engine.groups
        for kind in group.types
        for runner in kind.runners
        if runner.rule.id == rule.id and machine in kind.equipment
    )


def _last_instant(
    engine: Engine, group: Group, running: tuple[TypeRunner, RuleRunner], machine: Equipment, now: int
) -> Explanation:
    """Close what `now` closes by hand, to keep the planes of every node."""
    kind, runner = running
    frames = group.frames(group.assembler.last_closable(now))
    judge = None if runner.rule.judges_points else engine.judge
    block = kind.block(frames, group.ages(frames, engine.listening), judge)
    runner.run(block)
    column = kind.equipment.index(machine)
    members = tuple(
        _member(runner, number, block, column)
        for number in range(len(runner.compiled.members))
        if runner.compiled.installed[number, column]
    )
    return Explanation(int(frames.instants[-1]), group.step_ms, members, short=False)


def _member(runner: RuleRunner, number: int, block: Block, column: int) -> ExplainedMember:
    compiled, levels, last = runner.compiled, runner.rule.levels, block.n - 1
    gate = compiled.gates[number]
    explained = []
    for place, (level, nodes) in enumerate(zip(levels, compiled.levels[number], strict=True)):
        row = number * len(levels) + place
        explained.append(
            ExplainedLevel(
                level.severity,
                level.for_ms,
                level.clear_for_ms,
                tree(nodes.when, block, column, last),
                tree(nodes.clear, block, column, last),
                Phase(int(runner.machines.phase[row, column])),
                int(runner.machines.since[row, column]),
            )
        )
    return ExplainedMember(
        compiled.members[number], None if gate is None else tree(gate, block, column, last), tuple(explained)
    )

"""How every rule stands on every equipment right now, read beside a running engine without stopping it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from rules.engine import Engine
from rules.lang.fixed import any_along
from rules.machines import Phase
from rules.runner import RuleRunner


class Verdict(StrEnum):
    """What a rule says of an equipment at an instant."""

    FAULT = "fault"
    OK = "ok"
    UNKNOWN = "unknown"
    """An input is stale, bad or missing."""
    GATED = "gated"
    """Its gate is closed: the machine is not in the state the rule judges."""


@dataclass(frozen=True, slots=True)
class Standing:
    """One rule on one equipment at the instant `at` (ms UTC, None before the first), and how far its alarm has come."""

    rule: str
    equipment: str
    verdict: Verdict
    at: int | None
    phase: Phase


def standings(engine: Engine, rule: str | None = None) -> list[Standing]:
    """Every rule (or that one alone) where it is installed, by rule and equipment.

    Another thread may drive the engine meanwhile: verdicts are of one instant, a phase may be an instant newer.
    """
    found = [
        standing
        for group in engine.groups
        for kind in group.types
        for runner in kind.runners
        if rule is None or runner.rule.id == rule
        for standing in _of(runner)
    ]
    return sorted(found, key=lambda standing: (standing.rule, standing.equipment))


def _of(runner: RuleRunner) -> Iterator[Standing]:
    latest, phases = runner.latest, runner.machines.phase
    installed = any_along(runner.compiled.installed, 0)
    for column, machine in enumerate(runner.roster.equipment):
        if not installed[column]:
            continue
        verdict = Verdict.UNKNOWN
        if latest is not None and latest.fault[column]:
            verdict = Verdict.FAULT
        elif latest is not None and latest.ok[column]:
            verdict = Verdict.OK
        elif latest is not None and latest.gated[column]:
            verdict = Verdict.GATED
        at = None if latest is None else latest.at
        yield Standing(runner.rule.id, machine.id, verdict, at, _gravest(phases[:, column].tolist()))


def _gravest(phases: list[int]) -> Phase:
    """Active goes before recovering, that before pending."""
    order = (Phase.ACTIVE, Phase.RECOVERING, Phase.PENDING)
    return next((phase for phase in order if phase in phases), Phase.NORMAL)

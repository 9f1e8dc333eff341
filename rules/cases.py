"""Runs the cases of rule files through the engine's own backtest and compares alarms to the instant."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from plant.catalogue import Catalogue, Text
from plant.errors import BadInput, ConfigError, DutyroomError, Problem
from plant.instants import duration_text, parse_instant
from plant.reading import Reading, ReadingBatch
from plant.severity import Severity
from plant.site import Equipment, Plant, Site
from plant.yamlfile import did_you_mean
from rules.backtest import backtest
from rules.loader import RuleSource
from rules.rulefile import CaseFile
from rules.series import Sample, parse_series

_ID = "x"


@dataclass(frozen=True, slots=True)
class Outcome:
    """One alarm of a case; times in ms after its start."""

    raised: int
    onset: int
    cleared: int | None
    severity: Severity

    def __str__(self) -> str:
        cleared = "active" if self.cleared is None else f"cleared +{duration_text(self.cleared)}"
        return f"{self.severity.name} onset +{duration_text(self.onset)} raised +{duration_text(self.raised)} {cleared}"


@dataclass(frozen=True, slots=True)
class CaseResult:
    """What one case expected and what came; `problem` says why it could not run."""

    rule: str
    name: str
    place: str
    expected: tuple[Outcome, ...]
    found: tuple[Outcome, ...]
    problem: str = ""

    @property
    def passed(self) -> bool:
        """Every alarm as expected, none besides."""
        return not self.problem and self.expected == self.found

    @property
    def message(self) -> str:
        """Why it failed, in one line."""
        if self.problem:
            return self.problem
        return f"expected {_listed(self.expected)}; found {_listed(self.found)}"


def run_cases(source: RuleSource, catalogue: Catalogue) -> list[CaseResult]:
    """Every case of a rule, in file order."""
    return [_run(source, number, catalogue) for number in range(len(source.cases))]


def check_cases(source: RuleSource, catalogue: Catalogue) -> list[Problem]:
    """Mistakes in the cases themselves: unknown types, points, relations, parameters, and series that do not read."""
    return [problem for number in range(len(source.cases)) for problem in _check(source, number, catalogue)]


def _run(source: RuleSource, number: int, catalogue: Catalogue) -> CaseResult:
    case = source.cases[number]
    place = source.located.problem(("cases", number), "")
    name = f"{number + 1} {case.situation}" + (f": {case.about}" if case.about else "")
    expected = _in_order(Outcome(a.raised, a.onset, a.cleared, Severity[a.severity]) for a in case.alarms)
    found: tuple[Outcome, ...] = ()
    problem = ""
    try:
        mistakes = _check(source, number, catalogue)
        if mistakes:
            raise ConfigError(*mistakes)
        found = _alarms(source, number, catalogue)
    except DutyroomError as error:
        problem = str(error)
    return CaseResult(source.rule.id, name, f"{place.file}:{place.line}", expected, found, problem)


def case_readings(source: RuleSource, number: int, catalogue: Catalogue) -> tuple[Plant, ReadingBatch, int]:
    """The site of a case, its readings in journal order, and the instant (ms) of its last sample.

    Raises BadInput where a series does not read (`check_cases` says where).
    """
    case = source.cases[number]
    start = parse_instant(case.start)
    plant = Plant(catalogue, _site(source, case, catalogue))
    series = {(_ID, point): parse_series(text) for point, text in case.series.items()}
    for relation, points in case.related.items():
        series |= {(f"{_ID}-{relation}", point): parse_series(text) for point, text in points.items()}
    longest = max(len(samples) for samples in series.values())
    readings = [
        reading
        for step in range(longest)
        for (equipment, point), samples in series.items()
        for reading in _reading(equipment, point, start + step * case.interval, samples[step : step + 1])
    ]
    return plant, plant.series.batch(readings), start + (longest - 1) * case.interval


def _alarms(source: RuleSource, number: int, catalogue: Catalogue) -> tuple[Outcome, ...]:
    start = parse_instant(source.cases[number].start)
    plant, batch, end = case_readings(source, number, catalogue)
    spans = backtest(plant, [source.rule], batch, end, file=True)
    return _in_order(
        Outcome(
            span.raised_at - start,
            span.onset_at - start,
            None if span.cleared_at is None else span.cleared_at - start,
            span.severity,
        )
        for span in spans
        if span.equipment == _ID
    )


def _reading(equipment: str, point: str, ts: int, sample: list[Sample | None]) -> list[Reading]:
    return [Reading(equipment, point, ts, s.value, s.quality, s.reason) for s in sample if s is not None]


def _site(source: RuleSource, case: CaseFile, catalogue: Catalogue) -> Site:
    kind = catalogue.types[_type(source, case)]
    machines: dict[str, Equipment] = {}
    relations: dict[str, tuple[str, ...]] = {}
    for relation in case.related:
        other = f"{_ID}-{relation}"
        relations[relation] = (other,)
        machines[other] = _machine(other, kind.relations[relation], case)
    machines[_ID] = _machine(
        _ID, kind.name, case, parameters=case.parameters, members=case.members, relations=relations
    )
    return Site("case", "UTC", Text("用例", "case"), machines)


def _machine(
    name: str,
    kind: str,
    case: CaseFile,
    *,
    parameters: Mapping[str, float] | None = None,
    members: Mapping[str, Mapping[str, tuple[str, ...]]] | None = None,
    relations: Mapping[str, tuple[str, ...]] | None = None,
) -> Equipment:
    return Equipment(
        id=name,
        path=f"case/{name}",
        type=kind,
        text=Text(name, name),
        parameters=parameters or {},
        members=members or {},
        relations=relations or {},
        interval_ms=case.interval,
    )


def _type(source: RuleSource, case: CaseFile) -> str:
    return case.type if case.type is not None else source.rule.applies_to[0]


def _check(source: RuleSource, number: int, catalogue: Catalogue) -> list[Problem]:
    case, located, where = source.cases[number], source.located, ("cases", number)
    kind = catalogue.types.get(_type(source, case))
    if kind is None:
        hint = f"type: {did_you_mean(case.type or '', catalogue.types)}"
        return [located.problem((*where, "type"), "the case needs an equipment type", hint=hint)]
    problems = _unknown(source, (*where, "parameters"), list(case.parameters), list(kind.parameters))
    problems += _unknown(source, (*where, "members"), list(case.members), list(kind.families))
    problems += _unknown(source, (*where, "related"), list(case.related), list(kind.relations))
    if not case.series:
        problems.append(located.problem((*where, "series"), "no series", hint="write _x10 for ten times nothing"))
    try:
        parse_instant(case.start)
    except BadInput as error:
        problems.append(located.problem((*where, "start"), str(error)))
    if problems:
        return problems
    plant = Plant(catalogue, _site(source, case, catalogue))
    for machine in plant.site.equipment.values():
        relation = machine.id.removeprefix(f"{_ID}-")
        path = (*where, "series") if machine.id == _ID else (*where, "related", relation)
        texts = case.series if machine.id == _ID else case.related[relation]
        problems += _unknown(source, path, list(texts), list(plant.points(machine)))
        for point, text in texts.items():
            try:
                parse_series(text)
            except BadInput as error:
                problems.append(located.problem((*path, point), str(error)))
    return problems


def _unknown(source: RuleSource, path: tuple[str | int, ...], names: list[str], known: list[str]) -> list[Problem]:
    return [
        source.located.key_problem((*path, name), f"unknown name {name!r}", hint=did_you_mean(name, known))
        for name in names
        if name not in known
    ]


def _in_order(outcomes: Iterable[Outcome]) -> tuple[Outcome, ...]:
    return tuple(sorted(outcomes, key=lambda outcome: outcome.raised))


def _listed(outcomes: tuple[Outcome, ...]) -> str:
    return " | ".join(str(outcome) for outcome in outcomes) or "no alarm"

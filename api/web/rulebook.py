"""The rules in pages: the list by family, and one rule in words with its limits, where it stands, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import Path, Query
from fastapi.responses import HTMLResponse
from pydantic import Field

from api.queries import standing
from api.shapes import Ask
from api.web.explained import Part, part_of
from api.web.machines import relation_text
from api.web.render import APage, Page, Values
from api.web.sentences import Sentences, names_for
from api.web.words import FAMILIES
from maintenance.ledger.queries import AlarmFilter, list_alarms
from plant.catalogue import Text
from plant.errors import NotFound
from plant.reading import ReadingBatch
from plant.severity import Severity
from plant.site import Equipment, Mode, Plant
from rules.explain import ExplainedLevel, Explanation, explain
from rules.model import Rule
from rules.standing import Standing, Verdict

RuleId = Annotated[str, Path(max_length=20)]
_RECENT = 20
_MOST_PLACES = 100
"""Machines shown of a rule; those at fault come first, the rest is counted."""


class RulesAsk(Ask):
    """Which rules to list."""

    family: str | None = Field(None, max_length=4)
    q: str = Field("", max_length=100)


class RuleAsk(Ask):
    """On which equipment to explain the rule."""

    equipment: str | None = Field(None, max_length=200)


@dataclass(frozen=True, slots=True)
class Row:
    """A rule in the list: its severities, the modes it runs in, and how it stands on how many machines."""

    rule: Rule
    severities: Sequence[Severity]
    modes: Sequence[Mode]
    installed: int
    verdicts: Mapping[Verdict, int]
    active: Severity | None
    alarms: int


@dataclass(frozen=True, slots=True)
class Place:
    """The rule on one machine."""

    machine: Equipment
    mode: Mode
    standing: Standing


@dataclass(frozen=True, slots=True)
class Spoken:
    """A level in words."""

    severity: Severity
    when: str
    for_ms: int
    clear: str
    clear_for_ms: int
    raw: str
    raw_clear: str


@dataclass(frozen=True, slots=True)
class Why:
    """One level of an explanation, its parts in words."""

    level: ExplainedLevel
    when: Part
    clear: Part


@dataclass(frozen=True, slots=True)
class Reasoned:
    """An explanation of one member (its name, None where the rule runs once)."""

    member: Text | None
    gate: Part | None
    levels: Sequence[Why]


async def list_rules(page: APage, ask: Annotated[RulesAsk, Query()]) -> HTMLResponse:
    """The rules by family, those with alarms first."""
    rules = page.office.deps.configuration.rules()
    now = await page.office.read(standing)
    active: dict[str, list[Severity]] = {}
    for alarm in now.alarms:
        active.setdefault(alarm.rule, []).append(alarm.severity)
    stands = _by_rule(page)
    groups: dict[str, list[Row]] = {}
    for rule in rules:
        if _wanted(rule, ask):
            row = _row(rule, stands.get(rule.id, []), active.get(rule.id, []), page.plant)
            groups.setdefault(_family(rule), []).append(row)
    return page.render(
        "rules.html",
        ask=ask,
        groups=[(key, sorted(rows, key=_urgency)) for key, rows in sorted(groups.items())],
        families=sorted({_family(rule) for rule in rules}),
        family_text=family_text,
    )


async def show_rule(page: APage, id: RuleId, ask: Annotated[RuleAsk, Query()]) -> HTMLResponse:
    """One rule; with `equipment` its expressions with the values there."""
    rule = _rule(page, id)
    return page.render(
        "rule.html",
        **await _places(page, rule),
        spoken=_spoken(page, rule, ask),
        gate=_sentences(page, rule, ask).say(rule.gate) if rule.gate else None,
        overrides=_overrides(rule, page.plant),
        causing=[_cause(page, text) for text in rule.suppressed_by],
        types=[page.plant.catalogue.types[name].text for name in rule.applies_to if name != "*"],
        **await _explained(page, rule, ask),
    )


async def live_rule(page: APage, id: RuleId) -> HTMLResponse:
    """The part of a rule's page that changes: where it stands, its alarms."""
    return page.render("rule_live.html", **await _places(page, _rule(page, id)))


def _urgency(row: Row) -> tuple[int, bool, str]:
    """Rules with alarms first, the gravest of them before all, then those that stand somewhere."""
    return row.active or len(Severity) + 1, not row.installed, row.rule.id


def family_text(key: str) -> Text:
    """The name of a family; its letters where it has none."""
    return FAMILIES.get(key, Text(key, key))


def _rule(page: Page, id: str) -> Rule:
    found = next((rule for rule in page.office.deps.configuration.rules() if rule.id == id), None)
    if found is None:
        raise NotFound(f"there is no rule {id}")
    return found


def _family(rule: Rule) -> str:
    return rule.id.partition("-")[0]


def _wanted(rule: Rule, ask: RulesAsk) -> bool:
    text = f"{rule.id} {rule.title.zh} {rule.title.en}".lower()
    return (ask.family is None or _family(rule) == ask.family) and all(word in text for word in ask.q.lower().split())


def _by_rule(page: Page) -> dict[str, list[Standing]]:
    found: dict[str, list[Standing]] = {}
    for one in page.office.deps.live.verdicts():
        found.setdefault(one.rule, []).append(one)
    return found


def _row(rule: Rule, stands: Sequence[Standing], active: Sequence[Severity], plant: Plant) -> Row:
    modes = {_mode(rule, plant.site.equipment[one.equipment], plant) for one in stands}
    return Row(
        rule,
        sorted({level.severity for level in rule.levels}),
        sorted(modes),
        len(stands),
        Counter(one.verdict for one in stands),
        min(active, default=None),
        len(active),
    )


def _mode(rule: Rule, machine: Equipment, plant: Plant) -> Mode:
    return machine.rule_modes.get(rule.id) or rule.mode or plant.site.mode


async def _places(page: Page, rule: Rule) -> Values:
    equipment = page.plant.site.equipment
    stands = [one for one in page.office.deps.live.verdicts(rule.id) if one.equipment in equipment]
    order = (Verdict.FAULT, Verdict.UNKNOWN, Verdict.OK, Verdict.GATED)
    places = [Place(equipment[s.equipment], _mode(rule, equipment[s.equipment], page.plant), s) for s in stands]
    alarms = await page.office.read(list_alarms, AlarmFilter(rule=rule.id), limit=_RECENT)
    places.sort(key=lambda place: (order.index(place.standing.verdict), place.machine.path))
    return {
        "rule": rule,
        "places": places[:_MOST_PLACES],
        "more": len(places[_MOST_PLACES:]),
        "alarms": alarms.items,
    }


def _machine(page: Page, ask: RuleAsk) -> Equipment | None:
    return None if ask.equipment is None else page.plant.site.equipment.get(ask.equipment)


def _sentences(page: Page, rule: Rule, ask: RuleAsk, step_ms: int = 60_000) -> Sentences:
    machine = _machine(page, ask)
    types = page.plant.catalogue.types
    kinds = [machine.type] if machine is not None else [name for name in types if name in rule.applies_to] or [*types]
    return Sentences(page.language, names_for(rule, kinds[0], page.plant.catalogue, machine), step_ms)


def _spoken(page: Page, rule: Rule, ask: RuleAsk) -> list[Spoken]:
    say = _sentences(page, rule, ask).say
    return [
        Spoken(
            level.severity,
            say(level.when),
            level.for_ms,
            say(level.clear),
            level.clear_for_ms,
            " ".join(level.when.split()),
            " ".join(level.clear.split()),
        )
        for level in sorted(rule.levels, key=lambda level: level.severity)
    ]


def _overrides(rule: Rule, plant: Plant) -> dict[str, list[tuple[Equipment, float]]]:
    """Parameter → the machines on which it has another value."""
    found: dict[str, list[tuple[Equipment, float]]] = {}
    for machine in plant.site.equipment.values():
        for name, value in machine.rule_params.get(rule.id, {}).items():
            found.setdefault(name, []).append((machine, value))
    return found


def _cause(page: Page, text: str) -> tuple[str, str, Text | None]:
    """A cause that an alarm waits for: its rule, that one's title, and the relation to the equipment it is on."""
    relation, _, id = text.rpartition(":")
    found = next((rule for rule in page.office.deps.configuration.rules() if rule.id == id), None)
    return id, id if found is None else page.text(found.title), relation_text(relation) if relation else None


async def _explained(page: Page, rule: Rule, ask: RuleAsk) -> Values:
    if ask.equipment is None or page.now is None:
        return {"explained": None, "reasoned": [], "chosen": None}
    history, rules = page.office.deps.history, page.office.deps.configuration.rules()

    def read(plant: Plant, start: int, end: int) -> ReadingBatch:
        return history.rows(plant.series.keys, plant.series, start, end)

    found = await page.office.history(explain, page.plant, rules, (rule.id, ask.equipment), page.now, read)
    return {"explained": found, "reasoned": _reasoned(page, rule, ask, found), "chosen": _machine(page, ask)}


def _reasoned(page: Page, rule: Rule, ask: RuleAsk, found: Explanation) -> list[Reasoned]:
    sentences = _sentences(page, rule, ask, found.step_ms)
    machine = _machine(page, ask)
    points = {} if machine is None else page.plant.points(machine)
    return [
        Reasoned(
            None if one.member is None else points[one.member].text,
            None if one.gate is None else part_of(one.gate, sentences),
            [
                Why(level, part_of(level.when, sentences), part_of(level.clear, sentences))
                for level in sorted(one.levels, key=lambda level: level.severity)
            ],
        )
        for one in found.members
    ]

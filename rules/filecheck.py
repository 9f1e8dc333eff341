"""What a rule file means, checked against itself, the catalogue and the rest of the pack; mistakes are collected."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from plant.catalogue import Catalogue, EquipmentType
from plant.errors import Problem
from plant.instants import duration_text
from plant.names import is_name
from plant.yamlfile import Located, did_you_mean
from rules.rulefile import RuleFile

STEPS_MS = (1_000, 5_000, 10_000, 60_000)
"""The grids rules may be evaluated on (SEMANTICS §1)."""

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_BACK: Mapping[type[ast.cmpop], tuple[str, str]] = {
    ast.Gt: ("<", "-"),
    ast.GtE: ("<", "-"),
    ast.Lt: (">", "+"),
    ast.LtE: (">", "+"),
}


def backed_off(when: str, hysteresis: float) -> str | None:
    """The clear condition of a single comparison: its limit moved back (`x > 70`, 5 → `(x) < (70) - 5`).

    None where `when` is not one comparison by >, >=, < or <=.
    """
    try:
        tree = ast.parse(when.strip(), mode="eval").body
    except SyntaxError:
        return None
    if not isinstance(tree, ast.Compare) or len(tree.ops) != 1 or type(tree.ops[0]) not in _BACK:
        return None
    compare, sign = _BACK[type(tree.ops[0])]
    return f"({ast.unparse(tree.left)}) {compare} ({ast.unparse(tree.comparators[0])}) {sign} {hysteresis:g}"


def check_file(located: Located[RuleFile], catalogue: Catalogue) -> list[Problem]:
    """Every mistake that one document shows by itself and against the catalogue, but those inside expressions."""
    return [*_own(located), *_levels(located), *_params(located), *_against(located, catalogue)]


def check_pack(files: Sequence[Located[RuleFile]], known: Iterable[str]) -> list[Problem]:
    """Ids given twice, causes that are no rule, and rules that suppress one another in a circle."""
    first: dict[str, str] = {}
    problems: list[Problem] = []
    for located in files:
        rule, where = located.value, located.document
        if rule.id in first:
            problems.append(
                located.problem(("id",), "a second rule of this id", hint=f"the first is in {first[rule.id]}")
            )
        first.setdefault(rule.id, f"{where.file}:{where.values[('id',)].line}")
    ids = {*known}
    for located in files:
        for number, cause in enumerate(located.value.suppressed_by):
            name = cause.rpartition(":")[2]
            if name not in ids:
                hint = did_you_mean(name, ids)
                problems.append(located.problem(("suppressed_by", number), f"no rule {name!r}", hint=hint))
    return [*problems, *_circles(files)]


def _own(located: Located[RuleFile]) -> Iterator[Problem]:
    rule = located.value
    if rule.every is not None and rule.every not in STEPS_MS:
        steps = ", ".join(duration_text(step) for step in STEPS_MS)
        yield located.problem(("every",), "not a step of the grid", expected=f"one of {steps}")
    each = rule.for_each
    if each is not None and sum((bool(each.points), bool(each.kinds), each.flatline, each.jump)) != 1:
        yield located.problem(("for_each",), "for_each says not clearly which points", expected="one of its four keys")
    if rule.judges_points and each is None:
        yield located.problem(("judges_points",), "judges_points needs for_each", hint="say which points are judged")
    if not rule.levels:
        yield located.problem(("levels",), "the rule has no level", hint="write when, for, clear and severity")
    if not rule.causes:
        yield located.problem(("causes",), "no likely cause", hint="name at least one, in zh and en")
    if len(rule.first_check) != 3:
        found = len(rule.first_check)
        yield located.problem(("first_check",), f"{found} first checks", expected="three, in the order of doing them")
    if rule.applies_to == ():
        yield located.problem(("applies_to",), "the rule applies to nothing", hint="name a type, or write '*'")


def _levels(located: Located[RuleFile]) -> Iterator[Problem]:
    for number, level in enumerate(located.value.levels):
        where = ("levels", number)
        if level.clear is not None and level.hysteresis is not None:
            yield located.problem((*where, "hysteresis"), "both clear and hysteresis", hint="keep one of them")
        elif level.clear is None and level.hysteresis is None:
            hint = "write clear: or, for one comparison, hysteresis:"
            yield located.problem(where, "the level never clears", hint=hint)
        elif level.hysteresis is not None and backed_off(level.when, level.hysteresis) is None:
            hint = "write clear: instead"
            yield located.problem((*where, "hysteresis"), "hysteresis works for one comparison only", hint=hint)


def _params(located: Located[RuleFile]) -> Iterator[Problem]:
    for name in located.value.derived:
        if not is_name(name):
            yield located.key_problem(("derived", name), f"{name!r} is no name", expected="snake_case words")
    for name, param in located.value.params.items():
        low, high = param.range
        if not _NAME.fullmatch(name):
            yield located.key_problem(
                ("params", name), "no name for a parameter", expected="small letters, digits and _"
            )
        if not low < high:
            yield located.problem(("params", name, "range"), "an empty range", expected="[lowest, highest]")
        elif not low <= param.default <= high:
            expected = f"between {low:g} and {high:g}"
            yield located.problem(("params", name, "default"), "the default is outside the range", expected=expected)


def _against(located: Located[RuleFile], catalogue: Catalogue) -> Iterator[Problem]:
    rule = located.value
    if rule.applies_to == "*":
        return
    for number, name in enumerate(rule.applies_to):
        kind = catalogue.types.get(name)
        if kind is None:
            hint = did_you_mean(name, catalogue.types)
            yield located.problem(("applies_to", number), f"no equipment type {name!r}", hint=hint)
            continue
        yield from _names(located, kind)
        for place, cause in enumerate(rule.suppressed_by):
            relation, colon, _ = cause.rpartition(":")
            if colon and relation not in kind.relations:
                hint = did_you_mean(relation, kind.relations)
                yield located.problem(("suppressed_by", place), f"{name} has no relation {relation!r}", hint=hint)


def _names(located: Located[RuleFile], kind: EquipmentType) -> Iterator[Problem]:
    rule = located.value
    points = {*kind.points, *kind.families}
    lists: tuple[tuple[tuple[str, ...], tuple[str, ...], set[str]], ...] = (
        (("needs",), rule.needs, points | {*kind.parameters}),
        (("points",), rule.points, points | {*kind.derived}),
        (("for_each", "points"), rule.for_each.points if rule.for_each else (), points),
    )
    for path, names, known in lists:
        for number, name in enumerate(names):
            if name not in known:
                hint = did_you_mean(name, known)
                yield located.problem((*path, number), f"{kind.name} has no {name!r}", hint=hint)


def _circles(files: Sequence[Located[RuleFile]]) -> Iterator[Problem]:
    """Only causes on the same equipment can meet themselves again."""
    causes = {file.value.id: [x for x in file.value.suppressed_by if ":" not in x] for file in files}
    for file in files:
        seen: set[str] = set()
        ahead = list(causes[file.value.id])
        while ahead:
            cause = ahead.pop()
            if cause == file.value.id:
                yield file.problem(("suppressed_by",), f"{cause} suppresses itself in the end", hint="break the circle")
                break
            if cause not in seen:
                seen.add(cause)
                ahead += causes.get(cause, [])

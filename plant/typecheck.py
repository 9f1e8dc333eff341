"""What must hold for equipment types beyond their form: names, ranges, relations and expressions that fit together."""

from __future__ import annotations

import string
from collections.abc import Iterator, Mapping

from plant.catalogue import Catalogue, EquipmentType, Point
from plant.errors import Problem
from plant.names import ALWAYS_KNOWN, NotAnExpression, is_name, names_used
from plant.typefile import LARGEST_COUNT, Medium, PointFile, TypeFile
from plant.yamlfile import Located, did_you_mean
from plant.yamlnodes import Path

STEPS_MS = (1_000, 5_000, 10_000, 60_000)

File = Located[TypeFile]


def check_names(located: File, stem: str) -> Iterator[Problem]:
    """The type's own name and step, and names that are no names or are used twice."""
    file = located.value
    if file.name != stem:
        yield located.problem(("name",), "the name is not the file's", expected=stem)
    if file.step not in STEPS_MS:
        yield located.problem(("step",), "not a step of the grid", expected="1s, 5s, 10s or 60s")
    seen: dict[str, str] = {}
    for group in ("points", "parameters", "derived", "relations"):
        for name in getattr(file, group):
            if not is_name(name):
                yield located.key_problem((group, name), f"{name!r} is no name", expected="snake_case words")
            if name in seen:
                yield located.key_problem((group, name), f"{name!r} is also one of the {seen[name]}")
            seen[name] = group


def check_media(located: File, media: Mapping[str, Medium]) -> Iterator[Problem]:
    """Media that do not exist, and points that lack a unit or range."""
    for path, point in point_files(located.value):
        if point.medium is not None and point.medium not in media:
            hint = did_you_mean(point.medium, media)
            yield located.problem((*path, "medium"), f"unknown medium {point.medium!r}", hint=hint)
            continue
        medium = media[point.medium] if point.medium is not None else Medium()
        for word in ("unit", "range"):
            if getattr(point, word) is None and getattr(medium, word) is None:
                yield located.key_problem(path, f"this point has no {word}", hint="give it, or a medium that has it")


def point_files(file: TypeFile) -> Iterator[tuple[Path, PointFile]]:
    """Every point written in a file, those of families too, with its key path."""
    for name, point in file.points.items():
        yield ("points", name), point
    for name, family in file.families.items():
        yield ("families", name, "point"), family.point


def check_type(located: File, kind: EquipmentType, catalogue: Catalogue) -> Iterator[Problem]:
    """Ranges, families, relations and expressions of a type that is otherwise made."""
    for name, point in kind.points.items():
        yield from _check_point(located, ("points", name), point)
    for name, family in kind.families.items():
        yield from _check_point(located, ("families", name, "point"), family.point)
        for holder in family.fixed:
            if holder not in family.placeholders:
                hint = did_you_mean(holder, family.placeholders)
                yield located.key_problem(
                    ("families", name, "fixed", holder), f"no {{{holder}}} in the name", hint=hint
                )
    for name, parameter in kind.parameters.items():
        if parameter.default is not None and not parameter.low <= parameter.default <= parameter.high:
            expected = f"{parameter.low:g} to {parameter.high:g}"
            yield located.problem(("parameters", name, "default"), "the default is out of range", expected=expected)
    for relation, target in kind.relations.items():
        if target not in catalogue.types:
            hint = did_you_mean(target, catalogue.types)
            yield located.problem(("relations", relation), f"unknown type {target!r}", hint=hint)
    for name, derived in kind.derived.items():
        yield from _check_expression(located, ("derived", name, "expression"), derived.expression, kind, catalogue)
    if kind.active is not None:
        yield from _check_expression(located, ("active",), kind.active, kind, catalogue)


def _check_point(located: File, path: Path, point: Point) -> Iterator[Problem]:
    if point.low >= point.high:
        yield located.problem((*path, "range"), "the range is empty", expected="[low, high] with low < high")
    if max(abs(point.low), abs(point.high)) * 10**point.decimals >= LARGEST_COUNT:
        message = "range × 10^decimals passes 2^53"
        yield located.problem((*path, "range"), message, hint="a smaller range or fewer decimals")
    if point.typical is not None and not point.low <= point.typical[0] < point.typical[1] <= point.high:
        expected = f"two numbers from {point.low:g} to {point.high:g}, the lower first"
        yield located.problem(
            (*path, "typical"), "the typical band is empty or not within the range", expected=expected
        )
    if point.jump is not None and point.jump <= 0:
        yield located.problem((*path, "jump"), "a jump is above 0", hint="leave it out where any change is believable")
    if point.flatline is not None and (point.flatline.tolerance < 0 or point.flatline.window_ms <= 0):
        yield located.problem((*path, "flatline"), "tolerance is 0 or more and the window is above 0")


def _check_expression(
    located: File, path: Path, text: str, kind: EquipmentType, catalogue: Catalogue
) -> Iterator[Problem]:
    known = {*kind.points, *kind.parameters, *kind.derived}
    for relation, target in kind.relations.items():
        if target in catalogue.types:
            known.update(f"{relation}.{point}" for point in catalogue.types[target].points)
    try:
        uses = names_used(text)
    except NotAnExpression as error:
        yield located.problem(path, str(error), offset=error.offset)
        return
    for use in uses:
        if use.name not in known and use.name not in ALWAYS_KNOWN:
            hint = did_you_mean(use.name, known)
            yield located.problem(path, f"unknown name {use.name!r}", hint=hint, offset=use.offset)


def placeholders(name: str) -> tuple[str, ...]:
    """`joint_temp_{loc}_{phase}` → ("loc", "phase")."""
    return tuple(field for _, field, _, _ in string.Formatter().parse(name) if field)

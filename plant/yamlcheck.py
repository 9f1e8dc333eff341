"""Plain data against a pydantic model: what pydantic says, in our words and at the place it was written."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from types import UnionType
from typing import Annotated, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from plant.errors import Problem
from plant.suggestions import did_you_mean, nearest
from plant.yamlnodes import Document, Key, Path, Plain, inside

M = TypeVar("M", bound=BaseModel)

_EXPECTED = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "list_type": "a list",
    "tuple_type": "a list",
    "frozen_set_type": "a list",
    "dict_type": "keys and values",
    "model_type": "keys and values",
    "mapping_type": "keys and values",
    "none_required": "nothing",
}


def check(document: Document, model: type[M]) -> tuple[M | None, list[Problem]]:
    """The model made from the document, or None and every mistake found in it."""
    problems = list(document.problems)
    try:
        # By way of JSON, because pydantic's strict mode then still takes words for enums and lists for tuples.
        value = model.model_validate_json(json.dumps(document.data), strict=True)
    except ValidationError as error:
        # Where a key was refused already (an anchor, a second time), what hangs on it is not told twice.
        told = {(problem.line, problem.column) for problem in problems}
        found = _merged(_problem(document, model, details) for details in error.errors(include_url=False))
        return None, problems + [problem for problem in found if (problem.line, problem.column) not in told]
    return (None if problems else value), problems


def _problem(document: Document, model: type[BaseModel], details: ErrorDetails) -> Problem:
    path, rest = _follow(document.data, details["loc"])
    kind, context = details["type"], details.get("ctx", {})
    if kind == "extra_forbidden":
        spot = document.keys[path]
        hint = did_you_mean(str(path[-1]), _keys_of(model, path[:-1]))
        return document.problem_at(spot, f"unknown key {path[-1]!r}", hint=hint)
    if kind == "missing":
        spot = document.keys.get(path) or document.values[path]
        return Problem(document.file, spot.line, spot.column, f"key {str(rest[-1])!r} is missing here")
    spot = document.values[path]
    if kind in _EXPECTED:
        hint = "put it in quotes" if kind == "string_type" and spot.text else ""
        return document.problem_at(spot, "wrong kind of value", expected=_EXPECTED[kind], hint=hint)
    if kind in ("enum", "literal_error"):
        words = _words(str(context["expected"]))
        expected, hint = ", ".join(words), nearest(spot.text, words)
        return document.problem_at(spot, "not one of the words known here", expected=expected, hint=hint)
    if kind == "value_error":
        return document.problem_at(spot, str(context["error"]))
    return document.problem_at(spot, details["msg"])


def _words(listed: str) -> list[str]:
    return [word.strip().strip("'") for word in listed.replace(" or ", ", ").split(",")]


def _merged(problems: Iterable[Problem]) -> list[Problem]:
    """Of a value that may be of several kinds pydantic complains once for each: make one problem of them."""
    by_place: dict[tuple[int, int, str], Problem] = {}
    for problem in problems:
        place = (problem.line, problem.column, problem.message)
        other = by_place.get(place)
        if other is not None and problem.expected not in ("", other.expected):
            expected = f"{other.expected} or {problem.expected}"
            problem = Problem(problem.file, *place, problem.text, expected, problem.hint)
        by_place[place] = problem
    return list(by_place.values())


def _follow(data: Plain, loc: tuple[Key, ...]) -> tuple[Path, tuple[Key, ...]]:
    """The part of pydantic's location that is in the data, and what is left; names of union members fall out."""
    path: Path = ()
    left: tuple[Key, ...] = ()
    for key in loc:
        for inner in inside(data, key):
            data, path, left = inner, (*path, key), ()
            break
        else:
            left = (*left, key)
    return path, left


def _keys_of(model: type[BaseModel], path: Path) -> set[str]:
    """Keys that may stand in the mapping at `path` of a document of this model."""
    candidates: list[object] = [model]
    for key in path:
        candidates = [inner for candidate in candidates for inner in _step(candidate, key)]
    return {key for candidate in candidates for kind in _models(candidate) for key in _fields(kind)}


def _step(annotation: object, key: Key) -> Iterator[object]:
    origin, inner = get_origin(annotation), get_args(annotation)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield _fields(annotation).get(str(key))
    elif origin in (Union, UnionType):
        for member in inner:
            yield from _step(member, key)
    elif inner:  # of dict[str, X] the X, of tuple[X, ...] and list[X] the X, of Annotated[X, ...] what X leads to
        yield from _step(inner[0], key) if origin is Annotated else (inner[1 if isinstance(key, str) else 0],)


def _models(annotation: object) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [kind for inner in get_args(annotation) for kind in _models(inner)]


def _fields(kind: type[BaseModel]) -> dict[str, object]:
    return {field.alias or name: field.annotation for name, field in kind.model_fields.items()}

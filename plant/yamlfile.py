"""Strict YAML files: every mistake is found in one go and named as file:line:column, with what to do about it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Annotated, Generic, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict

from plant.errors import BadInput, ConfigError, NotFound, Problem
from plant.instants import parse_duration
from plant.suggestions import did_you_mean as did_you_mean
from plant.yamlcheck import check
from plant.yamlnodes import Document, Path, Plain, inside, place_in_text, read_documents

M = TypeVar("M", bound=BaseModel)


class Strict(BaseModel):
    """Base of every model of a file: unknown keys are mistakes, values are not bent to fit, the result is frozen."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


def _duration(value: object) -> int:
    if not isinstance(value, str):
        raise ValueError(f"{value} is no duration such as 90s, 30m, 2h")
    try:
        return parse_duration(value)
    except BadInput as error:
        raise ValueError(str(error)) from None


Duration = Annotated[int, BeforeValidator(_duration)]
"""A field written as `90s`, `30m` or `1h30m`, held as ms."""


@dataclass(frozen=True, slots=True)
class Located(Generic[M]):
    """One document of a file: its checked content, and where each part of it was written."""

    value: M
    document: Document

    def problem(
        self, path: Path, message: str, *, expected: str = "", hint: str = "", offset: int | None = None
    ) -> Problem:
        """A problem with the value at a key path such as ("points", "sat", "low").

        Where the path leads on to something not written, the last written part is named. With `offset` (from 0) the
        line and column are those of a character inside a text, such as where an expression goes wrong.
        """
        document, written = self.document, _written(self.document, path)
        spot = document.values[written]
        problem = document.problem_at(spot, message, expected=expected, hint=hint)
        value = _value_at(document.data, written)
        if offset is None or not isinstance(value, str):
            return problem
        line, column = place_in_text(document.source, spot, value, offset)
        return Problem(problem.file, line, column, message, problem.text, expected, hint)

    def key_problem(self, path: Path, message: str, *, expected: str = "", hint: str = "") -> Problem:
        """A problem with the last key of the path itself, not with its value."""
        spot = self.document.keys.get(path)
        if spot is None:
            return self.problem(path, message, expected=expected, hint=hint)
        return self.document.problem_at(spot, message, expected=expected, hint=hint)


def load_yaml(source: FilePath | str, model: type[M], *, file: str | None = None) -> M:
    """The one document of a YAML file (a path) or text (a str), checked against `model`.

    `file` is the name used in messages (default: the path as given). Raises ConfigError with every mistake found,
    NotFound where there is no such file.
    """
    return load_located(source, model, file=file).value


def load_located(source: FilePath | str, model: type[M], *, file: str | None = None) -> Located[M]:
    """As `load_yaml`, with the places, for mistakes that only show later."""
    documents = load_documents(source, model, file=file)
    if len(documents) > 1:
        second = documents[1]
        raise ConfigError(second.problem((), "a second document", hint="this file holds one; remove the line ---"))
    return documents[0]


def load_documents(source: FilePath | str, model: type[M], *, file: str | None = None) -> tuple[Located[M], ...]:
    """Every document of a YAML file (parted by `---`), at least one. Raises as `load_yaml`."""
    name = file or (str(source) if isinstance(source, FilePath) else "<text>")
    text = read_text(source, name) if isinstance(source, FilePath) else source
    documents = read_documents(text, name)
    if not documents:
        raise ConfigError(Problem(name, 1, 1, "the file is empty"))
    located: list[Located[M]] = []
    problems: list[Problem] = []
    for document in documents:
        value, found = check(document, model)
        problems += found
        if value is not None:
            located.append(Located(value, document))
    if problems:
        raise ConfigError(*in_file_order(problems))
    return tuple(located)


def read_text(path: FilePath, name: str) -> str:
    """A UTF-8 file's text. Raises NotFound, or ConfigError at the first byte that is no UTF-8."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise NotFound(f"cannot read {name}: {error.strerror}") from None
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = raw[: error.start].decode("utf-8-sig")
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        found = f"0x{raw[error.start]:02X}"
        raise ConfigError(Problem(name, line, column, "not UTF-8 text", found, hint="save it as UTF-8")) from None


def in_file_order(problems: Iterable[Problem]) -> list[Problem]:
    """Problems by file, line and column, each once."""
    return sorted(dict.fromkeys(problems), key=lambda p: (p.file, p.line, p.column))


def _written(document: Document, path: Path) -> Path:
    while path and path not in document.values:
        path = path[:-1]
    return path


def _value_at(data: Plain, path: Path) -> Plain:
    for key in path:
        (data,) = inside(data, key)
    return data

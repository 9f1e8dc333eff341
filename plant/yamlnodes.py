"""YAML text to plain data, remembering for every key and value where it was written."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, StringMark, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError

from plant.errors import ConfigError, Problem

Key = str | int
Path = tuple[Key, ...]
Plain = None | bool | int | float | str | list["Plain"] | dict[str, "Plain"]

_LONGEST_TEXT = 60
_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_BOOL = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INT = re.compile(r"[-+]?[0-9]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a value is written: `line` and `column` from 1, `start`:`end` its characters in the source."""

    line: int
    column: int
    start: int
    end: int
    text: str


@dataclass(slots=True)
class Document:
    """One YAML document as plain data. `values` and `keys` say where each value and each key stands, by path."""

    file: str
    source: str
    data: Plain = None
    values: dict[Path, Spot] = field(default_factory=dict)
    keys: dict[Path, Spot] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def problem_at(self, spot: Spot, message: str, *, expected: str = "", hint: str = "") -> Problem:
        """A problem found at `spot`."""
        return Problem(self.file, spot.line, spot.column, message, spot.text, expected, hint)


def read_documents(source: str, file: str) -> tuple[Document, ...]:
    """Every document of a YAML text; each carries its own `problems` (repeated keys, anchors, tags).

    Numbers, `true`, `false` and `null` follow YAML 1.2; all other plain words, dates too, are text. Keys are always
    text. Raises ConfigError where the text is no YAML at all.
    """
    try:
        nodes: list[Node] = list(YAML(typ="safe", pure=True).compose_all(source))
        documents = tuple(_document(node, source, file) for node in nodes)
    except ReaderError as error:
        raise ConfigError(_unreadable(error, source, file)) from None
    except MarkedYAMLError as error:
        raise ConfigError(_syntax(error, file)) from None
    except YAMLError as error:
        raise ConfigError(Problem(file, 1, 1, f"not YAML: {error}")) from None
    except RecursionError:
        raise ConfigError(Problem(file, 1, 1, "nested too deeply", hint="a few levels are enough")) from None
    return documents


def _document(node: Node, source: str, file: str) -> Document:
    document = Document(file, source)
    document.data = _plain(node, (), document)
    return document


def _plain(node: Node, path: Path, document: Document) -> Plain:
    spot = document.values[path] = _spot(node, document.source)
    start = document.source[spot.start : spot.start + 1]
    if node.anchor is not None:
        document.problems.append(
            document.problem_at(spot, "anchors and aliases are not used here", hint="write the value out")
        )
        return None
    if start == "!" and getattr(node, "style", None) not in ("'", '"'):
        document.problems.append(document.problem_at(spot, "tags are not used here", hint="leave the ! word out"))
        return None
    if isinstance(node, ScalarNode):
        return _scalar(node, spot, document)
    if isinstance(node, SequenceNode):
        return [_plain(item, (*path, number), document) for number, item in enumerate(node.value)]
    if isinstance(node, MappingNode):
        return _mapping(node, path, document)
    raise TypeError(f"unknown YAML node {node!r}")


def _mapping(node: MappingNode, path: Path, document: Document) -> dict[str, Plain]:
    found: dict[str, Plain] = {}
    for key_node, value_node in node.value:
        spot = _spot(key_node, document.source)
        if not isinstance(key_node, ScalarNode):
            document.problems.append(document.problem_at(spot, "a key must be one word"))
            continue
        key = str(key_node.value)
        if key in found:
            first = document.keys[(*path, key)]
            document.problems.append(
                document.problem_at(
                    spot, f"key {key!r} is given twice", hint=f"it is also on line {first.line}; keep one of them"
                )
            )
            continue
        document.keys[(*path, key)] = spot
        found[key] = _plain(value_node, (*path, key), document)
    return found


def _scalar(node: ScalarNode, spot: Spot, document: Document) -> Plain:
    text = str(node.value)
    if node.style:
        return text
    if text in _NULL:
        return None
    if text in _BOOL:
        return _BOOL[text]
    if _INT.fullmatch(text):
        return int(text) if len(text) <= 40 else _not_finite(spot, document)
    if _FLOAT.fullmatch(text):
        number = float(text)
        return number if math.isfinite(number) else _not_finite(spot, document)
    return _not_finite(spot, document) if _NOT_FINITE.fullmatch(text) else text


def _not_finite(spot: Spot, document: Document) -> Plain:
    document.problems.append(document.problem_at(spot, "the number is not finite", expected="a number such as 12.5"))
    return None


def _spot(node: Node, source: str) -> Spot:
    start, end = node.start_mark, node.end_mark
    text = source[start.index : end.index] if isinstance(node, ScalarNode) else ""
    return Spot(start.line + 1, start.column + 1, start.index, end.index, _short(text))


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST_TEXT else f"{text[:_LONGEST_TEXT]}…"


_FRIENDLY: Mapping[str, tuple[str, str]] = {
    "found character '\\t'": ("a tab where spaces belong", "indent with spaces"),
    "mapping values are not allowed here": (
        "a second ': ' on one line",
        "put a text that holds ': ' in quotes, or check the indentation",
    ),
    "found undefined alias": ("'*' begins an alias, which is not used here", "put the text in quotes"),
    "found unexpected end of stream": ("a quote is never closed", "close it"),
}


def _syntax(error: MarkedYAMLError, file: str) -> Problem:
    mark: StringMark | None = error.problem_mark or error.context_mark
    opened: StringMark | None = error.context_mark
    raw = " ".join(part for part in (error.context, error.problem) if part)
    message, hint = f"not YAML: {raw}", "check quotes, brackets and indentation around here"
    for beginning, friendly in _FRIENDLY.items():
        if (error.problem or "").startswith(beginning):
            message, hint = friendly
    if opened is not None and mark is not None and opened.line != mark.line:
        hint += f"; it belongs to what begins on line {opened.line + 1}"
    line, column = (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)
    return Problem(file, line, column, message, hint=hint)


def _unreadable(error: ReaderError, source: str, file: str) -> Problem:
    before = source[: error.position]
    column = error.position - (before.rfind("\n") + 1) + 1
    hint = "remove it; files are plain UTF-8 text"
    found = f"U+{ord(source[error.position]):04X}"
    return Problem(file, before.count("\n") + 1, column, "a control character", found, hint=hint)


def inside(data: Plain, key: Key) -> tuple[Plain, ...]:
    """The value under a key (of keys and values) or number (of a list); nothing where there is none."""
    if isinstance(data, dict) and isinstance(key, str) and key in data:
        return (data[key],)
    if isinstance(data, list) and isinstance(key, int) and key < len(data):
        return (data[key],)
    return ()


def place_in_text(source: str, spot: Spot, value: str, offset: int) -> tuple[int, int]:
    """Line and column (from 1) in `source` of character `offset` of the text `value` written at `spot`.

    Quotes, block indentation and folded lines move characters, so the count is of characters that are not blank:
    those are the same, in the same order, in the value and in the source.
    """
    wanted = sum(not char.isspace() for char in value[:offset])
    at = _after_opening(source, spot)
    quote = source[spot.start : spot.start + 1]
    at = _skip(source, at, spot.end, quote, wanted)
    if offset >= len(value) and wanted:
        at = min(at, spot.end)
        return _line_column(source, at)
    while at < spot.end and source[at].isspace():
        at += 1
    return _line_column(source, at)


def _after_opening(source: str, spot: Spot) -> int:
    first = source[spot.start : spot.start + 1]
    if first in ("'", '"'):
        return spot.start + 1
    if first in ("|", ">"):
        return source.find("\n", spot.start, spot.end) + 1 or spot.end
    return spot.start


def _skip(source: str, at: int, end: int, quote: str, wanted: int) -> int:
    while wanted and at < end:
        escape = (quote == "'" and source[at : at + 2] == "''") or (quote == '"' and source[at] == "\\")
        if not source[at].isspace() and not (escape and source[at + 1] in "nt \n"):
            wanted -= 1
        at += 2 if escape else 1
    return at


def _line_column(source: str, at: int) -> tuple[int, int]:
    return source.count("\n", 0, at) + 1, at - (source.rfind("\n", 0, at) + 1) + 1

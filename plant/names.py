"""Which names an expression of the rule language uses, and where: enough to find misspelled ones without compiling."""

from __future__ import annotations

import ast
import keyword
import re
from collections.abc import Iterator
from dataclasses import dataclass

from plant.errors import BadInput

_NAME = re.compile(r"[a-z][a-z0-9_]*")
ALWAYS_KNOWN = frozenset({"active", "True", "False"})
"""Names of the language itself."""


@dataclass(frozen=True, slots=True)
class NameUse:
    """One use of a point, parameter, derived quantity or `relation.point` at character `offset` (from 0)."""

    name: str
    offset: int


class NotAnExpression(BadInput):
    """A text that is no expression; wrong at character `offset` (from 0)."""

    def __init__(self, message: str, offset: int) -> None:
        self.offset = offset
        super().__init__(message)


def is_name(text: str) -> bool:
    """Whether a text may name a point, parameter or quantity: snake_case, and no word of Python's."""
    return _NAME.fullmatch(text) is not None and not keyword.iskeyword(text)


def names_used(text: str) -> list[NameUse]:
    """Names in an expression, in the order they stand there, without the names of functions.

    Raises NotAnExpression where Python's grammar does not know the text.
    """
    try:
        tree = ast.parse(text, mode="eval")
    except SyntaxError as error:
        # Where something is missing at the end, the parser says column 0.
        end = len(text.rstrip())
        offset = _line_start(text, error.lineno or 1) + error.offset - 1 if error.offset else end
        raise NotAnExpression(f"not an expression: {error.msg}", min(offset, end)) from None
    except (ValueError, RecursionError, MemoryError) as error:
        raise NotAnExpression(f"not an expression: {error}", 0) from None
    return sorted(_uses(tree.body, text), key=lambda use: use.offset)


def _uses(node: ast.AST, text: str) -> Iterator[NameUse]:
    match node:
        case ast.Call(func=ast.Name()):
            for argument in (*node.args, *(word.value for word in node.keywords)):
                yield from _uses(argument, text)
        case ast.Attribute(value=ast.Name(id=relation)):
            yield NameUse(f"{relation}.{node.attr}", _offset(node, text))
        case ast.Name():
            yield NameUse(node.id, _offset(node, text))
        case _:
            for part in ast.iter_child_nodes(node):
                yield from _uses(part, text)


def _offset(node: ast.expr, text: str) -> int:
    start = _line_start(text, node.lineno)
    # ast counts UTF-8 bytes within a line; people count characters
    return start + len(text[start:].encode()[: node.col_offset].decode(errors="ignore"))


def _line_start(text: str, line: int) -> int:
    start = 0
    for _ in range(line - 1):
        start = text.index("\n", start) + 1
    return start

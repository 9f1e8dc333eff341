"""What every call of the language needs: its arguments read, counted and blamed at their place in the text."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import NoReturn, Protocol

from plant.instants import duration_text
from rules.lang.arithmetic import Arithmetic, Blame
from rules.lang.nodes import Const, NumNode
from rules.lang.parse import Parser, Scope, Term
from rules.lang.spans import COVERAGE_PERCENT, PLAIN_MS


class Workshop(Protocol):
    """Where calls become nodes."""

    scope: Scope
    arithmetic: Arithmetic


Make = Callable[[Workshop, ast.Call, Parser], Term]
"""Makes the node of one call."""


def blamer(parser: Parser, at: ast.expr) -> Blame:
    """A Blame that points at a part of the text."""

    def blame(message: str, *, expected: str = "", hint: str = "") -> NoReturn:
        raise parser.fail(at, message, expected=expected, hint=hint)

    return blame


def arity(node: ast.Call, parser: Parser, count: int, usage: str) -> None:
    """Refuse a call with another number of arguments."""
    if len(node.args) != count:
        raise parser.fail(node, f"{len(node.args)} arguments", expected=usage)


def changing(node: ast.expr, parser: Parser) -> NumNode:
    """An argument as a node of numbers; a constant has no history."""
    term = parser.number(node)
    if isinstance(term, Const):
        raise parser.fail(node, "a constant does not change", expected="a point or derived quantity")
    return term


def coverage(node: ast.Call, parser: Parser) -> int:
    """The coverage a call demands, percent: `coverage=0.8`, or the usual four fifths."""
    percent = COVERAGE_PERCENT
    for word in node.keywords:
        if word.arg != "coverage" or not isinstance(word.value, ast.Constant):
            raise parser.fail(node, f"unknown argument {word.arg!r}", expected="coverage=0.8")
        share = word.value.value
        if not isinstance(share, int | float) or not 0 < share <= 1:
            raise parser.fail(word.value, "not a share", expected="a number above 0 and at most 1")
        percent = round(share * 100)
    return percent


def plain(node: ast.expr, parser: Parser, what: str) -> int:
    """A duration, ms, for what cannot move in panes."""
    length = parser.duration(node)
    if length > PLAIN_MS:
        raise parser.fail(node, f"{what} looks back at most {duration_text(PLAIN_MS)}", expected="a shorter duration")
    return length

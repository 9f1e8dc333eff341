"""Text to nodes: Python's own parser, a whitelist of its nodes, and checks of names, units and ranges on the way.

Nothing is ever executed: the syntax tree is walked, and every node becomes one of `rules.lang.nodes`.
"""

from __future__ import annotations

import ast
import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

from plant.catalogue import Derived, Point
from plant.errors import BadInput, DutyroomError
from plant.instants import duration_text, parse_duration
from plant.units import Dimension
from rules.lang.fixed import exact
from rules.lang.nodes import BoolNode, Const, Fixed, Node, NumNode, Rounded, Shape, Signal, SignalTruth
from rules.lang.spans import LONGEST_MS

Term = Const | NumNode | BoolNode

MAX_TEXT = 2_000
MAX_NODES = 400


class ExpressionError(DutyroomError):
    """An expression is wrong at `column` (from 1) of its text."""

    def __init__(self, column: int, message: str, *, text: str = "", expected: str = "", hint: str = "") -> None:
        self.column, self.message, self.text, self.expected, self.hint = column, message, text, expected, hint
        super().__init__(f"column {column}: {message}")


@dataclass(slots=True)
class Scope:
    """The names an expression may use, for the equipment of one type on one grid.

    `points` holds own points and related ones as `relation.point`; `derived` the quantities of the type, `own` those of
    the rule, which may use `p` too; `member` is the point that `p` stands for; `nodes` is where equal nodes are shared;
    `zone` is that of the site's clock; `intervals` are the sampling intervals the equipment declare, row by row (None:
    each point's own class).
    """

    rows: int
    step_ms: int
    points: Mapping[str, Point]
    derived: Mapping[str, Derived]
    consts: Mapping[str, Const]
    active: str | None = None
    member: Point | None = None
    nodes: dict[str, Node] = field(default_factory=dict)
    resolving: tuple[str, ...] = ()
    zone: str = "UTC"
    own: Mapping[str, Derived] = field(default_factory=dict)
    intervals: tuple[int | None, ...] = ()

    def names(self) -> list[str]:
        """Every name that would be understood."""
        extra = ["active"] + (["p"] if self.member else [])
        return [*self.points, *self.derived, *self.own, *self.consts, *extra]


class Operations(Protocol):
    """What the parser hands arithmetic, comparisons and calls to."""

    def unary(self, op: ast.unaryop, term: Term, at: ast.expr, parser: Parser) -> Term: ...
    def binary(self, op: ast.operator, left: Term, right: Term, at: ast.expr, parser: Parser) -> Term: ...
    def compare(self, op: ast.cmpop, left: Term, right: Term, at: ast.expr, parser: Parser) -> BoolNode: ...
    def combine(self, op: ast.boolop, parts: list[BoolNode]) -> BoolNode: ...
    def call(self, node: ast.Call, parser: Parser) -> Term: ...
    def quality(self, node: ast.Compare, parser: Parser) -> BoolNode | None: ...


class Parser:
    """Parses one expression in a scope."""

    def __init__(self, text: str, scope: Scope, operations: Operations) -> None:
        self.text = text
        self.scope = scope
        self.operations = operations

    def parse(self) -> Term:
        """The whole expression; raises ExpressionError at the first mistake."""
        if len(self.text) > MAX_TEXT:
            raise ExpressionError(1, "the expression is too long", expected=f"at most {MAX_TEXT} characters")
        try:
            tree = ast.parse(self.text, mode="eval")
        except SyntaxError as error:
            # at the end of the text Python names no place
            column = error.offset if error.offset and error.lineno == 1 else len(self.text.rstrip()) + 1
            raise ExpressionError(
                column, f"not an expression: {error.msg}", text=self.text[column - 1 :][:20]
            ) from None
        except (ValueError, RecursionError, MemoryError) as error:
            raise ExpressionError(1, f"not an expression: {error}", text=self.text[:20]) from None
        if sum(1 for _ in ast.walk(tree)) > MAX_NODES:
            raise ExpressionError(1, "the expression is too large", expected=f"at most {MAX_NODES} parts")
        return self.visit(tree.body)

    def fail(self, at: ast.expr, message: str, *, expected: str = "", hint: str = "") -> ExpressionError:
        """An error at a part of the text."""
        text = ast.get_source_segment(self.text, at) or ""
        # col_offset counts UTF-8 bytes; people count characters
        column = len(self.text.encode()[: at.col_offset].decode(errors="ignore")) + 1
        return ExpressionError(column, message, text=text, expected=expected, hint=hint)

    def visit(self, node: ast.expr) -> Term:
        """One part of the tree."""
        match node:
            case ast.Constant():
                return self._constant(node)
            case ast.Name():
                return self._name(node, node.id)
            case ast.Attribute(value=ast.Name(id=relation)):
                return self._name(node, f"{relation}.{node.attr}")
            case ast.UnaryOp():
                return self.operations.unary(node.op, self.visit(node.operand), node, self)
            case ast.BinOp():
                return self.operations.binary(node.op, self.visit(node.left), self.visit(node.right), node, self)
            case ast.BoolOp():
                return self.operations.combine(node.op, [self.truth(part) for part in node.values])
            case ast.Compare():
                return self._compare(node)
            case ast.Call():
                return self.operations.call(node, self)
        raise self.fail(
            node,
            f"{type(node).__name__} is not part of the rule language",
            expected="names, numbers, arithmetic, comparisons, and/or/not, or a function of the language",
        )

    def truth(self, node: ast.expr) -> BoolNode:
        """A part that must be a condition."""
        term = self.visit(node)
        if not isinstance(term, BoolNode):
            raise self.fail(node, "this is a number", expected="a condition, such as `x > 3`")
        return term

    def number(self, node: ast.expr) -> Const | NumNode:
        """A part that must be a number."""
        term = self.visit(node)
        if isinstance(term, BoolNode):
            raise self.fail(node, "this is a condition", expected="a number")
        return term

    def duration(self, node: ast.expr) -> int:
        """A quoted duration, ms, at least one step and at most as far as anything looks back."""
        if not (isinstance(node, ast.Constant) and isinstance(node.value, str)):
            raise self.fail(node, "a duration is needed here", expected='a quoted duration such as "5m"')
        try:
            length = parse_duration(node.value)
        except BadInput as error:
            raise self.fail(node, str(error)) from None
        if length % self.scope.step_ms or length < self.scope.step_ms:
            step = duration_text(self.scope.step_ms)
            raise self.fail(node, f"{node.value} does not fit the grid of {step}", expected=f"a multiple of {step}")
        if length > LONGEST_MS:
            raise self.fail(
                node, f"{node.value} is longer than a window may be", expected=f"at most {duration_text(LONGEST_MS)}"
            )
        return length

    def share(self, node: Node) -> Node:
        """The node of this key that is already there, or this one."""
        return self.scope.nodes.setdefault(node.key, node)

    def _constant(self, node: ast.Constant) -> Term:
        if isinstance(node.value, bool):
            return Fixed(node.value)
        if isinstance(node.value, int | float):
            value = exact(node.value)
            return Const((value,), None, float(value), float(value), str(node.value))
        raise self.fail(node, f"{node.value!r} has no meaning here", expected="a number")

    def _compare(self, node: ast.Compare) -> BoolNode:
        found = self.operations.quality(node, self)
        if found is not None:
            return found
        terms = [self.visit(part) for part in (node.left, *node.comparators)]
        parts = [
            self.operations.compare(op, left, right, node, self)
            for op, left, right in zip(node.ops, terms, terms[1:], strict=False)
        ]
        return parts[0] if len(parts) == 1 else self.operations.combine(ast.And(), parts)

    def _name(self, node: ast.expr, name: str) -> Term:
        scope = self.scope
        if name == "p" and scope.member is not None:
            return self.point(scope.member.name, scope.member)
        if name == "active":
            return self._active()
        if name in scope.points:
            return self.point(name, scope.points[name])
        if name in scope.consts:
            return scope.consts[name]
        if name in scope.own:
            inside = replace(scope, resolving=(*scope.resolving, name))
            return self._derived(node, scope.own[name], inside)
        if name in scope.derived:
            return self._derived(node, scope.derived[name], self._inner(name))
        close = difflib.get_close_matches(name, scope.names(), n=1)
        raise self.fail(
            node,
            f"unknown name {name!r}",
            expected="a point, derived quantity or parameter of the type, or a parameter of the rule",
            hint=f"did you mean {close[0]!r}?" if close else "",
        )

    def point(self, name: str, point: Point) -> Term:
        """A point as a node: a condition when its unit is bool, else a number."""
        if point.unit == "bool":
            node = self.share(SignalTruth(name))
        else:
            shape = Shape(point.decimals, Dimension.of(point.unit), point.low, point.high)
            node = self.share(Signal(name, shape))
        assert isinstance(node, NumNode | BoolNode)  # noqa: S101 - narrows what share() keeps by key
        return node

    def _active(self) -> BoolNode:
        if self.scope.active is None:
            return Fixed(True)
        term = Parser(self.scope.active, self._inner("active"), self.operations).parse()
        if not isinstance(term, BoolNode):
            raise ExpressionError(1, f"`active` is a number: {self.scope.active}")
        return term

    def _derived(self, node: ast.expr, derived: Derived, scope: Scope) -> Term:
        if derived.name in self.scope.resolving:
            raise self.fail(node, f"{derived.name} is defined by itself")
        term = Parser(derived.expression, scope, self.operations).parse()
        if isinstance(term, Const):
            return Const(term.values, Dimension.of(derived.unit), term.low, term.high, derived.name)
        if isinstance(term, NumNode):
            rounded = Rounded(term, derived.decimals) if term.shape.decimals != derived.decimals else term
            term = _Renamed(rounded, Dimension.of(derived.unit))
        term.alias = derived.name
        return term

    def _inner(self, name: str) -> Scope:
        """Where a text of the type is read: without `p` and the rule's own quantities."""
        return replace(self.scope, member=None, own={}, resolving=(*self.scope.resolving, name))


class _Renamed(Rounded):
    """A derived quantity: the number of its expression, in the unit it declares."""

    def __init__(self, part: NumNode, dimension: Dimension) -> None:
        super().__init__(part, part.shape.decimals)
        self.key = part.key
        self.shape = Shape(part.shape.decimals, dimension, part.shape.low, part.shape.high)

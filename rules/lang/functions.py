"""The functions of the language in one table, and what the parser hands operators and calls to."""

from __future__ import annotations

import ast
from collections.abc import Mapping

from rules.lang.arithmetic import Arithmetic
from rules.lang.at_instant import AT_INSTANT, quality_of
from rules.lang.calling import Make, blamer
from rules.lang.fixed import exact
from rules.lang.looking_back import LOOKING_BACK
from rules.lang.nodes import BoolNode, Const, NumNode
from rules.lang.parse import Parser, Scope, Term
from rules.lang.stillness import STILLNESS


class Functions:
    """Hands the parser nodes for operators and calls (`parse.Operations`)."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.arithmetic = Arithmetic(scope.rows, scope.nodes)

    def unary(self, op: ast.unaryop, term: Term, at: ast.expr, parser: Parser) -> Term:
        """-x, +x, not x."""
        blame = blamer(parser, at)
        if isinstance(op, ast.Not):
            if not isinstance(term, BoolNode):
                blame("`not` needs a condition", expected="a condition, such as `x > 3`")
            return self.arithmetic.negate(term)
        if isinstance(term, BoolNode):
            blame("this is a condition", expected="a number")
        if isinstance(op, ast.USub):
            minus = Const((exact(-1),), None, -1.0, -1.0, "-1")
            if isinstance(term, NumNode):
                return self.arithmetic.multiply(term, minus, blame)
            return self.arithmetic.multiply(minus, term, blame)
        if isinstance(op, ast.UAdd):
            return term
        raise parser.fail(at, f"{type(op).__name__} is not part of the rule language")

    def binary(self, op: ast.operator, left: Term, right: Term, at: ast.expr, parser: Parser) -> Term:
        """+ − × ÷ and whole powers up to 4."""
        blame = blamer(parser, at)
        if isinstance(left, BoolNode) or isinstance(right, BoolNode):
            blame("arithmetic on a condition", expected="numbers on both sides")
        match op:
            case ast.Add():
                return self.arithmetic.add(left, right, 1, blame)
            case ast.Sub():
                return self.arithmetic.add(left, right, -1, blame)
            case ast.Mult():
                return self.arithmetic.multiply(left, right, blame)
            case ast.Div():
                return self.arithmetic.divide(left, right, blame)
            case ast.Pow() if isinstance(right, Const) and right.values[0] in (2, 3, 4):
                power = left
                for _ in range(int(right.values[0] or 0) - 1):
                    power = self.arithmetic.multiply(power, left, blame)
                return power
        raise parser.fail(at, f"{type(op).__name__} is not part of the rule language", expected="+ - * / or ** 2, 3, 4")

    def compare(self, op: ast.cmpop, left: Term, right: Term, at: ast.expr, parser: Parser) -> BoolNode:
        """One comparison."""
        blame = blamer(parser, at)
        if isinstance(left, BoolNode) or isinstance(right, BoolNode):
            blame("a condition is compared", expected="numbers on both sides", hint="write `x` or `not x`")
        return self.arithmetic.compare(op, left, right, blame)

    def combine(self, op: ast.boolop, parts: list[BoolNode]) -> BoolNode:
        """and / or."""
        return self.arithmetic.combine(op, parts)

    def quality(self, node: ast.Compare, parser: Parser) -> BoolNode | None:
        """`quality(p) == out_of_range`, or None when this is another comparison."""
        call = node.left
        if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "quality"):
            return None
        right = node.comparators[0]
        if len(node.ops) != 1 or not isinstance(node.ops[0], ast.Eq) or not isinstance(right, ast.Name):
            raise parser.fail(node, "a quality is compared like this: quality(p) == out_of_range")
        return quality_of(self, call, [right.id], parser)

    def call(self, node: ast.Call, parser: Parser) -> Term:
        """A function of the table."""
        if not isinstance(node.func, ast.Name) or node.func.id not in TABLE:
            raise parser.fail(node, "unknown function", expected=", ".join(sorted(TABLE)))
        return TABLE[node.func.id](self, node, parser)


TABLE: Mapping[str, Make] = {**AT_INSTANT, **LOOKING_BACK, **STILLNESS}
"""Name → how the arguments of a function are read and which node it makes."""

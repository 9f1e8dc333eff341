"""The functions of the rule language, told over the past of one equipment in plain loops."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from fractions import Fraction

from plant.instants import parse_duration
from plant.quality import Reason
from tests.support.naive_language import Call, Number, Reader, Value, aligned, binary, kleene, rounded


def duration(node: ast.expr) -> int:
    """A quoted duration, ms."""
    if not isinstance(node, ast.Constant):
        raise TypeError(ast.dump(node))
    return parse_duration(str(node.value))


def _span(reader: Reader, node: ast.Call, when: int) -> tuple[range, int]:
    """Indices of the window's instants that are in the past at all, and how many of the window must be known."""
    width = duration(node.args[-1]) // reader.step
    return range(max(0, when - width + 1), when + 1), max(1, -(-width * 4 // 5))


def _numbers(reader: Reader, node: ast.Call, when: int) -> tuple[list[Fraction], bool, int | None]:
    span, need = _span(reader, node, when)
    found = [reader.number(node.args[0], index) for index in span]
    known = [number.value for number in found if number.value is not None]
    return known, len(known) >= need, reader.number(node.args[0], when).decimals


def _mean(values: list[Fraction]) -> Fraction:
    return sum(values, Fraction(0)) / len(values)


def _statistic(work: Callable[[list[Fraction]], Fraction]) -> Call:
    def call(reader: Reader, node: ast.Call, when: int) -> Value:
        known, enough, decimals = _numbers(reader, node, when)
        if not enough or decimals is None:
            return Number(None, decimals)
        return Number(rounded(work(known), decimals), decimals)

    return call


def _lag(reader: Reader, node: ast.Call, when: int) -> Number:
    back = when - duration(node.args[1]) // reader.step
    if back < 0:
        return Number(None, reader.number(node.args[0], when).decimals)
    return reader.number(node.args[0], back)


def _delta(reader: Reader, node: ast.Call, when: int) -> Value:
    return binary(ast.Sub(), reader.number(node.args[0], when), _lag(reader, node, when))


def _held(reader: Reader, node: ast.Call, when: int) -> Value:
    now = reader.flag(node.args[0], when)
    if not now:
        return now
    instants = duration(node.args[1]) // reader.step + 1
    if when + 1 < instants:
        return False
    return all(reader.flag(node.args[0], when - back) is True for back in range(instants))


def _since(reader: Reader, node: ast.Call, when: int) -> Value:
    for back in range(when + 1):
        if reader.flag(node.args[0], when - back) is True:
            return Number(Fraction(back * reader.step // 1000), 0)
    return Number(None, 0)


def _flags(reader: Reader, node: ast.Call, when: int) -> tuple[list[bool], bool]:
    span, need = _span(reader, node, when)
    known = [flag for flag in (reader.flag(node.args[0], index) for index in span) if flag is not None]
    return known, len(known) >= need


def _share(reader: Reader, node: ast.Call, when: int) -> Value:
    known, enough = _flags(reader, node, when)
    return Number(rounded(Fraction(sum(known), len(known)), 6) if enough else None, 6)


def _rises(reader: Reader, node: ast.Call, when: int) -> Value:
    """A rise is a true instant right after a false one; it belongs to the instant at which it is true."""
    span, _ = _span(reader, node, when)
    _, enough = _flags(reader, node, when)
    inner = node.args[0]
    rises = sum(reader.flag(inner, i) is True and i > 0 and reader.flag(inner, i - 1) is False for i in span)
    return Number(Fraction(rises) if enough else None, 0)


def _stuck(reader: Reader, node: ast.Call, when: int) -> Value:
    known, enough, decimals = _numbers(reader, node, when)
    tolerance = reader.number(node.args[1], when).value
    if not enough or decimals is None or tolerance is None:
        return None
    return max(known) - min(known) <= rounded(tolerance, decimals)


def _pick(choose: Callable[[Fraction, Fraction], Fraction]) -> Call:
    def call(reader: Reader, node: ast.Call, when: int) -> Value:
        left, right, decimals = aligned(reader.number(node.args[0], when), reader.number(node.args[1], when))
        return Number(None if left is None or right is None else choose(left, right), decimals)

    return call


def _default(reader: Reader, node: ast.Call, when: int) -> Value:
    left, right, decimals = aligned(reader.number(node.args[0], when), reader.number(node.args[1], when))
    return Number(right if left is None else left, decimals)


def _abs(reader: Reader, node: ast.Call, when: int) -> Value:
    number = reader.number(node.args[0], when)
    return Number(None if number.value is None else abs(number.value), number.decimals)


def _any_of(reader: Reader, node: ast.Call, when: int) -> Value:
    return kleene([reader.flag(part, when) for part in node.args], decisive=True)


def _known(reader: Reader, node: ast.Call, when: int) -> Value:
    found = reader.at(node.args[0], when)
    return (found.value if isinstance(found, Number) else found) is not None


def _quality(reader: Reader, node: ast.Call, when: int) -> Value:
    if not isinstance(node.args[0], ast.Name):
        return False
    name = reader.member if node.args[0].id == "p" and reader.member else node.args[0].id
    wanted = {int(Reason[str(part.value).upper()]) for part in node.args[1:] if isinstance(part, ast.Constant)}
    return reader.past[when].reasons.get(name, 0) in wanted


CALLS: Mapping[str, Call] = {
    "mean": _statistic(_mean),
    "min": _statistic(min),
    "max": _statistic(max),
    "lag": _lag,
    "delta": _delta,
    "held": _held,
    "since": _since,
    "share_true": _share,
    "count_rises": _rises,
    "stuck": _stuck,
    "least": _pick(min),
    "greatest": _pick(max),
    "default": _default,
    "abs": _abs,
    "any_of": _any_of,
    "known": _known,
    "quality": _quality,
}

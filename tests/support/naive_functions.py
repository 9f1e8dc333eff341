"""The functions of the rule language, told over the past of one equipment in plain loops."""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Mapping
from decimal import Decimal
from fractions import Fraction

from plant.instants import parse_duration
from plant.quality import Reason
from tests.support.naive_language import Call, Number, Reader, Value, aligned, binary, kleene, rounded

HOUR = 3_600_000


def duration(node: ast.expr) -> int:
    """A quoted duration, ms."""
    if not isinstance(node, ast.Constant):
        raise TypeError(ast.dump(node))
    return parse_duration(str(node.value))


def _coverage(node: ast.Call) -> Fraction:
    """The share that must be known, in whole percent."""
    words = [Fraction(repr(word.value.value)) for word in node.keywords if isinstance(word.value, ast.Constant)]
    return Fraction(round((words or [Fraction(4, 5)])[0] * 100), 100)


def _span(reader: Reader, node: ast.Call, when: int) -> tuple[range, int]:
    """Indices of the window's instants that are in the past at all, and how many of the window must be known."""
    length = duration(node.args[-1])
    width = length // reader.step
    need = max(1, math.ceil(width * _coverage(node)))
    if length <= 2 * HOUR:
        return range(max(0, when - width + 1), when + 1), need
    panes = _panes(reader, node.args[-1], when)
    return range(panes[0].start, panes[-1].stop) if panes else range(0), need


def _pane_length(length: int) -> int:
    """The shortest divisor of a day out of the list of which at most 192 make the window."""
    minutes = (1, 2, 5, 10, 15, 20, 30, 60, 120, 180, 240, 360, 480, 720, 1440)
    return next(m * 60_000 for m in minutes if length % (m * 60_000) == 0 and length // (m * 60_000) <= 192)


def _strikes(reader: Reader, pane: int, when: int) -> bool:
    """Whether the site's clock shows a multiple of the pane at this instant."""
    shown = reader.clock(when)
    return ((shown.hour * 60 + shown.minute) * 60 + shown.second) * 1000 % pane == 0


def _panes(reader: Reader, window: ast.expr, when: int, *, more: int = 0) -> list[range]:
    """The panes that ended last, oldest first: as many as make the window (and `more`); a pane ends with a stroke."""
    length = duration(window)
    pane = _pane_length(length)
    found: list[range] = []
    stop = next((index + 1 for index in range(when, -1, -1) if _strikes(reader, pane, index)), 0)
    while stop > 0 and len(found) < length // pane + more:
        start = next((index + 1 for index in range(stop - 2, -1, -1) if _strikes(reader, pane, index)), 0)
        found.insert(0, range(start, stop))
        stop = start
    return found


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


def _middle(values: list[Fraction]) -> Fraction:
    ordered = sorted(values)
    return (ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) / 2


def _median(reader: Reader, node: ast.Call, when: int) -> Value:
    """Of the known values; over panes, of the panes' means, each rounded as a mean is."""
    known, enough, decimals = _numbers(reader, node, when)
    if not enough or decimals is None:
        return Number(None, decimals)
    length = duration(node.args[1])
    if length > 2 * HOUR:
        panes = [
            [n.value for n in (reader.number(node.args[0], index) for index in pane) if n.value is not None]
            for pane in _panes(reader, node.args[1], when)
        ]
        known = [rounded(_mean(values), decimals) for values in panes if values]
    return Number(rounded(_middle(known), decimals), decimals)


def _lag(reader: Reader, node: ast.Call, when: int) -> Number:
    length = duration(node.args[1])
    decimals = reader.number(node.args[0], when).decimals
    if length <= 2 * HOUR:
        back = when - length // reader.step
        return reader.number(node.args[0], back) if back >= 0 else Number(None, decimals)
    panes = _panes(reader, node.args[1], when, more=1)
    if len(panes) <= length // _pane_length(length):
        return Number(None, decimals)
    values = [reader.number(node.args[0], index).value for index in panes[0]]
    return Number(next((value for value in reversed(values) if value is not None), None), decimals)


def _ewma(reader: Reader, node: ast.Call, when: int) -> Value:
    """Weights 2^20 exp(-i step / tau), rounded, over eight tau."""
    tau = duration(node.args[1])
    top, under, everything = Fraction(0), 0, 0
    for i in range(8 * tau // reader.step):
        weight = int((Decimal(2**20) * (Decimal(-i * reader.step) / tau).exp() + Decimal("0.5")) // 1)
        everything += weight
        value = reader.number(node.args[0], when - i).value if i <= when else None
        if value is not None:
            top, under = top + weight * value, under + weight
    decimals = reader.number(node.args[0], when).decimals
    if decimals is None or under < everything * _coverage(node):
        return Number(None, decimals)
    return Number(rounded(top / under, decimals), decimals)


def _last(reader: Reader, node: ast.Call, when: int) -> Value:
    for index in range(when, -1, -1):
        if reader.flag(node.args[1], index) is True:
            return reader.number(node.args[0], index)
    return Number(None, reader.number(node.args[0], when).decimals)


def _where(reader: Reader, node: ast.Call, when: int) -> Value:
    first, *other = (reader.number(part, when) for part in node.args[1:])
    second = other[0] if other else Number(None, first.decimals)
    left, right, decimals = aligned(first, second)
    flag = reader.flag(node.args[0], when)
    return Number(None if flag is None else left if flag else right, decimals)


def _median_of(reader: Reader, node: ast.Call, when: int) -> Value:
    parts = [reader.number(part, when) for part in node.args]
    decimals = min(part.decimals for part in parts if part.decimals is not None)
    values = [rounded(part.value, decimals) for part in parts if part.value is not None]
    return Number(rounded(_middle(values), decimals) if len(values) == len(parts) else None, decimals)


def _hour(reader: Reader, when: int) -> Fraction:
    shown = reader.clock(when)
    return rounded(Fraction(shown.hour) + Fraction(shown.minute, 60) + Fraction(shown.second, 3600), 6)


def _local_hour(reader: Reader, node: ast.Call, when: int) -> Value:
    return Number(_hour(reader, when), 6)


def _local_month(reader: Reader, node: ast.Call, when: int) -> Value:
    return Number(Fraction(reader.clock(when).month), 0)


def _hours_until(reader: Reader, node: ast.Call, when: int) -> Value:
    goal = reader.number(node.args[0], when).value
    return Number(None if goal is None else (goal - _hour(reader, when)) % 24, 6)


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
    "ewma": _ewma,
    "hours_until": _hours_until,
    "last": _last,
    "local_hour": _local_hour,
    "local_month": _local_month,
    "mean": _statistic(_mean),
    "median": _median,
    "median_of": _median_of,
    "where": _where,
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

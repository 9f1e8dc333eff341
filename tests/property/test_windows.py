"""Operators that look back, against the reference told row by row: in any cut, across changes of the clock."""

from __future__ import annotations

import ast
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plant.catalogue import Kind, Point, Text
from plant.instants import parse_instant
from rules.lang.fixed import Ints
from rules.lang.functions import Functions
from rules.lang.nodes import Block, BoolNode, Num, NumNode, State
from rules.lang.parse import Parser, Scope
from tests.support.naive_functions import CALLS
from tests.support.naive_language import Number, Past, Reader

Rows = list[tuple[int | None, bool | None]]
"""Counts of x in 0.001 K and the switch, an instant each; None is unknown."""

Told = list[Fraction | bool | None]

STEP_MS = 60_000
HOURS = 9
POINTS = {
    "x": Point("x", "K", Kind.SENSOR, -100, 100, Text("量", "x"), decimals=3),
    "on": Point("on", "bool", Kind.STATUS, 0, 1, Text("开", "on"), decimals=0),
}
CLOCKS = [
    pytest.param("Asia/Shanghai", "2026-03-01T12:00:00Z", id="no summer time"),
    pytest.param("Asia/Kathmandu", "2026-03-01T12:00:00Z", id="quarter of an hour"),
    pytest.param("Europe/Berlin", "2026-03-28T20:31:00Z", id="an hour put forward"),
    pytest.param("Europe/Berlin", "2026-10-24T20:31:00Z", id="an hour put back"),
    pytest.param("Australia/Lord_Howe", "2026-04-04T10:00:00Z", id="half an hour put back"),
    pytest.param("Australia/Lord_Howe", "2026-10-03T10:00:00Z", id="half an hour put forward"),
]
EXPRESSIONS = [
    'mean(x, "130m", coverage=0.5)',
    'min(x, "3h", coverage=0.3)',
    'max(x, "3h", coverage=0.3)',
    'median(x, "4h", coverage=0.4)',
    'median(x, "1d", coverage=0.2)',
    'delta(x, "3h")',
    'lag(x, "6h")',
    'share_true(on, "3h", coverage=0.5)',
    'count_rises(on, "150m", coverage=0.5)',
    'delta(median(x, "130m", coverage=0.3), "150m")',
    'ewma(x, "10m")',
    'ewma(x, "40m", coverage=0.3)',
    "last(x, on)",
    "where(on, x)",
    "hours_until(3.5) + local_hour()",
    'held(on, "3h")',
]


def _series(seed: int, count: int) -> Rows:
    """Counts of 0.001 K that wander, and a switch; both with holes, some of them hours long."""
    random = np.random.default_rng(seed)
    value, on = 20_000, False
    silent = [(start, start + int(random.integers(1, 150))) for start in random.integers(0, count, 3).tolist()]
    found: Rows = []
    for place in range(count):
        value = int(np.clip(value + random.integers(-900, 901), -99_000, 99_000))
        on = on != (random.random() < 0.05)
        gone = any(start <= place < end for start, end in silent)
        found.append((None if gone or random.random() < 0.1 else value, None if gone else on))
    return found


def _block(rows: Rows, instants: Ints, state: State) -> Block:
    def read(name: str) -> Num:
        column = [row[0] if name == "x" else row[1] for row in rows]
        values = np.array([[0 if value is None else int(value) for value in column]], np.int64)
        return Num(values, np.array([[value is not None for value in column]]))

    def nothing(name: str) -> Num:
        raise AssertionError(name)

    return Block(instants, 1, STEP_MS, read, lambda name: np.zeros((1, len(rows)), np.int64), nothing, state)


def _engine(text: str, zone: str, instants: Ints, rows: Rows, cuts: list[int]) -> Told:
    scope = Scope(1, STEP_MS, POINTS, {}, {}, zone=zone)
    node = Parser(text, scope, Functions(scope)).parse()
    state, found = State(1), list[Fraction | bool | None]()
    for start, end in pairwise([0, *sorted(set(cuts)), len(rows)]):
        block = _block(rows[start:end], instants[start:end], state)
        if isinstance(node, NumNode):
            plane, lift = node.num(block), 10**node.shape.decimals
            values = zip(plane.value[0].tolist(), plane.known[0].tolist(), strict=True)
            found += [Fraction(value, lift) if known else None for value, known in values]
        else:
            assert isinstance(node, BoolNode)
            truth = node.truth(block)
            flags = zip(truth.true[0].tolist(), truth.false[0].tolist(), strict=True)
            found += [True if true else False if false else None for true, false in flags]
    return found


def _reference(text: str, zone: str, instants: Ints, rows: Rows) -> Told:
    reader = Reader(POINTS, {}, STEP_MS, zone, calls=CALLS)
    tree = ast.parse(text, mode="eval").body
    for at, (value, on) in zip(instants.tolist(), rows, strict=True):
        known = {"x": None if value is None else Fraction(value, 1000), "on": None if on is None else Fraction(on)}
        reader.past.append(Past(at, dict(known), {}))
    found: Told = []
    for when in range(len(rows)):
        value_now = reader.at(tree, when)
        found.append(value_now.value if isinstance(value_now, Number) else value_now)
    return found


@pytest.mark.parametrize("text", EXPRESSIONS)
@pytest.mark.parametrize(("zone", "start"), CLOCKS)
@settings(max_examples=1, deadline=None, database=None, derandomize=True)
@given(seed=st.integers(0, 2**32), data=st.data())
def test_what_looks_back_is_what_the_reference_tells(
    text: str, zone: str, start: str, seed: int, data: st.DataObject
) -> None:
    count = HOURS * 60
    cuts = data.draw(st.lists(st.integers(1, count - 1), max_size=12))
    instants = parse_instant(start) + STEP_MS * np.arange(count, dtype=np.int64)
    series = _series(seed, count)
    found = _engine(text, zone, instants, series, cuts)
    assert found == _reference(text, zone, instants, series)
    if "1d" not in text:
        assert any(value is not None for value in found)


@pytest.mark.parametrize("text", EXPRESSIONS)
def test_instant_by_instant_is_the_same_as_in_one_block(text: str) -> None:
    count = HOURS * 60
    instants = parse_instant("2026-10-24T20:31:00Z") + STEP_MS * np.arange(count, dtype=np.int64)
    series = _series(5, count)
    whole = _engine(text, "Europe/Berlin", instants, series, [])
    assert _engine(text, "Europe/Berlin", instants, series, list(range(1, count))) == whole

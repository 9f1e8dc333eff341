"""The rule language: what it refuses and where, and what its functions give on rows that can be checked by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from plant.catalogue import Derived, Flatline, Kind, Point, Text
from plant.units import Dimension
from rules.lang.fixed import count_of, decimal_text, exact, rescale, rounded_division
from rules.lang.functions import Functions
from rules.lang.nodes import Block, BoolNode, Const, Num, NumNode, State, Truth
from rules.lang.parse import ExpressionError, Parser, Scope, Term

NAME = Text("点", "point")
STEP_MS = 60_000


def point(name: str, unit: str, *, decimals: int = 3, flatline: Flatline | None = None) -> Point:
    return Point(name, unit, Kind.SENSOR, -50, 150, NAME, decimals=decimals, flatline=flatline)


def scope(rows: int = 1) -> Scope:
    points = {
        "sat": point("sat", "Cel", flatline=Flatline(0.1, 180_000)),
        "mat": point("mat", "Cel"),
        "load": point("load", "%"),
        "flow": point("flow", "m3/h"),
        "run": Point("run", "bool", Kind.STATUS, 0, 1, NAME, decimals=0),
    }
    consts = {
        "limit": Const((exact(3.0),) * rows, Dimension.of("K"), 0, 10, "limit"),
        "missing": Const((None,) * rows, Dimension.of("K"), 0, 10, "missing"),
    }
    derived = {"rise": Derived("rise", "K", "sat - mat", NAME, 3)}
    return Scope(rows, STEP_MS, points, derived, consts, "run")


def parse(text: str, where: Scope | None = None) -> Term:
    where = where or scope()
    return Parser(text, where, Functions(where)).parse()


def block(state: State, **signals: list[float | None]) -> Block:
    """A block of one equipment; None is unknown."""
    n = len(next(iter(signals.values())))
    instants = np.arange(n, dtype=np.int64) * STEP_MS

    def read(name: str) -> Num:
        values = signals[name]
        decimals = 0 if name == "run" else 3
        counts = [0 if v is None else count_of(exact(v), decimals) for v in values]
        return Num(np.array([counts], np.int64), np.array([[v is not None for v in values]]))

    def nothing(name: str) -> Num:
        raise AssertionError(name)

    return Block(instants, 1, STEP_MS, read, lambda name: np.zeros((1, n), np.int64), nothing, state)


def truths(text: str, **signals: list[float | None]) -> list[bool | None]:
    node = parse(text)
    assert isinstance(node, BoolNode)
    plane = node.truth(block(State(1), **signals))
    return [True if t else False if f else None for t, f in zip(plane.true[0], plane.false[0], strict=True)]


def numbers(text: str, **signals: list[float | None]) -> list[str | None]:
    node = parse(text)
    assert isinstance(node, NumNode)
    plane = node.num(block(State(1), **signals))
    return [
        decimal_text(int(v), node.shape.decimals) if k else None
        for v, k in zip(plane.value[0], plane.known[0], strict=True)
    ]


@pytest.mark.parametrize(
    ("text", "column", "words"),
    [
        pytest.param("sat > ", 6, "not an expression", id="cut off"),
        pytest.param("satt > 3", 1, "unknown name 'satt'", id="unknown name"),
        pytest.param("sat + mat > 3", 1, "cannot be added to", id="two absolute temperatures added"),
        pytest.param("sat > limit", 1, "cannot be compared with", id="temperature against difference"),
        pytest.param("sat > load", 1, "cannot be compared with", id="temperature against percent"),
        pytest.param("__import__('os')", 1, "unknown function", id="call of something else"),
        pytest.param("sat.__class__ > 3", 1, "unknown name", id="attribute"),
        pytest.param("(lambda: 1)()", 1, "unknown function", id="lambda"),
        pytest.param("[1, 2]", 1, "List is not part of the rule language", id="list"),
        pytest.param("sat > 3 and mat", 13, "this is a number", id="number as condition"),
        pytest.param("mean(sat, 5) > 3", 11, "a duration is needed here", id="bare duration"),
        pytest.param('mean(sat, "90s") > 3', 11, "does not fit the grid", id="duration off the grid"),
        pytest.param('mean(sat, "40d") > 3', 11, "longer than a window", id="too long a window"),
        pytest.param("sat > 3.00005", 1, "finer than the resolution", id="too fine a literal"),
        pytest.param("3 > 2", 1, "two constants", id="constants"),
        pytest.param("run > 0", 1, "a condition is compared", id="bool compared"),
        pytest.param("sat * sat * sat * sat * sat * sat * sat > 1", 1, "numbers here could pass 2^62", id="overflow"),
        pytest.param('std(sat, "3h") > 3', 10, "std looks back at most 2h", id="std in panes"),
        pytest.param('mean(sat, "121m30s") > 3', 11, "does not fit the grid", id="long duration off the grid"),
        pytest.param('mean(sat, "8d1m") > 3', 11, "cannot be cut into panes", id="no whole panes"),
        pytest.param("least(sat, load) > 3", 1, "are mixed", id="choice between units"),
        pytest.param("default(rise, sat) > 3", 1, "are mixed", id="stand-in of another unit"),
        pytest.param("median_of(sat, mat) > 3", 1, "2 arguments", id="middle of two"),
        pytest.param('point("current_{phase}") > 3', 1, "needs a rule over a family", id="point without members"),
        pytest.param("where(sat, mat) > 3", 7, "this is a number", id="where without a condition"),
        pytest.param("flat(mat)", 1, "declares no flatline", id="no flatline"),
    ],
)
def test_a_wrong_expression_is_refused_at_its_column(text: str, column: int, words: str) -> None:
    with pytest.raises(ExpressionError, match="column") as caught:
        parse(text)
    assert words in caught.value.message
    assert caught.value.column == column


def test_columns_count_characters_not_bytes() -> None:
    with pytest.raises(ExpressionError) as caught:
        parse("known(sat) and '值班室' and satt")
    assert caught.value.column == 16


def test_a_misspelt_name_gets_a_suggestion() -> None:
    with pytest.raises(ExpressionError) as caught:
        parse("sta > 3")
    assert caught.value.hint == "did you mean 'sat'?"


def test_comparison_with_unknown_is_unknown_and_strict() -> None:
    assert truths("sat > 20", sat=[20.0, 20.001, None]) == [False, True, None]


def test_kleene_logic() -> None:
    pairs: dict[str, list[float | None]] = {"sat": [30, 30, 10, 10, None], "mat": [None, 30, None, 30, None]}
    assert truths("sat > 20 and mat > 20", **pairs) == [None, True, False, False, None]
    assert truths("sat > 20 or mat > 20", **pairs) == [True, True, None, True, None]
    assert truths("not sat > 20", sat=[30, 10, None]) == [False, True, None]


def test_difference_of_temperatures_compares_with_a_parameter_in_kelvin() -> None:
    assert truths("sat - mat > limit", sat=[13.0, 13.001], mat=[10.0, 10.0]) == [False, True]
    assert truths("rise > limit", sat=[13.0, 13.001], mat=[10.0, 10.0]) == [False, True]


def test_an_undeclared_parameter_is_unknown_and_default_fills_it() -> None:
    assert truths("rise > missing", sat=[20], mat=[10]) == [None]
    assert truths("rise > default(missing * 2, limit)", sat=[14], mat=[10]) == [True]


def test_products_and_quotients_are_rounded_to_a_millionth() -> None:
    assert numbers("flow * rise * 1.163", flow=[100.0], sat=[12.0], mat=[7.0]) == ["581.500000"]
    assert numbers("rise / flow", sat=[2.0], mat=[1.0], flow=[3.0]) == ["0.333333"]


def test_division_by_zero_is_unknown() -> None:
    assert numbers("rise / flow", sat=[2.0], mat=[1.0], flow=[0.0]) == [None]


def test_mean_demands_four_fifths_of_its_window() -> None:
    rows: list[float | None] = [1.0, 2.0, 3.0, 4.0, None, None]
    assert numbers('mean(sat, "5m")', sat=rows) == [None, None, None, "2.500", "2.500", None]


def test_window_statistics_over_three_rows() -> None:
    rows: list[float | None] = [1.0, 5.0, 3.0, 2.0]
    assert numbers('min(sat, "3m")', sat=rows) == [None, None, "1.000", "2.000"]
    assert numbers('max(sat, "3m")', sat=rows) == [None, None, "5.000", "5.000"]
    assert numbers('median(sat, "3m")', sat=rows) == [None, None, "3.000", "3.000"]
    # population deviations of (1, 5, 3) and (5, 3, 2): sqrt(8/3), sqrt(14)/3
    assert numbers('std(sat, "3m")', sat=rows) == [None, None, "1.632993", "1.247219"]


def test_slope_is_per_hour_and_exact_on_a_ramp() -> None:
    assert numbers('slope(sat, "4m")', sat=[1.0, 1.5, 2.0, 2.5])[-1] == "30.000000"


def test_lag_delta_and_rate() -> None:
    rows: list[float | None] = [1.0, 2.0, 4.0]
    assert numbers('lag(sat, "2m")', sat=rows) == [None, None, "1.000"]
    assert numbers('delta(sat, "2m")', sat=rows) == [None, None, "3.000"]
    assert numbers('rate(sat, "2m")', sat=rows) == [None, None, "90.000000"]


def test_held_counts_steps_between_instants() -> None:
    on: list[float | None] = [1, 1, 1, None, 1, 0]
    assert truths('held(run, "2m")', run=on) == [False, False, True, None, False, False]


def test_count_rises_waits_for_its_window() -> None:
    on: list[float | None] = [0, 1, 0, 1, 1, 0]
    assert numbers('count_rises(run, "5m")', run=on) == [None, None, None, "2", "2", "2"]


def test_share_true() -> None:
    assert numbers('share_true(run, "4m")', run=[1, 0, 1, 1])[-1] == "0.750000"


def test_flat_uses_the_tolerance_the_point_declares() -> None:
    rows: list[float | None] = [20.0, 20.1, 20.1, 20.2, 20.3]
    assert truths("flat(sat)", sat=rows) == [None, None, True, True, False]


def test_the_middle_of_several_is_unknown_with_one_of_them() -> None:
    pairs: dict[str, list[float | None]] = {"sat": [1, 5, 5], "mat": [2, 2, None]}
    assert numbers("median_of(sat, mat, 4)", **pairs) == ["2.000", "4.000", None]
    assert numbers("median_of(sat, mat, 4, 10)", **pairs) == ["3.000", "4.500", None]


def test_where_chooses_and_knows_nothing_without_its_condition() -> None:
    pairs: dict[str, list[float | None]] = {"sat": [1, 1, 1], "mat": [2, 2, 2], "run": [1, 0, None]}
    assert numbers("where(run, sat)", **pairs) == ["1.000", None, None]
    assert numbers("where(run, sat, mat)", **pairs) == ["1.000", "2.000", None]


def test_last_remembers_the_value_of_the_moment() -> None:
    pairs: dict[str, list[float | None]] = {"sat": [1, 2, 3, None, 5], "run": [0, 1, None, 1, 0]}
    assert numbers("last(sat, run)", **pairs) == [None, "2.000", "2.000", None, None]


def test_point_follows_the_members_of_p() -> None:
    members = {"loc": "incoming", "phase": "l2"}
    joint = Point(
        "joint_incoming_l2", "Cel", Kind.SENSOR, -40, 200, NAME, family="joint_{loc}_{phase}", members=members
    )
    where = replace(scope(), member=joint)
    where.points = {**where.points, "current_l2": point("current_l2", "A"), joint.name: joint}
    assert parse('point("current_{phase}") > 3', where).key == parse("current_l2 > 3", where).key
    with pytest.raises(ExpressionError, match=r"has no \{place\}") as caught:
        parse('point("current_{place}") > 3', where)
    assert caught.value.expected == "{loc}, {phase}"


def test_a_filter_answers_a_step_as_its_time_constant_says() -> None:
    # 300 min at 0, then at 10: after τ = 20 min, 10 (1 - e^-1) = 6.3212; after 3 τ 9.5021; e^-8 is left out of it.
    rows: list[float | None] = [0.0 if minute < 300 else 10.0 for minute in range(360)]
    found = numbers('ewma(sat, "20m")', sat=rows)
    after = [float(found[299 + minutes] or "nan") for minutes in (20, 60)]
    assert after == pytest.approx([6.3212, 9.5021], abs=0.004)


def test_a_filter_waits_for_four_fifths_of_its_weight() -> None:
    # 1 - e^(-n/20) reaches 0.8 (1 - e^-8) with n = 32 instants (0.7981 with 32, 0.8080 with 33: 0.8 is reached at 33).
    found = numbers('ewma(sat, "20m")', sat=[5.0] * 40)
    assert [text is not None for text in found].index(True) == 32
    assert found[-1] == "5.000"


def test_a_window_of_hours_moves_when_the_clock_strikes() -> None:
    # From midnight, a value a minute: 3 h are 180 panes of a minute, so each instant is a stroke.
    count = 200
    rows: list[float | None] = [float(minute % 50) for minute in range(count)]
    assert numbers('max(sat, "3h", coverage=1)', sat=rows)[179:181] == ["49.000", "49.000"]
    # 4 h are 120 panes of two minutes that end at even minutes, midnight being one: the first pane has one instant.
    found = numbers('max(sat, "4h", coverage=0.01)', sat=[1.0, 2.0, 3.0, 9.0, 4.0, 5.0])
    # Three instants (1 % of 240) are known at the stroke of 0:02; 9 at 0:03 is seen at 0:04.
    assert found == [None, None, "3.000", "3.000", "9.000", "9.000"]


def test_the_median_over_panes_is_that_of_their_means() -> None:
    # Two-minute panes (0:00), (0:01, 0:02), (0:03, 0:04): means 8, (1 + 2)/2, (6 + 7)/2; the middle is 6.5.
    found = numbers('median(sat, "4h", coverage=0.01)', sat=[8.0, 1.0, 2.0, 6.0, 7.0])
    assert found[4] == "6.500"


def test_a_window_cut_between_blocks_gives_what_one_block_gives() -> None:
    node = parse('mean(sat, "3m") > 2 and held(run, "1m")')
    assert isinstance(node, BoolNode)
    sat: list[float | None] = [1.0, 2.0, 3.0, 4.0, None, 5.0, 6.0, 1.0]
    run: list[float | None] = [1, 1, 0, 1, 1, 1, 1, None]
    whole = node.truth(block(State(1), sat=sat, run=run))
    state = State(1)
    parts = [node.truth(block(state, sat=sat[a:b], run=run[a:b])) for a, b in ((0, 1), (1, 4), (4, 8))]
    assert np.array_equal(np.concatenate([p.true for p in parts], axis=1), whole.true)
    assert np.array_equal(np.concatenate([p.false for p in parts], axis=1), whole.false)


def test_rounding_is_half_away_from_zero() -> None:
    assert rounded_division(np.array([5, -5, 4, 6]), 10).tolist() == [1, -1, 0, 1]
    assert rescale(np.array([1250, -1250, 1249]), 3, 1).tolist() == [13, -13, 12]
    assert decimal_text(-5, 3) == "-0.005"


def test_nodes_of_equal_meaning_are_shared() -> None:
    where = scope()
    first = Parser('mean(sat, "5m") > 20', where, Functions(where)).parse()
    second = Parser('mean(sat, "5m") > 20', replace(where), Functions(where)).parse()
    assert first is second


def test_bool_literals_are_conditions() -> None:
    node = parse("True or run")
    assert isinstance(node, BoolNode)
    assert isinstance(node.truth(block(State(1), run=[None])), Truth)

"""`flat(p)`: how long a point must stand still follows from how often it is sampled, machine by machine."""

from __future__ import annotations

import numpy as np
import pytest

from plant.catalogue import Flatline, Kind, Point, Text
from plant.instants import parse_duration
from rules.lang.fixed import Ints
from rules.lang.functions import Functions
from rules.lang.nodes import Block, BoolNode, Num, State
from rules.lang.parse import Parser, Scope
from rules.lang.stillness import still_window

MINUTE = 60_000


@pytest.mark.parametrize(
    ("window", "interval", "expected"),
    [
        ("15min", "1s", "15min"),
        ("15min", "60s", "15min"),
        ("1h", "2min", "2h"),
        ("15min", "15min", "4h"),  # 225 min in whole hours
        ("1h", "15min", "15h"),
        ("2h", "5min", "10h"),
        ("2h", "2h", "10d"),  # 240 h, over a week in whole days
        ("2h", "1d", "31d"),  # no operator looks further back
    ],
)
def test_a_window_holds_as_many_samples_as_at_one_a_minute(window: str, interval: str, expected: str) -> None:
    found = still_window(Flatline(0.1, parse_duration(window)), parse_duration(interval))
    assert found == parse_duration(expected)


def _block(part: Ints, start: int, state: State) -> Block:
    """Minutes from `start` on, every value known."""
    rows, n = part.shape

    def read(_: str) -> Num:
        return Num(part, np.ones(part.shape, bool))

    def nothing(name: str) -> Num:
        raise AssertionError(name)

    instants = np.arange(start, start + n, dtype=np.int64) * MINUTE
    return Block(instants, rows, MINUTE, read, lambda _: np.zeros(part.shape, np.int64), nothing, state)


def _flat(intervals: tuple[int | None, ...], values: Ints, *, cut: int) -> list[list[bool | None]]:
    """`flat(sat)` (15 min, tolerance 0) of machines over minutes; fed in two blocks parted at `cut`."""
    sat = Point("sat", "Cel", Kind.SENSOR, -50, 150, Text("点", "point"), flatline=Flatline(0.0, 15 * MINUTE))
    scope = Scope(len(intervals), MINUTE, {"sat": sat}, {}, {}, intervals=intervals)
    node = Parser("flat(sat)", scope, Functions(scope)).parse()
    assert isinstance(node, BoolNode)
    state, found = State(len(intervals)), []
    for start, stop in ((0, cut), (cut, values.shape[1])):
        truth = node.truth(_block(values[:, start:stop], start, state))
        found.append(np.where(truth.true, 1, np.where(truth.false, 0, -1)))
    return [[None if x < 0 else bool(x) for x in row] for row in np.concatenate(found, axis=1).tolist()]


@pytest.mark.parametrize("cut", [1, 100, 193, 299])
def test_each_machine_has_the_window_of_its_own_interval(cut: int) -> None:
    still = np.full((3, 300), 20_000, np.int64)
    still[2, 150] = 20_500
    quick, slow, moved = _flat((None, 15 * MINUTE, 15 * MINUTE), still, cut=cut)
    # 12 of 15 instants are known at minute 11; 192 of 240 at 191, and the pane of 2 min ends at 192
    assert (quick.index(True), slow.index(True)) == (11, 192)
    assert set(quick[:11]) == set(slow[:192]) == {None}
    assert moved[192:] == [False] * 108


def test_machines_of_one_interval_share_one_window() -> None:
    still = np.full((2, 20), 20_000, np.int64)
    assert _flat((60_000, None), still, cut=5) == [[None] * 11 + [True] * 9] * 2

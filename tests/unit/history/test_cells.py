"""Cells: joined in any steps they say what the readings say."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest

from history.cells import Cells, bucketed, cells_of, rolled
from history.levels import DAY_MS, HOUR_MS, MINUTE_MS, QUARTER_MS
from history.protocols import Samples

NAN = float("nan")


def samples(*rows: tuple[int, float, int]) -> Samples:
    ts, value, quality = zip(*rows, strict=True)
    return Samples(np.array(ts, np.int64), np.array(value), np.array(quality, np.uint8), np.zeros(len(rows), np.uint8))


def drawn(seed: int) -> Samples:
    random = Random(seed)
    times = sorted({random.randrange(2 * DAY_MS) for _ in range(500)})
    rows = [(ts, random.choice([NAN, -5.0, random.uniform(0, 99)]), random.choice([0, 0, 0, 1, 2])) for ts in times]
    return samples(*rows)


def listed(cells: Cells) -> list[list[float]]:
    columns = (cells.series, cells.ts, cells.minimum, cells.mean, cells.maximum, cells.count, cells.good, cells.bad)
    return [list(row) for row in zip(*(column.tolist() for column in columns), strict=True)]


def test_a_cell_counts_what_is_usable_and_what_is_not() -> None:
    found = rolled(cells_of(3, samples((0, 1.0, 0), (5, 3.0, 1), (9, 99.0, 2), (10, NAN, 0), (20, 7.0, 2))), 10)
    assert repr(listed(found)) == repr(
        [[3, 0, 1.0, 2.0, 3.0, 2, 1, 1], [3, 10, NAN, NAN, NAN, 0, 0, 1], [3, 20, NAN, NAN, NAN, 0, 0, 1]]
    )


def test_series_are_kept_apart() -> None:
    both = Cells.concat([cells_of(1, samples((5, 1.0, 0), (6, 2.0, 0))), cells_of(0, samples((5, 9.0, 0)))])
    assert [(row[0], row[1], row[3]) for row in listed(rolled(both, 10))] == [(0, 0, 9.0), (1, 0, 1.5)]


def test_no_cells_roll_to_none_and_fill_empty_buckets() -> None:
    nothing = Cells.concat([])
    assert len(rolled(nothing, 10)) == 0
    found = bucketed(nothing, np.array([0, 10, 20]))
    assert (found.count.tolist(), found.bad.tolist(), bool(np.isnan(found.mean).all())) == ([0, 0], [0, 0], True)


@pytest.mark.parametrize("seed", range(20))
def test_cells_of_cells_equal_cells_of_readings(seed: int) -> None:
    readings = cells_of(0, drawn(seed))
    minutes = rolled(readings, MINUTE_MS)
    by_steps = rolled(rolled(rolled(minutes, QUARTER_MS), HOUR_MS), DAY_MS)
    at_once = rolled(readings, DAY_MS)
    np.testing.assert_allclose(listed(by_steps), listed(at_once), rtol=1e-12)
    edges = np.array([0, 3 * HOUR_MS, 3 * HOUR_MS + MINUTE_MS, DAY_MS, 2 * DAY_MS])
    of_minutes, of_readings = bucketed(minutes, edges), bucketed(readings, edges)
    for name in ("minimum", "mean", "maximum", "count", "good", "bad"):
        np.testing.assert_allclose(getattr(of_minutes, name), getattr(of_readings, name), rtol=1e-12)

"""Readings that wait for a tick are thinned: memory is bounded by series and instants, and no frame changes by it."""

from __future__ import annotations

import numpy as np
import pytest

from plant.instants import NEVER
from plant.quality import Quality, Reason
from plant.reading import ReadingBatch
from rules.frames import Assembler, Frames, SignalSpec
from rules.lang.nodes import State
from rules.snapshot import Packed
from rules.waiting import FRESH

STEP, LATENESS, SIGNALS = 5_000, 1_250, 6
T0 = 1_790_000_000_000 // STEP * STEP
ROWS = 3 * FRESH


def assembler() -> Assembler:
    """Six signals, three of which fold to the greatest."""
    nothing = np.zeros(SIGNALS, bool)
    spec = SignalSpec(
        number=np.arange(SIGNALS, dtype=np.int32),
        owner=np.zeros(SIGNALS, np.int64),
        scale=np.full(SIGNALS, 1_000.0),
        ttl=np.full(SIGNALS, 90_000, np.int64),
        holds=nothing,
        fold_max=np.arange(SIGNALS) % 2 == 1,
        online=nothing,
        alive_ttl=np.full(1, 90_000, np.int64),
    )
    made = Assembler(spec, STEP, LATENESS)
    made.next_instant = T0
    return made


def readings(seed: int, *, ordered: bool, shifted: bool) -> ReadingBatch:
    """Half a minute of readings in any order of time; `shifted`: many of them come after ticks they are older than."""
    random = np.random.default_rng(seed)
    offset = np.arange(ROWS, dtype=np.int64)
    ts = T0 + random.integers(1, 30_000, ROWS)
    ticks = T0 + np.sort(random.choice([-60_000, 2_000, 7_000, 14_000, 21_000], ROWS))
    seen = ticks if ordered else random.permutation(ticks)
    return ReadingBatch(
        random.integers(0, SIGNALS, ROWS).astype(np.int32),
        ts,
        random.integers(-500, 500, ROWS).astype(np.float64),
        np.where(random.random(ROWS) < 0.1, Quality.BAD, Quality.GOOD).astype(np.uint8),
        np.full(ROWS, Reason.NONE, np.uint8),
        seen if shifted else np.full(ROWS, NEVER, np.int64),
        offset,
    )


def told(batch: ReadingBatch) -> tuple[list[Frames], int]:
    """Frames of ticks in the midst and at the end, and how many readings were late."""
    made = assembler()
    for begin in range(0, len(batch), 7_000):
        made.feed(batch.take(slice(begin, begin + 7_000)))
    frames = [made.close(T0 + 10_000), made.close(T0 + 40_000)]
    return frames, made.late


@pytest.mark.parametrize("ordered", [True, False], ids=["plant time goes on", "as a store gives them"])
@pytest.mark.parametrize("shifted", [False, True], ids=["all in time", "many shifted"])
def test_thinning_changes_no_frame_and_no_count(ordered: bool, shifted: bool) -> None:
    batch = readings(7, ordered=ordered, shifted=shifted)
    frames, late = told(batch)
    # Of one signal alone there are too few to be thinned.
    alone = [told(batch.take(batch.series == signal)) for signal in range(SIGNALS)]
    assert len(batch) > FRESH > max(np.bincount(batch.series))
    for number, whole in enumerate(frames):
        for signal in range(SIGNALS):
            for name in ("value", "known", "reason"):
                got, expected = getattr(whole, name)[signal], getattr(alone[signal][0][number], name)[signal]
                assert got.tolist() == expected.tolist(), (name, signal)
    assert late == sum(count for _, count in alone)
    assert (late > 0) == shifted


@pytest.mark.parametrize("age_ms", [0, 3_600_000], ids=["for instants to come", "older than the last tick"])
def test_what_waits_is_bounded_by_series_and_instants(age_ms: int) -> None:
    made = assembler()
    per = 20_000
    for number in range(60):
        ts = T0 + 1 + np.sort(np.arange(per, dtype=np.int64) % 5_000) + 1_000 * number - age_ms
        flat = np.zeros(per, np.uint8)
        series = (np.arange(per) % SIGNALS).astype(np.int32)
        made.feed(ReadingBatch(series, ts, (ts % 997).astype(np.float64), flat, flat, np.full(per, T0), ts))
    instants = 1 if age_ms else 13
    # Each signal may wait twice for an instant (the last, the greatest), once more where pieces meet.
    assert len(made.waiting) < FRESH + 4 * SIGNALS * (instants + 10)
    assert 60 * per > 5 * FRESH


@pytest.mark.parametrize("shape", [(2, 3), (0, 3), (3, 0), ()])
def test_arrays_of_every_shape_are_packed_and_read_back(shape: tuple[int, ...]) -> None:
    for dtype in (np.int64, np.float64, np.bool_):
        array = np.arange(int(np.prod(shape))).reshape(shape).astype(dtype)
        packed = Packed.of(array)
        assert packed.array().dtype == dtype
        assert packed.array().tolist() == array.tolist()


def test_what_a_node_carries_holds_on_to_nothing_else() -> None:
    state, block = State(2), np.zeros((2, 10_000), np.int64)
    state.put("numbers", block[:, -3:])
    state.put("flags", block[:, :1] == 0)
    assert all(array.base is None and array.flags.c_contiguous for array in state.arrays.values())
    assert state.arrays["flags"].nbytes == 2
    assert state.flags("flags", 1).tolist() == [[True], [True]]
    assert state.get("numbers", 3).dtype == np.int64
    assert not state.flags("new", 4).any()


def test_flags_of_an_older_snapshot_are_read() -> None:
    state = State(2)
    state.put("known", np.array([[1, 0, 1], [0, 0, 1]], np.int64))
    assert state.flags("known", 3).tolist() == [[True, False, True], [False, False, True]]

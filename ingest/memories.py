"""The door's whole state, in arrays by series number: it moves between configurations and through snapshots."""

from __future__ import annotations

import msgspec
import numpy as np
from numpy.typing import NDArray

from ingest.succession import REMEMBERED, Memory
from plant.errors import Corrupt
from plant.instants import NEVER
from plant.reading import SeriesTable


class MemoriesState(msgspec.Struct, frozen=True):
    """A snapshot: the (equipment, point) of each series that was ever heard, and their arrays, little-endian."""

    keys: list[tuple[str, str]]
    arrays: dict[str, bytes]


_SHAPES: dict[str, tuple[type[np.generic], tuple[int, ...]]] = {
    "last": (np.int64, ()),
    "ref_ts": (np.int64, ()),
    "ref_value": (np.float64, ()),
    "held_ts": (np.int64, ()),
    "held_value": (np.float64, ()),
    "count": (np.int64, ()),
    "ring_ts": (np.int64, (REMEMBERED,)),
    "ring_value": (np.float64, (REMEMBERED,)),
    "ring_force": (np.bool_, (REMEMBERED,)),
}


class Memories:
    """One Memory a series, in columns of shape (n,) and, for the recent readings, rings of shape (n, REMEMBERED).

    `count` is the number of readings ever put into a ring; the next goes to place count mod REMEMBERED.
    """

    def __init__(self, size: int) -> None:
        self.last: NDArray[np.int64] = np.full(size, NEVER, np.int64)
        self.ref_ts: NDArray[np.int64] = np.full(size, NEVER, np.int64)
        self.ref_value: NDArray[np.float64] = np.zeros(size)
        self.held_ts: NDArray[np.int64] = np.full(size, NEVER, np.int64)
        self.held_value: NDArray[np.float64] = np.zeros(size)
        self.count: NDArray[np.int64] = np.zeros(size, np.int64)
        self.ring_ts: NDArray[np.int64] = np.zeros((size, REMEMBERED), np.int64)
        self.ring_value: NDArray[np.float64] = np.zeros((size, REMEMBERED))
        self.ring_force: NDArray[np.bool_] = np.zeros((size, REMEMBERED), np.bool_)

    def load(self, series: int) -> Memory:
        """One series as a Memory to walk with; `store` puts it back."""
        count = int(self.count[series])
        places = [place % REMEMBERED for place in range(max(0, count - REMEMBERED), count)]
        return Memory(
            last=int(self.last[series]),
            ref=(int(self.ref_ts[series]), float(self.ref_value[series])),
            held=(int(self.held_ts[series]), float(self.held_value[series])),
            recent=[
                (int(self.ring_ts[series, i]), float(self.ring_value[series, i]), bool(self.ring_force[series, i]))
                for i in places
            ],
        )

    def store(self, series: int, memory: Memory) -> None:
        """Put one series back."""
        self.last[series] = memory.last
        self.ref_ts[series], self.ref_value[series] = memory.ref
        self.held_ts[series], self.held_value[series] = memory.held
        self.count[series] = len(memory.recent)
        for place, (ts, value, in_force) in enumerate(memory.recent):
            self.ring_ts[series, place] = ts
            self.ring_value[series, place] = value
            self.ring_force[series, place] = in_force

    def state(self, table: SeriesTable) -> MemoriesState:
        """A snapshot; equal memories give equal snapshots, whatever way they were come by."""
        heard = np.flatnonzero(self.count)
        count = self.count[heard]
        turn = np.where(count < REMEMBERED, 0, count % REMEMBERED)
        places = (turn[:, None] + np.arange(REMEMBERED)) % REMEMBERED
        unused = np.arange(REMEMBERED) >= count[:, None]
        arrays: dict[str, bytes] = {}
        for name, (kind, shape) in _SHAPES.items():
            column = getattr(self, name)[heard]
            if shape:
                column = np.where(unused, kind(0), np.take_along_axis(column, places, axis=1))
            arrays[name] = column.astype(np.dtype(kind).newbyteorder("<")).tobytes()
        arrays["count"] = np.minimum(count, REMEMBERED).astype("<i8").tobytes()
        keys = [(table.keys[series].equipment, table.keys[series].point) for series in heard]
        return MemoriesState(keys, arrays)

    @staticmethod
    def restore(state: MemoriesState, table: SeriesTable) -> Memories:
        """From a snapshot, for the series the table still has; the others start anew. Raises Corrupt."""
        memories = Memories(len(table))
        found = [table.find(equipment, point) for equipment, point in state.keys]
        kept = np.array([row for row, series in enumerate(found) if series is not None], np.int64)
        series = np.array([series for series in found if series is not None], np.int64)
        for name, (kind, shape) in _SHAPES.items():
            try:
                flat = np.frombuffer(state.arrays[name], np.dtype(kind).newbyteorder("<"))
                column = flat.reshape(len(state.keys), *shape)
            except (KeyError, ValueError):
                raise Corrupt(f"the intake's snapshot does not hold {name!r} as it should; rebuild it") from None
            getattr(memories, name)[series] = column[kept]
        return memories

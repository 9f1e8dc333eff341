"""When the readings of a line were seen, said once for the line where that is certain to stay right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from history.buckets import last_of_each
from plant.instants import NEVER
from plant.reading import ReadingBatch

_Ints = NDArray[np.int64]
_Mask = NDArray[np.bool_]


def late_seen(batch: ReadingBatch) -> _Ints:
    """`seen` of each reading where it is not the normal case (before the reading's time), else -1; shape (n,)."""
    return np.where(batch.seen >= batch.ts, batch.seen, -1)


@dataclass(frozen=True, slots=True)
class Manner:
    """How each reading of a batch in line order is written; shape (n,) each.

    `explicit`: its `__q` and `__seen` are there even when they say nothing. `spelt`: its `__seen` is. `together`: the
    line's one field `__seen` says it for all of the line.
    """

    explicit: _Mask
    spelt: _Mask
    together: _Mask

    @staticmethod
    def alone(explicit: _Mask) -> Manner:
        """Each reading for itself."""
        nothing = np.zeros(len(explicit), np.bool_)
        return Manner(explicit, nothing, nothing)

    def take(self, rows: slice | _Mask) -> Manner:
        """Of some of the readings."""
        return Manner(self.explicit[rows], self.spelt[rows], self.together[rows])


class Lines:
    """What has been written of each machine, as far as a line must know to speak for all its readings.

    InfluxDB merges lines of one time, so a field for the whole line also speaks for points that other messages bring
    to it. Therefore it is written only at times that the machine has not reached, by readings of which none replaces
    another; and what joins such a line afterwards, or may have been cut apart from it by an interrupted try, says its
    own `__seen`, which goes before the line's.
    """

    def __init__(self) -> None:
        self._names: Sequence[str] = ()
        self._reached: _Ints = np.empty(0, np.int64)
        self._told: _Ints = np.empty(0, np.int64)
        self._known: dict[str, tuple[int, int]] = {}

    def follow(self, equipment: Sequence[str]) -> None:
        """Number the machines anew, in this order; one that comes back is remembered."""
        was = zip(self._names, self._reached.tolist(), self._told.tolist(), strict=True)
        self._known |= {name: (reached, told) for name, reached, told in was}
        held = [self._known.get(name, (NEVER, NEVER)) for name in equipment]
        self._names = equipment
        self._reached = np.array([reached for reached, _ in held], np.int64)
        self._told = np.array([told for _, told in held], np.int64)

    def manner(self, batch: ReadingBatch, machine: NDArray[np.int32], explicit: _Mask) -> Manner:
        """How to write a batch in line order, of which `machine`, shape (n,), says whose each reading is."""
        if not len(batch):
            return Manner.alone(explicit)
        ends = last_of_each(batch.ts, machine)
        starts = np.flatnonzero(np.concatenate([[True], ends[:-1]]))
        sizes = np.diff(np.append(starts, len(batch)))
        seen, of_line, ts = late_seen(batch), machine[starts], batch.ts[starts]
        late = seen >= 0
        same = late & ~explicit & (seen == np.repeat(seen[starts], sizes))
        alike = np.logical_and.reduceat(same, starts) & (ts > self._reached[of_line])
        doubtful = np.logical_or.reduceat(late | explicit, starts) | (ts <= self._told[of_line])
        # Before anything is sent, for of an interrupted try nobody knows what InfluxDB has.
        np.maximum.at(self._told, of_line[alike], ts[alike])
        return Manner(explicit, np.repeat(~alike & doubtful, sizes), np.repeat(alike & (sizes > 1), sizes))

    def written(self, batch: ReadingBatch, machine: NDArray[np.int32]) -> None:
        """InfluxDB has taken the batch."""
        np.maximum.at(self._reached, machine, batch.ts)

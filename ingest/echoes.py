"""One reading said twice: devices such as Shelly send the same value on a status topic and in a notification.

A value is the echo of an earlier one of its point where both came within `WITHIN_MS` by time of receipt, in different
envelopes, and are equal; each value answers for one echo at most, so that a value which really came twice counts twice.
The one heard first stays.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import msgspec
import numpy as np

from ingest.columns import Columns
from plant.reading import SeriesTable

WITHIN_MS = 5_000
"""Both are sent at the same moment; what lies between them is the network's and the broker's."""

_MOST_WAITING = 16
"""Values a point may have waiting for their echo: more than devices send in five seconds."""


@dataclass(frozen=True, slots=True)
class _Said:
    envelope: int
    value: float
    received_at: int


class EchoesState(msgspec.Struct, frozen=True):
    """A snapshot: (equipment, point, [(envelope, value, received_at)]), sorted."""

    waiting: list[tuple[str, str, list[tuple[int, float, int]]]] = []


class Echoes:
    """Remembers, for points fed in several envelopes, what was said and not yet echoed."""

    def __init__(self, table: SeriesTable) -> None:
        self._table = table
        self._waiting: dict[int, deque[_Said]] = {}

    def sift(self, columns: Columns) -> Columns:
        """The columns without echoes; retained values say nothing about now and are left alone."""
        if columns.envelope is None:
            return columns
        keep = np.ones(len(columns), np.bool_)
        for row in np.flatnonzero((columns.envelope != 0) & ~columns.retain).tolist():
            said = _Said(int(columns.envelope[row]), float(columns.value[row]), int(columns.received[row]))
            keep[row] = not self._is_echo(int(columns.series[row]), said)
        return columns if keep.all() else columns.take(keep)

    def _is_echo(self, series: int, said: _Said) -> bool:
        waiting = self._waiting.setdefault(series, deque(maxlen=_MOST_WAITING))
        while waiting and abs(said.received_at - waiting[0].received_at) > WITHIN_MS:
            waiting.popleft()
        for earlier in waiting:
            near = abs(said.received_at - earlier.received_at) <= WITHIN_MS
            if near and earlier.envelope != said.envelope and earlier.value == said.value:
                waiting.remove(earlier)
                return True
        waiting.append(said)
        return False

    def state(self) -> EchoesState:
        """A snapshot; equal histories give equal ones."""
        return EchoesState(
            sorted(
                (key.equipment, key.point, [(one.envelope, one.value, one.received_at) for one in waiting])
                for series, waiting in self._waiting.items()
                if waiting
                for key in (self._table.keys[series],)
            )
        )

    @staticmethod
    def restore(state: EchoesState, table: SeriesTable) -> Echoes:
        """From a snapshot, of this or another configuration: what is no series any more is forgotten."""
        echoes = Echoes(table)
        for equipment, point, waiting in state.waiting:
            series = table.find(equipment, point)
            if series is not None:
                echoes._waiting[series] = deque((_Said(*one) for one in waiting), maxlen=_MOST_WAITING)
        return echoes

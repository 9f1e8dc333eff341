"""What the rest of the house may ask of a journal and of a telemetry store. Contract suites hold each to this."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from history.entries import Config, Entry
from plant.reading import ReadingBatch, SeriesKey, SeriesTable

READ_BYTES = 4 * 2**20
"""Of packed entries, at which a read ends: in memory they take up to twice that, decoded ten times."""


class JournalReader(Protocol):
    """Reads entries by offset; offsets are the running numbers of entries, from 1, without gaps."""

    @property
    def first_offset(self) -> int:
        """Offset of the oldest entry still held; last_offset + 1 when there is none."""

    @property
    def last_offset(self) -> int:
        """Offset of the newest durable entry; 0 when none was ever written."""

    def read(self, after: int, limit: int = 10_000, most_bytes: int = READ_BYTES) -> Sequence[tuple[int, Entry]]:
        """Up to about `limit` entries with offset > `after`, in order, whole stored batches at a time.

        It ends with the batch that reaches `limit` entries or `most_bytes` packed bytes.
        Raises Corrupt when `after` + 1 has already been removed by retention.
        """

    def wait(self, after: int, timeout: float) -> bool:
        """Block until an entry beyond `after` is durable (True) or `timeout` seconds have passed (False)."""


class FollowedJournal(JournalReader, Protocol):
    """What a consumer that may begin anywhere needs beside reading."""

    def config_at(self, offset: int) -> Config | None:
        """The configuration in force at an offset (its own included), even when its batch was removed."""


class Journal(JournalReader, Protocol):
    """The one writer's side."""

    def append(self, entries: Sequence[Entry]) -> int:
        """Write the entries as one batch and fsync; returns the offset of the last. Raises StorageFull."""


@dataclass(frozen=True, slots=True)
class Samples:
    """Readings of one series in time order; every array has shape (n,)."""

    ts: NDArray[np.int64]
    value: NDArray[np.float64]
    quality: NDArray[np.uint8]
    reason: NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Buckets:
    """A range in buckets; shape (n,) each, NaN where a bucket holds no usable reading.

    `start` is each bucket's first ms; `count` counts usable readings (not BAD, and a number), `good` those of them
    with quality GOOD, `bad` the readings that are not usable: a bucket with `count` 0 is a gap where `bad` is 0 too.
    `step` is the ms of the rollup the buckets are made of, 0 where they are made of readings.
    """

    start: NDArray[np.int64]
    minimum: NDArray[np.float64]
    mean: NDArray[np.float64]
    maximum: NDArray[np.float64]
    count: NDArray[np.int64]
    good: NDArray[np.int64]
    bad: NDArray[np.int64]
    step: int


class TelemetryStore(Protocol):
    """Queryable history. Same series and ts, other value: the later offset wins."""

    def write(self, batch: ReadingBatch, table: SeriesTable, offset: int) -> None:
        """Store the batch and remember `offset` as done, both or neither (or idempotently).

        Raises Unavailable when the store cannot take it now; nothing is remembered then.
        """

    def offset(self) -> int:
        """The last offset remembered by write; 0 when none."""

    def latest(self, equipment: str) -> dict[str, tuple[int, float, int, int]]:
        """Point → (ts, value, quality, reason) of its newest reading."""

    def raw(self, key: SeriesKey, start: int, end: int) -> Samples:
        """Readings with start ≤ ts < end."""

    def buckets(self, key: SeriesKey, start: int, end: int, count: int) -> Buckets:
        """The range [start, end) in `count` buckets of equal width; see `trends`."""

    def trends(self, keys: Sequence[SeriesKey], start: int, end: int, count: int) -> list[Buckets]:
        """The range [start, end) in `count` buckets for each series, from the coarsest rollup that fits.

        Both ends are exact. The edges between are those of equal buckets, moved down to the grid of the rollup (whose
        step is never greater than a bucket), so that what a bucket says is what its readings say.
        """

    def tend(self, now: int, keep_ms: int) -> bool:
        """One bounded step of upkeep at plant time `now`, by the thread that writes; true when more is to be done.

        Rolls up what was written, seals finished days, drops readings older than `keep_ms`; rollups stay for ever.
        Raises StorageFull or Unavailable; may then be called again.
        """

    def rows(self, keys: Sequence[SeriesKey], table: SeriesTable, start: int, end: int) -> ReadingBatch:
        """All readings of the series with start ≤ ts < end, with their `seen`, ordered by (ts, series).

        `offset` of the result is the position in it: what a backtest needs, and no more.
        """

    def span(self, keys: Sequence[SeriesKey]) -> tuple[int, int] | None:
        """First and last ts held for the series; None when there is none."""

    def close(self) -> None:
        """Flush and let go; further calls are errors."""

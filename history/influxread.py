"""Reading telemetry back from InfluxDB: fields of one equipment and ms become readings again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

import httpx2
import numpy as np
from numpy.typing import NDArray

from history.cells import bucketed
from history.influxfields import readings
from history.influxql import InfluxAddress, Table, identifier, query, select
from history.influxtrend import TrendReader, source
from history.levels import Range, bucket_edges
from history.numbering import number_in
from history.protocols import Buckets, Samples
from plant.instants import NEVER
from plant.reading import ReadingBatch, SeriesKey, SeriesTable

_SLICE_MS = 30 * 86_400_000
ALWAYS = (NEVER, -NEVER)


class InfluxReading:
    """The reading half of InfluxStore, for one site's equipment."""

    def __init__(self, http: httpx2.Client, address: InfluxAddress, site: str) -> None:
        self._http = http
        self._bucket = address.bucket
        self._site = site

    def raw(self, key: SeriesKey, start: int, end: int) -> Samples:
        """Readings with start ≤ ts < end."""
        parts = [readings(table, key.point)[0] for table in self._slices(key.equipment, [key], start, end)]
        return Samples(
            np.concatenate([np.empty(0, np.int64), *(part.ts for part in parts)]),
            np.concatenate([np.empty(0, np.float64), *(part.value for part in parts)]),
            np.concatenate([np.empty(0, np.uint8), *(part.quality for part in parts)]),
            np.concatenate([np.empty(0, np.uint8), *(part.reason for part in parts)]),
        )

    def buckets(self, key: SeriesKey, start: int, end: int, count: int) -> Buckets:
        """The range [start, end) in `count` buckets of equal width; see `trends`."""
        return self.trends([key], start, end, count)[0]

    def trends(self, keys: Sequence[SeriesKey], start: int, end: int, count: int) -> list[Buckets]:
        """The range [start, end) in `count` buckets for each series, from the coarsest rollup that fits."""
        edges, step = bucket_edges(start, end, count)
        reader = TrendReader(self._http, self._bucket, self._site, self.raw)
        if step:
            cells = reader.cells(keys, start, end, step, self._unrolled())
        else:
            cells = reader.reduced(keys, start, end, int(edges[1] - edges[0]))
        return [bucketed(cells.take(cells.series == number), edges, step) for number in range(len(keys))]

    def _unrolled(self) -> Sequence[Range]:
        """Where rollups are not there or not right, in order."""
        return [ALWAYS]

    def rows(self, keys: Sequence[SeriesKey], table: SeriesTable, start: int, end: int) -> ReadingBatch:
        """All readings of the series with start ≤ ts < end, with their `seen`, ordered by (ts, series).

        `offset` of the result is the position in it. Raises NotFound for a key the table does not have.
        """
        numbered = sorted((number_in(table, key), key) for key in set(keys))
        batches = []
        for equipment, group in groupby(numbered, lambda pair: pair[1].equipment):
            of_one = list(group)
            for found in self._slices(equipment, [key for _, key in of_one], start, end):
                batches += [_batch(number, *readings(found, key.point)) for number, key in of_one]
        everything = ReadingBatch.concat(batches)
        placed = everything.take(np.lexsort((everything.series, everything.ts)))
        return ReadingBatch(
            placed.series,
            placed.ts,
            placed.value,
            placed.quality,
            placed.reason,
            placed.seen,
            np.arange(len(placed), dtype=np.int64),
        )

    def span(self, keys: Sequence[SeriesKey]) -> tuple[int, int] | None:
        """First and last ts held for the series; None when there is none."""
        statements = []
        for key in keys:
            where = self._where([key], *ALWAYS)
            for field in (identifier(key.point), identifier(f"{key.point}__q")):
                statements += [select(f"{end}({field})", where) for end in ("first", "last")]
        found = query(self._http, self._bucket, statements) if statements else []
        ends = np.concatenate([np.empty(0, np.int64), *(table.ts for table in found)])
        return (int(ends.min()), int(ends.max())) if len(ends) else None

    def _slices(self, equipment: str, keys: Sequence[SeriesKey], start: int, end: int) -> Iterator[Table]:
        """All fields of some points of one equipment, a month at a time so that an answer stays small."""
        held = self.span(keys)
        if held is None:
            return
        start, end = max(start, held[0]), min(end, held[1] + 1)
        names = [key.point + suffix for key in keys for suffix in ("", "__q", "__seen")]
        fields = ", ".join(identifier(name) for name in [*names, "__seen"])
        for at in range(start, end, _SLICE_MS):
            where = self._where(keys, at, min(end, at + _SLICE_MS))
            yield query(self._http, self._bucket, [select(fields, where)])[0]

    def _where(self, keys: Sequence[SeriesKey], start: int, end: int) -> str:
        return source(keys[0], self._site, start, end)


def _batch(series: int, samples: Samples, seen: NDArray[np.int64]) -> ReadingBatch:
    n = len(samples.ts)
    number = np.full(n, series, np.int32)
    return ReadingBatch(number, samples.ts, samples.value, samples.quality, samples.reason, seen, np.zeros(n, np.int64))

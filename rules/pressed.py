"""Readings as compressed bytes: what an hour without a tick leaves waiting takes a fifth of its room or less."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import zstandard

from plant.reading import ReadingBatch


@dataclass(frozen=True, slots=True)
class Pressed:
    """`count` readings in journal order, which take effect at instants from `first` to `last`, ms UTC."""

    count: int
    first: int
    last: int
    body: bytes

    @staticmethod
    def of(batch: ReadingBatch, first: int, last: int) -> Pressed:
        """Of at least one reading."""
        whole = (batch.ts, batch.value, batch.seen, batch.offset, batch.series, batch.quality, batch.reason)
        body = zstandard.ZstdCompressor(level=1).compress(b"".join([column.tobytes() for column in whole]))
        return Pressed(len(batch), first, last, body)

    def batch(self) -> ReadingBatch:
        """The readings again."""
        data, n = zstandard.ZstdDecompressor().decompress(self.body), self.count
        return ReadingBatch(
            series=np.frombuffer(data, np.int32, n, 32 * n),
            ts=np.frombuffer(data, np.int64, n, 0),
            value=np.frombuffer(data, np.float64, n, 8 * n),
            quality=np.frombuffer(data, np.uint8, n, 36 * n),
            reason=np.frombuffer(data, np.uint8, n, 37 * n),
            seen=np.frombuffer(data, np.int64, n, 16 * n),
            offset=np.frombuffer(data, np.int64, n, 24 * n),
        )

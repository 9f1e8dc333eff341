"""Values on their way to the door, in columns: one row a value, in journal order."""

from __future__ import annotations

from array import array
from collections.abc import Collection
from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray

from ingest.decoders import Envelope, Sample
from plant.instants import NEVER
from plant.quality import Quality, Reason

DELAYED_MS = 60_000
"""A value older than this when it came is delayed (SEMANTICS §6)."""


class Arrival(msgspec.Struct, frozen=True, gc=False):
    """What all values of one message share; times are plant time, ms UTC.

    `again`: the same message came before, byte for byte.
    """

    received_at: int
    retain: bool
    draining: bool
    seen: int
    offset: int
    again: bool = False


@dataclass(frozen=True, slots=True)
class Columns:
    """Values in the units of their points, shape (n,) each; `own` is the device's time, NEVER where it gave none."""

    series: NDArray[np.int32]
    value: NDArray[np.float64]
    own: NDArray[np.int64]
    quality: NDArray[np.uint8]
    reason: NDArray[np.uint8]
    historical: NDArray[np.bool_]
    received: NDArray[np.int64]
    retain: NDArray[np.bool_]
    draining: NDArray[np.bool_]
    seen: NDArray[np.int64]
    offset: NDArray[np.int64]
    again: NDArray[np.bool_]
    envelope: NDArray[np.uint8] | None = None
    """`Envelope` of each value; None where no message has one."""

    def __len__(self) -> int:
        return len(self.series)

    def take(self, keep: NDArray[np.bool_]) -> Columns:
        """The rows where `keep`, of shape (n,), is true."""
        return Columns(
            self.series[keep],
            self.value[keep],
            self.own[keep],
            self.quality[keep],
            self.reason[keep],
            self.historical[keep],
            self.received[keep],
            self.retain[keep],
            self.draining[keep],
            self.seen[keep],
            self.offset[keep],
            self.again[keep],
            None if self.envelope is None else self.envelope[keep],
        )


class ColumnBuilder:
    """Gathers values message by message; what a message's values share is written once, not once a value."""

    __slots__ = ("_arrivals", "_counts", "_enveloped", "_flooded", "_own", "_series", "_special", "_values")

    def __init__(self) -> None:
        self._series = array("i")
        self._values: list[float] = []
        self._counts: list[int] = []
        self._own: list[int] = []
        self._arrivals: list[Arrival] = []
        self._special: list[tuple[int, Sample]] = []
        self._enveloped: list[tuple[int, int, Envelope]] = []
        self._flooded: list[tuple[int, int]] = []

    def __len__(self) -> int:
        return len(self._series)

    def mark(self, begin: int, envelope: Envelope) -> None:
        """The rows from `begin` on came in this envelope."""
        self._enveloped.append((begin, len(self._series), envelope))

    def mark_flood(self, begin: int) -> None:
        """The rows from `begin` on came on a topic that floods."""
        self._flooded.append((begin, len(self._series)))

    def add(self, series: list[int], values: Collection[float], ts: int | None, arrival: Arrival) -> None:
        """Plain good values of one message at its time `ts` (None: it gave none)."""
        self._series.extend(series)
        self._values.extend(values)
        self._counts.append(len(series))
        self._own.append(NEVER if ts is None else ts)
        self._arrivals.append(arrival)

    def add_frame(self, series: bytes, values: Collection[float], ts: int | None, arrival: Arrival) -> None:
        """As `add`, for series numbers that are int32 in the machine's order already."""
        self._series.frombytes(series)
        self._values.extend(values)
        self._counts.append(len(values))
        self._own.append(NEVER if ts is None else ts)
        self._arrivals.append(arrival)

    def add_sample(self, series: int, sample: Sample, arrival: Arrival) -> None:
        """A value with more to it; its `ts` is taken as it stands."""
        if sample.quality or sample.historical:
            self._special.append((len(self._series), sample))
        self.add([series], (sample.value,), sample.ts, arrival)

    def build(self) -> Columns:
        """All values gathered, as arrays."""
        counts = np.array(self._counts, np.int64)
        size = len(self._series)
        quality, reason = np.zeros(size, np.uint8), np.zeros(size, np.uint8)
        historical = np.zeros(size, np.bool_)
        for row, sample in self._special:
            quality[row], reason[row], historical[row] = sample.quality, sample.reason, sample.historical

        envelope = np.zeros(size, np.uint8) if self._enveloped else None
        for begin, end, said in self._enveloped:
            if envelope is not None:
                envelope[begin:end] = said

        def integers(per_message: list[int]) -> NDArray[np.int64]:
            return np.repeat(np.array(per_message, np.int64), counts)

        def flags(per_message: list[bool]) -> NDArray[np.bool_]:
            return np.repeat(np.array(per_message, np.bool_), counts)

        own, received = integers(self._own), integers([a.received_at for a in self._arrivals])
        for begin, end in self._flooded:
            # What is old on arrival is a backlog, and says so by itself.
            rows = slice(begin, end)
            fresh = (quality[rows] == Quality.GOOD) & (
                (own[rows] == NEVER) | (received[rows] - own[rows] <= DELAYED_MS)
            )
            quality[rows][fresh], reason[rows][fresh] = Quality.UNCERTAIN, Reason.FLOOD
        return Columns(
            series=np.frombuffer(self._series.tobytes(), np.int32),
            value=np.array(self._values, np.float64),
            own=own,
            quality=quality,
            reason=reason,
            historical=historical,
            received=received,
            retain=flags([a.retain for a in self._arrivals]),
            draining=flags([a.draining for a in self._arrivals]),
            seen=integers([a.seen for a in self._arrivals]),
            offset=integers([a.offset for a in self._arrivals]),
            again=flags([a.again for a in self._arrivals]),
            envelope=envelope,
        )

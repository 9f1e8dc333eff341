"""The site's own clock: from instants to local time of day and month, exactly and for whole blocks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np

from rules.lang.fixed import Bools, Ints, rounded_division
from rules.lang.nodes import Block, Num, NumNode, Shape

DAY_MS = 86_400_000
_SLOT_MS = 900_000
"""Clocks are put forward and back at whole quarters of an hour UTC, so an offset holds for one of these."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@lru_cache(maxsize=4_096)
def _offset_ms(zone: str, slot: int) -> int:
    """Local time minus UTC during a quarter of an hour, ms."""
    local = (_EPOCH + timedelta(milliseconds=slot * _SLOT_MS)).astimezone(ZoneInfo(zone))
    return (local.utcoffset() or timedelta()) // timedelta(milliseconds=1)


def local(zone: str, instants: Ints) -> Ints:
    """Ascending instants as the site's clock shows them: ms since 1970 of the wall clock, the same shape (n,)."""
    slots, place = np.unique(instants // _SLOT_MS, return_inverse=True)
    offsets = np.array([_offset_ms(zone, slot) for slot in slots.tolist()], np.int64)
    shown: Ints = instants + offsets[place]
    return shown


def strikes(zone: str, instants: Ints, length_ms: int) -> Bools:
    """Where the site's clock shows a whole multiple of a length that divides the day, counted from midnight; (n,)."""
    on: Bools = local(zone, instants) % DAY_MS % length_ms == 0
    return on


class LocalHour(NumNode):
    """`local_hour()`: h since local midnight by the wall clock, 0 ≤ x < 24, at 1e-6 h."""

    def __init__(self, zone: str, shape: Shape) -> None:
        super().__init__(f"local_hour({zone})", (), shape)
        self.zone = zone

    def compute(self, block: Block) -> Num:
        hours = rounded_division(local(self.zone, block.instants) % DAY_MS * 5, 18)
        return _everywhere(block, hours)


class LocalMonth(NumNode):
    """`local_month()`: the month by the site's calendar, 1 … 12."""

    def __init__(self, zone: str, shape: Shape) -> None:
        super().__init__(f"local_month({zone})", (), shape)
        self.zone = zone

    def compute(self, block: Block) -> Num:
        days = local(self.zone, block.instants).astype("datetime64[ms]")
        return _everywhere(block, days.astype("datetime64[M]").astype(np.int64) % 12 + 1)


def _everywhere(block: Block, row: Ints) -> Num:
    """One row for all equipment, known at every instant."""
    size = (block.rows, block.n)
    return Num(np.broadcast_to(row[None, :], size), np.ones(size, bool))

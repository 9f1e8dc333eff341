"""Readings as InfluxDB line protocol, and the integer that carries quality and reason.

One line is one equipment at one ms; its fields are `<point>` (float), `<point>__q` (quality × 1000 + reason, and
10000 more where the reading has no number) and `<point>__seen`. A good reading writes its value alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from history.buckets import last_of_each
from plant.instants import NEVER
from plant.reading import ReadingBatch, SeriesTable

NO_NUMBER = 10_000
ESCAPED = str.maketrans({",": r"\,", " ": r"\ ", "=": r"\=", "\n": r"\n"})


def code_of(quality: int, reason: int, *, number: bool) -> int:
    """The value of a `__q` field."""
    return quality * 1_000 + reason + (0 if number else NO_NUMBER)


def quality_of(code: NDArray[np.int64]) -> tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.bool_]]:
    """Quality, reason and whether the reading has a number, from the values of a `__q` field."""
    rest = code % NO_NUMBER
    return (rest // 1_000).astype(np.uint8), (rest % 1_000).astype(np.uint8), code < NO_NUMBER


@dataclass(frozen=True, slots=True)
class Names:
    """The escaped names of a table's series: each one's start of line and field, and which share a line."""

    heads: tuple[str, ...]
    fields: tuple[str, ...]
    machine: NDArray[np.int32]

    @staticmethod
    def of(table: SeriesTable, site: str) -> Names:
        """`machine` numbers the equipment; a table is sorted by it, so it never falls."""
        equipment = sorted({key.equipment for key in table.keys})
        number = {name: index for index, name in enumerate(equipment)}
        escaped_site = site.translate(ESCAPED)
        return Names(
            tuple(
                f"{key.type.translate(ESCAPED)},site={escaped_site},equipment={key.equipment.translate(ESCAPED)} "
                for key in table.keys
            ),
            tuple(key.point.translate(ESCAPED) for key in table.keys),
            np.array([number[key.equipment] for key in table.keys], np.int32),
        )


def in_line_order(batch: ReadingBatch, names: Names) -> tuple[ReadingBatch, NDArray[np.bool_]]:
    """Sorted by (equipment, ts, series); of readings of the same series and ts only the last stays.

    The mask, shape (n,) of the result, is true where a reading took the place of an earlier one.
    """
    order = np.lexsort((batch.series, batch.ts, names.machine[batch.series]))
    placed = batch.take(order)
    last = last_of_each(placed.ts, placed.series)
    follows = np.append(np.zeros(min(1, len(last)), np.bool_), ~last[:-1])
    return placed.take(last), follows[last]


def line_starts(batch: ReadingBatch, names: Names) -> NDArray[np.int64]:
    """Where in a batch in line order each line begins."""
    machine = names.machine[batch.series]
    ends = last_of_each(batch.ts, machine)
    return np.flatnonzero(np.concatenate([[True], ends[:-1]])) if len(batch) else np.empty(0, np.int64)


def lines(batch: ReadingBatch, names: Names, explicit: NDArray[np.bool_]) -> str:
    """A batch in line order as one text.

    Where `explicit` is true the reading may replace an earlier one of the same ts, so `__q` and `__seen` are written
    even when they say nothing: InfluxDB merges fields, and the earlier reading's would stay.
    """
    out: list[str] = []
    heads, fields = names.heads, names.fields
    last_machine, last_ts = -1, NEVER
    rows = zip(
        batch.series.tolist(),
        names.machine[batch.series].tolist(),
        batch.ts.tolist(),
        batch.value.tolist(),
        _codes(batch).tolist(),
        np.where(batch.seen >= batch.ts, batch.seen, -1).tolist(),
        explicit.tolist(),
        strict=True,
    )
    for series, machine, ts, value, code, seen, spelt in rows:
        if machine == last_machine and ts == last_ts:
            out.append(",")
        else:
            if out:
                out.append(f" {last_ts}\n")
            out.append(heads[series])
            last_machine, last_ts = machine, ts
        out.append(_fields(fields[series], value, code, seen, spelt=spelt))
    if out:
        out.append(f" {last_ts}")
    return "".join(out)


def _fields(field: str, value: float, code: int, seen: int, *, spelt: bool) -> str:
    text = f"{field}={value!r}" if code < NO_NUMBER else ""
    if code or spelt:
        text += f"{',' if text else ''}{field}__q={code}i"
    if seen >= 0 or spelt:
        text += f",{field}__seen={seen}i"
    return text


def _codes(batch: ReadingBatch) -> NDArray[np.int64]:
    code = batch.quality.astype(np.int64) * 1_000 + batch.reason
    return np.where(np.isfinite(batch.value), code, code + NO_NUMBER)

"""Readings as InfluxDB line protocol, and the integer that carries quality and reason.

One line is one equipment at one ms; its fields are `<point>` (float), `<point>__q` (quality × 1000 + reason, and
10000 more where the reading has no number) and `<point>__seen`. A good reading writes its value alone. Where all
readings of a line have one `seen`, the line's field `__seen` may say it for those without one of their own.
"""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray

from history.buckets import last_of_each
from history.linewise import Manner, late_seen
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
    """The escaped names of a table's series: each one's start of line and field, and which share a line.

    `machine` is the place of each series' equipment in `equipment`.
    """

    heads: tuple[str, ...]
    fields: tuple[str, ...]
    machine: NDArray[np.int32]
    equipment: tuple[str, ...]

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
            tuple(equipment),
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


def lines(batch: ReadingBatch, names: Names, manner: Manner) -> str:
    """A batch in line order as one text.

    Where `manner.explicit` is true the reading may replace an earlier one of the same ts, so `__q` and `__seen` are
    written even when they say nothing: InfluxDB merges fields, and the earlier reading's would stay.
    """
    if not len(batch):
        return ""
    names_of, heads = names.fields, names.heads
    series = batch.series.tolist()
    texts = [f"{names_of[one]}={number}" for one, number in zip(series, _numbers(batch.value.tolist()), strict=True)]
    codes, ticks = _codes(batch), late_seen(batch)
    seen = np.where(manner.together, -1, ticks)
    odd, spelt = (codes != 0) | manner.explicit, manner.explicit | manner.spelt
    late = np.flatnonzero(((seen >= 0) | spelt) & ~odd)
    for row, tick in zip(late.tolist(), seen[late].tolist(), strict=True):
        texts[row] += f",{names_of[series[row]]}__seen={tick}i"
    for row in np.flatnonzero(odd).tolist():
        plain = texts[row] if codes[row] < NO_NUMBER else ""
        texts[row] = _more(plain, names_of[series[row]], int(codes[row]), int(seen[row]), spelt=bool(spelt[row]))
    starts = line_starts(batch, names)
    begins, times = starts.tolist(), batch.ts[starts].tolist()
    tails = [f",__seen={tick}i" if tick >= 0 else "" for tick in np.where(manner.together, ticks, -1)[starts].tolist()]
    return "\n".join(
        [
            f"{heads[series[begin]]}{','.join(texts[begin:end])}{tail} {ts}"
            for begin, end, tail, ts in zip(begins, [*begins[1:], len(texts)], tails, times, strict=True)
        ]
    )


def _numbers(values: list[float]) -> list[str]:
    """Each value as the shortest text that reads back to it, some ten times faster than `repr`; NaN is "null"."""
    return msgspec.json.encode(values).decode()[1:-1].split(",")


def _more(plain: str, field: str, code: int, seen: int, *, spelt: bool) -> str:
    """What one reading writes where it is not a good one of the normal case; `plain` is empty without a number."""
    text = plain
    if code or spelt:
        text += f"{',' if text else ''}{field}__q={code}i"
    if seen >= 0 or spelt:
        text += f",{field}__seen={seen}i"
    return text


def _codes(batch: ReadingBatch) -> NDArray[np.int64]:
    code = batch.quality.astype(np.int64) * 1_000 + batch.reason
    return np.where(np.isfinite(batch.value), code, code + NO_NUMBER)

"""Rollups in InfluxDB: the buckets beside ours, and a stretch of hours made anew in them from its readings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import httpx2

from history.cells import Cells, cells_of, rolled
from history.influxfields import readings
from history.influxql import (
    InfluxAddress,
    between,
    by_tag,
    call,
    identifier,
    literal,
    measurements,
    query,
    reach,
    select,
)
from history.influxtrend import rollup_bucket, rollup_cells
from history.levels import DAY_MS, HOUR_MS, MINUTE_MS, QUARTER_MS, Range
from history.lineprotocol import ESCAPED
from plant.errors import Corrupt, DutyroomError, NotPermitted, Unavailable

_LINES = 20_000
_FEW = 100_000
"""Readings of a stretch after which the next one may be twice as long."""

_WAYS = ("ASC", "DESC")
_SHARDS = {MINUTE_MS: 7, QUARTER_MS: 30, HOUR_MS: 90, DAY_MS: 365}
"""Days in one shard of each rollup's bucket: a long trend should open few."""


def rollup_buckets(http: httpx2.Client, address: InfluxAddress) -> list[str]:
    """Make those of the rollup buckets that are missing; returns their names.

    Raises NotPermitted where the token may not make them, Unavailable where the server is away.
    """
    wanted = {rollup_bucket(address.bucket, step): days for step, days in _SHARDS.items()}
    missing = [name for name in wanted if not _buckets(http, name=name, org=address.org)]
    if not missing:
        return []
    ours = _buckets(http, name=address.bucket, org=address.org)
    if not ours:
        raise NotPermitted(f"the bucket {address.bucket} is not to be seen; run `dutyroom influx setup`")
    for name in missing:
        rules = [{"type": "expire", "everySeconds": 0, "shardGroupDurationSeconds": wanted[name] * DAY_MS // 1_000}]
        body = {"orgID": ours[0]["orgID"], "name": name, "retentionRules": rules}
        answer = reach(http, "POST", "/api/v2/buckets", json=body)
        if answer.status_code != 201:
            raise _refused(answer, f"the bucket {name} could not be made")
    return missing


def _buckets(http: httpx2.Client, **params: str) -> list[dict[str, str]]:
    answer = reach(http, "GET", "/api/v2/buckets", params=params)
    if answer.status_code == 404:
        return []
    if answer.is_error:
        raise _refused(answer, f"the bucket {params['name']} could not be looked up")
    found: list[dict[str, str]] = answer.json()["buckets"]
    return found


def _refused(answer: httpx2.Response, what: str) -> DutyroomError:
    text = f"{what} in InfluxDB, status {answer.status_code}: {answer.text[:200]}"
    if answer.status_code == 429 or answer.status_code >= 500:
        return Unavailable(text)
    return NotPermitted(f"{text}; give the service a token that may make buckets once")


_Name = tuple[str, str]
"""(equipment, point)."""


@dataclass(frozen=True, slots=True)
class Roller:
    """Makes rollups of one site anew."""

    http: httpx2.Client
    address: InfluxAddress
    site: str

    def span(self) -> Range | None:
        """First ms of the first and after the last hour that hold a reading of the site; None when none does."""
        ends: list[int] = []
        for name in measurements(self.http, self.address.bucket, self.site):
            where = f"{identifier(name)} WHERE site = {literal(self.site)} ORDER BY time"
            found = query(self.http, self.address.bucket, [select("*", f"{where} {way} LIMIT 1") for way in _WAYS])
            ends += [int(ts) for table in found for ts in table.ts]
        return (min(ends) // HOUR_MS * HOUR_MS, (max(ends) // HOUR_MS + 1) * HOUR_MS) if ends else None

    def roll(self, start: int, end: int) -> None:
        """Make the rollups of [start, end), whole hours inside one UTC day, and of that day. Raises Unavailable."""
        for name in measurements(self.http, self.address.bucket, self.site):
            at, length = start, HOUR_MS
            while at < end:
                series, found = self._cells(name, at, min(at + length, end))
                for step in (MINUTE_MS, QUARTER_MS, HOUR_MS):
                    self._write(name, step, series, rolled(found, step))
                at += length
                length = 2 * length if len(found) < _FEW else HOUR_MS
            self._roll_day(name, start // DAY_MS * DAY_MS)

    def _cells(self, measurement: str, start: int, end: int) -> tuple[list[_Name], Cells]:
        """The readings of all equipment of a type, each as a cell, and what their numbers stand for."""
        where = f"{identifier(measurement)} WHERE site = {literal(self.site)} AND {between(start, end)}"
        names: list[_Name] = []
        parts = []
        for equipment, table in by_tag(self.http, self.address.bucket, select("*", f"{where} GROUP BY equipment")):
            for point in sorted({_point(field) for field in table.columns} - {""}):
                parts.append(cells_of(len(names), readings(table, point)[0]))
                names.append((equipment, point))
        return names, Cells.concat(parts)

    def _roll_day(self, measurement: str, day: int) -> None:
        """The day's cells from its hours."""
        bucket = rollup_bucket(self.address.bucket, HOUR_MS)
        where = f"{identifier(measurement)} WHERE site = {literal(self.site)} AND {between(day, day + DAY_MS)}"
        names: list[_Name] = []
        parts = []
        for equipment, table in by_tag(self.http, bucket, select("*", f"{where} GROUP BY equipment")):
            for point in sorted(name.removesuffix("__count") for name in table.columns if name.endswith("__count")):
                parts.append(rollup_cells(len(names), table, point))
                names.append((equipment, point))
        self._write(measurement, DAY_MS, names, rolled(Cells.concat(parts), DAY_MS))

    def _write(self, measurement: str, step: int, names: Sequence[_Name], cells: Cells) -> None:
        heads = [
            (f"{measurement.translate(ESCAPED)},site={self.site.translate(ESCAPED)},"
             f"equipment={equipment.translate(ESCAPED)} ", point.translate(ESCAPED))
            for equipment, point in names
        ]  # fmt: skip
        lines = _lines(heads, cells)
        params = {"org": self.address.org, "bucket": rollup_bucket(self.address.bucket, step), "precision": "ms"}
        while batch := "\n".join(islice(lines, _LINES)):
            answer = call(self.http, "POST", "/api/v2/write", params=params, content=batch.encode())
            if answer.is_error:
                raise Corrupt(f"InfluxDB refused a rollup of {measurement}: {answer.text[:300]}")


def _lines(heads: Sequence[tuple[str, str]], cells: Cells) -> Iterator[str]:
    columns = (cells.series, cells.ts, cells.minimum, cells.mean, cells.maximum, cells.count, cells.good, cells.bad)
    for number, ts, low, mean, high, count, good, bad in zip(*(column.tolist() for column in columns), strict=True):
        head, p = heads[number]
        numbers = f"{p}__min={low!r},{p}__mean={mean!r},{p}__max={high!r}," if count else ""
        yield f"{head}{numbers}{p}__count={count}i,{p}__good={good}i,{p}__bad={bad}i {ts}"


def _point(field: str) -> str:
    """Of which point a field is; of the line's own `__seen`, of none."""
    return field.removesuffix("__q").removesuffix("__seen")

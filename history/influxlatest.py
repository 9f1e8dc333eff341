"""The newest reading of each point of an equipment, by Flux: the one query that gives each field its own time."""

from __future__ import annotations

import csv
import io

import httpx2
import numpy as np

from history.influxql import InfluxAddress, call
from history.latest import Newest
from history.lineprotocol import quality_of
from plant.errors import Corrupt
from plant.instants import parse_instant

_FLUX = """from(bucket: {bucket})
  |> range(start: 0, stop: 2200-01-01T00:00:00Z)
  |> filter(fn: (r) => r.site == {site} and r.equipment == {equipment})
  |> last()
  |> keep(columns: ["_time", "_field", "_value"])"""
_CODE = "__q"
_SEEN = "__seen"


def newest_of(http: httpx2.Client, address: InfluxAddress, site: str, equipment: str) -> dict[str, Newest]:
    """Point → (ts, value, quality, reason). Raises Unavailable."""
    flux = _FLUX.format(bucket=_quoted(address.bucket), site=_quoted(site), equipment=_quoted(equipment))
    answer = call(
        http,
        "POST",
        "/api/v2/query",
        params={"org": address.org},
        json={"query": flux, "dialect": {"header": True, "annotations": []}},
    )
    if answer.is_error:
        raise Corrupt(f"InfluxDB does not understand our query ({answer.text[:300]}); is it an InfluxDB 2?")
    return _combine(_last_fields(answer.text))


def _last_fields(text: str) -> dict[str, tuple[int, float]]:
    """Field → (ts, value). Float and integer fields come as tables of their own, each with its header."""
    found: dict[str, tuple[int, float]] = {}
    header: list[str] = []
    for row in csv.reader(io.StringIO(text)):
        if "_field" in row:
            header = row
        elif row:
            cells = dict(zip(header, row, strict=True))
            found[cells["_field"]] = (parse_instant(cells["_time"]), float(cells["_value"]))
    return found


def _combine(fields: dict[str, tuple[int, float]]) -> dict[str, Newest]:
    points = {field.removesuffix(_CODE) for field in fields if not field.endswith(_SEEN)}
    newest: dict[str, Newest] = {}
    for point in points:
        value_ts, value = fields.get(point, (None, np.nan))
        code_ts, code = fields.get(point + _CODE, (None, 0.0))
        ts = max(found for found in (value_ts, code_ts) if found is not None)
        in_force = int(code) if code_ts == ts else 0
        quality, reason, number = quality_of(np.array([in_force], np.int64))
        known = value if value_ts == ts and number[0] else float("nan")
        newest[point] = (ts, known, int(quality[0]), int(reason[0]))
    return newest


def _quoted(text: str) -> str:
    """A string literal of Flux."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("${", "\\${") + '"'

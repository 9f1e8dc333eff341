"""Talking to InfluxDB 2: its address, its errors in our words, and InfluxQL results as columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

import httpx2
import msgspec
import numpy as np
from numpy.typing import NDArray

from plant.errors import Corrupt, Unavailable

# InfluxDB counts ns in an int64, so a time beyond these ms cannot be asked for.
EARLIEST, LATEST = -9_000_000_000_000, 9_000_000_000_000


@dataclass(frozen=True, slots=True)
class InfluxAddress:
    """Where an InfluxDB 2 is and which bucket of it is ours."""

    url: str
    token: str
    org: str
    bucket: str


class _Series(msgspec.Struct):
    columns: list[str]
    values: list[list[float | int | str | None]]
    tags: dict[str, str] = msgspec.field(default_factory=dict)


class _Result(msgspec.Struct):
    series: list[_Series] = msgspec.field(default_factory=list)
    error: str = ""


class _Answer(msgspec.Struct):
    results: list[_Result] = msgspec.field(default_factory=list)
    error: str = ""


_decoder: msgspec.msgpack.Decoder[_Answer] = msgspec.msgpack.Decoder(_Answer)


@dataclass(frozen=True, slots=True)
class Table:
    """One statement's rows. A missing value is NaN; `ts` is ms."""

    ts: NDArray[np.int64]
    columns: dict[str, NDArray[np.float64]]


_NOTHING = Table(np.empty(0, np.int64), {})


def identifier(name: str) -> str:
    """A name of a measurement or field, quoted for InfluxQL."""
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def literal(text: str) -> str:
    """A tag's value, quoted for InfluxQL."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n") + "'"


def between(start: int, end: int) -> str:
    """The condition start ≤ time < end, in ms."""
    return f"time >= {max(start, EARLIEST)}ms AND time < {min(end, LATEST)}ms"


def select(what: str, source: str) -> str:
    """A statement over names that `identifier` and `literal` have quoted."""
    return f"SELECT {what} FROM {source}"  # noqa: S608  # InfluxQL has no parameters for names


def client(address: InfluxAddress) -> httpx2.Client:
    """An HTTP client for that server; thread-safe. Without a token it is nobody, whom the server tells so."""
    return httpx2.Client(
        base_url=address.url,
        headers={"Authorization": f"Token {address.token}"} if address.token else {},
        timeout=httpx2.Timeout(60, connect=5),
        trust_env=False,
    )


def reach(http: httpx2.Client, method: str, path: str, **request: object) -> httpx2.Response:
    """One request, whatever its answer; raises Unavailable when the server cannot be reached."""
    try:
        return http.request(method, path, **request)  # type: ignore[arg-type]  # passed through as given
    except httpx2.TransportError as error:
        raise Unavailable(
            f"InfluxDB at {http.base_url} does not answer ({error}); start it or look at the network"
        ) from error


def call(http: httpx2.Client, method: str, path: str, **request: object) -> httpx2.Response:
    """One request; raises Unavailable when the server cannot be reached or refuses us or itself is in trouble."""
    answer = reach(http, method, path, **request)
    trouble = refusal(answer)
    if trouble:
        raise Unavailable(f"InfluxDB at {http.base_url}: {trouble}")
    return answer


def refusal(answer: httpx2.Response) -> str:
    """Why a later try may succeed where this answer failed, and what to do; empty where it is not so."""
    status, text = answer.status_code, answer.text[:300] if answer.is_error else ""
    if status in (401, 403):
        return f"it refuses our token ({text}); give it one that may read and write the bucket"
    if status == 404:
        return f"organisation or bucket is missing ({text}); run `dutyroom influx setup`"
    if status == 429 or status >= 500:
        return f"it is overloaded or broken, status {status} ({text}); it will be tried again"
    return ""


def query(http: httpx2.Client, bucket: str, statements: Sequence[str]) -> list[Table]:
    """One table a statement, in order; empty where there is no such measurement or field.

    Asks for msgpack: the rows of a year of one point arrive in half the time of CSV and need no parsing of text.
    Raises Unavailable, or Corrupt where the answer is not understood.
    """
    return [_table(result.series[0]) if result.series else _NOTHING for result in _ask(http, bucket, statements)]


def by_tag(http: httpx2.Client, bucket: str, statement: str) -> list[tuple[str, Table]]:
    """The tables of a statement that groups by one tag, each with the tag's value. Raises as `query` does."""
    (result,) = _ask(http, bucket, [statement])
    return [(next(iter(series.tags.values())), _table(series)) for series in result.series]


def measurements(http: httpx2.Client, bucket: str, site: str) -> list[str]:
    """The measurements that hold something of a site. Raises as `query` does."""
    (result,) = _ask(http, bucket, [f"SHOW MEASUREMENTS WHERE site = {literal(site)}"])
    return [str(name) for series in result.series for (name,) in series.values]


def _ask(http: httpx2.Client, bucket: str, statements: Sequence[str]) -> list[_Result]:
    answer = call(
        http,
        "POST",
        "/query",
        params={"db": bucket, "epoch": "ms"},
        data={"q": ";".join(statements)},
        # not gzipped: over the network of a site that costs the server more time than the bytes it saves
        headers={"Accept": "application/x-msgpack", "Accept-Encoding": "identity"},
    )
    if answer.is_error:
        raise Corrupt(f"InfluxDB does not understand our query ({answer.text[:300]}); is it an InfluxDB 2?")
    try:
        decoded = _decoder.decode(answer.content)
    except msgspec.DecodeError as error:
        raise Corrupt(f"InfluxDB's answer is not understood ({error}); is it an InfluxDB 2?") from error
    wrong = decoded.error or next((result.error for result in decoded.results if result.error), "")
    if wrong:
        raise Unavailable(f"InfluxDB: {wrong}; if the bucket is missing run `dutyroom influx setup`")
    return decoded.results


def _table(series: _Series) -> Table:
    """The rows as columns of numbers; what is none is NaN (a value that is missing, a tag that `*` selected).

    As one block, since column by column it takes twice the time of the answer itself. A time in ms fits a float.
    """
    rows = series.values
    if str in set(map(type, chain.from_iterable(rows))):
        rows = [[None if isinstance(value, str) else value for value in row] for row in rows]
    block = np.array(rows, np.float64).T
    return Table(block[0].astype(np.int64), dict(zip(series.columns[1:], block[1:], strict=True)))

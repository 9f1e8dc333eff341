"""The telemetry store on InfluxDB 2: line protocol over HTTP in order, and the offset in a file beside."""

from __future__ import annotations

import os
import re
import threading
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import httpx2
import msgspec
import numpy as np
import structlog
from numpy.typing import NDArray

from history.influxlatest import newest_of
from history.influxql import InfluxAddress, call, client
from history.influxread import ALWAYS, InfluxReading
from history.influxroll import Roller, rollup_buckets
from history.latest import LatestValues, only_numbers
from history.levels import DAY_MS, HOUR_MS, Range, joined, runs, within, without
from history.lineprotocol import Names, in_line_order, line_starts, lines
from history.linewise import Lines, Manner
from plant.errors import Corrupt, NotPermitted, Unavailable
from plant.instants import NEVER, parse_instant
from plant.reading import ReadingBatch, SeriesKey, SeriesTable

_LINES = 5_000
_READY = "ready"
_BOUND = re.compile(r"Retention Policy Lower Bound at ([-\d]+T[:\d]+)")
_REASONS = (
    ("field type conflict", "type_conflict"),
    ("unable to parse", "unparseable"),
    ("Retention Policy", "beyond_retention"),
)


log = structlog.get_logger()


class _Done(msgspec.Struct):
    """What InfluxDB has accepted: the journal's offset, and the greatest ts of any reading.

    `unrolled` are the hours whose rollups are not there or not right; None where a version without rollups wrote.
    """

    offset: int = 0
    newest: int = NEVER
    unrolled: list[Range] | None = None


class InfluxStore(InfluxReading):
    """TelemetryStore in an InfluxDB 2 bucket; `folder` holds `influx.offset`. One thread writes, any thread reads.

    The offset is remembered after InfluxDB has accepted the batch. A kill between the two writes the batch again,
    which changes nothing: same series, same ts, same fields.
    """

    def __init__(self, address: InfluxAddress, *, site: str, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._file = folder / "influx.offset"
        self._done = _load(self._file)
        # Above this nothing was written by an earlier process, or it will be written again just as it was.
        self._inherited = self._done.newest
        self._address = address
        self._table: SeriesTable | None = None
        self._names = Names.of(SeriesTable(()), site)
        self._newest: NDArray[np.int64] = np.empty(0, np.int64)
        self._known: dict[SeriesKey, int] = {}
        self._lines = Lines()
        self._latest = LatestValues()
        self._asked: set[str] = set()
        self._asking = threading.Lock()
        self._rollups = ""
        self.rejected: Counter[str] = Counter()
        """Readings that InfluxDB would not take, by reason; they are lost and everything else is not."""
        super().__init__(client(address), address, site)
        self._sender = ThreadPoolExecutor(1, thread_name_prefix="influx")
        self._roller = Roller(self._http, address, site)

    def close(self) -> None:
        """Let go of the connections; further calls are errors."""
        self._sender.shutdown()
        self._http.close()

    def offset(self) -> int:
        """The last offset remembered by write; 0 when none."""
        return self._done.offset

    def latest(self, equipment: str) -> dict[str, tuple[int, float, int, int]]:
        """Point → (ts, value, quality, reason) of its newest reading; asks InfluxDB once for each equipment."""
        with self._asking:
            if equipment not in self._asked:
                for point, newest in newest_of(self._http, self._address, self._site, equipment).items():
                    self._latest.add_older(equipment, point, newest)
                self._asked.add(equipment)
        return self._latest.of(equipment)

    def write(self, batch: ReadingBatch, table: SeriesTable, offset: int) -> None:
        """Send the batch, then remember the offset.

        Raises Unavailable when InfluxDB is away, overloaded, refuses the token or lacks the bucket; the offset is not
        remembered then. Readings it will never take are counted in `rejected` and passed over.
        """
        batch = only_numbers(batch)
        if table is not self._table:
            self._follow(table)
        self._mark(batch)
        placed, replaces = in_line_order(batch, self._names)
        # InfluxDB merges the fields of a ts, so a good reading would inherit the __q of a bad one it replaces. What may
        # replace another says so in full: what is not newer than its series here, what an earlier process may have
        # written, and what came twice in this batch (of which an interrupted try may have written the first).
        explicit = replaces | (placed.ts <= np.maximum(self._newest[placed.series], self._inherited))
        machine = self._names.machine[placed.series]
        manner = self._lines.manner(placed, machine, explicit)
        self._send_all(placed, manner)
        newest = max(self._done.newest, int(batch.ts.max())) if len(batch) else self._done.newest
        self._remember(_Done(offset, newest, self._done.unrolled))
        np.maximum.at(self._newest, batch.series, batch.ts)
        self._lines.written(placed, machine)
        self._latest.update(batch, table)

    def tend(self, now: int, keep_ms: int) -> bool:
        """One bounded step of upkeep at plant time `now`: hours of one day are rolled up; true when more are to be.

        The bucket's own retention drops old readings (`keep_ms` is set when it is made). Where the token may not make
        the buckets of rollups there are none, which the log says once; trends are then reduced from readings.
        """
        if not self._ready():
            return False
        if self._done.unrolled is None:
            held = self._roller.span()
            self._remember(_Done(self._done.offset, self._done.newest, [held] if held else []))
        over = within(self._done.unrolled or [], NEVER, now // HOUR_MS * HOUR_MS)
        if not over:
            return False
        end = over[-1][1]
        start = max(over[-1][0], (end - 1) // DAY_MS * DAY_MS)
        try:
            self._roller.roll(start, end)
        except Unavailable:
            self._rollups = ""  # perhaps somebody removed a bucket: look, and make it, before the next try
            raise
        left = [part for first, last in self._done.unrolled or [] for part in without(first, last, [(start, end)])]
        self._remember(_Done(self._done.offset, self._done.newest, left))
        return bool(within(left, NEVER, now // HOUR_MS * HOUR_MS))

    def _unrolled(self) -> Sequence[Range]:
        unrolled = self._done.unrolled
        return [ALWAYS] if unrolled is None else unrolled

    def _ready(self) -> bool:
        """Whether the buckets of rollups are there, made now where they can be."""
        if self._rollups == _READY:
            return True
        try:
            made = rollup_buckets(self._http, self._address)
        except NotPermitted as error:
            if self._rollups != str(error):
                log.warning("no rollups in InfluxDB", why=str(error))
            self._rollups = str(error)
            return False
        if made:
            log.info("rollup buckets made", buckets=made)
        self._rollups = _READY
        return True

    def _mark(self, batch: ReadingBatch) -> None:
        """The batch's hours are unrolled from before it is sent, and in the file after."""
        unrolled = self._done.unrolled
        hours = runs(np.unique(batch.ts // HOUR_MS).tolist(), HOUR_MS)
        if unrolled is not None:
            self._done = _Done(self._done.offset, self._done.newest, joined([*unrolled, *hours]))

    def _remember(self, done: _Done) -> None:
        _save(self._file, done)
        self._done = done

    def _send_all(self, placed: ReadingBatch, manner: Manner) -> None:
        """A batch in line order, _LINES a request, in turn; each is written out while the one before is under way."""
        starts = np.append(line_starts(placed, self._names), len(placed))
        under_way: Future[None] | None = None
        try:
            for first in range(0, len(starts) - 1, _LINES):
                last = min(first + _LINES, len(starts) - 1)
                rows = slice(int(starts[first]), int(starts[last]))
                batch, how = placed.take(rows), manner.take(rows)
                body = lines(batch, self._names, how).encode()
                if under_way is not None:
                    under_way.result()
                under_way = self._sender.submit(self._send, batch, how, body)
        finally:
            if under_way is not None:
                under_way.result()

    def _send(self, batch: ReadingBatch, manner: Manner, body: bytes | None = None) -> None:
        """One request; what it refuses is halved until the readings at fault stand alone."""
        answer = call(
            self._http,
            "POST",
            "/api/v2/write",
            params={"org": self._address.org, "bucket": self._address.bucket, "precision": "ms"},
            content=lines(batch, self._names, manner).encode() if body is None else body,
        )
        if not answer.is_error:
            return
        bound = _BOUND.search(answer.text)
        kept = batch.ts >= parse_instant(bound[1]) if bound else np.ones(len(batch), np.bool_)
        if not kept.all():
            # Said of the whole request, and perhaps hiding another complaint: send what is young enough again.
            self.rejected["beyond_retention"] += int(np.count_nonzero(~kept))
            if kept.any():
                self._send(batch.take(kept), manner.take(kept))
        elif len(batch) == 1:
            self.rejected[_reason(answer)] += 1
        else:
            half = len(batch) // 2
            self._send(batch.take(slice(0, half)), manner.take(slice(0, half)))
            self._send(batch.take(slice(half, len(batch))), manner.take(slice(half, len(batch))))

    def _follow(self, table: SeriesTable) -> None:
        """Take over a new numbering of the series, keeping what is known of each, also of one that went."""
        if self._table is not None:
            self._known |= zip(self._table.keys, self._newest.tolist(), strict=True)
        self._table = table
        self._newest = np.array([self._known.get(key, NEVER) for key in table.keys], np.int64)
        self._names = Names.of(table, self._site)
        self._lines.follow(self._names.equipment)


def _reason(answer: httpx2.Response) -> str:
    return next((reason for text, reason in _REASONS if text in answer.text), "refused")


def _load(file: Path) -> _Done:
    try:
        return msgspec.json.decode(file.read_bytes(), type=_Done)
    except FileNotFoundError:
        return _Done()
    except msgspec.DecodeError as error:
        raise Corrupt(
            f"{file} is no offset file ({error}); remove it: what the journal holds is written again"
        ) from error


def _save(file: Path, done: _Done) -> None:
    beside = file.with_suffix(".part")
    try:
        with beside.open("wb") as out:
            out.write(msgspec.json.encode(done))
            out.flush()
            os.fsync(out.fileno())
        beside.replace(file)
    except OSError as error:
        raise Unavailable(f"{file} cannot be written ({error}); look at its disk and permissions") from error

"""The store consumer: decoded journal → telemetry store, with its own offset and pace."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import msgspec
import structlog

from dutyroom.content import Content
from dutyroom.decoder import DecoderState, Piece
from dutyroom.decoding import Block, DecodedJournal, SharedDecoding, decoder_at
from dutyroom.following import READ_LIMIT, Follower
from dutyroom.redecode import Order, Report, redecode
from dutyroom.snapshots import Snapshots
from history.entries import ClockEpoch, Command
from history.protocols import FollowedJournal, TelemetryStore
from maintenance.ledger.discovered import REDECODE, Redecoded
from plant.instants import NEVER
from plant.reading import ReadingBatch

_SNAPSHOT_SECONDS = 10.0
_OFFSET_SECONDS = 2.0
_HOUR_MS = 3_600_000
_GATHER_SECONDS = 0.1
_MOST_ENTRIES = 4 * READ_LIMIT
"""Written in one go where others have decoded them: the store is then kept busy while the next part is made ready."""
_TRIES = 10

log = structlog.get_logger()


class StoreConsumer(Follower[Block]):
    """Writes every reading to the store at the store's own pace: a slow one delays no alarm."""

    def __init__(
        self,
        journal: FollowedJournal,
        store: TelemetryStore,
        folder: Path,
        *,
        keep: Callable[[int], bool],
        report: Report,
        decoding: SharedDecoding | None = None,
    ) -> None:
        """`keep` is one step of the store's upkeep, in this thread: called with the plant time of each new plant hour,
        and again while it says that there is more to do and no readings wait. `report` is told what decoding the past
        with new bindings gave. `decoding`: with whom it shares the work of decoding; by itself where there is nobody.
        """
        super().__init__("store", journal)
        self.store = store
        self.keep, self.report = keep, report
        self.passed = self._heard = NEVER
        self._kept_hour = 0
        self.snapshots = Snapshots(folder, "store")
        self.decoded = DecodedJournal(self.name, journal, decoding or SharedDecoding(journal), self.snapshots)
        self.written = 0
        self.redecoded_messages = self.redecoded_readings = 0
        self._content: Content | None = None
        self._stored_offset = 0
        self._stored_at = self._saved_at = time.monotonic()

    def recover(self) -> None:
        """Stand where the store already is, without writing again."""
        self.offset, decoder = decoder_at(self.journal, self.snapshots, self.store.offset())
        self._stored_offset, self._content = self.offset, decoder.content
        self.decoded.begin(decoder)
        log.info("store ready", offset=self.offset)

    def read_on(self) -> Block:
        """What the entries became."""
        return self.decoded.read(self.offset, _MOST_ENTRIES)

    def take(self, stretch: Block) -> None:
        """Write the readings of a read; a changed configuration changes the numbering of series, so it ends a write."""
        batches: list[ReadingBatch] = []
        reached = stretch.after
        for piece in stretch.pieces:
            if isinstance(piece.entry, Command) and piece.entry.action == REDECODE:
                if not self._write(batches, reached) or not self._redecode(Order.of(piece.entry), piece.last):
                    return
                batches = []
            batches.append(piece.intaken.batch)
            reached, self._heard = piece.last, max(self._heard, _heard(piece))
            if piece.content is not None:
                if not self._write(batches, reached):
                    return
                batches, self._content = [], piece.content
        if self._write(batches, reached) and time.monotonic() - self._saved_at >= _SNAPSHOT_SECONDS:
            self._save(stretch.state)

    def rest_seconds(self, taken: int) -> float:
        """Readings that come together are written together: a store takes a thousand lines at hardly more than ten."""
        return _GATHER_SECONDS if taken < READ_LIMIT else 0.0

    def idle(self) -> None:
        """Remember the offset of reads that held no reading, and take one step of upkeep where one is due."""
        if self._stored_offset < self.offset:
            self._store(ReadingBatch.empty(), self.offset)
        hour = self.passed // _HOUR_MS
        if self.passed > 0 and hour != self._kept_hour and not self.keep(self.passed):
            self._kept_hour = hour

    def finish(self) -> None:
        """Remember where we are."""
        self.insist(self.idle)
        for _ in range(_TRIES):
            before = self.offset
            if self.held_up is not None or self._save():
                break
            self.take(self.read_on())  # others have decoded ahead; the state is to be had where they are
            if self.offset == before:
                break
            self.insist(self.idle)
        self.decoded.end()

    def needed_after(self) -> int:
        """The journal must keep what comes after this offset."""
        oldest = self.snapshots.oldest()
        return 0 if oldest is None else min(oldest, self.offset)

    def _write(self, batches: Sequence[ReadingBatch], last: int) -> bool:
        """Store what has gathered up to offset `last`; False when told to stop meanwhile."""
        if last == self.offset:
            return True
        batch = ReadingBatch.concat(batches)
        if len(batch) or time.monotonic() - self._stored_at >= _OFFSET_SECONDS:
            if self.insist(lambda: self._store(batch, last)) is None:
                return False
            self.written += len(batch)
        self.offset = last
        self.passed = max(self.passed, self._heard)
        return True

    def _redecode(self, order: Order, offset: int) -> bool:
        """Complete the past and report it, all before the command itself counts as read: cut short, it is done again,
        and the same readings take the place of the same readings. False when told to stop meanwhile.
        """
        if self._content is None:
            return True
        result = Redecoded(0, 0, 0)
        for batch, work in redecode(self.journal, self._content.plant, order, offset):
            result = Redecoded(work.messages, work.readings, work.rejected)
            if len(batch) and self.insist(partial(self._store, batch, self._stored_offset)) is None:
                return False
        self.redecoded_messages += result.messages
        self.redecoded_readings += result.readings
        return self.insist(partial(self._report, order, result, offset)) is not None

    def _report(self, order: Order, result: Redecoded, before: int) -> bool:
        self.report(order, result, before)
        return True

    def _store(self, batch: ReadingBatch, offset: int) -> bool:
        if self._content is None:
            return True
        self.store.write(batch, self._content.plant.series, offset)
        self._stored_offset, self._stored_at = offset, time.monotonic()
        return True

    def _save(self, state: DecoderState | None = None) -> bool:
        """Keep the decoder's state, never ahead of what the store has; False where others have decoded ahead meanwhile.

        `state` is what it is at `offset`, where that is at hand.
        """
        state = state or self.decoded.state(self.offset)
        if state is None:
            return self._content is None
        self._saved_at = time.monotonic()
        if self._stored_offset == self.offset:
            self.snapshots.save(self.offset, msgspec.msgpack.encode(state))
        return True


def _heard(piece: Piece) -> int:
    """Plant time that the piece speaks of; NEVER where it does not."""
    if isinstance(piece.entry, ClockEpoch):
        return piece.entry.plant_time
    return NEVER if piece.tick is None else piece.tick.plant_time

"""The store consumer: journal → intake → telemetry store, with its own offset and pace."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import msgspec
import structlog

from dutyroom.content import Content
from dutyroom.following import READ_LIMIT, Follower
from dutyroom.redecode import Order, Report, redecode
from dutyroom.snapshots import Snapshots
from history.entries import ClockEpoch, Command, Config, Entry, Message, Tick
from history.protocols import FollowedJournal, TelemetryStore
from ingest.intake import Intake
from maintenance.ledger.discovered import REDECODE, Redecoded
from plant.errors import Corrupt
from plant.instants import NEVER
from plant.reading import ReadingBatch

_SNAPSHOT_SECONDS = 10.0
_OFFSET_SECONDS = 2.0
_HOUR_MS = 3_600_000
_GATHER_SECONDS = 0.1

log = structlog.get_logger()


class _State(msgspec.Struct, frozen=True):
    revision: int
    content: bytes
    intake: bytes


class StoreConsumer(Follower):
    """Decodes the journal once more and writes every reading to the store: a slow store delays no alarm."""

    def __init__(
        self,
        journal: FollowedJournal,
        store: TelemetryStore,
        folder: Path,
        *,
        keep: Callable[[int], bool],
        report: Report,
    ) -> None:
        """`keep` is one step of the store's upkeep, in this thread: called with the plant time of each new plant hour,
        and again while it says that there is more to do and no readings wait. `report` is told what decoding the past
        with new bindings gave.
        """
        super().__init__("store", journal)
        self.store = store
        self.keep, self.report = keep, report
        self.passed = NEVER
        self._heard = NEVER
        self._kept_hour = 0
        self.snapshots = Snapshots(folder, "store")
        self.written = 0
        self.redecoded_messages = self.redecoded_readings = 0
        self._intake: Intake | None = None
        self._content: Content | None = None
        self._raw = b""
        self._revision = 0
        self._stored_offset = 0
        self._stored_at = self._saved_at = time.monotonic()

    def recover(self) -> None:
        """Bring the intake to where the store already is, without writing again."""
        stored = self.store.offset()
        self.offset = self._load(stored)
        while self.offset < stored:
            entries = [item for item in self.journal.read(self.offset, READ_LIMIT) if item[0] <= stored]
            if not entries:
                raise Corrupt(f"the journal ends at {self.offset}, before the store's offset {stored}")
            self._decode(entries)
            self.offset = entries[-1][0]
        self._stored_offset = self.offset
        log.info("store ready", offset=self.offset)

    def take(self, entries: Sequence[tuple[int, Entry]]) -> None:
        """Write the readings of a read; a changed configuration changes the numbering of series, so it ends a write."""
        start = 0
        for place, (offset, entry) in enumerate(entries):
            if isinstance(entry, Config) and place > start:
                self._write(entries[start:place])
                start = place
            elif isinstance(entry, Command) and entry.action == REDECODE:
                self._write(entries[start:place])
                start = place
                if not self._redecode(Order.of(entry), offset):
                    return
        self._write(entries[start:])
        if time.monotonic() - self._saved_at >= _SNAPSHOT_SECONDS:
            self._save()

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
        self._save()

    def needed_after(self) -> int:
        """The journal must keep what comes after this offset."""
        oldest = self.snapshots.oldest()
        return 0 if oldest is None else min(oldest, self.offset)

    def _write(self, entries: Sequence[tuple[int, Entry]]) -> None:
        if not entries:
            return
        batch, last = self._decode(entries), entries[-1][0]
        if len(batch) or time.monotonic() - self._stored_at >= _OFFSET_SECONDS:
            if self.insist(lambda: self._store(batch, last)) is None:
                return
            self.written += len(batch)
        self.offset = last
        self.passed = max(self.passed, self._heard)

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

    def _decode(self, entries: Sequence[tuple[int, Entry]]) -> ReadingBatch:
        batches = []
        run: list[tuple[int, Entry]] = []
        for offset, entry in entries:
            match entry:
                case Config():
                    batches.append(self._feed(run))
                    run = []
                    self._configure(entry)
                case Message():
                    run.append((offset, entry))
                case Tick() | ClockEpoch():
                    run.append((offset, entry))
                    self._heard = entry.plant_time
        batches.append(self._feed(run))
        return ReadingBatch.concat(batches)

    def _feed(self, run: list[tuple[int, Entry]]) -> ReadingBatch:
        if not run or self._intake is None:
            return ReadingBatch.empty()
        return self._intake.feed_many(run).batch

    def _configure(self, config: Config) -> None:
        if config.revision == self._revision:
            return
        content = Content.decode(config.content)
        self._intake = Intake(content.plant) if self._intake is None else self._intake.with_plant(content.plant)
        self._content, self._raw, self._revision = content, config.content, config.revision

    def _load(self, stored: int) -> int:
        for offset, data in self.snapshots.newest(stored):
            if offset + 1 < self.journal.first_offset:
                break
            try:
                state = msgspec.msgpack.decode(data, type=_State)
                content = Content.decode(state.content)
                self._intake = Intake.restore(content.plant, state.intake)
            except (Corrupt, msgspec.MsgspecError) as error:
                log.warning("snapshot dropped", consumer=self.name, offset=offset, why=str(error))
                continue
            self._content, self._raw, self._revision = content, state.content, state.revision
            return offset
        start = self.journal.first_offset - 1
        start = min(start, stored) if stored else start
        in_force = self.journal.config_at(start)  # retention may have taken its entry from before the front
        if in_force is not None:
            self._configure(in_force)
        return start

    def _save(self) -> None:
        """Keep the intake's state, never ahead of what the store has."""
        self._saved_at = time.monotonic()
        if self._intake is not None and self._stored_offset == self.offset:
            state = _State(self._revision, self._raw, self._intake.state())
            self.snapshots.save(self.offset, msgspec.msgpack.encode(state))

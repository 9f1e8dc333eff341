"""The rules consumer: journal → intake → engine → one ledger transaction with the offset; snapshots behind it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

import structlog

from dutyroom.decoder import Decoder, DecoderState, read_state
from dutyroom.decoding import Block, DecodedJournal, SharedDecoding, advance, front
from dutyroom.following import READ_LIMIT, Follower
from dutyroom.judging import Judged, Judging
from dutyroom.snapshots import Snapshots
from history.protocols import FollowedJournal
from ingest.reasons import RejectReason
from ingest.requests import Request
from maintenance.ledger.ledger import Ledger
from maintenance.ledger.rows import EngineCommit, Reject
from plant.errors import Corrupt
from plant.instants import NEVER

CONSUMER = "rules"
_COMMIT_SECONDS = 1.0
_SNAPSHOT_SECONDS = 30.0
_SNAPSHOT_ENTRIES = 200_000
_RUSH = 300
"""Plant seconds a second from which on nobody can be watching alarm by alarm."""
_GATHER_SECONDS = 0.4
_TRIES = 10
_CROWD, _CROWD_SECONDS = 100, 0.05
"""Where so many entries come at once, more are let gather for so long: judging a thousand costs little more."""

log = structlog.get_logger()

Probe = Callable[[str], None]
"""Called with the name of a point that was just passed; fault tests end the process there."""


Ask = Callable[[Sequence[Request]], None]
"""Takes what the way in asks of devices; must not wait."""


def pass_by(point: str) -> None:
    """The probe of a service nobody wants to kill."""


def ask_nobody(requests: Sequence[Request]) -> None:
    """Where there is no broker to ask on."""


class RulesConsumer(Follower[Block]):
    """Evaluates the journal of one site and commits what comes of it."""

    def __init__(
        self,
        journal: FollowedJournal,
        ledger: Ledger,
        folder: Path,
        *,
        site: str,
        probe: Probe = pass_by,
        ask: Ask = ask_nobody,
        decoding: SharedDecoding | None = None,
    ) -> None:
        """`decoding`: with whom it shares the work of decoding; it decodes by itself where there is nobody."""
        super().__init__("rules", journal)
        self.ledger, self.site, self.probe, self.ask = ledger, site, probe, ask
        self.snapshots = Snapshots(folder, "rules")
        self.decoded = DecodedJournal(self.name, journal, decoding or SharedDecoding(journal), self.snapshots)
        self.judging = Judging()
        self.passed = NEVER
        self.listening = False
        self.snapshot_seconds = _SNAPSHOT_SECONDS
        self.rejected: dict[str, int] = {}
        self.repaired: dict[str, int] = {}
        self.messages = self.empty = self.repeated = self.duplicates = self.conflicts = self.requests = 0
        self.read = self.refused = self.flooded = 0
        self._epoch = 0
        self._committed_at = self._saved_at = time.monotonic()
        self._saved_offset = self._committed_offset = 0
        self._gave_up = False
        self._paced = (NEVER, 0.0)

    def recover(self) -> None:
        """Load the newest usable snapshot and replay to the committed offset with effects fenced off."""
        self._epoch = self.ledger.take_lease(CONSUMER, self.site)
        committed = self.ledger.offset(CONSUMER, self.site)
        self.offset, decoder = self._load(committed)
        for offset, pieces in advance(self.journal, decoder, self.offset, committed):
            self.judging.take(pieces)
            self.offset = offset
        self.decoded.begin(decoder)
        self.passed = self.judging.plant_time
        # behind the offset where a new ledger meets a journal whose front is gone
        self._saved_offset, self._committed_offset = self.offset, committed
        log.info("rules ready", offset=self.offset, site=self.site)

    def read_on(self) -> Block:
        """What the entries became."""
        return self.decoded.read(self.offset)

    def take(self, stretch: Block) -> None:
        """Evaluate a read and commit it: at once where it had an effect, else at most a second later."""
        judged = self.judging.take(stretch.pieces)
        self._count(judged)
        self.probe("engine_step")
        ticks = [piece.tick for piece in stretch.pieces if piece.tick is not None]
        self.listening = ticks[-1].listening if ticks else self.listening
        self.offset = stretch.last
        self._ask(judged.requests)
        now = time.monotonic()
        if judged.events or judged.rejected or judged.repairs or now - self._committed_at >= _COMMIT_SECONDS:
            self._commit(judged)
        waited = time.monotonic() - self._saved_at
        if waited >= self.snapshot_seconds or self.offset - self._saved_offset >= _SNAPSHOT_ENTRIES:
            self.save(stretch.state)

    def rest_seconds(self, taken: int) -> float:
        """While plant time rushes (a past is made, a recording replayed) ticks gather: one pass closes them all."""
        plant, wall = self.judging.plant_time, time.monotonic()
        rushed = (plant - self._paced[0]) > _RUSH * 1000 * (wall - self._paced[1])
        known, self._paced = self._paced[0] != NEVER, (plant, wall)
        if taken >= READ_LIMIT:
            return 0.0
        if known and rushed:
            return _GATHER_SECONDS
        return _CROWD_SECONDS if taken >= _CROWD else 0.0

    def idle(self) -> None:
        """Commit the offset of reads that had no effect."""
        if self._committed_offset < self.offset and not self._gave_up:
            self._commit(None)

    def finish(self) -> None:
        """Commit and snapshot, so that the next start has nothing to replay."""
        self.idle()
        for _ in range(_TRIES):
            if self._gave_up or self.save():
                break
            self.take(self.read_on())  # others have decoded ahead; the state is to be had where they are
            self.idle()
        self.decoded.end()

    def save(self, state: DecoderState | None = None) -> bool:
        """Snapshot the state, never ahead of what the ledger has; False where others have decoded ahead meanwhile.

        `state` is the decoder's at `offset`, where it is at hand.
        """
        self.idle()
        state = state or self.decoded.state(self.offset)
        if state is None:
            return self.judging.engine is None
        if self._committed_offset == self.offset:
            self.probe("before_snapshot")
            self.snapshots.save(self.offset, self.judging.snapshot(state))
            self._saved_offset = self.offset
        self._saved_at = time.monotonic()
        return True

    def needed_after(self) -> int:
        """The journal must keep what comes after this offset."""
        oldest = self.snapshots.oldest()
        return 0 if oldest is None else min(oldest, self.offset)

    def _load(self, committed: int) -> tuple[int, Decoder]:
        """State of the newest usable snapshot not ahead of the ledger, or of the journal's beginning: its offset, and
        the decoder there.
        """
        for offset, data in self.snapshots.newest(committed):
            if offset + 1 < self.journal.first_offset:
                break
            try:
                decoder = Decoder.restore(read_state(data))
                self.judging = Judging.restore(data, decoder.content)
            except Corrupt as error:
                log.warning("snapshot dropped", offset=offset, why=str(error))
                continue
            return offset, decoder
        self.judging = Judging()
        start, decoder, pieces = front(self.journal, committed)
        if start and committed:
            log.warning("state is rebuilt from what the journal still holds", first=start + 1, committed=committed)
        self.judging.take(pieces)
        return start, decoder

    def _commit(self, judged: Judged | None) -> None:
        """One ledger transaction for everything up to `offset`."""
        commit = EngineCommit(
            consumer=CONSUMER,
            partition=self.site,
            expected_offset=self._committed_offset,
            offset=self.offset,
            lease_epoch=self._epoch,
            now=max(self.judging.plant_time, 0),
            events=judged.events if judged else (),
            rejects=[
                Reject(r.offset, r.received_at, r.topic, r.payload, r.reason.value, r.detail) for r in judged.rejected
            ]
            if judged
            else (),
            catching_up=self._catching_up,
            repairs=judged.repairs if judged else (),
        )

        def write() -> bool:
            self.ledger.commit_engine(commit)
            return True

        if self.insist(write):
            self._committed_offset = self.offset
            self._committed_at = time.monotonic()
            self.passed = self.judging.plant_time
            self.probe("ledger_commit")
        else:
            # Told to stop while the ledger was away: what was judged is not written, so its offset may not be either.
            self._gave_up = True

    @property
    def _catching_up(self) -> bool:
        return self.journal.last_offset - self.offset > READ_LIMIT

    def _ask(self, requests: Sequence[Request]) -> None:
        """What was missing long ago may have been told since; what still is, the next message asks for anew."""
        if requests and not self._catching_up:
            self.requests += len(requests)
            self.ask(requests)

    def _count(self, judged: Judged) -> None:
        for taken in judged.intaken:
            self.messages += taken.messages
            self.empty += taken.empty
            self.repeated += taken.repeated
            self.read += taken.read
            self.refused += taken.refused
            self.flooded += taken.flooded
            self.duplicates += taken.duplicates
            self.conflicts += taken.conflicts
            if taken.flooded:
                self.rejected[RejectReason.FLOOD] = self.rejected.get(RejectReason.FLOOD, 0) + taken.flooded
        for repair in judged.repairs:
            self.repaired[repair.kind.value] = self.repaired.get(repair.kind.value, 0) + 1
        for item in judged.rejected:
            self.rejected[item.reason.value] = self.rejected.get(item.reason.value, 0) + 1

"""Decoding the journal once for all who need its readings: whoever comes first decodes, the others take what it made.

Each consumer keeps its own pace and its own snapshots. One that is too far behind for what is kept decodes by itself,
from a snapshot of its own, until it meets the others again; so a slow store delays no alarm (decision 20).
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

import structlog

from dutyroom.decoder import Decoder, DecoderState, Piece, read_state
from dutyroom.following import READ_LIMIT
from dutyroom.snapshots import Snapshots
from history.entries import Entry
from history.protocols import FollowedJournal, JournalReader
from plant.errors import Corrupt

KEPT_BYTES = 4 * 2**20
"""Kept for those who may join, though everybody has it."""
MOST_BYTES = 64 * 2**20
"""Kept where somebody is behind."""
MOST_BLOCKS = 4_096
_READING_BYTES = 40
_PIECE_BYTES = 2_000
"""What a piece takes beside its readings and rejects, about."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Block:
    """What `count` journal entries after offset `after` became; `last` is the offset of the last of them.

    `state` is the decoder's at the end, where somebody had asked for it and else None.
    """

    after: int
    last: int
    pieces: Sequence[Piece]
    count: int
    state: DecoderState | None = None

    def __len__(self) -> int:
        return self.count

    @property
    def size(self) -> int:
        """Bytes it takes in memory, about."""
        readings = sum(len(piece.intaken.batch) for piece in self.pieces)
        refused = sum(len(item.payload) + 200 for piece in self.pieces for item in piece.intaken.rejected)
        state = 0 if self.state is None else len(self.state.intake) + len(self.state.content)
        return _PIECE_BYTES * len(self.pieces) + _READING_BYTES * readings + refused + state


class SharedDecoding:
    """A decoder at the front of those who are level, and the blocks it made that not all of them have. Thread-safe.

    It is vacant until somebody lends a decoder. `most_bytes` bounds what is kept for those who are behind.
    """

    def __init__(self, journal: JournalReader, *, most_bytes: int = MOST_BYTES, read_limit: int = READ_LIMIT) -> None:
        self._journal = journal
        self._most_bytes, self._read_limit = most_bytes, read_limit
        self._lock = threading.Lock()
        self._decoder: Decoder | None = None
        self._at = 0
        self._level: dict[str, int] = {}
        self._wanted = False
        self._blocks: deque[tuple[Block, int]] = deque()
        self._bytes = 0

    def join(self, name: str, decoder: Decoder, at: int) -> int | None:
        """Be level from offset `at` on, where this returns `at`: there is a cut here, or nobody was level and `decoder`
        is now everybody's. Else decode alone: up to the offset returned, where the next cut is, or as far as you like.
        """
        with self._lock:
            inside = next((block for block, _ in reversed(self._blocks) if block.after <= at < block.last), None)
            if self._decoder is None or (at != self._at and inside is None and not self._level):
                self._forget()
                self._decoder, self._at = decoder, at
            elif at != self._at and (inside is None or inside.after != at):
                return None if inside is None else inside.last
            self._level[name] = at
            return at

    def leave(self, name: str) -> None:
        """This one is level no longer."""
        with self._lock:
            self._level.pop(name, None)

    def read(self, name: str, after: int, most: int) -> Block | None:
        """What follows, about `most` entries where that many are decoded, decoded now where nothing is yet; empty where
        there is nothing. None for one who is too far behind and so is level no longer.
        """
        with self._lock:
            held = self._held(after)
            if held:
                self._level[name] = after
                return _joined(list(_up_to(held, most)))
            if self._decoder is not None and after == self._at:
                self._level[name] = after
                entries = self._journal.read(after, self._read_limit)
                return self._decode(self._decoder, entries) if entries else Block(after, after, (), 0)
            self._level.pop(name, None)
            return None

    def state(self, at: int) -> DecoderState | None:
        """The decoder's state at an offset, if it is there; if not, the next block brings one."""
        with self._lock:
            if self._decoder is not None and self._at == at:
                return self._decoder.state()
            self._wanted = True
            return None

    def _decode(self, decoder: Decoder, entries: Sequence[tuple[int, Entry]]) -> Block:
        try:
            pieces = decoder.decode(entries)
            state = decoder.state() if self._wanted else None
        except BaseException:
            self._decoder = None  # half way through these entries it is of no use to anybody
            self._forget()
            raise
        block = Block(self._at, entries[-1][0], tuple(pieces), len(entries), state)
        self._at, self._wanted = block.last, False
        self._blocks.append((block, block.size))
        self._bytes += block.size
        self._let_go()
        return block

    def _let_go(self) -> None:
        needed = min(self._level.values(), default=self._at)
        while self._blocks:
            oldest, size = self._blocks[0]
            most = min(KEPT_BYTES, self._most_bytes) if oldest.last <= needed else self._most_bytes
            if self._bytes <= most and len(self._blocks) <= MOST_BLOCKS:
                break
            self._blocks.popleft()
            self._bytes -= size

    def _held(self, after: int) -> list[Block]:
        """Blocks from just after an offset on, looked up from the end; none where there is no cut."""
        found: list[Block] = []
        for block, _ in reversed(self._blocks):
            if block.after < after:
                break
            found.append(block)
        found.reverse()
        return found if found and found[0].after == after else []

    def _forget(self) -> None:
        self._blocks.clear()
        self._bytes = 0


class DecodedJournal:
    """The journal as one consumer reads it: decoded together with the others while it is level, else alone."""

    def __init__(self, name: str, journal: FollowedJournal, shared: SharedDecoding, snapshots: Snapshots) -> None:
        self.name, self.journal, self.shared, self.snapshots = name, journal, shared, snapshots
        self._own: Decoder | None = None
        self._told = False

    def begin(self, decoder: Decoder) -> None:
        """Go on from where this decoder is."""
        self._own = decoder

    def read(self, after: int, most: int = READ_LIMIT) -> Block:
        """What follows, about `most` entries of what others have decoded; empty where there is nothing yet. Raises as
        the journal's `read`.
        """
        if self._own is None:
            block = self.shared.read(self.name, after, most)
            if block is not None:
                return block
            log.info("decodes alone", consumer=self.name, offset=after)
            self._told = True
            _, self._own = decoder_at(self.journal, self.snapshots, after)
        end = self.shared.join(self.name, self._own, after)
        if end == after:
            return self._level(after, most)
        entries = self.journal.read(after, READ_LIMIT)
        if end is not None:
            entries = entries[: end - after]
        if not entries:
            return Block(after, after, (), 0)
        return Block(after, entries[-1][0], self._own.decode(entries), len(entries))

    def state(self, at: int) -> DecoderState | None:
        """The decoder's state at an offset that was read up to; None where others are ahead: the next block of theirs
        brings one.
        """
        return self._own.state() if self._own is not None else self.shared.state(at)

    def end(self) -> None:
        """Read no more."""
        if self._own is None:
            self.shared.leave(self.name)

    def _level(self, after: int, most: int) -> Block:
        self._own = None
        if self._told:
            log.info("decodes with the others again", consumer=self.name, offset=after)
            self._told = False
        return self.read(after, most)


def decoder_at(journal: FollowedJournal, snapshots: Snapshots, offset: int) -> tuple[int, Decoder]:
    """A decoder as it stands at an offset, from the newest snapshot before it or the journal's front; and the offset,
    which is the front's where the journal begins later.
    """
    at, decoder = _newest(journal, snapshots, offset)
    for reached, _ in advance(journal, decoder, at, offset):
        at = reached
    return at, decoder


def advance(journal: JournalReader, decoder: Decoder, at: int, end: int) -> Iterator[tuple[int, Sequence[Piece]]]:
    """Decode from offset `at` to `end`: (offset reached, pieces) read by read. Raises Corrupt when the journal ends
    before.
    """
    while at < end:
        entries = [item for item in journal.read(at, min(READ_LIMIT, end - at)) if item[0] <= end]
        if not entries:
            raise Corrupt(f"the journal ends at {at}, before offset {end}, where a consumer of it already is")
        at = entries[-1][0]
        yield at, decoder.decode(entries)


def front(journal: FollowedJournal, offset: int) -> tuple[int, Decoder, list[Piece]]:
    """Where to begin without a snapshot: the offset, a decoder under the configuration in force there, its pieces.

    That is the journal's front, or an `offset` before it that a consumer has been at.
    """
    start = journal.first_offset - 1
    start = min(start, offset) if offset else start
    decoder = Decoder()
    in_force = journal.config_at(start)  # retention may have taken its entry from before the front
    return start, decoder, decoder.decode([(start, in_force)]) if in_force is not None else []


def _newest(journal: FollowedJournal, snapshots: Snapshots, offset: int) -> tuple[int, Decoder]:
    for at, data in snapshots.newest(offset):
        if at + 1 < journal.first_offset:
            break
        try:
            return at, Decoder.restore(read_state(data))
        except Corrupt as error:
            log.warning("snapshot dropped", consumer=snapshots.name, offset=at, why=str(error))
    start, decoder, _ = front(journal, offset)
    return start, decoder


def _joined(blocks: Sequence[Block]) -> Block:
    if len(blocks) == 1:
        return blocks[0]
    pieces = tuple(chain.from_iterable(block.pieces for block in blocks))
    count = sum(block.count for block in blocks)
    return Block(blocks[0].after, blocks[-1].last, pieces, count, blocks[-1].state)


def _up_to(blocks: Sequence[Block], most: int) -> Iterator[Block]:
    count = 0
    for block in blocks:
        yield block
        count += block.count
        if count >= most or block.state is not None:
            return

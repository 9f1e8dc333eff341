"""From decoded pieces of the journal to alarm events: the engine of one site, one pure state machine, one snapshot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec

from dutyroom.content import Content
from dutyroom.decoder import DecoderState, Piece
from history.entries import ClockEpoch, Command
from ingest.intake import Intaken, RejectedMessage
from ingest.repairs import Repair
from ingest.requests import Request
from plant.errors import Corrupt
from plant.instants import NEVER
from rules.engine import Engine
from rules.events import AlarmEvent


@dataclass(slots=True)
class Judged:
    """What some pieces gave: events, rejects, requests and repairs in order, and how far plant time has come."""

    plant_time: int
    events: list[AlarmEvent] = field(default_factory=list)
    rejected: list[RejectedMessage] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    repairs: list[Repair] = field(default_factory=list)
    intaken: list[Intaken] = field(default_factory=list)


class _State(msgspec.Struct, frozen=True):
    """What a decoder's snapshot holds, and the engine beside it."""

    revision: int
    content: bytes
    intake: bytes
    engine: bytes


class Judging:
    """The engine under the configuration in force."""

    def __init__(self) -> None:
        self.content: Content | None = None
        self.engine: Engine | None = None
        self.ignored_before_config = 0

    def take(self, pieces: Sequence[Piece]) -> Judged:
        """Advance over pieces in journal order."""
        judged = Judged(self.plant_time)
        for piece in pieces:
            self._take_in(piece, judged)
            match piece.entry:
                case Command() if self.engine is not None:
                    self.engine.command(piece.entry)
                case ClockEpoch() if self.engine is not None:
                    self.engine.clock_epoch(piece.entry.plant_time)
            if piece.content is not None:
                self._configure(piece.content)
        judged.plant_time = self.plant_time
        return judged

    @property
    def plant_time(self) -> int:
        """Plant time of the last tick; NEVER before the first."""
        return self.engine.plant_time if self.engine is not None else NEVER

    def snapshot(self, decoder: DecoderState) -> bytes:
        """The whole state, with that of the decoder whose pieces were taken; only after the first configuration."""
        engine = b"" if self.engine is None else self.engine.snapshot()
        return msgspec.msgpack.encode(_State(decoder.revision, decoder.content, decoder.intake, engine))

    @staticmethod
    def restore(data: bytes, content: Content | None) -> Judging:
        """With the content of the decoder in the same snapshot; raises Corrupt for bytes of another version."""
        try:
            state = msgspec.msgpack.decode(data, type=_State)
        except msgspec.MsgspecError as error:
            raise Corrupt(f"the snapshot cannot be read ({error})") from error
        if content is None:
            raise Corrupt("the snapshot holds no configuration")
        judging = Judging()
        judging.content = content
        judging.engine = Engine.restore(content.plant, content.rules, state.engine)
        return judging

    def _configure(self, content: Content) -> None:
        """Put a configuration in force; what still means the same goes on where it was."""
        if self.engine is None:
            self.engine = Engine(content.plant, content.rules)
        else:
            self.engine = Engine.restore(content.plant, content.rules, self.engine.snapshot())
        self.content = content

    def _take_in(self, piece: Piece, judged: Judged) -> None:
        """Take in the readings, then let the engine close what the tick closes."""
        self.ignored_before_config += piece.ignored
        if self.engine is None:
            return
        taken = piece.intaken
        judged.intaken.append(taken)
        judged.rejected += taken.rejected
        judged.requests += taken.requests
        judged.repairs += taken.repairs
        self.engine.feed(taken.batch)
        if piece.tick is not None:
            judged.events += self.engine.tick(piece.tick.plant_time, piece.tick.listening)

"""Journal entries become pieces that a consumer takes effect of one after another: one pure state machine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from dutyroom.content import Content
from history.entries import ClockEpoch, Command, Config, Entry, Message, Tick
from ingest.intake import Intake, Intaken
from plant.errors import Corrupt


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of the journal: first its readings take effect, then the tick, then `entry`.

    `tick` is the last of several in a row: leaving ticks out changes nothing (a law of the engine,
    tests/support/laws.py), and whoever is behind, or makes a past, closes many instants in one pass. `content` is what
    a Config puts in force, None where it says what is in force already; what follows is numbered by its series.
    `last` is the offset of the last entry in it; `ignored` counts messages and ticks before any configuration.
    """

    last: int
    intaken: Intaken
    tick: Tick | None = None
    entry: Command | Config | ClockEpoch | None = None
    content: Content | None = None
    ignored: int = 0


class DecoderState(msgspec.Struct, frozen=True):
    """A snapshot: the configuration in force and what its intake remembers."""

    revision: int
    content: bytes
    intake: bytes


class Decoder:
    """The intake under the configuration in force. Cutting the entries anywhere changes nothing that comes of them."""

    def __init__(self) -> None:
        self.content: Content | None = None
        """The configuration in force."""
        self._revision = 0
        self._raw = b""
        self._intake: Intake | None = None
        self._ticked = False

    def decode(self, entries: Sequence[tuple[int, Entry]]) -> list[Piece]:
        """Advance over entries in journal order."""
        pieces: list[Piece] = []
        run: list[tuple[int, Entry]] = []
        tick: Tick | None = None
        for offset, entry in entries:
            match entry:
                case Message():
                    run.append((offset, entry))
                case Tick(listening=True) if self._ticked:
                    run.append((offset, entry))
                    tick = entry if tick is None or entry.plant_time > tick.plant_time else tick
                case Tick():  # the first, where the grid begins, or one of a time when nobody listened
                    self._close(pieces, run, tick)
                    self._close(pieces, [(offset, entry)], entry)
                    run, tick, self._ticked = [], None, self._intake is not None
                case ClockEpoch():
                    self._close(pieces, run, tick)
                    pieces.append(self._piece([(offset, entry)], None, entry))
                    run, tick, self._ticked = [], None, False
                case Command() | Config():
                    if run:
                        self._close(pieces, run, tick)
                    content = self._configure(entry) if isinstance(entry, Config) else None
                    pieces.append(Piece(offset, Intaken.nothing(), None, entry, content))
                    run, tick = [], None
        self._close(pieces, run, tick)
        return pieces

    def state(self) -> DecoderState | None:
        """A snapshot; None before the first configuration."""
        if self._intake is None:
            return None
        return DecoderState(self._revision, self._raw, self._intake.state())

    @staticmethod
    def restore(state: DecoderState) -> Decoder:
        """A decoder that goes on where `state` was taken; raises Corrupt when it is of another version."""
        decoder = Decoder()
        content = Content.decode(state.content)
        decoder.content, decoder._revision, decoder._raw = content, state.revision, state.content
        decoder._intake = Intake.restore(content.plant, state.intake)
        return decoder

    def _close(self, pieces: list[Piece], run: list[tuple[int, Entry]], tick: Tick | None) -> None:
        if run:
            pieces.append(self._piece(run, tick, None))

    def _piece(self, run: list[tuple[int, Entry]], tick: Tick | None, entry: ClockEpoch | None) -> Piece:
        last = run[-1][0]
        if self._intake is None:
            return Piece(last, Intaken.nothing(), tick, entry, ignored=len(run))
        return Piece(last, self._intake.feed_many(run), tick, entry)

    def _configure(self, config: Config) -> Content | None:
        """Put a configuration in force; what still means the same goes on where it was."""
        if config.revision == self._revision:
            return None
        content = Content.decode(config.content)
        self._intake = Intake(content.plant) if self._intake is None else self._intake.with_plant(content.plant)
        self.content, self._raw, self._revision = content, config.content, config.revision
        return content


def read_state(data: bytes) -> DecoderState:
    """The decoder's part of any consumer's snapshot; raises Corrupt when it has none."""
    try:
        return msgspec.msgpack.decode(data, type=DecoderState)
    except msgspec.MsgspecError as error:
        raise Corrupt(f"the snapshot cannot be read ({error})") from error

"""From journal entries to alarm events: intake and engine of one site, one pure state machine, one snapshot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from dutyroom.content import Content
from history.entries import ClockEpoch, Command, Config, Entry, Message, Tick
from ingest.intake import Intake, Intaken, RejectedMessage
from plant.errors import Corrupt
from plant.instants import NEVER
from rules.engine import Engine
from rules.events import AlarmEvent


@dataclass(slots=True)
class Judged:
    """What a run of entries gave: events and rejects in order, and how far plant time has come."""

    events: list[AlarmEvent]
    rejected: list[RejectedMessage]
    plant_time: int
    intaken: Intaken


class _State(msgspec.Struct, frozen=True):
    revision: int
    content: bytes
    intake: bytes
    engine: bytes


class Judging:
    """Intake and engine under the configuration in force."""

    def __init__(self) -> None:
        self.revision = 0
        self._content = b""
        self.content: Content | None = None
        self.intake: Intake | None = None
        self.engine: Engine | None = None
        self.ignored_before_config = 0

    def take(self, entries: Sequence[tuple[int, Entry]]) -> Judged:
        """Advance over entries in journal order.

        Of several ticks in a row only the last is taken to the engine: leaving ticks out changes nothing (a law of the
        engine, tests/support/laws.py), and whoever is behind, or makes a past, closes many instants in one pass.
        """
        judged = Judged([], [], self.plant_time, Intaken.nothing())
        run: list[tuple[int, Entry]] = []
        tick: Tick | None = None
        for offset, entry in entries:
            match entry:
                case Message():
                    run.append((offset, entry))
                case Tick(listening=True) if self.plant_time != NEVER:
                    run.append((offset, entry))
                    tick = entry if tick is None or entry.plant_time > tick.plant_time else tick
                    continue
                case Tick():  # the first, where the grid begins, or one of a time when nobody listened
                    self._advance(run, tick, judged)
                    self._advance([(offset, entry)], entry, judged)
                case Command():
                    self._advance(run, tick, judged)
                    if self.engine is not None:
                        self.engine.command(entry)
                case Config():
                    self._advance(run, tick, judged)
                    self._configure(entry.revision, entry.content)
                case ClockEpoch():
                    self._advance(run, tick, judged)
                    self._advance([(offset, entry)], None, judged)
                    if self.engine is not None:
                        self.engine.clock_epoch(entry.plant_time)
            if not isinstance(entry, Message):
                tick = None
        self._advance(run, tick, judged)
        judged.plant_time = self.plant_time
        return judged

    @property
    def plant_time(self) -> int:
        """Plant time of the last tick; NEVER before the first."""
        return self.engine.plant_time if self.engine is not None else NEVER

    def snapshot(self) -> bytes | None:
        """The whole state; None before the first configuration."""
        if self.intake is None or self.engine is None:
            return None
        state = _State(self.revision, self._content, self.intake.state(), self.engine.snapshot())
        return msgspec.msgpack.encode(state)

    @staticmethod
    def restore(data: bytes) -> Judging:
        """Raises Corrupt when the bytes are damaged or of another version."""
        try:
            state = msgspec.msgpack.decode(data, type=_State)
        except msgspec.MsgspecError as error:
            raise Corrupt(f"the snapshot cannot be read ({error})") from error
        judging = Judging()
        content = Content.decode(state.content)
        judging.revision, judging._content, judging.content = state.revision, state.content, content
        judging.intake = Intake.restore(content.plant, state.intake)
        judging.engine = Engine.restore(content.plant, content.rules, state.engine)
        return judging

    def _configure(self, revision: int, data: bytes) -> None:
        """Put a configuration in force; what still means the same goes on where it was."""
        if revision == self.revision:
            return
        content = Content.decode(data)
        if self.intake is None or self.engine is None:
            self.intake, self.engine = Intake(content.plant), Engine(content.plant, content.rules)
        else:
            self.intake = self.intake.with_plant(content.plant)
            self.engine = Engine.restore(content.plant, content.rules, self.engine.snapshot())
        self.revision, self._content, self.content = revision, data, content

    def _advance(self, run: list[tuple[int, Entry]], tick: Tick | None, judged: Judged) -> None:
        """Take in what has gathered, then let the engine close what the tick closes."""
        if run:
            if self.intake is None or self.engine is None:
                self.ignored_before_config += len(run)
            else:
                taken = self.intake.feed_many(run)
                judged.rejected.extend(taken.rejected)
                judged.intaken = judged.intaken + taken
                self.engine.feed(taken.batch)
            run.clear()
        if tick is not None and self.engine is not None:
            judged.events.extend(self.engine.tick(tick.plant_time, tick.listening))

"""Two consumers that share one decoding, whatever their pace: each gets what it would have decoded by itself."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dutyroom.content import Content, digest
from dutyroom.decoder import Decoder, Piece
from dutyroom.decoding import DecodedJournal, SharedDecoding, decoder_at
from dutyroom.judging import Judging
from dutyroom.snapshots import Snapshots
from history.entries import ClockEpoch, Command, Config, Entry, Message, Tick
from history.protocols import READ_BYTES
from plant.catalogue import Text
from plant.cataloguefile import load_catalogue
from plant.errors import Corrupt
from plant.site import Equipment, Mode, Plant, PlantClock, Site
from rules.events import AlarmEvent
from rules.loader import load_pack

T0 = 1_800_000_000_000
NAME = Text("泵", "pump")
CATALOGUE = load_catalogue()
SITE = Site(
    "s",
    "Asia/Shanghai",
    NAME,
    {"p1": Equipment("p1", "a/p1", "pump", NAME), "m1": Equipment("m1", "a/m1", "mixing_valve", NAME)},
    PlantClock.SYSTEM,
    Mode.LIVE,
)
RULES = tuple(rule for rule in load_pack(catalogue=CATALOGUE) if rule.id in ("PU-01", "BH-05"))


def config(revision: int, site: Site) -> Config:
    content = Content.of(Plant(CATALOGUE, site), RULES).encode()
    return Config(revision, digest(content), content)


def message(path: str, ts: int, **points: float) -> Message:
    return Message(ts, f"dutyroom/v1/s/{path}/telemetry", json.dumps({"ts": ts, "points": points}).encode())


@cache
def journal() -> tuple[tuple[int, Entry], ...]:
    """A pump that does not start, a scald that is reset; garbage, a changed site, deafness, a step of the clock."""
    entries: list[Entry] = [message("a/p1", T0, pump_status=1), Tick(T0 - 1), config(1, SITE)]
    at = T0
    for second in range(150):
        at += 1_000
        if second % 5 == 0:
            entries.append(message("a/p1", at, pump_command=1, pump_status=0 if 30 <= second < 80 else 1))
        entries.append(message("a/m1", at, mixed_water_temp=55.0 if 40 <= second < 70 else 40.0))
        match second:
            case 33:
                entries.append(Message(at, "dutyroom/v1/s/a/p1/telemetry", b"{broken"))
            case 50:
                changed = {**SITE.equipment, "k9": Equipment("k9", "a/k9", "pump", NAME)}
                entries.append(config(2, replace(SITE, equipment=changed)))
            case 90:
                entries.append(Command(1, "crew", "reset", "m1", "BH-05"))
            case 120:
                entries.append(ClockEpoch(at - 50_000, at))
                at -= 50_000
        entries.append(Tick(at, listening=not 100 <= second < 105))
    return tuple(enumerate(entries, start=1))


class Written:
    """A journal of which only so much has been written yet."""

    first_offset = 1

    def __init__(self, entries: tuple[tuple[int, Entry], ...]) -> None:
        self.entries = entries
        self.last_offset = 0

    def read(self, after: int, limit: int = 10_000, most_bytes: int = READ_BYTES) -> Sequence[tuple[int, Entry]]:
        return self.entries[after : min(self.last_offset, after + limit)]

    def wait(self, after: int, timeout: float) -> bool:
        return self.last_offset > after

    def config_at(self, offset: int) -> Config | None:
        held = [entry for at, entry in self.entries if at <= offset and isinstance(entry, Config)]
        return held[-1] if held else None


@dataclass
class Outcome:
    """All that a consumer may take from its pieces."""

    rows: list[tuple[object, ...]] = field(default_factory=list)
    refused: list[int] = field(default_factory=list)
    others: list[tuple[int, str]] = field(default_factory=list)
    ignored: int = 0
    events: list[AlarmEvent] = field(default_factory=list)

    def add(self, pieces: Sequence[Piece], judging: Judging) -> None:
        for piece in pieces:
            batch = piece.intaken.batch
            columns = (batch.offset, batch.series, batch.ts, batch.value, batch.quality, batch.reason, batch.seen)
            self.rows += zip(*(column.tolist() for column in columns), strict=True)
            self.refused += [item.offset for item in piece.intaken.rejected]
            self.ignored += piece.ignored
            if piece.entry is not None:
                self.others.append((piece.last, type(piece.entry).__name__ + str(piece.content is not None)))
        self.events += judging.take(pieces).events


class Consumer:
    """A consumer with engine and snapshots, which can be killed; what it has done is done."""

    def __init__(self, name: str, written: Written, shared: SharedDecoding, folder: Path) -> None:
        self.written, self.shared, self.offset, self.done = written, shared, 0, Outcome()
        self.snapshots = Snapshots(folder, name)
        self.judging = Judging()
        self.decoded = DecodedJournal(name, written, shared, self.snapshots)
        self.decoded.begin(Decoder())

    def read(self, most: int) -> None:
        block = self.decoded.read(self.offset, most)
        assert block.after == self.offset
        self.done.add(block.pieces, self.judging)
        self.offset = block.last

    def save(self) -> None:
        state = self.decoded.state(self.offset)
        if state is not None:
            self.snapshots.save(self.offset, self.judging.snapshot(state))

    def restart(self) -> None:
        """Killed right after a snapshot: what came of the entries behind it was never told."""
        newest = next(iter(self.snapshots.newest(self.offset)), None)
        if newest is None or newest[0] != self.offset:
            return
        self.decoded.end()
        at, decoder = decoder_at(self.written, self.snapshots, self.offset)
        assert at == self.offset
        self.judging = Judging.restore(newest[1], decoder.content)
        self.decoded = DecodedJournal(self.decoded.name, self.written, self.shared, self.snapshots)
        self.decoded.begin(decoder)


@cache
def expected() -> Outcome:
    done = Outcome()
    done.add(Decoder().decode(journal()), Judging())
    return done


@given(seed=st.integers(0, 2**32), most_bytes=st.sampled_from((0, 4_000, 20_000, 10**7)))
@settings(deadline=None, max_examples=40)
def test_each_gets_what_it_would_have_decoded_alone(seed: int, most_bytes: int) -> None:
    random = Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        written = Written(journal())
        shared = SharedDecoding(written, most_bytes=most_bytes, read_limit=random.choice((3, 10, 40)))
        consumers = [Consumer(name, written, shared, Path(folder)) for name in "ab"]
        slow = random.random()
        while min(consumer.offset for consumer in consumers) < len(journal()):
            consumer = consumers[random.random() < slow]
            match random.choice(("write", "write", "read", "read", "read", "save", "restart")):
                case "write":
                    written.last_offset = min(len(journal()), written.last_offset + random.randint(1, 20))
                case "read":
                    consumer.read(random.randint(1, 60))
                case "save":
                    consumer.save()
                case "restart":
                    consumer.restart()
            if random.random() < 0.02:
                slow = random.random()
        assert [consumer.done for consumer in consumers] == [expected(), expected()]
        assert expected().events
        states = [consumer.decoded.state(len(journal())) for consumer in consumers]
        assert states[0] == states[1] is not None


def test_what_broke_half_way_is_used_by_nobody(tmp_path: Path) -> None:
    entries = (*journal()[:60], (61, Config(3, "", b"no content")), *journal()[61:])
    written = Written(entries)
    shared = SharedDecoding(written, read_limit=30)
    first, second = (Consumer(name, written, shared, tmp_path) for name in "ab")
    written.last_offset = len(entries)
    for consumer in (first, second, first):
        consumer.read(30)
    for consumer in (first, second, second):
        if consumer.offset == 30:
            consumer.read(30)
            assert consumer.offset == 60
        else:
            with pytest.raises(Corrupt):
                consumer.read(30)
    assert first.done == second.done
    assert first.done.rows
    assert first.offset == second.offset == 60

"""The whole way in: journal entries become readings, every message accounted for, all of it a pure state machine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import msgspec
import numpy as np

from history.entries import ClockEpoch, Entry, Message, Tick
from ingest.bindings import Bindings, Route
from ingest.columns import Arrival, ColumnBuilder
from ingest.decoders import sparkplug
from ingest.decoders.sparkplug import Address, EdgeNodes, EdgeState
from ingest.door import Admitted, Door
from ingest.echoes import Echoes, EchoesState
from ingest.edges import Edges
from ingest.floods import TIMES, Floods, FloodsState, Flow
from ingest.gather import Gathered, gather
from ingest.links import Links, LinksState
from ingest.memories import MemoriesState
from ingest.quick import gather_frame
from ingest.reasons import Rejected, RejectReason
from ingest.repairs import Repair
from ingest.repeats import Repeats, RepeatsState
from ingest.requests import Request
from plant.errors import Corrupt
from plant.instants import NEVER
from plant.reading import ReadingBatch
from plant.site import Plant, PlantClock

EXCERPT = 4096
"""Bytes of a refused message that are kept to be looked at."""

MOST_HELD = 100_000
"""Messages that may wait for the tick of a published clock; beyond, they are judged by their time of receipt."""

MOST_HELD_BYTES = 64 * 2**20
"""Likewise of their payloads."""


@dataclass(frozen=True, slots=True)
class RejectedMessage:
    """A message, or one value of it, that became no reading. `payload` is an excerpt of at most EXCERPT bytes."""

    offset: int
    received_at: int
    topic: str
    payload: bytes
    reason: RejectReason
    detail: str


@dataclass(frozen=True, slots=True)
class Intaken:
    """What a run of entries gave.

    Of `messages` judged, each is counted in just one of `read` (has readings in `batch`), `refused` (has none, but
    reasons in `rejected`), `empty` (rightly holds no reading), `repeated` (held only duplicates) or `flooded` (more
    than its topic may send; of each minute the first is refused instead). `duplicates` counts readings dropped as
    such, `conflicts` readings that overrule one of the same time. `requests` are what the live service must publish,
    `repairs` doubtful readings that were decided.
    """

    batch: ReadingBatch
    rejected: tuple[RejectedMessage, ...] = ()
    messages: int = 0
    empty: int = 0
    repeated: int = 0
    duplicates: int = 0
    conflicts: int = 0
    requests: tuple[Request, ...] = ()
    repairs: tuple[Repair, ...] = ()
    flooded: int = 0
    read: int = 0
    refused: int = 0

    @staticmethod
    def nothing() -> Intaken:
        """No message was judged."""
        return Intaken(ReadingBatch.empty())

    def __add__(self, later: Intaken) -> Intaken:
        if not (self.messages or self.requests or self.duplicates or len(self.batch)):
            return later
        return Intaken(
            ReadingBatch.concat((self.batch, later.batch)),
            self.rejected + later.rejected,
            self.messages + later.messages,
            self.empty + later.empty,
            self.repeated + later.repeated,
            self.duplicates + later.duplicates,
            self.conflicts + later.conflicts,
            self.requests + later.requests,
            self.repairs + later.repairs,
            self.flooded + later.flooded,
            self.read + later.read,
            self.refused + later.refused,
        )


class _Snapshot(msgspec.Struct, frozen=True):
    seen: int
    held: list[tuple[int, Message]]
    memories: MemoriesState
    repeats: RepeatsState = RepeatsState()
    edges: EdgeState = EdgeState()
    echoes: EchoesState = EchoesState()
    floods: FloodsState = FloodsState()
    links: LinksState = LinksState()


class Intake:
    """Entries in journal order in, readings out. Cutting the entries anywhere, and state/restore, change nothing.

    With a clock published on a topic (PlantClock.TOPIC) messages run ahead of the last tick; they are held as they
    came and judged when the next tick comes, which is then their time of receipt, while `seen` is the tick before.
    """

    def __init__(self, plant: Plant) -> None:
        self._topic_clock = plant.site.clock is PlantClock.TOPIC
        self._plant = plant
        self._bindings = Bindings(plant)
        self._door = Door(plant)
        self._repeats = Repeats()
        self._nodes = EdgeNodes()
        self._echoes = Echoes(plant.series)
        self._floods = Floods()
        self._links = Links(plant)
        self._seen = NEVER
        self._held: list[tuple[int, Message]] = []
        self._held_bytes = 0

    def feed(self, offset: int, entry: Entry) -> Intaken:
        """One entry; see `feed_many`, which is the faster way."""
        return self.feed_many(((offset, entry),))

    def tick(self, plant_time: int) -> Intaken:
        """Plant time is `plant_time` (ms): what was held for this tick; nothing where the system's clock rules."""
        return self.feed_many(((0, Tick(plant_time)),))

    def feed_many(self, entries: Sequence[tuple[int, Entry]]) -> Intaken:
        """A run of (offset, entry) of any kinds; commands and configurations pass without effect."""
        result, run = Intaken.nothing(), self._run()
        for offset, entry in entries:
            match entry:
                case Message():
                    if self._topic_clock:
                        self._held.append((offset, entry))
                        self._held_bytes += len(entry.payload)
                        if len(self._held) >= MOST_HELD or self._held_bytes >= MOST_HELD_BYTES:
                            self._release(run, None)
                    else:
                        run.add(offset, entry, entry.received_at, self._seen, draining=entry.draining)
                case Tick():
                    self._release(run, entry.plant_time)
                    run.link(self._links, offset, entry, self._seen)
                    self._seen = entry.plant_time
                    if entry.listening:
                        run.tick(offset, entry.plant_time, clocked=not self._topic_clock)
                case ClockEpoch():
                    self._release(run, None)
                    result, run = result + run.finish(self._door), self._run()
                    self._door.forget()
                    self._links.forget()
                    self._seen = entry.plant_time
        return result + run.finish(self._door)

    def _run(self) -> _Run:
        return _Run(Edges(self._bindings, self._nodes), self._repeats, self._echoes, self._floods)

    def _release(self, run: _Run, received_at: int | None) -> None:
        """Judge what is held. A backlog of this clock brings its own ticks in order, so draining means nothing here."""
        for offset, message in self._held:
            run.add(
                offset,
                message,
                message.received_at if received_at is None else received_at,
                self._seen,
                draining=False,
            )
        self._held.clear()
        self._held_bytes = 0

    def with_plant(self, plant: Plant) -> Intake:
        """An intake for a changed configuration that remembers every series that still exists."""
        changed = Intake(plant)
        changed._take_up(self._snapshot())
        return changed

    def state(self) -> bytes:
        """A snapshot; equal histories give equal bytes."""
        return msgspec.msgpack.encode(self._snapshot())

    @classmethod
    def restore(cls, plant: Plant, state: bytes) -> Self:
        """An intake that goes on where `state` was taken; raises Corrupt when it is no such snapshot."""
        try:
            snapshot = msgspec.msgpack.decode(state, type=_Snapshot)
        except msgspec.MsgspecError as error:
            raise Corrupt(f"the intake's snapshot cannot be read ({error}); rebuild it from the journal") from None
        restored = cls(plant)
        restored._take_up(snapshot)
        return restored

    def _snapshot(self) -> _Snapshot:
        return _Snapshot(
            self._seen,
            list(self._held),
            self._door.state(),
            self._repeats.state(),
            self._nodes.state(),
            self._echoes.state(),
            self._floods.state(),
            self._links.state,
        )

    def _take_up(self, snapshot: _Snapshot) -> None:
        self._seen, self._held = snapshot.seen, list(snapshot.held)
        self._held_bytes = sum(len(message.payload) for _, message in self._held)
        self._door.remember(snapshot.memories)
        self._repeats = Repeats.restore(snapshot.repeats)
        self._nodes = EdgeNodes.restore(snapshot.edges)
        self._echoes = Echoes.restore(snapshot.echoes, self._plant.series)
        self._floods = Floods.restore(snapshot.floods)
        self._links = Links(self._plant, snapshot.links)


_FRAME = Gathered(1)
"""Of a plain frame: it gave rows, and that is all there is to say."""


class _Run:
    """Messages gathered to go through the door in one piece."""

    def __init__(self, edges: Edges, repeats: Repeats, echoes: Echoes, floods: Floods) -> None:
        self._edges = edges
        self._repeats = repeats
        self._echoes = echoes
        self._floods = floods
        self._flooded = self._refused = 0
        self._columns = ColumnBuilder()
        self._rejected: list[RejectedMessage] = []
        self._messages = 0
        self._empty = 0
        self._with_rows: list[tuple[int, bool]] = []
        self._requests: list[Request] = []
        self._ticks: list[int] = []

    def add(self, offset: int, message: Message, received_at: int, seen: int, *, draining: bool) -> None:
        again = self._repeats.came_before(message.topic, message.payload, retain=message.retain)
        arrival = Arrival(received_at, message.retain, draining, seen, offset, again)
        gathered = self._gather(message, arrival)
        self._messages += 1
        self._empty += gathered.empty
        self._refused += bool(gathered.rejected) and not gathered.rows
        if gathered.rows:
            self._with_rows.append((offset, bool(gathered.rejected)))
        if gathered.rejected:
            excerpt = message.payload[:EXCERPT]
            self._rejected += (
                RejectedMessage(offset, received_at, message.topic, excerpt, refused.reason, refused.detail)
                for refused in gathered.rejected
            )

    def link(self, links: Links, offset: int, tick: Tick, seen: int) -> None:
        if links.tick(self._columns, offset, tick, seen):
            self._ticks.append(offset)

    def tick(self, offset: int, now: int, *, clocked: bool) -> None:
        self._requests += self._edges.tick(offset, now, clocked=clocked)

    def _gather(self, message: Message, arrival: Arrival) -> Gathered:
        route = self._edges.bindings.route(message.topic)
        address = sparkplug.parse(message.topic) if route.frames is None else None
        if address is None:
            return self._gather_bounded(message, arrival, route)
        return self._gather_edge(address, message, arrival, route)

    def _gather_edge(self, address: Address, message: Message, arrival: Arrival, route: Route) -> Gathered:
        """As `_gather_bounded`; what is dropped is read all the same, for the messages after it are counted from it."""
        flow, begin = self._flow(message, arrival, route), len(self._columns)
        columns = ColumnBuilder() if flow is Flow.DROPPED else self._columns
        gathered, request = self._edges.gather(columns, address, message, arrival)
        if request is not None:
            self._requests.append(request)
        if flow is Flow.DROPPED:
            return self._drop(message.topic, route.nominal)
        if flow is Flow.MARKED and gathered.rows:
            self._columns.mark_flood(begin)
        return gathered

    def _flow(self, message: Message, arrival: Arrival, route: Route) -> Flow:
        watched = route.feeds and not arrival.draining and not arrival.retain
        return self._floods.judge(message.topic, arrival.received_at, route.nominal) if watched else Flow.PASS

    def _gather_bounded(self, message: Message, arrival: Arrival, route: Route) -> Gathered:
        """As `gather`, for topics whose messages stand for themselves: what floods is marked, then dropped."""
        begin = len(self._columns)
        flow = self._flow(message, arrival, route)
        if flow is Flow.DROPPED:
            return self._drop(message.topic, route.nominal)
        if route.frames is not None and gather_frame(route.frames, self._columns, message.payload, arrival):
            gathered = _FRAME
        else:
            gathered = gather(self._edges.bindings, self._columns, message.topic, message.payload, arrival)
        if flow is Flow.MARKED and gathered.rows:
            self._columns.mark_flood(begin)
        return gathered

    def _drop(self, topic: str, nominal: float) -> Gathered:
        if not self._floods.first_dropped(topic):
            self._flooded += 1
            return Gathered(0)
        detail = (
            f"more than {TIMES} x {nominal:g} messages a minute on this topic; lower its rate, or declare `interval`"
        )
        return Gathered(0, (Rejected(RejectReason.FLOOD, f"{detail}; further ones are only counted"),))

    def finish(self, door: Door) -> Intaken:
        if not self._messages and not self._requests and not self._ticks:
            return Intaken.nothing()
        gathered = self._columns.build()
        columns = self._echoes.sift(gathered)
        admitted = door.admit(columns)
        duplicates = admitted.duplicates + len(gathered) - len(columns)
        repeated, doubled = self._unstored(admitted) if duplicates else (0, 0)
        return Intaken(
            admitted.batch,
            tuple(self._rejected),
            self._messages,
            self._empty,
            repeated,
            duplicates,
            admitted.conflicts,
            tuple(self._requests),
            admitted.repairs,
            self._flooded,
            self._read(admitted),
            self._refused + doubled,
        )

    def _read(self, admitted: Admitted) -> int:
        """Messages with readings in the batch, which is in journal order; what ticks say is nobody's message."""
        offsets = admitted.batch.offset
        if self._ticks:
            offsets = offsets[~np.isin(offsets, self._ticks)]
        return int(np.count_nonzero(np.diff(offsets))) + 1 if len(offsets) else 0

    def _unstored(self, admitted: Admitted) -> tuple[int, int]:
        """Messages whose every value was a duplicate: those without and those with something refused beside."""
        stored = set(admitted.batch.offset.tolist())
        left = [rejected for offset, rejected in self._with_rows if offset not in stored]
        return left.count(False), left.count(True)

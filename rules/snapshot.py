"""The engine's state as bytes and back: keyed by equipment, point, rule and expression, so that it outlives a change
of configuration wherever the meaning stayed the same (SEMANTICS §3).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import msgspec
import numpy as np
import zstandard
from numpy.typing import NDArray

from plant.errors import Corrupt
from plant.reading import ReadingBatch, SeriesTable
from rules.alarms import Alarm
from rules.events import AlarmEvent
from rules.frames import Assembler
from rules.group import Group
from rules.lang.fixed import Bools, Ints
from rules.lang.nodes import State
from rules.machines import Phase
from rules.pressed import Pressed
from rules.proof import History
from rules.runner import RuleRunner, TypeRunner
from rules.suppression import Waiting

ENGINE_VERSION = 1
"""Raised whenever the meaning of the state changes: an older snapshot is then dropped and the state rebuilt."""

_WITH_THINNED = 2
"""As 1, with readings that a program which knows only 1 would leave out."""

_MAGIC = b"DRSNAP"


@dataclass(frozen=True, slots=True)
class Packed:
    """An array: dtype, shape and its bytes, which are not copied: encode it before the array changes."""

    dtype: str
    shape: tuple[int, ...]
    data: memoryview

    @staticmethod
    def of(array: NDArray[np.generic]) -> Packed:
        """Any array."""
        return Packed(array.dtype.str, array.shape, np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)

    def array(self) -> NDArray[np.generic]:
        """The array again, writable."""
        return np.frombuffer(self.data, np.dtype(self.dtype)).reshape(self.shape).copy()


@dataclass(slots=True)
class RuleState:
    """Machines and alarms of one rule on the equipment of one type; columns follow the type's equipment."""

    version: str
    rows: list[tuple[str, int]]
    phase: Packed
    since: Packed
    onset: Packed
    reset: Packed
    counts: list[Packed]
    alarms: dict[str, Alarm]


@dataclass(slots=True)
class TypeState:
    """State of the rules of one type on one grid."""

    equipment: list[str]
    nodes: dict[str, Packed]
    judge_nodes: dict[str, Packed]
    rules: dict[str, RuleState]


@dataclass(slots=True)
class GroupState:
    """State of one grid; `signals` names the rows of the in-force columns and of the recent frames."""

    signals: list[tuple[str, str]]
    next_instant: int | None
    started: int
    late: int
    in_force: list[Packed]
    pending: list[Packed]
    history: list[Packed]
    types: dict[str, TypeState]
    thinned: list[Pressed] = field(default_factory=list)
    """Readings that wait longer than those of `pending`; their `series` are rows of `signals`."""


@dataclass(slots=True)
class EngineState:
    """Everything the engine carries from one tick to the next."""

    version: int
    plant_time: int
    commands: list[int]
    deaf: list[tuple[int, int]]
    judged: list[tuple[str, str, str, int, list[int], list[int]]]
    causes: list[tuple[str, str, list[int], list[int]]]
    waiting: list[tuple[str, str, AlarmEvent, int]]
    groups: dict[int, GroupState] = field(default_factory=dict)


def encode(state: EngineState) -> bytes:
    """Compressed bytes with a checksum before them."""
    if any(group.thinned for group in state.groups.values()):
        state = replace(state, version=_WITH_THINNED)
    body = zstandard.ZstdCompressor(level=1).compress(msgspec.msgpack.encode(state))
    return _MAGIC + hashlib.sha256(body).digest() + body


def decode(data: bytes) -> EngineState:
    """Raises Corrupt for bytes that are no whole snapshot, or one of another engine version."""
    body = data[len(_MAGIC) + 32 :]
    if not data.startswith(_MAGIC) or hashlib.sha256(body).digest() != data[len(_MAGIC) : len(_MAGIC) + 32]:
        raise Corrupt("the snapshot is incomplete or damaged; drop it, the state is rebuilt from the journal")
    try:
        state = msgspec.msgpack.decode(zstandard.ZstdDecompressor().decompress(body), type=EngineState)
    except (msgspec.ValidationError, zstandard.ZstdError) as error:
        raise Corrupt(f"the snapshot is of another version ({error}); drop it") from error
    if state.version not in (ENGINE_VERSION, _WITH_THINNED):
        raise Corrupt(f"the snapshot is of engine version {state.version}, this is {ENGINE_VERSION}; drop it")
    return state


def save_group(group: Group, table: SeriesTable) -> GroupState:
    """One grid's state."""
    assembler, force = group.assembler, group.assembler.in_force
    thinned, waiting = assembler.waiting.held()
    keys = [table.keys[number] for number in assembler.spec.number.tolist()]
    return GroupState(
        signals=[(key.equipment, key.point) for key in keys],
        next_instant=assembler.next_instant,
        started=group.started,
        late=assembler.late,
        in_force=[Packed.of(a) for a in (force.ts, force.value, force.bad, force.reason)],
        pending=[Packed.of(a) for a in (assembler.rows_of(waiting), *_columns(waiting)[1:])],
        history=[Packed.of(a) for a in (group.history.instants, group.history.value, group.history.known)],
        types={kind.kind.name: _save_type(kind) for kind in group.types},
        thinned=[_renumbered(piece, assembler) for piece in thinned],
    )


def load_group(group: Group, state: GroupState, table: SeriesTable) -> None:
    """Put one grid's state into a fresh group, as far as equipment, points and rules are still the same."""
    assembler = group.assembler
    assembler.next_instant, assembler.late, group.started = state.next_instant, state.late, state.started
    numbers = [table.find(*signal) for signal in state.signals]
    new_row = assembler.row_of_number()
    moved = [(old, new_row[n]) for old, n in enumerate(numbers) if n is not None and n in new_row]
    old = np.array([pair[0] for pair in moved], np.int64)
    new = np.array([pair[1] for pair in moved], np.int64)
    force = assembler.in_force
    for name, packed in zip(("ts", "value", "bad", "reason"), state.in_force, strict=True):
        getattr(force, name)[new] = packed.array()[old]
    for piece in state.thinned:
        _load_pending(assembler, _columns(piece.batch()), numbers)
    _load_pending(assembler, [packed.array() for packed in state.pending], numbers)
    instants, value, known = (packed.array() for packed in state.history)
    size = (len(assembler.spec.number), len(instants))
    history = History(instants.astype(np.int64), np.zeros(size, np.int64), np.zeros(size, bool))
    history.value[new], history.known[new] = value[old], known[old]
    group.history = history
    for kind in group.types:
        if kind.kind.name in state.types:
            _load_type(kind, state.types[kind.kind.name])


def _columns(batch: ReadingBatch) -> list[NDArray[np.generic]]:
    return [batch.series, batch.ts, batch.value, batch.quality, batch.reason, batch.seen, batch.offset]


def _renumbered(piece: Pressed, assembler: Assembler) -> Pressed:
    """With rows of the group's signals in place of numbers of series, which a changed configuration gives anew."""
    batch = piece.batch()
    rows = assembler.rows_of(batch).astype(np.int32)
    return Pressed.of(replace(batch, series=rows), piece.first, piece.last)


def _load_pending(assembler: Assembler, columns: Sequence[NDArray[np.generic]], numbers: Sequence[int | None]) -> None:
    rows = columns[0].astype(np.int64)
    series = np.array([-1 if number is None else number for number in numbers] or [-1], np.int64)[rows]
    kept = series >= 0
    batch = ReadingBatch(
        series.astype(np.int32),
        columns[1].astype(np.int64),
        columns[2].astype(np.float64),
        columns[3].astype(np.uint8),
        columns[4].astype(np.uint8),
        columns[5].astype(np.int64),
        columns[6].astype(np.int64),
    ).take(kept)
    if len(batch):
        assembler.feed(batch)


def _save_type(kind: TypeRunner) -> TypeState:
    return TypeState(
        [machine.id for machine in kind.equipment],
        {key: Packed.of(array) for key, array in kind.state.arrays.items()},
        {key: Packed.of(array) for key, array in kind.judge_state.arrays.items()},
        {runner.rule.id: _save_rule(runner, kind) for runner in kind.runners},
    )


def _save_rule(runner: RuleRunner, kind: TypeRunner) -> RuleState:
    machines, counts = runner.machines, runner.counts
    return RuleState(
        runner.rule.version,
        runner.row_names(),
        Packed.of(machines.phase),
        Packed.of(machines.since),
        Packed.of(machines.onset),
        Packed.of(machines.reset),
        [Packed.of(a) for a in (counts.fault, counts.ok, counts.unknown, counts.gated)],
        {kind.equipment[column].id: alarm for column, alarm in runner.alarms.items()},
    )


def _load_type(kind: TypeRunner, state: TypeState) -> None:
    place = {name: row for row, name in enumerate(state.equipment)}
    pairs = [(place[m.id], row) for row, m in enumerate(kind.equipment) if m.id in place]
    old = np.array([pair[0] for pair in pairs], np.int64)
    new = np.array([pair[1] for pair in pairs], np.int64)
    for target, saved in ((kind.state, state.nodes), (kind.judge_state, state.judge_nodes)):
        _load_nodes(target, saved, (old, new), same=len(pairs) == len(kind.equipment) == len(state.equipment))
    for runner in kind.runners:
        if runner.rule.id in state.rules:
            _load_rule(runner, state.rules[runner.rule.id], kind, (old, new))


def _load_nodes(
    target: State, saved: Mapping[str, Packed], move: tuple[NDArray[np.int64], NDArray[np.int64]], *, same: bool
) -> None:
    old, new = move
    for key, packed in saved.items():
        raw = packed.array()
        array: Ints | Bools = raw.astype(np.bool_) if raw.dtype == np.bool_ else raw.astype(np.int64)
        if same:
            target.put(key, array[old[np.argsort(new)]])
        else:
            fresh = np.zeros((target.rows, *array.shape[1:]), array.dtype)
            fresh[new] = array[old]
            target.put(key, fresh)


def _load_rule(
    runner: RuleRunner, state: RuleState, kind: TypeRunner, move: tuple[NDArray[np.int64], NDArray[np.int64]]
) -> None:
    """A rule of the same version goes on where it was; a changed one starts at zero and keeps its active alarms."""
    old, new = move
    changed = state.version != runner.rule.version
    names = runner.row_names()
    rows = [(state.rows.index(name), row) for row, name in enumerate(names) if name in state.rows]
    machines = runner.machines
    for was, now in rows:
        for name in ("phase", "since", "onset", "reset"):
            getattr(machines, name)[now, new] = getattr(state, name).array()[was, old]
    if changed:
        machines.phase[machines.phase == Phase.PENDING] = Phase.NORMAL
        machines.phase[machines.phase == Phase.RECOVERING] = Phase.ACTIVE
    counts = (runner.counts.fault, runner.counts.ok, runner.counts.unknown, runner.counts.gated)
    for count, packed in zip(counts, state.counts, strict=True):
        count[new] = packed.array()[old]
    renumber = dict(rows)
    column_of = {machine.id: column for column, machine in enumerate(kind.equipment)}
    for name, alarm in state.alarms.items():
        if name in column_of:
            alarm.rows = {renumber[row] for row in alarm.rows if row in renumber}
            if changed:
                alarm.unevaluable, alarm.verification = alarm.active, None
            if alarm.active or alarm.verification is not None:
                runner.alarms[column_of[name]] = alarm


def restore_waiting(state: EngineState) -> dict[tuple[str, str], Waiting]:
    """The suppressed alarms that still wait, by (rule, equipment)."""
    return {(rule, equipment): Waiting(event, judged) for rule, equipment, event, judged in state.waiting}

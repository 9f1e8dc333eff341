"""What earlier messages of each edge node make of the next one: births, aliases, the running number, deaths."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import msgspec

from ingest.decoders.decoded import ONLINE, Decoded, Kind, Sample
from ingest.decoders.loose import MAX_TS
from ingest.decoders.sparkplug.address import BIRTHS, DEATHS, Address, MessageKind
from ingest.decoders.sparkplug.metrics import STRUCTURES, Definition, definition, sample, whole_number
from ingest.decoders.sparkplug.payload_pb2 import Metric, Payload
from ingest.decoders.sparkplug.structures import DEPTH, definitions, is_structure, members, too_deep
from ingest.reasons import Rejected, RejectReason
from plant.quality import Quality, Reason

BD_SEQ = "bdSeq"
NODE_CONTROL = "Node Control/"
_SEQS = 256
_NAMED = 5
"""Metrics named in one reason; of the rest only the number is told."""


class DeviceState(msgspec.Struct, frozen=True, array_like=True):
    """A snapshot of one device, or of the edge node itself; see _Device."""

    metrics: list[Definition]
    doubt: RejectReason | None
    alive: bool
    died_at: int | None


class NodeState(msgspec.Struct, frozen=True, array_like=True):
    """A snapshot of one edge node; see EdgeNode."""

    devices: dict[str, DeviceState]
    born: bool
    seq: int | None
    bd_seq: int | None
    birth: int | None


@dataclass(frozen=True, slots=True)
class Part:
    """What a message says of one device; a death of the node has a part for each of its devices.

    `defines` are the names of all metrics of a birth that counts; None of every other message.
    """

    address: Address
    decoded: Decoded
    defines: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Taken:
    """What one message gave. `ask`: only a new birth of the whole node can say what it leaves unsaid."""

    parts: tuple[Part, ...]
    ask: bool = False


@dataclass(slots=True)
class _Device:
    """`doubt` is why its aliases mean nothing (None: they hold). `died_at` is when its last death was heard."""

    by_name: dict[str, Definition] = field(default_factory=dict)
    by_alias: dict[int, Definition] = field(default_factory=dict)
    doubt: RejectReason | None = RejectReason.NOT_BORN
    alive: bool = False
    died_at: int | None = None

    def define(self, metrics: Iterable[Definition]) -> None:
        """A birth replaces everything that an earlier one said."""
        self.by_name = {one.name: one for one in metrics}
        self.by_alias = {one.alias: one for one in self.by_name.values() if one.alias is not None}
        self.doubt, self.alive = None, True

    def find(self, metric: Metric) -> Definition | RejectReason:
        """What is known of a metric in data, or why it cannot be read.

        One that brings its name needs no birth, unless it is a whole number of which the type is not told: -1 and
        4294967295 are the same bytes.
        """
        if not metric.name:
            if self.doubt is not None:
                return self.doubt
            return self.by_alias.get(metric.alias) or RejectReason.UNKNOWN_ALIAS
        known = self.by_name.get(metric.name) if self.doubt is None else None
        if known is not None and metric.datatype in (0, known.datatype):
            return known
        if metric.datatype or metric.WhichOneof("value") not in ("int_value", "long_value"):
            return Definition(metric.name, metric.datatype, None, known.unit if known else None)
        return self.doubt or RejectReason.NOT_BORN

    def state(self) -> DeviceState:
        return DeviceState(list(self.by_name.values()), self.doubt, self.alive, self.died_at)

    @staticmethod
    def restore(state: DeviceState) -> _Device:
        device = _Device(died_at=state.died_at)
        device.define(state.metrics)
        device.doubt, device.alive = state.doubt, state.alive
        return device


@dataclass(slots=True)
class _Found:
    """What the metrics of one message give. `unread` are by reason the names of those that only a birth explains."""

    device: _Device
    birth: bool
    samples: list[Sample] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    unread: dict[RejectReason, list[str]] = field(default_factory=dict)

    def add(self, metric: Metric, depth: int = DEPTH) -> None:
        known = definition(metric) if self.birth and metric.name else self.device.find(metric)
        if isinstance(known, RejectReason):
            self.unread.setdefault(known, []).append(metric.name or f"alias {metric.alias}")
        elif not is_structure(metric):
            self._take(sample(metric, known))
        elif not depth:
            self._take(too_deep(known.name))
        else:
            for member in members(metric, known.name):
                if isinstance(member, Rejected):
                    self._take(member)
                else:
                    self.add(member, depth - 1)

    def _take(self, made: Sample | Rejected | None) -> None:
        if isinstance(made, Sample):
            self.samples.append(made)
        elif made is not None:
            self.rejected.append(made)


class EdgeNode:
    """One edge node with its devices; the device of empty name is the node itself. Times are plant time, ms UTC."""

    def __init__(self) -> None:
        self._devices: dict[str, _Device] = {"": _Device()}
        self._born = False
        self._seq: int | None = None
        self._bd_seq: int | None = None
        self._birth: int | None = None
        self._size: int | None = None

    @property
    def size(self) -> int:
        """Devices and metrics remembered; counted anew only when one has come or gone."""
        if self._size is None:
            self._size = sum(1 + len(device.by_name) for device in self._devices.values())
        return self._size

    @property
    def born(self) -> bool:
        """Whether it lives by a birth that was heard."""
        return self._born

    def take(self, address: Address, message: Payload, now: int, *, again: bool, retain: bool) -> Taken:
        """One message but a command or a host's state, received at `now`.

        `again`: the same bytes came before. A retained message, or one that came before and is not the next, tells of
        its own values and changes nothing.
        """
        match address.kind:
            case MessageKind.NDEATH:
                if retain:
                    return self._values(address, message, _Device())
                return self._node_death(address, message, now)
            case MessageKind.NBIRTH:
                if retain or (again and self._is_present(message)):
                    return self._values(address, message, _Device())
                return self._node_birth(address, message)
        expected = None if self._seq is None else (self._seq + 1) % _SEQS
        seq = message.seq if message.HasField("seq") else None
        if retain or (again and expected is not None and seq != expected):
            return self._values(address, message, self._devices.get(address.device, _Device()))
        gap = self._count(seq, expected)
        if address.kind is MessageKind.DDEATH:
            return self._with_gap(Taken((self._death(address, now, _ts(message)),)), gap)
        device = self._device(address.device)
        if address.kind is MessageKind.DBIRTH:
            taken = self._birth_of(address, message, device)
        else:
            taken = self._values(address, message, device)
        return self._with_gap(Taken(taken.parts, taken.ask or not self._born), gap)

    def state(self) -> NodeState:
        """A snapshot; equal histories give equal ones."""
        devices = {name: device.state() for name, device in self._devices.items()}
        return NodeState(devices, self._born, self._seq, self._bd_seq, self._birth)

    @staticmethod
    def restore(state: NodeState) -> EdgeNode:
        """From a snapshot."""
        node = EdgeNode()
        node._devices = {name: _Device.restore(device) for name, device in state.devices.items()}
        node._born, node._seq, node._bd_seq, node._birth = state.born, state.seq, state.bd_seq, state.birth
        return node

    def _device(self, name: str) -> _Device:
        device = self._devices.get(name)
        if device is None:
            device, self._size = _Device(), None
            self._devices[name] = device
        return device

    def _is_present(self, message: Payload) -> bool:
        """Whether an NBIRTH is the one the node lives by, so that hearing it once more changes nothing."""
        holds = self._born and self._devices[""].doubt is None
        return holds and (self._birth, self._bd_seq) == (_ts(message), _bd_seq(message))

    def _count(self, seq: int | None, expected: int | None) -> Rejected | None:
        """Follow the running number; after a gap no alias holds, for a birth may have been in it."""
        last, self._seq = self._seq, seq
        if seq is not None and expected in (None, seq):
            return None
        for device in self._devices.values():
            device.doubt = device.doubt or RejectReason.SEQUENCE_GAP
        if seq is None:
            return Rejected(RejectReason.SEQUENCE_GAP, "the message has no seq; expected 0 to 255")
        missing = (seq - (expected or 0)) % _SEQS
        detail = f"seq {seq} came after {last}: {missing} of the edge node's messages did not arrive"
        return Rejected(RejectReason.SEQUENCE_GAP, detail)

    @staticmethod
    def _with_gap(taken: Taken, gap: Rejected | None) -> Taken:
        if gap is None:
            return taken
        first, *others = taken.parts
        decoded = msgspec.structs.replace(first.decoded, rejected=(gap, *first.decoded.rejected))
        return Taken((Part(first.address, decoded, first.defines), *others), ask=True)

    def _node_birth(self, address: Address, message: Payload) -> Taken:
        self._born, self._birth, self._bd_seq = True, _ts(message), _bd_seq(message)
        self._seq = message.seq if message.HasField("seq") else None
        for device in self._devices.values():
            device.doubt = RejectReason.NOT_BORN
        return self._birth_of(address, message, self._devices[""])

    def _birth_of(self, address: Address, message: Payload, device: _Device) -> Taken:
        device.define(definitions(message.metrics))
        self._size = None
        taken = self._values(address, message, device)
        died_at, device.died_at = device.died_at, None
        decoded = taken.parts[0].decoded
        if died_at is not None:
            # A birth says what holds now. With the older time of its reading it could not end what the death began.
            samples = tuple(_not_before(one, died_at) for one in decoded.samples)
            decoded = msgspec.structs.replace(decoded, samples=samples)
        return Taken((Part(address, decoded, frozenset(device.by_name)),), taken.ask)

    def _values(self, address: Address, message: Payload, device: _Device) -> Taken:
        birth = address.kind in BIRTHS
        found = _Found(device, birth)
        for metric in message.metrics:
            if metric.name != BD_SEQ and not metric.name.startswith(NODE_CONTROL):
                found.add(metric)
        unread = [Rejected(reason, _unread(reason, address, names)) for reason, names in found.unread.items()]
        samples, rejected = found.samples, found.rejected + unread
        decoded = Decoded(
            kind=Kind.READING if samples or rejected else Kind.STATUS,
            ts=_ts(message),
            samples=tuple(samples),
            rejected=tuple(rejected),
            device=address.identity,
            states={ONLINE: float(birth)} if birth or address.kind in DEATHS else {},
        )
        return Taken((Part(address, decoded),), ask=bool(unread))

    def _node_death(self, address: Address, message: Payload, now: int) -> Taken:
        """The will of an earlier session may come after the next birth: only that of the present one counts."""
        told = _bd_seq(message)
        if self._born and None not in (told, self._bd_seq) and told != self._bd_seq:
            return Taken((Part(address, Decoded(kind=Kind.STATUS, device=address.identity)),))
        self._born, self._seq = False, None
        parts = [
            self._death(address.of_device(name) if name else address, now, None)
            for name, device in self._devices.items()
            if device.alive or not name
        ]
        return Taken(tuple(parts))

    def _death(self, address: Address, now: int, ts: int | None) -> Part:
        """Whoever is gone keeps up none of its values. The will of a node was written long ago: it has no time `ts`."""
        device, self._size = self._device(address.device), None
        samples = tuple(_gone(device.by_name)) if device.alive else ()
        device.define(())
        device.doubt, device.alive, device.died_at = RejectReason.NOT_BORN, False, now
        kind = Kind.READING if samples else Kind.STATUS
        decoded = Decoded(kind=kind, ts=ts, samples=samples, device=address.identity, states={ONLINE: 0.0})
        return Part(address, decoded)


def _gone(metrics: dict[str, Definition]) -> Iterator[Sample]:
    for name in (one.name for one in metrics.values() if one.datatype not in STRUCTURES):
        yield Sample(name, math.nan, quality=Quality.BAD, reason=Reason.DEVICE_OFFLINE)


def _not_before(one: Sample, died_at: int) -> Sample:
    if one.historical or one.ts is None or one.ts >= died_at:
        return one
    return msgspec.structs.replace(one, ts=None)


def _ts(message: Payload) -> int | None:
    return min(message.timestamp, MAX_TS) if message.HasField("timestamp") else None


def _bd_seq(message: Payload) -> int | None:
    """The number that ties a death to its birth; None where the message has none."""
    return next((whole_number(metric) for metric in message.metrics if metric.name == BD_SEQ), None)


def _unread(reason: RejectReason, address: Address, names: list[str]) -> str:
    """Why these metrics could not be read."""
    shown = ", ".join(name[:60] for name in names[:_NAMED])
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    why = {
        RejectReason.NOT_BORN: f"no birth of {address.identity} since it came or came back says what they are",
        RejectReason.SEQUENCE_GAP: "a lost message may have given their aliases another meaning",
        RejectReason.UNKNOWN_ALIAS: f"the birth of {address.identity} defines no such alias",
    }[reason]
    return f"{shown}{more}: {why}; it takes a rebirth of the edge node"

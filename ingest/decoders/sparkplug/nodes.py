"""Every Sparkplug edge node that is heard: bounded, snapshotted, and asked for a new birth where it takes one."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from ingest.decoders.decoded import ONLINE, Decoded, Kind
from ingest.decoders.loose import parse_json, parse_ts, text
from ingest.decoders.sparkplug.address import COMMANDS, Address, MessageKind
from ingest.decoders.sparkplug.births import Births, BirthsState, Bound, Wanted, key_of
from ingest.decoders.sparkplug.edge import EdgeNode, NodeState, Part, Taken
from ingest.decoders.sparkplug.metrics import DataType, parse_payload
from ingest.decoders.sparkplug.payload_pb2 import Metric, Payload
from ingest.reasons import Refused, Rejected, RejectReason

MOST_REMEMBERED = 200_000
"""Devices and metrics of all nodes together; beyond, the node born longest ago is forgotten and asked again."""

_REBIRTH = "Node Control/Rebirth"


class EdgeState(msgspec.Struct, frozen=True):
    """A snapshot: nodes by broker and name, the one born longest ago first, and whose births are awaited."""

    nodes: dict[str, NodeState] = {}
    births: BirthsState = BirthsState()


@dataclass(frozen=True, slots=True)
class Came:
    """How a message came: plant time, whether the same bytes came before, the retained flag, and on which broker.

    Two brokers may each have a node of the same name; one node heard over two of them counts its messages on each.
    """

    at: int
    again: bool = False
    retain: bool = False
    broker: str = ""


class EdgeNodes:
    """Sparkplug messages in journal order in, what they say out. Cutting them anywhere changes nothing."""

    def __init__(self, most: int = MOST_REMEMBERED) -> None:
        self._most = most
        self._nodes: dict[str, EdgeNode] = {}
        self._births = Births()
        self._sizes: dict[str, int] = {}
        self._size = 0

    @property
    def remembered(self) -> int:
        """Devices and metrics of all nodes."""
        return self._size

    def take(self, address: Address, payload: bytes, came: Came) -> Taken:
        """One message; whatever the bytes are, the answer has at least one part."""
        try:
            if address.kind in COMMANDS:
                return _only(address, Decoded(kind=Kind.STATUS, device=address.identity))
            if address.kind is MessageKind.STATE:
                return _only(address, _host_state(address, payload))
            message = parse_payload(payload)
        except Refused as refused:
            return _only(address, Decoded(rejected=(refused.rejected,), device=address.identity))
        key = key_of(address, came.broker)
        node = self._nodes.get(key) or EdgeNode()
        taken = node.take(address, message, came.at, again=came.again, retain=came.retain)
        if not came.retain:
            if address.kind in (MessageKind.NBIRTH, MessageKind.NDEATH):
                self._births.settled(key)
            self._keep(key, node, renew=address.kind is MessageKind.NBIRTH)
        if key not in self._nodes and node.size > self._most:
            detail = (
                f"{address.group}/{address.node} has more than {self._most} metrics; split it into several edge nodes"
            )
            return _only(address, Decoded(rejected=(Rejected(RejectReason.TOO_LARGE, detail),)))
        return taken

    def want(self, address: Address, came: Came) -> bool:
        """A new birth of the node is wanted; whether to ask for it now (if not, a later tick will)."""
        return self._births.want(key_of(address, came.broker), came.at)

    def wonder(self, address: Address, came: Came) -> None:
        """A node of which nothing is bound could not be read; if no birth of it was heard, a later tick asks."""
        key = key_of(address, came.broker)
        node = self._nodes.get(key)
        if node is None or not node.born:
            self._births.wonder(key, came.at)

    def tick(self, now: int, bound: Bound) -> list[Wanted]:
        """At a tick while we listen: the births to ask for now."""
        return self._births.tick(now, bound, self._nodes.keys())

    def state(self) -> EdgeState:
        """A snapshot; equal histories give equal ones."""
        return EdgeState({key: node.state() for key, node in self._nodes.items()}, self._births.state())

    @staticmethod
    def restore(state: EdgeState, most: int = MOST_REMEMBERED) -> EdgeNodes:
        """From a snapshot."""
        nodes = EdgeNodes(most)
        for key, node in state.nodes.items():
            nodes._keep(key, EdgeNode.restore(node), renew=False)
        nodes._births = Births(state.births)
        return nodes

    def _keep(self, key: str, node: EdgeNode, *, renew: bool) -> None:
        """Remember the node as it is now, forgetting the ones born longest ago where that is too much."""
        self._size += node.size - self._sizes.pop(key, 0)
        if renew:
            self._nodes.pop(key, None)
        self._nodes[key] = node
        self._sizes[key] = node.size
        while self._size > self._most:
            oldest = next(iter(self._nodes))
            del self._nodes[oldest]
            self._size -= self._sizes.pop(oldest)


def rebirth_request(address: Address, now: int) -> tuple[str, bytes]:
    """Topic and payload of the command that asks the node of `address` to be born again."""
    command = Metric(name=_REBIRTH, timestamp=now, datatype=DataType.BOOLEAN, boolean_value=True)
    topic = str(Address(address.group, MessageKind.NCMD, address.node))
    return topic, Payload(timestamp=now, metrics=[command]).SerializeToString(deterministic=True)


def _only(address: Address, decoded: Decoded) -> Taken:
    return Taken((Part(address, decoded),))


def _host_state(address: Address, payload: bytes) -> Decoded:
    """`{"online": true, "timestamp": ms}`, and the bare word of Sparkplug 2.2. Raises Refused."""
    word = text(payload)
    if word in ("ONLINE", "OFFLINE"):
        return Decoded(kind=Kind.STATUS, states={ONLINE: float(word == "ONLINE")}, device=address.node)
    body = parse_json(word)
    if not isinstance(body, dict) or not isinstance(body.get("online"), bool):
        raise Refused(RejectReason.NOT_A_FRAME, 'the state of a host has no "online"; expected true or false')
    ts = parse_ts(body.get("timestamp"))
    return Decoded(kind=Kind.STATUS, ts=ts, states={ONLINE: float(body["online"])}, device=address.node)

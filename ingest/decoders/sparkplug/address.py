"""The topics of Sparkplug B: `spBv1.0/<group>/<kind>/<edge node>[/<device>]`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

NAMESPACE = "spBv1.0"


class MessageKind(StrEnum):
    """The third level of a topic."""

    NBIRTH = "NBIRTH"
    DBIRTH = "DBIRTH"
    NDATA = "NDATA"
    DDATA = "DDATA"
    NDEATH = "NDEATH"
    DDEATH = "DDEATH"
    NCMD = "NCMD"
    DCMD = "DCMD"
    STATE = "STATE"
    """A host application says whether it is there: `spBv1.0/STATE/<host>`, JSON."""


BIRTHS = frozenset({MessageKind.NBIRTH, MessageKind.DBIRTH})
DEATHS = frozenset({MessageKind.NDEATH, MessageKind.DDEATH})
COMMANDS = frozenset({MessageKind.NCMD, MessageKind.DCMD})


@dataclass(frozen=True, slots=True)
class Address:
    """Who a message is of. `device` is empty where it is the edge node itself; a host has only a `node`."""

    group: str
    kind: MessageKind
    node: str
    device: str = ""

    def __str__(self) -> str:
        if self.kind is MessageKind.STATE:
            return f"{NAMESPACE}/STATE/{self.node}"
        base = f"{NAMESPACE}/{self.group}/{self.kind}/{self.node}"
        return f"{base}/{self.device}" if self.device else base

    @property
    def identity(self) -> str:
        """What names the device among all: `group/node` or `group/node/device`."""
        return "/".join(part for part in (self.group, self.node, self.device) if part)

    def of_node(self) -> Address:
        """The edge node's own address for the same kind of message."""
        if self.kind is MessageKind.STATE:
            return self
        return Address(self.group, MessageKind(f"N{self.kind[1:]}"), self.node)

    def of_device(self, device: str) -> Address:
        """Where the same happens to one device of the node: NDEATH of the node is DDEATH of each."""
        return Address(self.group, MessageKind(f"D{self.kind[1:]}"), self.node, device)


def parse(topic: str) -> Address | None:
    """A Sparkplug topic taken apart; None when it is none, or not of the form its kind has."""
    if not topic.startswith(NAMESPACE):
        return None
    match topic.split("/"):
        case ["spBv1.0", "STATE", host] if host:
            return Address("", MessageKind.STATE, host)
        case ["spBv1.0", group, "NBIRTH" | "NDATA" | "NDEATH" | "NCMD" as kind, node] if group and node:
            return Address(group, MessageKind(kind), node)
        case ["spBv1.0", group, "DBIRTH" | "DDATA" | "DDEATH" | "DCMD" as kind, node, device] if (
            group and node and device
        ):
            return Address(group, MessageKind(kind), node, device)
    return None


def any_kind(topic: str) -> str:
    """The filter of a binding for every kind of message of its device: what is born must also die.

    `spBv1.0/plant/DDATA/edge/meter` → `spBv1.0/plant/+/edge/meter`; a topic of another form is left as it is.
    """
    levels = topic.split("/")
    if levels[0] != NAMESPACE or len(levels) not in (4, 5):
        return topic
    return "/".join([*levels[:2], "+", *levels[3:]])


def nodes_of(filters: Iterable[str]) -> tuple[Address, ...]:
    """The edge nodes that such filters (as of `followed`) name in full, sorted."""
    named = (one.split("/") for one in sorted(filters))
    return tuple(
        Address(levels[1], MessageKind.NBIRTH, levels[3])
        for levels in named
        if levels[0] == NAMESPACE and len(levels) == 5 and not {"+", "#"} & {levels[1], levels[3]}
    )


def followed(topic: str) -> str:
    """What to subscribe to for a binding: all of its edge node, for sequence and death concern all its devices."""
    levels = topic.split("/")
    if levels[0] != NAMESPACE or len(levels) not in (4, 5) or levels[3] == "#":
        return topic
    return "/".join([*levels[:2], "+", levels[3], "#"])

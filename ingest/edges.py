"""Sparkplug on its way in: one message may speak for several devices, and of what it leaves unsaid a birth is asked."""

from __future__ import annotations

from collections.abc import Iterator, Set
from dataclasses import dataclass
from difflib import get_close_matches

from history.entries import Message
from ingest.bindings import Bindings
from ingest.columns import Arrival, ColumnBuilder
from ingest.decoders import MAX_PAYLOAD, Kind
from ingest.decoders.decoded import ONLINE
from ingest.decoders.sparkplug import Address, Bound, Came, EdgeNodes, Part, rebirth_request
from ingest.decoders.sparkplug.address import BIRTHS
from ingest.gather import Gathered, add, add_states, gathered
from ingest.reasons import Rejected, RejectReason
from ingest.requests import Request

_LOOKED_THROUGH = 2_000
"""Names among which the one that was meant is looked for."""

_NAMED = 5


@dataclass(frozen=True, slots=True)
class Edges:
    """Adds what edge nodes say to the columns."""

    bindings: Bindings
    nodes: EdgeNodes

    def gather(
        self, columns: ColumnBuilder, address: Address, message: Message, arrival: Arrival
    ) -> tuple[Gathered, Request | None]:
        """As `ingest.gather.gather`; and the request the message gives rise to, if any.

        A node of which something is bound is asked at once for what it left unsaid. Others are other people's: those
        are asked at a later tick, once, and only for a birth that nobody heard.
        """
        if len(message.payload) > MAX_PAYLOAD:
            detail = f"more than {MAX_PAYLOAD} bytes; split the edge node into several"
            return gathered(0, [Rejected(RejectReason.TOO_LARGE, detail)]), None
        came = Came(arrival.received_at, arrival.again, arrival.retain, message.broker)
        taken = self.nodes.take(address, message.payload, came)
        rows, rejected = 0, list[Rejected]()
        for part in taken.parts:
            if self.bindings.route(str(part.address)).refusal is None:
                rows += self._add(columns, part, arrival, rejected)
            elif part.address == address:
                rejected += self._unbound(part)
        request = self._request(address, came, arrival.offset) if taken.ask else None
        return gathered(rows, rejected), request

    def tick(self, offset: int, now: int, *, clocked: bool) -> list[Request]:
        """At a tick while we listen: requests that no message gave rise to."""
        bound = Bound(self.bindings.edge_nodes, self.bindings.follows, clocked)
        return [
            Request(offset, wanted.broker, *rebirth_request(wanted.address, now))
            for wanted in self.nodes.tick(now, bound)
        ]

    def _request(self, address: Address, came: Came, offset: int) -> Request | None:
        if not self.bindings.follows(address):
            self.nodes.wonder(address, came)
            return None
        if not self.nodes.want(address, came):
            return None
        return Request(offset, came.broker, *rebirth_request(address, came.at))

    def _add(self, columns: ColumnBuilder, part: Part, arrival: Arrival, rejected: list[Rejected]) -> int:
        """Only what is bound counts: that a birth also has a template or a word nobody asked for is no fault."""
        feeds = self.bindings.route(str(part.address)).feeds
        decoded, rows = part.decoded, 0
        feeds = tuple(feed for feed in feeds if feed.device in (None, decoded.device))
        bound = {key for feed in feeds for key in feed.targets if key is not None}
        rejected += (one for one in decoded.rejected if _concerns(one.key, bound))
        if part.defines is not None:
            rejected += _undefined(part.address.identity, bound - {ONLINE}, part.defines)
        for feed in feeds:
            rows += add(feed, decoded, arrival, columns, rejected)
            rows += add_states(feed, decoded, arrival, columns, rejected)
        return rows

    def _unbound(self, part: Part) -> list[Rejected]:
        """A device nobody bound. Beside bound ones of its node only its birth, which tells what it has, is kept."""
        refusal = self.bindings.route(str(part.address)).refusal
        if part.decoded.kind is not Kind.READING or refusal is None:
            return []
        if self.bindings.follows(part.address) and not (part.address.kind in BIRTHS and part.decoded.samples):
            return [one for one in part.decoded.rejected if one.key is None]
        return [refusal]


def _concerns(key: str | None, bound: Set[str]) -> bool:
    """Whether anything bound is refused with this key: the value itself, or the structure it is in."""
    return key is None or key in bound or any(name.startswith(f"{key}.") for name in bound)


def _undefined(device: str, bound: Set[str], defines: frozenset[str]) -> Iterator[Rejected]:
    """What is bound and will never come: a birth names everything that its device has."""
    names = sorted(defines)[:_LOOKED_THROUGH]
    for key in sorted(bound - defines):
        near = get_close_matches(key, names, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"it has {', '.join(map(repr, names[:_NAMED])) or 'none'}"
        yield Rejected(RejectReason.UNKNOWN_POINT, f"the birth of {device} has no metric {key!r}; {hint}", key)

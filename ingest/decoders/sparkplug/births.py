"""Whom to ask for a new birth, and when: whoever could not be read, was perhaps not heard, or has never said a word."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from itertools import islice

import msgspec

from ingest.decoders.sparkplug.address import Address, MessageKind
from plant.instants import NEVER

REBIRTH_EVERY_MS = 60_000
"""Of plant time: an edge node is asked for a new birth at most once in it."""

SILENT_EVERY_MS = 600_000
"""As above, for one that is bound and was never heard: it may report only changes, and may have none for long."""

ABSENT_MS = 5_000
"""Ticks come each second while we listen; in a longer break messages of QoS 0 may have gone by unheard."""

MOST_A_TICK = 20
"""Nodes asked at one tick: all of a plant that are born at once would be a flood."""

STRANGER_EVERY_MS = 3_600_000
"""As above, for one of which nothing is bound: only its birth has names, and one is enough to choose from them."""

STRANGERS_A_TICK = 1
"""Nodes nobody bound that are asked at one tick: they are other people's, and a whole works may be among them."""

MOST_ASKED = 10_000
"""Nodes of which it is remembered when they were asked."""


@dataclass(frozen=True, slots=True)
class Bound:
    """The edge nodes of which something is bound: those named in full, and whether any one is among them.

    `clocked`: ticks are those of the system's clock, so that a break in them says that nobody listened.
    """

    nodes: tuple[Address, ...]
    follows: Callable[[Address], bool]
    clocked: bool = True


@dataclass(frozen=True, slots=True)
class Wanted:
    """A birth to ask for; `broker` is empty where nobody knows on which one the node is."""

    broker: str
    address: Address


class BirthsState(msgspec.Struct, frozen=True):
    """A snapshot: when each node was last asked, of which a birth is still owed, and the last tick that was heard.

    `strangers` are the nodes nobody bound that are still to be asked.
    """

    asked: dict[str, int] = {}
    owed: list[str] = []
    listened: int = NEVER
    strangers: list[str] = []


def key_of(address: Address, broker: str) -> str:
    """What names a node among those of all brokers."""
    return f"{broker} {address.group}/{address.node}"


class Births:
    """Pure, with state. Times are plant time, ms UTC."""

    def __init__(self, state: BirthsState = BirthsState()) -> None:
        self._asked = dict(state.asked)
        self._owed = dict.fromkeys(state.owed)
        self._listened = state.listened
        self._strangers = dict.fromkeys(state.strangers)

    def want(self, key: str, now: int) -> bool:
        """A birth is wanted: whether to ask for it now. If not, a later tick will, and so until it comes."""
        self._owed[key] = None
        if len(self._owed) > MOST_ASKED:
            del self._owed[next(iter(self._owed))]
        return self._may_ask(key, now, REBIRTH_EVERY_MS)

    def wonder(self, key: str, now: int) -> None:
        """A node nobody bound spoke without a birth: a later tick asks it for its names, once in STRANGER_EVERY_MS."""
        if self._is_time(key, now, STRANGER_EVERY_MS) and len(self._strangers) < MOST_ASKED:
            self._strangers[key] = None

    def settled(self, key: str) -> None:
        """The node was born, or has died: then its birth comes by itself."""
        self._owed.pop(key, None)
        self._strangers.pop(key, None)

    def tick(self, now: int, bound: Bound, heard: Collection[str]) -> list[Wanted]:
        """At a tick while we listen: births to ask for now. `heard` are the keys of all nodes known."""
        began = self._listened == NEVER
        if bound.clocked and not began and not 0 <= now - self._listened <= ABSENT_MS:
            self._owed |= dict.fromkeys(key for key in heard if bound.follows(_wanted(key).address))
        look = now // REBIRTH_EVERY_MS != self._listened // REBIRTH_EVERY_MS
        self._listened = now
        due = list(islice(self._due(now, bound), MOST_A_TICK)) if self._owed else []
        return due + (self._silent(now, bound, heard) if look else []) + self._curious(now)

    def state(self) -> BirthsState:
        """A snapshot; equal histories give equal ones."""
        return BirthsState(dict(self._asked), list(self._owed), self._listened, list(self._strangers))

    def _due(self, now: int, bound: Bound) -> Iterator[Wanted]:
        for key in list(self._owed):
            wanted = _wanted(key)
            if not bound.follows(wanted.address):
                del self._owed[key]
            elif self._may_ask(key, now, REBIRTH_EVERY_MS):
                yield wanted

    def _silent(self, now: int, bound: Bound, heard: Collection[str]) -> list[Wanted]:
        names = {_name(key) for key in heard}
        unheard = (address for address in bound.nodes if _name(key_of(address, "")) not in names)
        return [Wanted("", one) for one in unheard if self._may_ask(key_of(one, ""), now, SILENT_EVERY_MS)]

    def _curious(self, now: int) -> list[Wanted]:
        """Nodes nobody bound, in the order in which they were first heard."""
        chosen = list(islice(self._strangers, STRANGERS_A_TICK))
        for key in chosen:
            del self._strangers[key]
        return [_wanted(key) for key in chosen if self._may_ask(key, now, STRANGER_EVERY_MS)]

    def _is_time(self, key: str, now: int, every_ms: int) -> bool:
        asked = self._asked.get(_name(key))
        return asked is None or not 0 <= now - asked < every_ms

    def _may_ask(self, key: str, now: int, every_ms: int) -> bool:
        """Whether it is time to ask; from then on it was asked, on whatever broker."""
        if not self._is_time(key, now, every_ms):
            return False
        name = _name(key)
        self._asked.pop(name, None)
        self._asked[name] = now
        if len(self._asked) > MOST_ASKED:
            del self._asked[next(iter(self._asked))]
        return True


def _name(key: str) -> str:
    return key.partition(" ")[2]


def _wanted(key: str) -> Wanted:
    broker, _, name = key.partition(" ")
    group, _, node = name.partition("/")
    return Wanted(broker, Address(group, MessageKind.NBIRTH, node))

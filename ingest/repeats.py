"""Which messages came before, byte for byte: a broker or a gateway may send thousands of them once more."""

from __future__ import annotations

from collections.abc import Set
from hashlib import blake2b

import msgspec
import numpy as np

from plant.errors import Corrupt

GENERATION = 65_536
"""Messages that are surely remembered: a broker can have 65,535 unacknowledged on a connection, and redeliver those."""

_MARK_BYTES = 8
_MARK = np.dtype("<u8")
_CACHED = 8_192
"""Topics whose hash is begun already; each costs half a kilobyte."""


class RepeatsState(msgspec.Struct, frozen=True):
    """A snapshot: the marks of both generations, each sorted, little-endian."""

    newer: bytes = b""
    older: bytes = b""


class Repeats:
    """Remembers the last messages by a hash of topic, payload and retained flag, in two generations."""

    def __init__(self) -> None:
        self._newer: set[bytes] = set()
        self._older: Set[bytes] = frozenset()
        self._begun: dict[tuple[str, bool], blake2b] = {}

    def came_before(self, topic: str, payload: bytes, *, retain: bool) -> bool:
        """Whether the same bytes came on the same topic lately; from now on they have."""
        begun = self._begun.get((topic, retain)) or self._begin(topic, retain=retain)
        hasher = begun.copy()
        hasher.update(payload)
        mark = hasher.digest()
        newer = self._newer
        if mark in newer or mark in self._older:
            return True
        newer.add(mark)
        if len(newer) >= GENERATION:
            self._newer, self._older = set(), newer
        return False

    def state(self) -> RepeatsState:
        """A snapshot; equal histories give equal ones."""
        return RepeatsState(_packed(self._newer), _packed(self._older))

    def _begin(self, topic: str, *, retain: bool) -> blake2b:
        """The hash of all messages of a topic as far as they are alike."""
        if len(self._begun) >= _CACHED:
            self._begun.clear()
        hasher = blake2b(topic.encode(), digest_size=_MARK_BYTES)
        hasher.update(b"\1" if retain else b"\0")
        self._begun[topic, retain] = hasher
        return hasher

    @staticmethod
    def restore(state: RepeatsState) -> Repeats:
        """From a snapshot; raises Corrupt when it is none."""
        repeats = Repeats()
        repeats._newer, repeats._older = _unpacked(state.newer), _unpacked(state.older)
        return repeats


def _packed(marks: Set[bytes]) -> bytes:
    return np.sort(np.frombuffer(b"".join(marks), _MARK)).tobytes()


def _unpacked(marks: bytes) -> set[bytes]:
    if len(marks) % _MARK_BYTES:
        raise Corrupt("the intake's snapshot does not hold its messages as it should; rebuild it")
    return {marks[at : at + _MARK_BYTES] for at in range(0, len(marks), _MARK_BYTES)}

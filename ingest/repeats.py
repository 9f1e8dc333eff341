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


class RepeatsState(msgspec.Struct, frozen=True):
    """A snapshot: the marks of both generations, each sorted, little-endian."""

    newer: bytes = b""
    older: bytes = b""


class Repeats:
    """Remembers the last messages by a hash of topic, payload and retained flag, in two generations."""

    def __init__(self) -> None:
        self._newer: set[int] = set()
        self._older: Set[int] = frozenset()

    def came_before(self, topic: str, payload: bytes, *, retain: bool) -> bool:
        """Whether the same bytes came on the same topic lately; from now on they have."""
        hasher = blake2b(topic.encode(), digest_size=_MARK_BYTES)
        hasher.update(b"\1" if retain else b"\0")
        hasher.update(payload)
        mark = int.from_bytes(hasher.digest(), "little")
        if mark in self._newer or mark in self._older:
            return True
        self._newer.add(mark)
        if len(self._newer) >= GENERATION:
            self._newer, self._older = set(), self._newer
        return False

    def state(self) -> RepeatsState:
        """A snapshot; equal histories give equal ones."""
        return RepeatsState(_packed(self._newer), _packed(self._older))

    @staticmethod
    def restore(state: RepeatsState) -> Repeats:
        """From a snapshot; raises Corrupt when it is none."""
        repeats = Repeats()
        repeats._newer, repeats._older = _unpacked(state.newer), _unpacked(state.older)
        return repeats


def _packed(marks: Set[int]) -> bytes:
    return np.sort(np.fromiter(marks, np.dtype("<u8"), len(marks))).tobytes()


def _unpacked(marks: bytes) -> set[int]:
    try:
        return set(np.frombuffer(marks, np.dtype("<u8")).tolist())
    except ValueError:
        raise Corrupt("the intake's snapshot does not hold its messages as it should; rebuild it") from None

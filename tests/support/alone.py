"""Decoder and judging together, from journal entries to alarm events, as a consumer that decodes alone."""

from __future__ import annotations

from collections.abc import Sequence

from dutyroom.decoder import Decoder, read_state
from dutyroom.judging import Judged, Judging
from history.entries import Entry


class Alone:
    """`take` entries in journal order; `snapshot` and `restore` as the rules consumer does."""

    def __init__(self) -> None:
        self.decoder, self.judging = Decoder(), Judging()

    def take(self, entries: Sequence[tuple[int, Entry]]) -> Judged:
        """What the entries give."""
        return self.judging.take(self.decoder.decode(entries))

    def snapshot(self) -> bytes | None:
        """The whole state; None before the first configuration."""
        state = self.decoder.state()
        return None if state is None else self.judging.snapshot(state)

    @staticmethod
    def restore(data: bytes) -> Alone:
        """Raises Corrupt when the bytes are damaged."""
        alone = Alone()
        alone.decoder = Decoder.restore(read_state(data))
        alone.judging = Judging.restore(data, alone.decoder.content)
        return alone

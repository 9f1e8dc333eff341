"""Whether the site was listened to, as a reading: its message broker's `link_status`, made of the ticks themselves.

A tick says whether anything could have been heard (SEMANTICS §2). An equipment of the type `message_broker` gets that
as a point, once a minute and at each change, so that a lost broker is one alarm of an ordinary rule, live as in a
replay, while silence of everything behind it counts for nothing.
"""

from __future__ import annotations

import msgspec

from history.entries import Tick
from ingest.columns import Arrival, ColumnBuilder
from plant.site import Plant

MESSAGE_BROKER = "message_broker"
LINK_STATUS = "link_status"
_EVERY_MS = 60_000


class LinksState(msgspec.Struct, frozen=True):
    """A snapshot: what was said last and in which minute of plant time; `listening` None: nothing yet."""

    listening: bool | None = None
    minute: int = 0


class Links:
    """Makes the readings; its memory of the last is its only state: cutting the ticks anywhere changes nothing."""

    def __init__(self, plant: Plant, state: LinksState | None = None) -> None:
        brokers = [one.id for one in plant.site.equipment.values() if one.type == MESSAGE_BROKER and not one.retired]
        found = [plant.series.find(id, LINK_STATUS) for id in brokers]
        self._series = [series for series in found if series is not None]
        self._last = state or LinksState()

    @property
    def state(self) -> LinksState:
        """A snapshot."""
        return self._last

    def forget(self) -> None:
        """The plant clock was set: what is said next is said at once."""
        self._last = LinksState()

    def tick(self, columns: ColumnBuilder, offset: int, tick: Tick, seen: int) -> bool:
        """Add what the tick says, where it is time to say it; whether anything was added."""
        now = LinksState(tick.listening, tick.plant_time // _EVERY_MS)
        if not self._series or now == self._last:
            return False
        self._last = now
        values = [float(tick.listening)] * len(self._series)
        columns.add(self._series, values, tick.plant_time, Arrival(tick.plant_time, False, False, seen, offset))
        return True

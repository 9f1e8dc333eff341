"""The fast lane: a native frame of plain numbers, as most messages are, goes straight into the columns.

Whatever is less plain is left to `ingest.gather`. That both give the same rows is a property test.
"""

from __future__ import annotations

from ingest.bindings import Feed
from ingest.columns import Arrival, ColumnBuilder
from ingest.decoders import MAX_PAYLOAD
from ingest.decoders.native import plain_frame


def gather_frame(feed: Feed, columns: ColumnBuilder, payload: bytes, arrival: Arrival) -> bool:
    """Whether the message was a plain frame of this equipment with at least one value, and is in the columns now."""
    if len(payload) > MAX_PAYLOAD:
        return False
    frame = plain_frame(payload)
    if frame is None:
        return False
    points, ts, equipment = frame
    if not points or (equipment is not None and equipment != feed.equipment):
        return False
    series = feed.frame(points)
    if series is None:
        return False
    columns.add_frame(series, points.values(), ts, arrival)
    return True

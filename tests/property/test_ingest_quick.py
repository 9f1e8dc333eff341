"""The fast lane of native frames and the way all other messages take give the same, whatever the message is."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from history.entries import Message, Tick
from ingest import intake
from ingest.bindings import Bindings
from ingest.columns import Arrival, ColumnBuilder
from ingest.gather import gather
from ingest.quick import gather_frame
from tests.unit.ingest.plants import T0, TANK, plant

PLANT = plant()
BINDINGS = Bindings(PLANT)

numbers = st.integers(-(2**70), 2**70) | st.floats() | st.booleans() | st.none() | st.text(max_size=3)
names = st.sampled_from(
    ["tank_temp_top", "tank_level", "heat_total", "circ_pump_status", "online_status", "unknown", ""]
)
frames = st.fixed_dictionaries(
    {"points": st.dictionaries(names, numbers, max_size=5)},
    optional={
        "ts": st.integers(-5, 2**60) | st.sampled_from([T0, T0 + 1, str(T0), None, 1.5, "2023-11-14T22:13:20Z"]),
        "id": st.sampled_from(["tank-1", "tank-2", "nobody", None]),
        "historical": st.booleans(),
        "more": st.integers(),
    },
)
payloads = frames.map(lambda frame: json.dumps(frame).encode()) | st.binary(max_size=20)


@given(payloads, st.booleans(), st.booleans())
def test_what_the_fast_lane_takes_it_takes_as_the_slow_one_would(payload: bytes, retain: bool, draining: bool) -> None:
    arrival = Arrival(T0, retain, draining, T0 - 1_000, 7)
    feed = BINDINGS.route(TANK).frames
    assert feed is not None
    fast, slow = ColumnBuilder(), ColumnBuilder()
    if not gather_frame(feed, fast, payload, arrival):
        assert len(fast) == 0
        return
    found = gather(BINDINGS, slow, TANK, payload, arrival)
    assert (found.rows, found.rejected, found.empty) == (len(fast), (), False)
    ours, theirs = fast.build(), slow.build()
    for name in ("series", "value", "own", "quality", "reason", "historical", "received", "seen", "offset"):
        assert getattr(ours, name).tobytes() == getattr(theirs, name).tobytes(), name


def test_a_plain_frame_does_take_the_fast_lane() -> None:
    feed = BINDINGS.route(TANK).frames
    assert feed is not None
    columns = ColumnBuilder()
    payload = json.dumps({"ts": T0, "points": {"tank_level": 1, "tank_temp_top": 40.5}}).encode()
    assert gather_frame(feed, columns, payload, Arrival(T0, False, False, T0, 1))
    assert columns.build().value.tolist() == [1.0, 40.5]
    assert intake.Intake(PLANT).feed_many([(1, Message(T0, TANK, payload)), (2, Tick(T0))]).messages == 1

"""The past of a topic under bindings it has only now: once, historical, and nothing beside it."""

from __future__ import annotations

from history.entries import Config, Entry, Tick
from ingest.redecoding import Past, Redecoding
from plant.quality import Quality, Reason
from plant.site import Binding
from tests.unit.ingest.plants import T0, frame, message, plant

BINDINGS = (
    Binding("gw/1/t", "tank_level", key="l", decoder="plain"),
    Binding("gw/9/t", "heat_total", key="l", decoder="plain"),
)
PLANT = plant(bindings=BINDINGS)
PAST = Past(("gw/1/t",), ("tank-2",), revision=3)


def entries() -> list[tuple[int, Entry]]:
    run: list[Entry] = [
        message({"l": 10, "ts": T0}, topic="gw/1/t", received_at=T0 + 500),
        Tick(T0 + 1000),
        message(frame(T0, tank_level=1)),
        message({"l": 1, "ts": T0}, topic="gw/9/t"),
        message({"l": 20, "ts": T0 + 2000}, topic="gw/1/t", received_at=T0 + 2000),
        message({"x": 20}, topic="gw/1/t", received_at=T0 + 3000),
        Config(2, "", b""),
        message({"l": 30}, topic="gw/1/t", received_at=T0 + 4000),
        Config(3, "", b""),
        message({"l": 40}, topic="gw/1/t", received_at=T0 + 5000),
    ]
    return list(enumerate(run, 1))


def test_messages_up_to_the_binding_become_historical_readings_of_the_series_they_have_in_the_plant() -> None:
    work = Redecoding(PLANT, PAST)
    batch = work.feed(entries())
    series = PLANT.series.find("tank-2", "tank_level")
    assert batch.ts.tolist() == [T0, T0 + 2000, T0 + 4000]
    assert batch.value.tolist() == [10.0, 20.0, 30.0]
    assert set(batch.series.tolist()) == {series}
    assert set(batch.reason.tolist()) == {Reason.HISTORICAL}
    assert set(batch.quality.tolist()) == {Quality.UNCERTAIN}
    assert (work.messages, work.readings, work.rejected, work.over) == (3, 3, 1, True)


def test_cutting_the_past_changes_nothing() -> None:
    whole = Redecoding(PLANT, PAST).feed(entries())
    for cut in range(len(entries())):
        work = Redecoding(PLANT, PAST)
        parts = [work.feed(entries()[:cut]), *([] if work.over else [work.feed(entries()[cut:])])]
        assert [ts for part in parts for ts in part.ts.tolist()] == whole.ts.tolist()
        assert (work.messages, work.readings) == (3, 3)

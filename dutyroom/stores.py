"""Opens the telemetry store the settings name, and says what it needs now and then."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from dutyroom.settings import Settings
from history.duck import DuckStore
from history.influx import InfluxStore
from history.influxql import InfluxAddress
from history.protocols import TelemetryStore

_DAY_MS = 86_400_000


@contextmanager
def open_store(settings: Settings, site: str) -> Iterator[TelemetryStore]:
    """The store of a site, closed at the end of the block; raises Unavailable where it cannot be opened."""
    chosen = settings.store
    store: TelemetryStore
    if chosen.kind == "duckdb":
        store = DuckStore(settings.data / "telemetry")
    else:
        address = InfluxAddress(chosen.url, chosen.token.get_secret_value(), chosen.org, chosen.bucket)
        store = InfluxStore(address, site=site, folder=settings.data)
    try:
        yield store
    finally:
        store.close()


def upkeep(store: TelemetryStore, raw_days: float) -> Callable[[int], bool]:
    """One step of what the store's own thread should do at a plant time: roll up, seal finished days, drop the oldest.

    What is given says whether there is more to do.
    """
    return lambda plant_time: store.tend(plant_time, round(raw_days * _DAY_MS))

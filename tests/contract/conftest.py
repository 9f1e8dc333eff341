"""The stores under test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from history.duck import DuckStore
from history.influx import InfluxStore
from history.influxql import InfluxAddress
from history.protocols import TelemetryStore
from tests.support.programs import Influx

Open = Callable[[], TelemetryStore]


@pytest.fixture(params=["duckdb", pytest.param("influxdb", marks=pytest.mark.influx)])
def opens(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Open]:
    """Opens the store under test, again on the same data after a close; closes whatever is open at the end."""
    with ExitStack() as closing:

        def opened(store: DuckStore | InfluxStore) -> TelemetryStore:
            closing.callback(store.close)
            return store

        if request.param == "duckdb":
            yield lambda: opened(DuckStore(tmp_path / "store"))
            return
        influx: Influx = request.getfixturevalue("influx")
        bucket: str = request.getfixturevalue("influx_bucket")
        address = InfluxAddress(influx.url, influx.token, influx.org, bucket)
        yield lambda: opened(InfluxStore(address, site="campus", folder=tmp_path / "store"))


@pytest.fixture
def store(opens: Open) -> TelemetryStore:
    return opens()

"""Fixtures of all tests: the real broker, the real store, names of one's own, and how strict the run is."""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import pytest
from hypothesis import HealthCheck, settings

from tests.support.programs import Influx, Mosquitto, ProgramMissing
from tests.support.strictness import Strictness

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"
_CI = os.environ.get("CI") == "true"
_numbers = itertools.count(1)

# no test asserts wall time: a busy machine is slow, not wrong
settings.register_profile("house", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("house")


def pytest_configure(config: pytest.Config) -> None:
    """Judge this run by the house's rules."""
    config.pluginmanager.register(Strictness(shared=SHARED, ci=_CI), "strictness")


def or_skip(missing: ProgramMissing) -> NoReturn:
    """A missing program is a visible skip on a laptop and a failure under CI."""
    if _CI:
        pytest.fail(str(missing), pytrace=False)
    pytest.skip(str(missing))


@pytest.fixture(scope="session")
def mosquitto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    """One running broker for the whole session; keep apart by `unique_name`, and never stop it."""
    try:
        broker = Mosquitto(tmp_path_factory.mktemp("mosquitto"))
    except ProgramMissing as missing:
        or_skip(missing)
    with broker:
        yield broker


@pytest.fixture
def own_mosquitto(tmp_path: Path) -> Iterator[Mosquitto]:
    """A broker of this test's own, not yet started: for tests that stop and kill it."""
    try:
        broker = Mosquitto(tmp_path / "mosquitto")
    except ProgramMissing as missing:
        or_skip(missing)
    yield broker
    broker.stop()


@pytest.fixture(scope="session")
def influx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Influx]:
    """One running InfluxDB 2 for the whole session; keep apart by `influx_bucket`, and never stop it."""
    try:
        store = Influx(tmp_path_factory.mktemp("influx"))
    except ProgramMissing as missing:
        or_skip(missing)
    with store:
        yield store


@pytest.fixture
def influx_bucket(influx: Influx) -> Iterator[str]:
    """Name of a fresh bucket, removed after the test."""
    name = influx.new_bucket()
    yield name
    influx.delete_bucket(name)


@pytest.fixture
def own_influx(tmp_path: Path) -> Iterator[Influx]:
    """An InfluxDB of this test's own, not yet started: for tests that stop and kill it."""
    try:
        store = Influx(tmp_path / "influx")
    except ProgramMissing as missing:
        or_skip(missing)
    yield store
    store.stop()


@pytest.fixture
def unique_name(request: pytest.FixtureRequest) -> str:
    """A name no other test has: usable as a site, a client id or a part of a topic."""
    words = re.sub(r"[^a-z0-9]+", "-", request.node.name.lower()).strip("-")
    return f"{words[:40]}-{next(_numbers)}"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real recordings beside the project; mark the test `shared`."""
    return SHARED / "data"

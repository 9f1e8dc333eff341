"""The app under test."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx2
import pytest

from maintenance.people import Role
from tests.unit.api.house import House, opened


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """A small site where nothing has happened yet."""
    with opened(tmp_path) as fresh:
        yield fresh


@pytest.fixture(scope="module")
def quiet_house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """The same for all tests of a module; none of them changes it."""
    with opened(tmp_path_factory.mktemp("house")) as shared:
        yield shared


@pytest.fixture
async def viewer(house: House) -> AsyncIterator[httpx2.AsyncClient]:
    async with house.client(Role.VIEWER) as client:
        yield client


@pytest.fixture
async def crew(house: House) -> AsyncIterator[httpx2.AsyncClient]:
    async with house.client(Role.CREW) as client:
        yield client


@pytest.fixture
async def engineer(house: House) -> AsyncIterator[httpx2.AsyncClient]:
    async with house.client(Role.ENGINEER) as client:
        yield client

"""The app under test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest

from maintenance.people import Role
from tests.unit.api.house import House, opened


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """A small site with nothing happened yet."""
    async with opened(tmp_path) as fresh:
        yield fresh


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

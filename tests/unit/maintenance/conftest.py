"""The ledger under test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.maintenance.builders import Desk, desk


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Desk]:
    """An empty ledger with its engine."""
    with desk(tmp_path) as fresh:
        yield fresh

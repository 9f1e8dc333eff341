"""What several modules look at: a healthy day, lived once."""

from __future__ import annotations

import pytest

from tests.unit.simulators.recording import Recording


@pytest.fixture(scope="session")
def day() -> Recording:
    """The healthy summer day, 06:00 to 06:00."""
    return Recording("healthy_day")

"""What tests of the way in share: a journal of their own, and a broker that only they use."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from history.journal import JournalFile
from tests.support.programs import Mosquitto


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[JournalFile]:
    with JournalFile(tmp_path / "journal.db") as opened:
        yield opened


@pytest.fixture
def broker(own_mosquitto: Mosquitto) -> Mosquitto:
    own_mosquitto.start()
    return own_mosquitto

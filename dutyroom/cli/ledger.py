"""What the commands on tickets and users share: opening the ledger of a data folder, and the time they act at."""

from __future__ import annotations

import getpass
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from dutyroom.datafolder import make_data_folder
from dutyroom.policy import notice_routes
from dutyroom.settings import load_settings
from maintenance.ledger import Ledger, Policy
from plant.errors import NotFound

DataFolder = Annotated[Path, typer.Option("--data", help="The data folder; the ledger in it is ledger.db.")]


@contextmanager
def opened(data: Path, *, make: bool = False) -> Iterator[Ledger]:
    """The ledger of a data folder, also while the service runs; NotFound when there is none and `make` is false.

    What is done here is told over the channels of the service's settings (`dutyroom.toml` here, DUTYROOM_*).
    """
    path = data / "ledger.db"
    if make:
        make_data_folder(data)
    elif not path.exists():
        raise NotFound(f"{path} does not exist; give the service's data folder with --data")
    policy = Policy(routes=notice_routes(load_settings(None, data)))
    with Ledger.open(path, policy) as ledger:
        yield ledger


def now(ledger: Ledger) -> int:
    """Plant time as the service last wrote it, so that a person's act falls between the engine's; else the clock's."""
    reached = ledger.plant_now()
    return time.time_ns() // 1_000_000 if reached is None else reached


def operator() -> str:
    """The account of this machine, as author of what is done without naming a user."""
    return getpass.getuser()

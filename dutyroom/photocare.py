"""Once an hour removes the photos that no ticket names: an upload was cut off between its file and its row."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog

from maintenance.ledger.ledger import Ledger
from maintenance.ledger.photos import named_photos
from maintenance.photofiles import PhotoFolder
from plant.errors import DutyroomError

LEAST_AGE_MS = 24 * 3_600_000
"""A day: far longer than any upload lasts, and somebody whose phone says "waiting" may still be on the way."""

_FIRST_S, _PAUSE_S = 60.0, 3_600.0

log = structlog.get_logger()


def tidy(ledger: Ledger, photos: PhotoFolder, now: int) -> int:
    """Remove photos older than a day (`now` is system time, ms UTC) that no row names; how many. Blocks."""
    return photos.tidy(lambda: ledger.read(named_photos), now - LEAST_AGE_MS)


async def keep_tidy(ledger: Ledger, photos: PhotoFolder, clock: Callable[[], int]) -> None:
    """Do so until cancelled; says in the log what was removed, and once why it could not be."""
    trouble, pause = "", _FIRST_S
    while True:
        await asyncio.sleep(pause)
        pause = _PAUSE_S
        try:
            removed = await asyncio.to_thread(tidy, ledger, photos, clock())
        except DutyroomError as error:
            if str(error) != trouble:
                log.warning("photos without a ticket stay", why=str(error))
            trouble = str(error)
        else:
            trouble = ""
            if removed:
                log.info("photos without a ticket removed", photos=removed)

"""Requests wait for the broker in bounds: the oldest give way and are counted."""

from __future__ import annotations

import asyncio

from dutyroom.asking import Asking
from ingest.requests import Request


async def test_requests_beyond_the_room_there_is_drop_the_oldest() -> None:
    asking = Asking()
    await asyncio.to_thread(asking.put, [Request(n, "mqtt://b:1883", "t", b"") for n in range(1_003)])
    await asyncio.sleep(0)
    assert (asking.dropped, asking.published) == (3, 0)

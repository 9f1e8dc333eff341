"""Requests wait for the broker in bounds: the oldest give way and are counted."""

from __future__ import annotations

import asyncio

from dutyroom.asking import Asking
from ingest.broker import Broker
from ingest.requests import Request


async def test_requests_beyond_the_room_or_for_no_broker_of_ours_are_counted() -> None:
    asking = Asking([Broker("b"), Broker("c")])
    await asyncio.to_thread(asking.put, [Request(n, "mqtt://b:1883", "t", b"") for n in range(1_003)])
    await asyncio.to_thread(asking.put, [Request(n, "mqtt://gone:1883", "t", b"") for n in range(2)])
    await asyncio.sleep(0)
    assert (asking.dropped, asking.published) == (5, 0)

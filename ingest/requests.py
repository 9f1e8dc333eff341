"""What the way in asks of a device; it only says so, the live service publishes it (a replay asks nobody)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Request:
    """A message to publish on `broker` (its URL as journalled), caused by the message at `offset`."""

    offset: int
    broker: str
    topic: str
    payload: bytes

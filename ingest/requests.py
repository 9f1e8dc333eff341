"""What the way in asks of a device; it only says so, the live service publishes it (a replay asks nobody)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Request:
    """A message to publish, caused by the entry at `offset`. `broker` is its URL as journalled; empty: on every one."""

    offset: int
    broker: str
    topic: str
    payload: bytes

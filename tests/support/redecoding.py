"""For consumers in tests that ask for nothing to be decoded again."""

from __future__ import annotations

from dutyroom.redecode import Order
from maintenance.ledger.discovered import Redecoded


def unasked(order: Order, result: Redecoded, before: int) -> None:
    """A report that must not come."""
    raise AssertionError(f"{order} was decoded again: {result}, before {before}")

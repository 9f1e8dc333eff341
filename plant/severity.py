"""Severity of an alarm and its ticket (DOMAIN §1.3)."""

from __future__ import annotations

from enum import IntEnum


class Severity(IntEnum):
    """P1 is the gravest, so `min` over severities is the gravest of them."""

    P1 = 1
    P2 = 2
    P3 = 3
    P4 = 4

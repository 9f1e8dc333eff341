"""The system's clock, read here and handed on as a function."""

from __future__ import annotations

import time


def system_now() -> int:
    """System time, ms UTC."""
    return time.time_ns() // 1_000_000

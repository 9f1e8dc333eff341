"""How the process uses memory: garbage is looked for rarely, and what is freed goes back to the system."""

from __future__ import annotations

import ctypes
import gc

_THRESHOLDS = (10_000, 20, 50)
"""New objects before the young are looked at, and how many looks before the next older ones join.

A whole look walks plant, rules and engine: 75 ms, measured with 1,000 machines. With Python's own thresholds (700, 10,
10) the greatest pages met it often enough to show: p95 of the list of rules 131 ms, and 47 ms with these.
"""

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8
_LARGE, _SPARE = 2 * 2**20, 16 * 2**20
_MALLOC = ((_M_MMAP_THRESHOLD, _LARGE), (_M_TRIM_THRESHOLD, _SPARE), (_M_ARENA_MAX, 2))
"""Options of glibc's mallopt(3). By itself it moves its threshold up to 32 MB with the first large array that is freed,
and from then on keeps what arrays leave behind, for each of a dozen threads: 60 MB more after a backlog. Smaller ones
cost more than they save: with 256 KB the arrays of every 5,000 messages were mapped and given back each time, 6 of
23 µs a message.
"""


def collect_rarely() -> None:
    """For the life of the process; called by whoever runs a service."""
    gc.set_threshold(*_THRESHOLDS)


def return_freed() -> None:
    """Let large arrays go back to the system as soon as they are freed; before threads begin. Only glibc knows how."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        for option, value in _MALLOC:
            mallopt(option, value)

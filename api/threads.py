"""How much processor time each thread of the process has used: which part of the service is at its limit."""

from __future__ import annotations

import os
import re
import threading
import time
from pathlib import Path

_TASKS = Path("/proc/self/task")
_OTHERS = "others"
_PASSING = ("AnyIO", "ThreadPoolExecutor", "Dummy")
"""Names of threads that come and go; counted among the others, or a counter would go back."""


def thread_seconds() -> dict[str, float]:
    """Seconds by name of the thread, of threads with one name together; empty where the system does not tell."""
    if not _TASKS.is_dir():
        return {}
    spent: dict[str, float] = {}
    for thread in threading.enumerate():
        name = re.sub(r"_\d+$", "", thread.name)
        if not name.startswith(_PASSING):
            spent[name] = spent.get(name, 0.0) + _seconds(thread.native_id)
    return {**spent, _OTHERS: max(0.0, time.process_time() - sum(spent.values()))}


def _seconds(native: int | None) -> float:
    """User and system time of a thread; 0 of one that has ended meanwhile."""
    try:
        stat = (_TASKS / str(native) / "stat").read_text()
    except OSError:
        return 0.0
    fields = stat.rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

"""What is freed goes back to the system, in a process of its own: the options of malloc are for life."""

from __future__ import annotations

import subprocess
import sys

import pytest

_PROGRAM = """
import sys
import numpy as np
from dutyroom.memory import return_freed

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096

if sys.argv[1] == "returning":
    return_freed()
np.ones(3_000_000)  # freed at once: by itself malloc now keeps arrays of up to 24 MB
before = resident()
arrays = [np.ones(300_000) for _ in range(50)]
last = np.ones(300_000)  # lies behind them
del arrays
print(resident() - before)
"""


def kept(mode: str) -> int:
    """Bytes still resident after 120 MB were freed."""
    done = subprocess.run([sys.executable, "-c", _PROGRAM, mode], capture_output=True, text=True, check=True)
    return int(done.stdout)


def test_freed_arrays_go_back_to_the_system() -> None:
    if kept("as it is") < 50_000_000:
        pytest.skip("malloc of this system keeps nothing")
    assert kept("returning") < 10_000_000

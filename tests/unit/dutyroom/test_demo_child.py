"""What the demo starts does not outlive it."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.support.programs import wait_until

_PARENT = """
import subprocess, time
from dutyroom.demo.child import end_with_parent
print(subprocess.Popen(["sleep", "300"], preexec_fn=end_with_parent, start_new_session=True).pid, flush=True)
time.sleep(300)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process that its parent is gone")
def test_a_program_ends_when_the_demo_is_killed() -> None:
    with subprocess.Popen([sys.executable, "-c", _PARENT], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        assert _runs(child)
        parent.kill()
    wait_until(lambda: not _runs(child), seconds=10, what="the end of the child")


def _runs(pid: int) -> bool:
    """Whether a process is there and is not only waiting to be counted."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
        return stat.read().rpartition(")")[2].split()[0] != "Z"

"""The service as a process that ends itself by SIGKILL at the n-th passing of a point: `--kill-at fsync:12`.

Settings come from the environment (DUTYROOM_*). What it knew at that moment is one line of JSON in `kills.jsonl`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import time
from collections import deque
from pathlib import Path

from dutyroom.logs import configure_logs
from dutyroom.service import Running, running
from dutyroom.settings import load_settings

SNAPSHOT_SECONDS = 1.0
KILLS, STATUS = "kills.jsonl", "status.json"
_STATUS_SECONDS = 0.1

POINTS = ("fsync", "engine_step", "ledger_commit", "before_snapshot")
FLOW = 200.0
"""Messages a second that must have come in the last second for a passing to count."""


class Killer:
    """Counts how often the chosen point is passed while messages flow, and strikes at the last."""

    def __init__(self, kill_at: str | None, folder: Path) -> None:
        point, _, number = (kill_at or "never:0").partition(":")
        self.point, self.left, self.folder = point, int(number), folder
        self.service: Running | None = None
        self._heard: deque[tuple[float, int]] = deque(maxlen=round(1 / _STATUS_SECONDS) + 1)

    def heard(self, received: int) -> None:
        """Called every tenth of a second with the number of messages received so far."""
        self._heard.append((time.monotonic(), received))

    def probe(self, point: str) -> None:
        """Called by the service at each point it passes, in the thread that passes it."""
        service = self.service
        if point != self.point or service is None or (rate := self._rate()) < FLOW:
            return
        self.left -= 1
        if self.left <= 0:
            line = json.dumps({"point": point, "rate": round(rate), **status(service)}) + "\n"
            with (self.folder / KILLS).open("a") as file:
                file.write(line)
            os.kill(os.getpid(), signal.SIGKILL)

    def _rate(self) -> float:
        heard = list(self._heard)
        if len(heard) < 2:
            return 0.0
        return (heard[-1][1] - heard[0][1]) / (heard[-1][0] - heard[0][0])


def status(service: Running) -> dict[str, int]:
    """Offsets and counters of this moment; `unacknowledged` = received and not yet acknowledged to the broker."""
    assert service.collector is not None
    assert service.rules is not None
    assert service.storing is not None
    told = service.collector.status()
    return {
        "journal": service.journal.last_offset,
        "committed": service.ledger.offset("rules", service.content.plant.site.id),
        "stored": service.storing.offset,
        "snapshot": next((offset for offset, _ in service.rules.snapshots.newest(2**62)), 0),
        "received": told.received,
        "acked": told.acked,
        "unacknowledged": told.received - told.acked,
        "generation": told.generation,
        "sessions_lost": told.sessions_lost,
    }


async def serve(data: Path, kill_at: str | None) -> None:
    """Run until SIGTERM, or until the killer strikes."""
    killer = Killer(kill_at, data)
    told = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, told.set)
    async with running(load_settings(None, data), probe=killer.probe) as service:
        assert service.rules is not None
        service.rules.snapshot_seconds = SNAPSHOT_SECONDS
        killer.service = service
        while not told.is_set():
            failure = service.failure()
            if failure is not None:
                raise failure
            known = status(service)
            killer.heard(known["received"])
            _write(data / STATUS, json.dumps(known))
            try:
                await asyncio.wait_for(told.wait(), _STATUS_SECONDS)
            except TimeoutError:
                continue


def _write(path: Path, text: str) -> None:
    beside = path.with_suffix(".new")
    beside.write_text(text)
    beside.rename(path)


def main() -> None:
    """Entry of the child process."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.child")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--kill-at", default=None, help="POINT:N; points: " + ", ".join(POINTS))
    options = parser.parse_args()
    configure_logs()
    asyncio.run(serve(options.data, options.kill_at))


if __name__ == "__main__":
    main()

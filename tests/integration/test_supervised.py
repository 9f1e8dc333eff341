"""`dutyroom run` under a supervisor that speaks systemd's protocol: it says when it is up, alive, and ending."""

from __future__ import annotations

import signal
import socket
from pathlib import Path

import pytest

from tests.integration.test_service import put_site, service
from tests.support.programs import Mosquitto


@pytest.mark.integration
def test_the_supervisor_hears_ready_then_the_watchdog_then_stopping(
    own_mosquitto: Mosquitto, unique_name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_site(tmp_path / "data", unique_name)
    own_mosquitto.start()
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
    monkeypatch.setenv("WATCHDOG_USEC", "500000")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
        line.bind(str(tmp_path / "notify"))
        line.settimeout(60)
        with service(tmp_path / "data", own_mosquitto.url) as process:
            assert [line.recv(100) for _ in range(3)] == [b"READY=1", b"WATCHDOG=1", b"WATCHDOG=1"]
            process.send_signal(signal.SIGTERM)
            assert b"STOPPING=1" in iter(lambda: line.recv(100), b"")
            assert process.wait(60) == 0

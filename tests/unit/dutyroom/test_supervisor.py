"""What systemd hears, on a real datagram socket."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dutyroom.supervisor import Supervisor

Heard = Callable[[], list[str]]


def reader(line: socket.socket) -> Heard:
    def heard() -> list[str]:
        found = []
        while True:
            try:
                found.append(line.recv(100).decode())
            except BlockingIOError:
                return found

    return heard


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "notify")


@pytest.fixture
def heard(path: str) -> Iterator[Heard]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
        line.bind(path)
        line.setblocking(False)
        yield reader(line)


def test_systemd_hears_of_start_life_and_end(path: str, heard: Heard) -> None:
    supervisor = Supervisor.of({"NOTIFY_SOCKET": path, "WATCHDOG_USEC": "30000000"}, pid=7)
    supervisor.ready()
    for second in range(31):
        supervisor.alive(100.0 + second)
    supervisor.stopping()
    # twice in the 30 s that silence may last: at 0, 15 and 30 s
    assert heard() == ["READY=1", "WATCHDOG=1", "WATCHDOG=1", "WATCHDOG=1", "STOPPING=1"]


def test_a_name_in_the_abstract_namespace_is_one(unique_name: str) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
        line.bind(f"\0{unique_name}")
        line.setblocking(False)
        Supervisor(f"@{unique_name}").ready()
        assert reader(line)() == ["READY=1"]


@pytest.mark.parametrize(
    "environment",
    [{}, {"WATCHDOG_USEC": "0"}, {"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "8"}],
    ids=["none", "zero", "another process's"],
)
def test_without_a_watchdog_of_ours_none_is_fed(path: str, heard: Heard, environment: dict[str, str]) -> None:
    Supervisor.of({"NOTIFY_SOCKET": path, **environment}, pid=7).alive(1.0)
    assert heard() == []


def test_a_service_started_by_hand_tells_nobody(heard: Heard) -> None:
    supervisor = Supervisor.of({}, pid=7)
    supervisor.ready()
    supervisor.stopping()
    assert heard() == []


def test_a_supervisor_that_is_gone_does_not_hold_the_service_up(tmp_path: Path) -> None:
    supervisor = Supervisor(str(tmp_path / "nobody"), 1.0)
    supervisor.ready()
    supervisor.alive(1.0)

"""Real programs under test: Mosquitto and InfluxDB 2, on free ports, killed and brought back on the same data."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import httpx2

_INFLUXD_VERSION = "2.7.12"
_LOG_TAIL = 2_000


class ProgramMissing(Exception):
    """A program is not on this machine; the text says how to get it."""


class ProgramFailed(Exception):
    """A program ended, or did not get ready in time; the text holds the end of its log."""


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(condition: Callable[[], bool], *, seconds: float, what: str) -> None:
    """Ask `condition` until it is true; raises TimeoutError naming `what` after `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not within {seconds:g} s")
        time.sleep(0.02)


def listens(port: int) -> bool:
    """Whether something accepts TCP connections on that port of 127.0.0.1."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


class Process:
    """One child process with a log file; can be stopped, killed and started again on the same data."""

    def __init__(self, name: str, command: list[str], folder: Path) -> None:
        self.name = name
        self.log = folder / f"{name}.log"
        self._command = command
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Its process id; raises ProgramFailed while it does not run."""
        if self._process is None:
            raise ProgramFailed(f"{self.name} is not running")
        return self._process.pid

    def start(self, ready: Callable[[], bool], *, seconds: float) -> None:
        """Start it and wait until `ready()`; raises ProgramFailed with the end of its log."""
        out: IO[bytes]
        with self.log.open("ab") as out:
            self._process = subprocess.Popen(self._command, stdout=out, stderr=subprocess.STDOUT)
        process = self._process

        def ready_or_dead() -> bool:
            return process.poll() is not None or ready()

        try:
            wait_until(ready_or_dead, seconds=seconds, what=f"{self.name} getting ready")
        except TimeoutError as late:
            self.kill()
            raise ProgramFailed(f"{late}; its log ends: {self._tail()}") from None
        if process.poll() is not None:
            self._process = None
            raise ProgramFailed(f"{self.name} ended with {process.returncode}; its log ends: {self._tail()}")

    def stop(self) -> None:
        """SIGTERM and wait; SIGKILL when it takes more than 20 s. Nothing when it does not run."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def kill(self) -> None:
        """SIGKILL and wait. Nothing when it does not run."""
        if self._process is None:
            return
        self._process.kill()
        self._process.wait()
        self._process = None

    def _tail(self) -> str:
        return self.log.read_text(errors="replace")[-_LOG_TAIL:] if self.log.exists() else "(no log)"


class Mosquitto:
    """A Mosquitto broker of our own; `with Mosquitto(folder) as broker:` or start() and stop()."""

    host = "127.0.0.1"

    def __init__(self, folder: Path, *, port: int | None = None, extra: str = "") -> None:
        """`folder` holds configuration, log and persistent sessions; `extra` is appended to the configuration.

        Raises ProgramMissing when there is no mosquitto.
        """
        self.port = port or free_port()
        folder.mkdir(parents=True, exist_ok=True)
        config = folder / "mosquitto.conf"
        config.write_text(_broker_config(folder, self.port) + extra)
        self.process = Process("mosquitto", [str(find_mosquitto()), "-c", str(config)], folder)

    @property
    def url(self) -> str:
        """`mqtt://127.0.0.1:PORT`."""
        return f"mqtt://{self.host}:{self.port}"

    def start(self) -> None:
        """Start and wait until it accepts connections."""
        self.process.start(lambda: listens(self.port), seconds=20)

    def stop(self) -> None:
        """End it in good order; sessions are saved."""
        self.process.stop()

    def kill(self) -> None:
        """SIGKILL: what was not saved in the last second is gone."""
        self.process.kill()

    def restart(self, *, kill: bool = False) -> None:
        """Down and up again on the same port and data."""
        self.kill() if kill else self.stop()
        self.start()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


class Influx:
    """InfluxDB 2 with an organisation and an operator's token; ours, or the one INFLUXDB_URL names.

    INFLUXDB_URL needs INFLUXDB_TOKEN and INFLUXDB_ORG; such a server can be used but not killed.
    """

    def __init__(self, folder: Path) -> None:
        """`folder` holds its data and log. Raises ProgramMissing when there is no influxd."""
        self.org = os.environ.get("INFLUXDB_ORG", "test")
        self.token = os.environ.get("INFLUXDB_TOKEN", "test-token-of-no-value")
        self.bucket = "first"
        self._process: Process | None = None
        outside = os.environ.get("INFLUXDB_URL")
        if outside:
            self.url = outside.rstrip("/")
            return
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        folder.mkdir(parents=True, exist_ok=True)
        self._process = Process("influxd", _influxd_command(find_influxd(), folder, port), folder)

    @property
    def process(self) -> Process:
        """Our influxd; raises ProgramMissing when the server is somebody else's."""
        if self._process is None:
            raise ProgramMissing(f"{self.url} is not ours to stop; unset INFLUXDB_URL for tests that kill the store")
        return self._process

    def start(self) -> None:
        """Start, wait until /health passes, and set it up the first time."""
        if self._process is not None:
            self._process.start(self.healthy, seconds=90)
        if self._set_up_wanted():
            self._call("POST", "/api/v2/setup", {
                "username": "test", "password": "test-password", "org": self.org, "bucket": self.bucket,
                "token": self.token,
            })  # fmt: skip

    def stop(self) -> None:
        """End it in good order; nothing when it is somebody else's."""
        if self._process is not None:
            self._process.stop()

    def kill(self) -> None:
        """SIGKILL."""
        self.process.kill()

    def restart(self, *, kill: bool = False) -> None:
        """Down and up again on the same port and data."""
        self.process.kill() if kill else self.process.stop()
        self.start()

    def healthy(self) -> bool:
        """Whether /health says pass."""
        try:
            answer = httpx2.get(f"{self.url}/health", timeout=2)
        except httpx2.TransportError:
            return False
        return answer.status_code == 200 and answer.json().get("status") == "pass"

    def new_bucket(self) -> str:
        """Name of a fresh empty bucket."""
        name = f"test-{uuid.uuid4().hex[:12]}"
        organisations = self._call("GET", f"/api/v2/orgs?org={self.org}", None).json()["orgs"]
        self._call("POST", "/api/v2/buckets", {"orgID": organisations[0]["id"], "name": name, "retentionRules": []})
        return name

    def delete_bucket(self, name: str) -> None:
        """Remove a bucket with all it holds, and those of its rollups."""
        for found in self._call("GET", "/api/v2/buckets?limit=100", None).json()["buckets"]:
            if re.fullmatch(re.escape(name) + "(_1m|_15m|_1h|_1d)?", found["name"]):
                self._call("DELETE", f"/api/v2/buckets/{found['id']}", None)

    def _set_up_wanted(self) -> bool:
        return bool(httpx2.get(f"{self.url}/api/v2/setup", timeout=10).json().get("allowed"))

    def _call(self, method: str, path: str, body: dict[str, object] | None) -> httpx2.Response:
        headers = {} if path == "/api/v2/setup" else {"Authorization": f"Token {self.token}"}
        answer = httpx2.request(method, self.url + path, json=body, headers=headers, timeout=30)
        if answer.is_error:
            raise ProgramFailed(f"InfluxDB answered {answer.status_code} to {method} {path}: {answer.text[:300]}")
        return answer

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def find_mosquitto() -> Path:
    """The broker's program, on PATH or where Debian puts it; raises ProgramMissing."""
    found = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
    if found is None:
        raise ProgramMissing("mosquitto is not installed: `make parts` gets it (apt-get install mosquitto)")
    return Path(found)


def find_influxd() -> Path:
    """InfluxDB's program, on PATH or in the user's cache; raises ProgramMissing."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    built = cache / "dutyroom" / f"influxd-{_INFLUXD_VERSION}"
    found = shutil.which("influxd") or shutil.which("influxd", path=str(built))
    if found is None:
        raise ProgramMissing("influxd is neither on PATH nor in the user's cache: `make parts` builds it")
    return Path(found)


def _broker_config(folder: Path, port: int) -> str:
    # `user root` only keeps a root-run test broker able to write in the test's own folder; others ignore it.
    return (
        f"listener {port} 127.0.0.1\nallow_anonymous true\nuser root\n"
        f"persistence true\npersistence_location {folder}/\nautosave_interval 1\n"
        "max_inflight_messages 0\nmax_queued_messages 2000000\nset_tcp_nodelay true\n"
    )


def _influxd_command(program: Path, folder: Path, port: int) -> list[str]:
    return [
        str(program), "run", "--bolt-path", f"{folder}/influxd.bolt", "--sqlite-path", f"{folder}/influxd.sqlite",
        "--engine-path", f"{folder}/engine", "--http-bind-address", f"127.0.0.1:{port}", "--reporting-disabled",
    ]  # fmt: skip

"""A broker for the demo: Mosquitto where it is installed, else the one that comes in a wheel."""

from __future__ import annotations

import asyncio
import shutil
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from iotcore import Broker as WheelBroker

from dutyroom.demo.child import end_with_parent
from plant.errors import Unavailable

_START_SECONDS = 10.0

# `user root`: to become another user would undo `end_with_parent`; it says nothing to who is not root
_CONF = """\
user root
listener {port} 127.0.0.1
allow_anonymous true
set_tcp_nodelay true
persistence true
persistence_location {folder}/
autosave_interval 1
max_inflight_messages 0
max_queued_messages 0
"""


@asynccontextmanager
async def embedded_broker(folder: Path) -> AsyncIterator[tuple[str, str]]:
    """A broker on a free local port for as long as the block: (URL, what it is)."""
    port = _free_port()
    url = f"mqtt://127.0.0.1:{port}"
    program = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
    if program is None:
        broker = await asyncio.to_thread(WheelBroker(port=port, listen="127.0.0.1").start)
        try:
            yield url, "embedded broker"
        finally:
            await asyncio.to_thread(broker.stop)
        return
    conf = await asyncio.to_thread(_write_conf, folder, port)
    # a session of its own: Ctrl-C on the terminal is for us, who then end it in order
    process = await asyncio.create_subprocess_exec(
        program,
        "-c",
        str(conf),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=end_with_parent,
    )
    try:
        await _until_listening(port)
        yield url, "Mosquitto"
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


def _write_conf(folder: Path, port: int) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    conf = folder / "mosquitto.conf"
    conf.write_text(_CONF.format(port=port, folder=folder), encoding="utf-8")
    return conf


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def _until_listening(port: int) -> None:
    deadline = asyncio.get_running_loop().time() + _START_SECONDS
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            if asyncio.get_running_loop().time() > deadline:
                raise Unavailable(f"the broker does not listen on port {port} after {_START_SECONDS:g} s") from None
            await asyncio.sleep(0.05)
            continue
        writer.close()
        await writer.wait_closed()
        return

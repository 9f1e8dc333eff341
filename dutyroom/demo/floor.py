"""The demo's machines: simulated in a process of their own, broken and mended by messages like any outsider's."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from importlib import resources
from urllib.parse import urlsplit

import aiomqtt

from dutyroom.demo.child import end_with_parent
from plant.errors import Unavailable

SPEED = 60
"""Plant seconds a second."""
_ANSWER_SECONDS = 10.0
_STOP_SECONDS = 5.0


class Floor:
    """Breaks and mends the simulated machines of `site`."""

    def __init__(self, client: aiomqtt.Client, site: str, process: asyncio.subprocess.Process) -> None:
        self._client = client
        self._site = site
        self._process = process
        self._one_at_a_time = asyncio.Lock()

    def failure(self) -> BaseException | None:
        """Why the machines have stopped, if they have."""
        if self._process.returncode is None:
            return None
        return Unavailable(f"the simulated machines have stopped with exit code {self._process.returncode}")

    async def inject(self, plan: Mapping[str, object]) -> None:
        """Break something: a fault plan of `simulators.scenario`, its times counted from now."""
        await self._ask({"inject": dict(plan)})

    async def repair(self, name: str) -> None:
        """Mend what was broken under this name."""
        await self._ask({"repair": name})

    async def _ask(self, command: Mapping[str, object]) -> None:
        async with self._one_at_a_time:
            try:
                await self._client.publish(f"simulators/{self._site}/command", json.dumps(command), qos=1)
                async with asyncio.timeout(_ANSWER_SECONDS):
                    answer = json.loads(_bytes(await anext(self._client.messages)))
            except (TimeoutError, aiomqtt.MqttError) as error:
                raise Unavailable("the simulated machines do not answer") from error
        if "error" in answer:
            raise Unavailable(f"the simulated machines refuse: {answer['error']}")


def _bytes(message: aiomqtt.Message) -> bytes:
    return message.payload if isinstance(message.payload, bytes) else b""


@asynccontextmanager
async def simulated_floor(url: str, site: str, *, catch_up: str) -> AsyncIterator[Floor]:
    """The machines, speaking for as long as the block; the first `catch_up` of plant time as fast as they can."""
    address = urlsplit(url)
    scenario = resources.files("dutyroom.demo") / "scenario.yaml"
    with resources.as_file(scenario) as path:
        command = ("simulate", "run", str(path), "--broker", url, "--speed", str(SPEED), "--catch-up", catch_up)
        # a session of its own: Ctrl-C on the terminal is for us, who then end it in order
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "dutyroom",
            *command,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            env=os.environ | {"PYTHONUNBUFFERED": "1"},
            start_new_session=True,
            preexec_fn=end_with_parent,
        )
        try:
            async with aiomqtt.Client(address.hostname or "127.0.0.1", address.port or 1883) as client:
                await client.subscribe(f"simulators/{site}/result", qos=1)
                yield Floor(client, site, process)
        finally:
            await _end(process)


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        with suppress(ProcessLookupError):
            process.terminate()
        try:
            async with asyncio.timeout(_STOP_SECONDS):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()

"""Puts the demo together, broker, service and simulation under one plant clock at speed, and takes it down again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext, suppress
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from pydantic import SecretStr
from rich.console import Console
from rich.live import Live

from dutyroom.cli.plant_ledger import put_plant
from dutyroom.demo.board import Board
from dutyroom.demo.broker import embedded_broker
from dutyroom.demo.story import EPISODES, Story
from dutyroom.service import Running, running
from dutyroom.settings import BrokerSettings, HttpSettings, Settings
from simulators.run import publish
from simulators.scenario import parse_scenario
from simulators.simulation import Simulation

SPEED = 60.0
_DRAW_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Show:
    """What is on the screen, and the story behind it."""

    service: Running
    board: Board
    console: Console
    telling: asyncio.Task[None]


async def play(folder: Path, *, to_the_end: bool, until: asyncio.Event) -> bool:
    """The demo in `folder` until `until` is set, or, `to_the_end`, until the story has been told; True when it was."""
    console = Console()
    site = resources.files("dutyroom.demo") / "site.yaml"
    async with embedded_broker(folder / "broker") as (url, what):
        with resources.as_file(site) as path:
            await asyncio.to_thread(put_plant, folder, path)
        settings = Settings(data=folder, broker=BrokerSettings(url=SecretStr(url)), http=HttpSettings(port=0))
        async with running(settings) as service, _simulated(url) as simulation:
            console.print(f"{what} {url} · API http://127.0.0.1:{service.port} · {folder}")
            board = Board(service)

            def say(text: str) -> None:
                line = board.say(text)
                if not console.is_terminal:
                    console.print(line)

            story = Story(simulation, service.ledger, lambda: service.passed()[0], say)
            telling = asyncio.create_task(story.play(), name="story")
            try:
                await _show(Show(service, board, console, telling), until, to_the_end=to_the_end)
            finally:
                telling.cancel()
                with suppress(asyncio.CancelledError):
                    await telling
            return story.told == len(EPISODES)


@asynccontextmanager
async def _simulated(url: str) -> AsyncIterator[Simulation]:
    """The simulated site, publishing for as long as the block."""
    text = (resources.files("dutyroom.demo") / "scenario.yaml").read_text("utf-8")
    simulation = await asyncio.to_thread(Simulation, parse_scenario(text, "scenario.yaml"))
    publishing = asyncio.create_task(publish(simulation, url, speed=SPEED), name="simulators")
    try:
        yield simulation
    finally:
        publishing.cancel()
        with suppress(asyncio.CancelledError):
            await publishing


async def _show(show: Show, until: asyncio.Event, *, to_the_end: bool) -> None:
    """Draw until told to stop, until the story is told, or until something fails (which is raised)."""
    live = Live(console=show.console, refresh_per_second=2, screen=False) if show.console.is_terminal else None
    with live or nullcontext():
        while not until.is_set():
            failure = show.service.failure()
            if failure is not None:
                raise failure
            if show.telling.done():
                show.telling.result()
                if to_the_end:
                    break
            if live is not None:
                live.update(await asyncio.to_thread(show.board.draw))
            with suppress(TimeoutError):
                await asyncio.wait_for(until.wait(), _DRAW_SECONDS)
        if live is None:
            show.console.print(await asyncio.to_thread(show.board.draw))

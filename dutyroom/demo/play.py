"""Puts the demo together, broker, service and simulated machines under one plant clock, and takes it down again."""

from __future__ import annotations

import asyncio
import webbrowser
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from pydantic import SecretStr
from rich.console import Console
from rich.live import Live

from dutyroom.cli.plant_ledger import put_plant
from dutyroom.demo.board import Board
from dutyroom.demo.broker import embedded_broker
from dutyroom.demo.desk import Desk
from dutyroom.demo.floor import simulated_floor
from dutyroom.demo.story import EPISODES, PATIENCE_MINUTES, Story
from dutyroom.service import Running, running
from dutyroom.settings import BrokerSettings, HttpSettings, Settings
from plant.instants import NEVER
from simulators.scenario import duration_ms, parse_scenario

_DRAW_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Options:
    """How to play: `past` is how much history to make first (`3d`), `browser` whether to open one.

    `to_the_end` ends with the story, and takes no time to wait for the viewer.
    """

    folder: Path
    to_the_end: bool = False
    browser: bool = True
    past: str = "3d"
    port: int = 0


@dataclass(frozen=True, slots=True)
class Show:
    """What is on the screen, and the story behind it."""

    service: Running
    board: Board
    console: Console
    desk: Desk
    telling: asyncio.Task[None]


class _Watch:
    """Tells how far plant time has come, also before there is a service."""

    service: Running | None = None

    def now(self) -> int:
        """Plant time up to which alarms are committed, ms UTC."""
        return NEVER if self.service is None else self.service.passed()[0]


async def play(options: Options, until: asyncio.Event) -> bool:
    """The demo until `until` is set, or until the story has been told where that is asked for; True when it was."""
    console, watch = Console(), _Watch()
    scenario = parse_scenario((resources.files("dutyroom.demo") / "scenario.yaml").read_text("utf-8"), "scenario.yaml")
    present = scenario.start + duration_ms(options.past)
    with resources.as_file(resources.files("dutyroom.demo") / "site.yaml") as path:
        await asyncio.to_thread(put_plant, options.folder, path)
    async with (
        embedded_broker(options.folder / "broker") as (url, what),
        simulated_floor(url, scenario.site, catch_up=options.past) as floor,
    ):
        desk = Desk(floor, scenario.start, present, watch.now)
        settings = Settings(
            data=options.folder, broker=BrokerSettings(url=SecretStr(url)), http=HttpSettings(port=options.port)
        )
        async with running(settings, demo=desk) as service:
            watch.service = service
            board = Board(service)

            def say(text: str) -> None:
                line = board.say(text)
                if not console.is_terminal:
                    console.print(line)

            story = Story(floor, service.ledger, watch.now, say, present=present)
            patience = 1 if options.to_the_end else PATIENCE_MINUTES
            telling = asyncio.create_task(story.play(patience=patience), name="story")
            show = Show(service, board, console, desk, telling)
            _announce(show, what, options)
            try:
                await _show(show, until, to_the_end=options.to_the_end)
            finally:
                telling.cancel()
                with suppress(asyncio.CancelledError):
                    await telling
            return story.told == len(EPISODES)


def _announce(show: Show, what: str, options: Options) -> None:
    """Say where the pages are, and open them."""
    address = f"http://127.0.0.1:{show.service.port}/demo/enter?key={show.desk.key}"
    show.console.print(f"{what} · {options.folder}")
    show.console.print(f"打开 · open  {address}", soft_wrap=True)
    if options.browser and not webbrowser.open(address):
        show.console.print("没有可用的浏览器，请自行打开上面的地址 · no browser here: open the address yourself")


async def _show(show: Show, until: asyncio.Event, *, to_the_end: bool) -> None:
    """Draw until told to stop, until the story is told, or until something fails (which is raised)."""
    live = Live(console=show.console, refresh_per_second=2, screen=False) if show.console.is_terminal else None
    with live or nullcontext():
        while not until.is_set():
            failure = show.service.failure() or show.desk.failure()
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

"""`dutyroom demo`: the whole service with simulated machines, on this computer, in the browser."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
import tempfile
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated

import typer

from dutyroom.demo.play import Options, play
from dutyroom.logs import configure_logs
from plant.errors import BadInput, Conflict
from simulators.scenario import duration_ms

KEPT = Path(".demo")


def demo_command(
    keep: Annotated[
        bool, typer.Option("--keep", help="Keep the data in .demo/ here; default: a folder that goes.")
    ] = False,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Print the address and open nothing.")] = False,
    to_the_end: Annotated[
        bool, typer.Option("--to-the-end", help="End when the story is told; always so where there is no terminal.")
    ] = False,
    past: Annotated[str, typer.Option(help="History to make before the present begins.")] = "3d",
    port: Annotated[int, typer.Option(min=0, max=65_535, help="Of the pages; 0: any free one.")] = 0,
) -> None:
    """Broker, service and simulated machines under one plant clock: three days of past, then faults that are mended.

    Example: dutyroom demo
    """
    configure_logs(logging.WARNING)
    try:
        duration_ms(past)
    except ValueError as error:
        raise BadInput(f"--past: {error}") from None
    if keep and KEPT.exists():
        raise Conflict(
            f"{KEPT}/ holds an earlier demo; remove it, or look at it: `dutyroom user passwd demo --data {KEPT}`, then "
            f"`dutyroom run --data {KEPT}`"
        )
    alone = to_the_end or not sys.stdout.isatty()
    with nullcontext(str(KEPT)) if keep else tempfile.TemporaryDirectory(prefix="dutyroom-demo-") as folder:
        options = Options(Path(folder), to_the_end=alone, browser=not (no_browser or alone), past=past, port=port)
        told = asyncio.run(_play(options))
    if to_the_end and not told:
        raise typer.Exit(1)


async def _play(options: Options) -> bool:
    until = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, until.set)
    return await play(options, until)

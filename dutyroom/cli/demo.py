"""`dutyroom demo`: the whole service with simulated machines, on this computer, in the terminal."""

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

from dutyroom.demo.play import play
from dutyroom.logs import configure_logs


def demo_command(
    keep: Annotated[
        Path | None, typer.Option("--keep", help="Keep the demo's data in this folder; default: a folder that goes.")
    ] = None,
    to_the_end: Annotated[
        bool, typer.Option("--to-the-end", help="End when the story is told; always so where there is no terminal.")
    ] = False,
) -> None:
    """Broker, service and simulated machines under one plant clock at 60 times: two faults come and are mended.

    Example: dutyroom demo
    """
    configure_logs(logging.WARNING)
    with nullcontext(str(keep)) if keep else tempfile.TemporaryDirectory(prefix="dutyroom-demo-") as folder:
        told = asyncio.run(_play(Path(folder), to_the_end=to_the_end or not sys.stdout.isatty()))
    if to_the_end and not told:
        raise typer.Exit(1)


async def _play(folder: Path, *, to_the_end: bool) -> bool:
    until = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, until.set)
    return await play(folder, to_the_end=to_the_end, until=until)

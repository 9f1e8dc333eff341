"""`dutyroom run`: the service, all in one process or as two over the journal."""

from __future__ import annotations

import asyncio
import signal
import time
from pathlib import Path
from typing import Annotated

import structlog
import typer

from dutyroom.cli.options import ConfigFile
from dutyroom.logs import configure_logs
from dutyroom.memory import collect_rarely, return_freed
from dutyroom.service import Role, running
from dutyroom.settings import Settings, load_settings
from dutyroom.supervisor import Supervisor, from_environment

_WATCH_SECONDS = 0.5

log = structlog.get_logger()


def run_command(
    role: Annotated[Role, typer.Argument(help="all, or only the collector or only the service.")] = Role.ALL,
    config: ConfigFile = None,
    data: Annotated[Path | None, typer.Option("--data", help="The data folder; default from the settings.")] = None,
) -> None:
    """Run until told to stop (Ctrl-C or SIGTERM): read the broker, keep history, judge, open and close tickets.

    Example: dutyroom run --data data
    """
    configure_logs()
    collect_rarely()
    return_freed()
    settings = load_settings(config, data)
    asyncio.run(run_until_told(settings, role, from_environment()))


async def run_until_told(settings: Settings, role: Role, supervisor: Supervisor) -> None:
    """The service until SIGINT, SIGTERM, or the failure of one of its parts, which is raised.

    The supervisor hears that it is up, that it is alive for as long as no part has failed, and that it is ending.
    """
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, told.set)
    async with running(settings, role) as service:
        supervisor.ready()
        while not told.is_set():
            failure = service.failure()
            if failure is not None:
                raise failure
            supervisor.alive(time.monotonic())
            try:
                await asyncio.wait_for(told.wait(), _WATCH_SECONDS)
            except TimeoutError:
                continue
        supervisor.stopping()
        log.info("stopping")

"""Serves an app over HTTP for as long as a `with` lasts."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager

import uvicorn
from fastapi import FastAPI

from api.office import Office
from plant.errors import Unavailable

_GRACE_S = 5


class _Server(uvicorn.Server):
    """Uvicorn as a guest: signals belong to whoever runs the service, and its start can be waited for."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        try:
            await super().startup(sockets)
        finally:
            self.up.set()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def serve(
    app: FastAPI, host: str = "127.0.0.1", port: int = 0, *, trusted_proxies: Sequence[str] = ()
) -> AsyncIterator[int]:
    """Serve while in `with`; gives the bound port (any free one for port 0).

    Of `trusted_proxies` (addresses or networks) X-Forwarded-For and -Proto are believed, of nobody else.
    At the end live streams are ended first, requests being answered get 5 s. Raises Unavailable when the address
    cannot be had.
    """
    listener = _bound(host, port)
    config = uvicorn.Config(
        app,
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        ws="none",
        proxy_headers=bool(trusted_proxies),
        forwarded_allow_ips=list(trusted_proxies),
        timeout_graceful_shutdown=_GRACE_S,
    )
    config.load()
    server = _Server(config)
    office: Office = app.state.office
    serving = asyncio.create_task(server.serve(sockets=[listener]), name="http")
    try:
        await server.up.wait()
        yield int(listener.getsockname()[1])
    finally:
        office.pulse.close()
        server.should_exit = True
        await serving


def _bound(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Named as TCP, because asyncio turns Nagle's delay off (40 ms an answer) only where the socket says it is.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(128)
    except OSError as error:
        listener.close()
        raise Unavailable(
            f"cannot listen on {host} port {port}: {error}; is another service there? choose another port"
        ) from error
    return listener

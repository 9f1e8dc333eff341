"""Counts and times every request."""

from __future__ import annotations

from http import HTTPMethod
from time import perf_counter

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_METHODS = frozenset(HTTPMethod)


class Meters:
    """The figures of one app, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.requests = Counter(
            "dutyroom_http_requests",
            "HTTP requests by route as it is declared",
            ("method", "route", "status"),
            registry=self.registry,
        )
        self.seconds = Histogram(
            "dutyroom_http_first_byte_seconds",
            "Time until an answer begins; of a live stream its beginning counts, not its length",
            ("route",),
            registry=self.registry,
        )


class Measured:
    """ASGI middleware around the whole app."""

    def __init__(self, app: ASGIApp, meters: Meters) -> None:
        self._app = app
        self._meters = meters

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = perf_counter()

        async def measured(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._count(scope, message["status"], perf_counter() - began)
            await send(message)

        try:
            await self._app(scope, receive, measured)
        except Exception:
            self._count(scope, 500, perf_counter() - began)  # the answer is written further out
            raise

    def _count(self, scope: Scope, status: int, seconds: float) -> None:
        # Only declared paths become labels: what a stranger types must not grow the registry.
        route = getattr(scope.get("route"), "path", "(none)")
        method = scope["method"] if scope["method"] in _METHODS else "(other)"
        self._meters.requests.labels(method, route, status).inc()
        self._meters.seconds.labels(route).observe(seconds)

"""Builds the HTTP app from its dependencies; nothing is global, so tests and the service build it alike."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import Depends, FastAPI
from fastapi.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp

from api.bodies import Bounded
from api.deps import ApiDeps
from api.guard.headers import Shielded
from api.guard.origin import same_origin
from api.meters import Measured
from api.office import Office
from api.problems import Problem, install
from api.routes import router
from api.web.failures import failure_page
from api.web.pages import router as pages
from api.web.render import Templates
from api.web.statics import Statics


class _App(FastAPI):
    """FastAPI whose schema also holds the one shape of every problem, and whose every answer is shielded."""

    def build_middleware_stack(self) -> ASGIApp:
        return Shielded(super().build_middleware_stack())

    def openapi(self) -> dict[str, Any]:
        schema = super().openapi()
        schema["components"]["schemas"]["Problem"] = Problem.model_json_schema(
            ref_template="#/components/schemas/{model}"
        )
        return schema


def create_app(deps: ApiDeps) -> FastAPI:
    """The app over these dependencies. It owns none of them: whoever opened them closes them."""
    office = Office(deps)

    @asynccontextmanager
    async def beating(_: FastAPI) -> AsyncIterator[None]:
        async with asyncio.TaskGroup() as tasks:
            running = [
                tasks.create_task(office.pulse.run(), name="live-pulse"),
                tasks.create_task(office.note_rates(), name="rates"),
            ]
            yield
            office.pulse.close()
            for task in running:
                task.cancel()

    app = _App(
        title="Dutyroom",
        version="1",
        summary="Facility monitoring: alarms, tickets closed by proof, telemetry",
        lifespan=beating,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        dependencies=[Depends(same_origin)],
    )
    app.state.office = office
    app.state.templates = Templates(Statics())
    install(app, failure_page)
    app.include_router(router())
    app.include_router(pages())
    app.add_middleware(GZipMiddleware, minimum_size=1_000)
    app.add_middleware(Bounded)
    app.add_middleware(Measured, meters=office.meters)
    return app

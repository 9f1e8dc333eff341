"""The API keeps to its own OpenAPI document: whatever is asked, no undocumented answer and no error of ours."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from queue import Queue
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.schemas import BaseSchema
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from api.guard.limits import ALLOWED, Limits
from api.routes import ROUTES, Route
from api.server import serve
from maintenance.people import Role
from plant.severity import Severity
from tests.unit.api.house import T0, House, event, opened, reading

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
EXAMPLES = 12


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[House, str]]:
    """A served site where something has happened, so that answers hold something; nobody there asks too often."""
    with opened(tmp_path_factory.mktemp("fuzzed")) as house:
        house.app.state.office.limits = Limits(dict.fromkeys(ALLOWED, "1000000/second"))
        house.engine(event(severity=Severity.P1), event(equipment="tank-2"))
        house.wrote(reading(T0, 39.0), reading(T0 + 1_000, 40.0))
        with _served(house) as url:
            yield house, url


@contextmanager
def _served(house: House) -> Iterator[str]:
    """The house's app behind a real server, in a thread."""
    ports: Queue[int] = Queue()
    over = threading.Event()

    async def run() -> None:
        async with serve(house.app) as port:
            ports.put(port)
            await asyncio.to_thread(over.wait)

    thread = threading.Thread(target=asyncio.run, args=(run(),), name="served")
    thread.start()
    try:
        yield f"http://127.0.0.1:{ports.get(timeout=30)}"
    finally:
        over.set()
        thread.join()


@pytest.fixture(scope="module")
def document(site: tuple[House, str]) -> BaseSchema:
    """The document as it is served."""
    return schemathesis.openapi.from_url(f"{site[1]}/openapi.json")


# The live stream never ends, so it has tests of its own; pages are no part of the document.
FUZZED = [route for route in ROUTES if not route.path.endswith("/stream")]


NOTHING_TO_GET_WRONG = ("/healthz", "/readyz", "/metrics")
TRIED = [
    pytest.param(route, mode, id=f"{route.method} {route.path} {mode.value}")
    for route in FUZZED
    for mode in GenerationMode
    if mode is GenerationMode.POSITIVE or route.path not in NOTHING_TO_GET_WRONG
]


@pytest.mark.parametrize(("route", "mode"), TRIED)
def test_an_operation_keeps_to_the_document(
    route: Route, mode: GenerationMode, document: BaseSchema, site: tuple[House, str]
) -> None:
    """With what the document allows, and with what it does not."""
    operation = document[route.path][route.method]
    headers = site[0].bearer(Role.ADMIN)

    @settings(max_examples=EXAMPLES, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy(generation_mode=mode))
    def asked(case: Case[Any]) -> None:
        case.call_and_validate(headers=headers, checks=CHECKS)

    asked()

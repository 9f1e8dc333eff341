"""Every failure is a problem: our whole error tree, the framework's errors, and what a fuzzer sends."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from urllib.parse import quote

import httpx2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import plant.errors
from api.problems import KINDS, NotReady, NotSignedIn, Problem, TicketConflict, TooMany, kind_of
from api.routes import ROUTES, Route
from maintenance.people import Role
from maintenance.ticket import State
from plant.errors import DutyroomError
from tests.unit.api.house import House

EXPECTED = {
    "DutyroomError": 500,
    "ConfigError": 500,
    "BadInput": 400,
    "NotFound": 404,
    "Conflict": 409,
    "NotPermitted": 403,
    "Unavailable": 503,
    "StorageFull": 503,
    "Corrupt": 500,
}


def test_the_whole_error_tree_is_mapped() -> None:
    tree = {name for name, value in vars(plant.errors).items() if isinstance(value, type) and _is_error(value)}
    assert tree == set(EXPECTED)
    assert {cls.__name__: int(KINDS[cls].status) for cls in KINDS if cls.__module__ == "plant.errors"} == EXPECTED


def _is_error(kind: type) -> bool:
    return issubclass(kind, DutyroomError)


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (NotSignedIn("x"), 401),
        (TooMany("x"), 429),
        (NotReady(["x"]), 503),
        (TicketConflict("x", state=State.OPEN, version=1, moves=[]), 409),
    ],
)
def test_our_own_problems_have_their_status(error: DutyroomError, status: int) -> None:
    assert kind_of(error).status == status


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/nowhere", 404), ("DELETE", "/api/v1/tickets", 405), ("GET", "/api/v1/tickets?limit=x", 422)],
)
async def test_errors_of_the_framework_are_problems_too(
    quiet_house: House, method: str, path: str, status: int
) -> None:
    async with quiet_house.client() as client:
        answer = await client.request(method, path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    problem = Problem.model_validate_json(answer.content)
    assert problem.status == status


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 422),
        (b'{"to": "open\\ud800", "version": 1}', 422),
        (b'{"to": "open", "version": 1, "\\ud800": 2}', 422),
        (b'{"to": "acknowledged", "version": 99999999999999999999}', 422),
        (b'{"to": "open", "version": 1, "key": ["not", "text"]}', 422),
        (b'{"to": "open", "version": 1, "key": "no uuid"}', 422),
        (b"[" * 50_000, 400),
        (b'{"to": "\xc3("}', 400),
        (b" " * 70_000, 413),
    ],
    ids=[
        "broken",
        "surrogate",
        "surrogate key",
        "huge version",
        "key no text",
        "key no uuid",
        "deep",
        "not utf-8",
        "too large",
    ],
)
async def test_bodies_that_cannot_be_read(quiet_house: House, body: bytes, status: int) -> None:
    async with quiet_house.client(Role.CREW) as client:
        answer = await client.post(
            "/api/v1/tickets/1/transitions", content=body, headers={"Content-Type": "application/json"}
        )
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_body_of_unknown_length_is_cut_off_too(quiet_house: House) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(9):
            yield b" " * 8_192

    async with quiet_house.client(Role.CREW) as client:
        answer = await client.post("/api/v1/tickets/1/comments", content=chunks())
    assert answer.status_code == 413


async def test_what_was_sent_is_not_echoed(quiet_house: House) -> None:
    async with quiet_house.client(Role.CREW) as client:
        answer = await client.post("/api/v1/tickets/1/comments", json={"text": 5, "password": "hunter2"})
    assert answer.status_code == 422
    assert "hunter2" not in answer.text


async def test_an_unexpected_error_is_a_problem_without_its_text(house: House) -> None:
    house.now_live = None  # type: ignore[assignment]
    transport = httpx2.ASGITransport(house.app, raise_app_exceptions=False)
    async with httpx2.AsyncClient(transport=transport, base_url="http://dutyroom") as client:
        answer = await client.get("/readyz")
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert "NoneType" not in answer.text


async def test_openapi_describes_every_problem_as_a_problem(quiet_house: House) -> None:
    async with quiet_house.client(None) as client:
        schema = (await client.get("/openapi.json")).json()
    assert "HTTPValidationError" not in schema["components"]["schemas"]
    assert "Problem" in schema["components"]["schemas"]
    for route in ROUTES:
        answers = schema["paths"][route.path][route.method.lower()]["responses"]
        failures = {status: set(answer["content"]) for status, answer in answers.items() if status >= "400"}
        assert failures, route.path
        assert set().union(*failures.values()) == {"application/problem+json"}, route.path


_TEXT = st.text(max_size=30)
_VALUES = st.one_of(
    _TEXT,
    st.integers().map(str),
    st.sampled_from(["P1", "open", "active", "true", "tank-1", "tank-1/temp", "2026-11-23T02:00:00Z", "1969-01-01"]),
)
_FILTERS = (
    "cursor limit state severity equipment rule since reason type kind point from to buckets retired mode suppressed"
)
_NAMES = st.sampled_from([*_FILTERS.split(), "nonsense"])
_FUZZED = [route for route in ROUTES if not route.path.endswith("/stream")]


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    route=st.sampled_from(_FUZZED),
    role=st.sampled_from([Role.VIEWER, Role.CREW, Role.ENGINEER]),
    query=st.lists(st.tuples(_NAMES, _VALUES), max_size=4),
    part=_VALUES,
    body=st.one_of(
        st.binary(max_size=50),
        st.fixed_dictionaries({"to": _VALUES, "version": st.integers(), "reason": _TEXT})
        .map(json.dumps)
        .map(str.encode),
    ),
)
async def test_no_request_meets_an_undocumented_status(
    quiet_house: House, route: Route, role: Role, query: list[tuple[str, str]], part: str, body: bytes
) -> None:
    path = re.sub(r"\{\w+\}", lambda _: quote(part, safe=""), route.path)
    async with quiet_house.client(role) as client:
        answer = await client.request(
            route.method,
            path,
            params=httpx2.QueryParams(tuple(query)),
            content=body if route.method == "POST" else None,
            headers={"Content-Type": "application/json"},
        )
    # Another path than the route's (a slash in the part, say) is nobody's, or may not be asked this way.
    documented = {route.success, *route.problems, 404}
    assert answer.status_code in documented
    if answer.status_code >= 400:
        assert Problem.model_validate_json(answer.content).status == answer.status_code

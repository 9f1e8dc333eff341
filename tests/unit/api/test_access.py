"""Who may ask what: every route there is, with every role, by token and by session, and with no or a void one."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from enum import StrEnum

import httpx2
import pytest
from fastapi.routing import APIRoute

from api.guard.origin import SESSION_COOKIE
from api.routes import PREFIX, ROUTES
from api.web.pages import PAGES, PageRoute
from maintenance.ledger import sessions, users
from maintenance.people import PEOPLE, Role
from tests.unit.api.house import HOUR, T0, House

# Who may do what, written down once more by hand: the tables of routes must not be their own witness.
NO_TOKEN = {
    "GET /healthz",
    "GET /readyz",
    "GET /metrics",
    f"GET {PREFIX}/codes/{{code}}",
    f"POST {PREFIX}/codes/{{code}}/reports",
    f"GET {PREFIX}/reports/{{token}}",
    f"POST {PREFIX}/reports/{{token}}/photos",
}
TAKES_CREW = {
    f"POST {PREFIX}/alarms/{{id}}/reset",
    f"POST {PREFIX}/alarms/acknowledge",
    f"POST {PREFIX}/alarms/{{id}}/acknowledge",
    f"POST {PREFIX}/alarms/{{id}}/shelve",
    f"POST {PREFIX}/alarms/{{id}}/unshelve",
    f"POST {PREFIX}/mutes",
    f"POST {PREFIX}/mutes/{{id}}/end",
    f"POST {PREFIX}/tickets",
    f"POST {PREFIX}/tickets/{{id}}/assignee",
    f"POST {PREFIX}/tickets/{{id}}/verdict",
    f"POST {PREFIX}/tickets/{{id}}/cause",
    f"GET {PREFIX}/labels",
    f"POST {PREFIX}/tickets/{{id}}/transitions",
    f"POST {PREFIX}/tickets/{{id}}/comments",
    f"POST {PREFIX}/tickets/{{id}}/photos",
}
TAKES_ENGINEER = {
    f"GET {PREFIX}/rejects",
    f"GET {PREFIX}/discovered",
    f"POST {PREFIX}/discovered/listen",
    f"GET {PREFIX}/discovered/{{id}}",
    f"POST {PREFIX}/discovered/{{id}}/accept",
    f"POST {PREFIX}/discovered/{{id}}/ignore",
    f"GET {PREFIX}/acceptances/{{id}}",
    f"POST {PREFIX}/commissioning/{{id}}/check",
    f"POST {PREFIX}/commissioning/{{id}}/decision",
}

# Of pages: those anybody may see, and forms for whoever has signed in. Every other form takes crew or above, and
# accounts take an administrator.
OPEN_PAGES = {
    "GET /static/{version}/{name:path}",
    "POST /preferences",
    "GET /login",
    "POST /login",
    "POST /logout",
    "GET /demo/enter",
    "GET /q/{code}",
    "GET /q/{code}/report",
    "POST /q/{code}/report",
    "GET /r/{token}",
}
ONE_S_OWN = {"GET /password", "POST /password", "POST /account/sessions"}
ACCOUNTS = ("/users", "/audit")


def _least_of_api(line: str) -> Role | None:
    if line in NO_TOKEN:
        return None
    return Role.CREW if line in TAKES_CREW else Role.ENGINEER if line in TAKES_ENGINEER else Role.VIEWER


LEAST: dict[str, Role | None] = {
    **{line: _least_of_api(line) for line in (f"{route.method} {route.path}" for route in ROUTES)},
    **{f"{page.method} {page.path}": page.least for page in PAGES},
    **dict.fromkeys(ONE_S_OWN, Role.VIEWER),
}
GUARDED = [line for line, least in LEAST.items() if least is not None]
STREAM = f"GET {PREFIX}/stream"


class Way(StrEnum):
    """How somebody shows who they are."""

    TOKEN = "token"  # noqa: S105
    SESSION = "session"


@pytest.fixture(scope="module")
def sessions_of(quiet_house: House) -> dict[Role, str]:
    """A session of each role, kept for the walk over all routes."""
    return {role: quiet_house.session(role) for role in PEOPLE}


@asynccontextmanager
async def _signed_in(
    house: House, role: Role, way: Way, session: str | None = None
) -> AsyncIterator[httpx2.AsyncClient]:
    async with house.client(role if way is Way.TOKEN else None) as client:
        if way is Way.SESSION:
            client.headers["Sec-Fetch-Site"] = "same-origin"
            client.cookies.set(SESSION_COOKIE, session or house.session(role))
        yield client


async def _ask(client: httpx2.AsyncClient, line: str) -> httpx2.Response:
    method, path = line.split(" ")
    path = re.sub(r"\{\w+(:\w+)?\}", "1", path.replace("{hash}", "0" * 64))
    return await client.request(method, path)


def test_every_route_of_the_app_is_walked(quiet_house: House) -> None:
    declared = {f"{route.method} {route.path}" for route in ROUTES} | {f"{page.method} {page.path}" for page in PAGES}
    served = {
        f"{method} {route.path}"
        for route in quiet_house.app.routes
        if isinstance(route, APIRoute)
        for method in route.methods or ()
    }
    assert set(LEAST) == declared
    assert served <= declared


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_no_page_is_open_that_should_not_be(page: PageRoute) -> None:
    line = f"{page.method} {page.path}"
    if line in OPEN_PAGES | ONE_S_OWN:
        return
    assert page.least is not None, f"{line} is open to anybody; is that meant?"
    assert page.method == "GET" or page.least is not Role.VIEWER, f"{line} lets a viewer change something"
    assert not page.path.startswith(ACCOUNTS) or page.least is Role.ADMIN


@pytest.mark.parametrize("line", GUARDED)
async def test_who_shows_nothing_is_told_to_sign_in(quiet_house: House, line: str) -> None:
    async with quiet_house.client(None) as client:
        answer = await _ask(client, line)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == 'Bearer realm="dutyroom"'
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"] == "urn:dutyroom:problem:not-signed-in"


@pytest.mark.parametrize("way", Way)
@pytest.mark.parametrize("role", PEOPLE)
@pytest.mark.parametrize("line", [line for line in GUARDED if line != STREAM])
async def test_a_role_passes_or_is_told_403(
    quiet_house: House, sessions_of: dict[Role, str], line: str, role: Role, way: Way
) -> None:
    async with _signed_in(quiet_house, role, way, sessions_of[role]) as client:
        answer = await _ask(client, line)
    # Those let in meet 404 or 422 for what they ask; the point is that they were let in.
    least = LEAST[line]
    assert least is not None
    assert (answer.status_code != 403) is (PEOPLE.index(role) >= PEOPLE.index(least))
    assert answer.status_code != 401


async def test_a_refused_role_learns_which_it_takes(quiet_house: House) -> None:
    async with quiet_house.client(Role.VIEWER) as client:
        answer = await client.get(f"{PREFIX}/rejects")
    assert answer.status_code == 403
    assert answer.json()["detail"] == "a viewer is viewer; this takes engineer or above"


async def test_unknown_revoked_and_malformed_tokens_are_401(house: House) -> None:
    house.ledger.write(users.revoke_tokens, "a crew", T0, author="test")
    for header in (f"Bearer {house.tokens[Role.CREW]}", "Bearer dr_nobody", "Bearer", "Basic YTpi", "Bearer \xe9"):
        async with house.client(None) as client:
            answer = await client.get(f"{PREFIX}/tickets", headers={b"Authorization": header.encode("latin-1")})
        assert answer.status_code == 401, header


async def test_beside_an_authorization_header_a_session_counts_for_nothing(house: House) -> None:
    async with house.browser(Role.CREW) as browser:
        assert (await browser.get(f"{PREFIX}/tickets")).status_code == 200
        answer = await browser.get(f"{PREFIX}/tickets", headers={"Authorization": "Basic YTpi"})
    assert answer.status_code == 401


async def test_a_session_ends_by_itself_unused_or_old(house: House) -> None:
    async with house.browser(Role.VIEWER) as browser:
        house.clock_ms += sessions.IDLE_MS - 1
        assert (await browser.get(f"{PREFIX}/tickets")).status_code == 200
        house.clock_ms += sessions.IDLE_MS - 1  # used meanwhile, so it lives on
        assert (await browser.get(f"{PREFIX}/tickets")).status_code == 200
        house.clock_ms += sessions.IDLE_MS
        assert (await browser.get(f"{PREFIX}/tickets")).status_code == 401
    async with house.browser(Role.VIEWER) as browser:
        for _ in range(sessions.LONGEST_MS // sessions.IDLE_MS):
            house.clock_ms += sessions.IDLE_MS - HOUR
            assert (await browser.get(f"{PREFIX}/tickets")).status_code == 200
        house.clock_ms += 3 * 24 * HOUR
        assert (await browser.get(f"{PREFIX}/tickets")).status_code == 401


@pytest.mark.parametrize("way", Way)
async def test_a_disabled_user_is_out_at_once(house: House, way: Way) -> None:
    async with _signed_in(house, Role.CREW, way) as client:
        assert (await client.get(f"{PREFIX}/tickets")).status_code == 200
        house.ledger.write(users.disable, "a crew", T0, author="test")
        assert (await client.get(f"{PREFIX}/tickets")).status_code == 401


async def test_another_role_counts_from_the_next_request_on(house: House) -> None:
    async with house.browser(Role.ENGINEER) as browser:
        house.ledger.write(users.set_role, "a engineer", Role.VIEWER, T0, author="test")
        assert (await browser.get(f"{PREFIX}/rejects")).status_code == 403


async def test_a_password_for_one_sign_in_opens_nothing_but_its_change(house: House) -> None:
    house.ledger.write(users.set_password, "a crew", "hash", T0, author="test", must_change=True)
    async with house.browser(Role.CREW) as browser:
        program = await browser.get(f"{PREFIX}/tickets", headers={"Accept": "application/json"})
        person = await browser.get("/equipment?area=bath")
        form = await browser.get("/password")
    assert program.status_code == 403
    assert program.json()["type"] == "urn:dutyroom:problem:must-change-password"
    assert (person.status_code, person.headers["location"]) == (303, "/password?next=%2Fequipment%3Farea%3Dbath")
    assert form.status_code == 200


async def test_a_secret_nobody_was_given_is_no_session(house: House) -> None:
    async with house.client(None) as client:
        client.cookies.set(SESSION_COOKIE, "x" * 43)
        answer = await client.get(f"{PREFIX}/tickets")
    assert answer.status_code == 401
    assert answer.json()["detail"] == "this session has ended; sign in again"


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
async def test_probes_need_no_token(quiet_house: House, path: str) -> None:
    async with quiet_house.client(None) as client:
        assert (await client.get(path)).status_code == 200

"""Who may ask what: every route with every role, and with no or a void token."""

from __future__ import annotations

import pytest

from api.routes import PREFIX, ROUTES, Route
from maintenance.ledger import users
from maintenance.people import PEOPLE, Role
from tests.unit.api.house import T0, House

# What each role may do, written down once more by hand: the table of routes must not be its own witness.
NO_TOKEN = {
    "/healthz",
    "/readyz",
    "/metrics",
    f"{PREFIX}/codes/{{code}}",
    f"{PREFIX}/codes/{{code}}/reports",
    f"{PREFIX}/reports/{{token}}",
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
}
TAKES_ENGINEER = {f"GET {PREFIX}/rejects"}

GUARDED = [route for route in ROUTES if route.path not in NO_TOKEN]


def _name(route: Route) -> str:
    return f"{route.method} {route.path}"


def _url(route: Route) -> str:
    return route.path.replace("{id}", "1").replace("{hash}", "0" * 64)


def _may(role: Role, route: Route) -> bool:
    if _name(route) in TAKES_ENGINEER:
        return role in (Role.ENGINEER, Role.ADMIN)
    if _name(route) in TAKES_CREW:
        return role is not Role.VIEWER
    return True


@pytest.mark.parametrize("route", GUARDED, ids=_name)
async def test_without_a_token_every_api_route_answers_401(quiet_house: House, route: Route) -> None:
    async with quiet_house.client(None) as client:
        answer = await client.request(route.method, _url(route))
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == 'Bearer realm="dutyroom"'
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"] == "urn:dutyroom:problem:not-signed-in"


@pytest.mark.parametrize("role", PEOPLE)
@pytest.mark.parametrize("route", [route for route in GUARDED if not route.path.endswith("/stream")], ids=_name)
async def test_a_role_passes_or_is_told_403(quiet_house: House, route: Route, role: Role) -> None:
    async with quiet_house.client(role) as client:
        answer = await client.request(route.method, _url(route))
    # Those let in meet 404 or 422 for what they ask; the point is that they were let in.
    assert (answer.status_code != 403) is _may(role, route)
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


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
async def test_probes_need_no_token(quiet_house: House, path: str) -> None:
    async with quiet_house.client(None) as client:
        assert (await client.get(path)).status_code == 200

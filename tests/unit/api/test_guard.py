"""What stands before every route: requests from elsewhere, and what answers tell the browser."""

from __future__ import annotations

import httpx2
import pytest

from api.guard.headers import CONTENT_SECURITY_POLICY
from api.routes import PREFIX
from maintenance.people import Role
from tests.unit.api.house import House

COMMENT = f"{PREFIX}/tickets/WO-1/comments"


async def _post(house: House, role: Role | None, **headers: str) -> httpx2.Response:
    async with house.browser(role) as browser:
        del browser.headers["Sec-Fetch-Site"]
        browser.headers["Accept"] = "application/json"
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await browser.post(COMMENT, json={"text": "x"}, headers=named)


@pytest.mark.parametrize(
    ("headers", "let_through"),
    [
        ({"Sec_Fetch_Site": "same-origin"}, True),
        ({"Sec_Fetch_Site": "none"}, True),
        ({"Sec_Fetch_Site": "cross-site"}, False),
        ({"Sec_Fetch_Site": "same-site"}, False),
        ({"Sec_Fetch_Site": "cross-site", "Origin": "http://dutyroom"}, False),
        ({"Origin": "http://dutyroom"}, True),
        ({"Origin": "https://DUTYROOM"}, True),
        ({"Origin": "http://dutyroom.example"}, False),
        ({"Origin": "http://dutyroom:81"}, False),
        ({"Origin": "null"}, False),
        ({}, False),
    ],
    ids=str,
)
async def test_a_session_changes_things_only_from_our_own_pages(
    quiet_house: House, headers: dict[str, str], let_through: bool
) -> None:
    answer = await _post(quiet_house, Role.CREW, **headers)
    # Let through, it meets a ticket that is not there.
    assert answer.status_code == (404 if let_through else 403)
    if not let_through:
        assert answer.json()["type"] == "urn:dutyroom:problem:from-elsewhere"


async def test_nothing_changes_for_a_page_from_elsewhere_also_without_a_session(quiet_house: House) -> None:
    async with quiet_house.client(None) as client:
        answer = await client.post("/login", data={"name": "x"}, headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403


async def test_a_person_refused_so_gets_a_page(quiet_house: House) -> None:
    async with quiet_house.browser(Role.CREW) as browser:
        answer = await browser.post("/preferences", data={"lang": "en"}, headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403
    assert answer.headers["content-type"].startswith("text/html")


async def test_a_token_needs_no_page(quiet_house: House) -> None:
    async with quiet_house.client(Role.CREW) as client:
        answer = await client.post(COMMENT, json={"text": "x"}, headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 404


async def test_reading_is_free_from_anywhere(quiet_house: House) -> None:
    async with quiet_house.browser(Role.VIEWER) as browser:
        answer = await browser.get("/", headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 200


@pytest.mark.parametrize("path", ["/", "/login", "/nowhere", f"{PREFIX}/tickets", "/healthz", "/openapi.json"])
async def test_every_answer_is_shielded(quiet_house: House, path: str) -> None:
    async with quiet_house.browser(Role.VIEWER) as browser:
        headers = (await browser.get(path)).headers
    assert headers["content-security-policy"] == CONTENT_SECURITY_POLICY
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["cache-control"] == "no-store"
    assert "camera=()" in headers["permissions-policy"]
    assert "strict-transport-security" not in headers


def test_the_policy_lets_no_inline_script_or_style_in() -> None:
    assert "unsafe" not in CONTENT_SECURITY_POLICY
    assert CONTENT_SECURITY_POLICY == (
        "default-src 'self'; img-src 'self' data: blob:; object-src 'none'; base-uri 'none'; "
        "frame-ancestors 'none'; form-action 'self'"
    )


async def test_an_unexpected_error_is_shielded_too(house: House) -> None:
    house.now_live = None  # type: ignore[assignment]
    transport = httpx2.ASGITransport(house.app, raise_app_exceptions=False)
    async with httpx2.AsyncClient(transport=transport, base_url="http://dutyroom") as client:
        answer = await client.get("/readyz")
    assert answer.status_code == 500
    assert answer.headers["content-security-policy"] == CONTENT_SECURITY_POLICY


async def test_over_https_the_browser_is_told_to_stay_there(quiet_house: House) -> None:
    transport = httpx2.ASGITransport(quiet_house.app)
    async with httpx2.AsyncClient(transport=transport, base_url="https://dutyroom") as client:
        answer = await client.get("/healthz")
    assert answer.headers["strict-transport-security"] == "max-age=31536000"

"""Accounts: one's own, and everybody's for administrators."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from http.cookies import SimpleCookie
from urllib.parse import quote

import httpx2
import pytest

from api.guard.origin import SESSION_COOKIE
from api.web.accountwords import ACTIONS, detail_text
from maintenance.ledger import audit, sessions, users
from maintenance.ledger.audit import Action, Entry
from maintenance.people import Role
from tests.unit.api.house import T0, House

OWN_PASSWORD = "correct horse battery"  # noqa: S105


@pytest.fixture
async def admin(house: House) -> AsyncIterator[httpx2.AsyncClient]:
    async with house.browser(Role.ADMIN) as browser:
        yield browser


def _secret(page: httpx2.Response) -> str:
    found = re.search(r'<code class="secret">([^<]+)</code>', page.text)
    assert found is not None
    return found[1]


def _newest(house: House, subject: str) -> Entry:
    return house.ledger.read(audit.listed, subject=subject)[0].entry


async def _act(browser: httpx2.AsyncClient, name: str, act: str) -> httpx2.Response:
    return await browser.post(f"/users/{quote(name)}/act", data={"act": act})


async def test_a_new_account_s_password_is_shown_once_and_good_for_one_sign_in(
    house: House, admin: httpx2.AsyncClient
) -> None:
    made = await admin.post("/users", data={"name": "李伟", "role": "crew"})
    password = _secret(made)
    assert password not in (await admin.get("/users/李伟")).text
    async with house.browser(None) as browser:
        entered = await browser.post("/login", data={"name": "李伟", "password": password})
        assert entered.headers["location"] == "/password"
        form = {"current": password, "password": OWN_PASSWORD, "again": OWN_PASSWORD}
        assert (await browser.post("/password", data=form)).status_code == 303
        assert (await browser.post("/login", data={"name": "李伟", "password": password})).status_code == 401
    assert house.ledger.read(users.existing, "李伟").role is Role.CREW
    assert _secret(await _act(admin, "李伟", "reset")) != password


@pytest.mark.parametrize(
    ("name", "status", "says"),
    [("a crew", 409, "已有这个用户名"), ("a/b", 422, "首尾不留空格"), ("  ", 422, "用户名须为")],
)
async def test_a_name_that_does_not_do_says_why(admin: httpx2.AsyncClient, name: str, status: int, says: str) -> None:
    answer = await admin.post("/users", data={"name": name, "role": "crew"})
    assert answer.status_code == status
    assert says in answer.text


async def test_the_service_s_own_roles_are_given_to_nobody(house: House, admin: httpx2.AsyncClient) -> None:
    answer = await admin.post("/users", data={"name": "robot", "role": "engine"})
    assert answer.status_code == 422
    assert "robot" not in [user.name for user in house.ledger.read(users.listed)]
    assert (await admin.post("/users/a crew/role", data={"role": "engine"})).status_code == 400


async def test_a_role_is_changed_and_audited(house: House, admin: httpx2.AsyncClient) -> None:
    assert (await admin.post("/users/a crew/role", data={"role": "engineer"})).status_code == 303
    assert house.ledger.read(users.existing, "a crew").role is Role.ENGINEER
    assert _newest(house, "a crew").author == "a admin"
    assert "维修班 → 工程师" in (await admin.get("/users/a crew")).text


async def test_a_disabled_account_is_out_and_comes_back(house: House, admin: httpx2.AsyncClient) -> None:
    async with house.browser(Role.CREW) as crew:
        assert (await _act(admin, "a crew", "disable")).status_code == 303
        assert (await crew.get("/")).status_code == 303
    assert "已停用" in (await admin.get("/users")).text
    assert (await _act(admin, "a crew", "enable")).status_code == 303
    assert not house.ledger.read(users.existing, "a crew").disabled


async def test_nobody_changes_the_own_role_or_disables_the_own_account(house: House, admin: httpx2.AsyncClient) -> None:
    house.ledger.add_user("other admin", Role.ADMIN, author="test", now=T0)
    assert (await _act(admin, "a admin", "disable")).status_code == 409
    assert (await _act(admin, "a admin", "reset")).status_code == 409
    assert (await admin.post("/users/a admin/role", data={"role": "crew"})).status_code == 409
    page = (await admin.get("/users/a admin")).text
    assert "disable" not in page
    assert "/role" not in page


async def test_an_administrator_ends_sessions_and_tokens(house: House, admin: httpx2.AsyncClient) -> None:
    async with house.browser(Role.CREW) as browser, house.client(Role.CREW) as program:
        await _act(admin, "a crew", "sign_out")
        assert (await browser.get("/")).status_code == 303
        assert (await program.get("/api/v1/tickets")).status_code == 200
        await _act(admin, "a crew", "revoke")
        assert (await program.get("/api/v1/tickets")).status_code == 401


async def test_a_new_token_is_shown_once_and_works(house: House, admin: httpx2.AsyncClient) -> None:
    token = _secret(await _act(admin, "a crew", "token"))
    async with house.client(None) as program:
        answer = await program.get("/api/v1/tickets", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 200
    assert token not in (await admin.get("/users/a crew")).text


async def test_who_is_not_there_is_a_page_that_says_so(admin: httpx2.AsyncClient) -> None:
    for answer in (await admin.get("/users/nobody"), await _act(admin, "nobody", "sign_out")):
        assert answer.status_code == 404
        assert "没有这个页面" in answer.text


async def test_the_audit_goes_on_and_is_cut_to_one_account(house: House, admin: httpx2.AsyncClient) -> None:
    for n in range(103):
        entry = Entry(T0 + n, "a crew", Action.SIGN_IN_FAILED, "a crew", f"192.0.2.{n}")
        house.ledger.write(audit.write, entry)
    first = await admin.get("/audit", params={"user": "a crew"})
    assert first.text.count("登录失败") == 100
    more = re.search(r'href="(/audit\?before=[^"]+)"', first.text)
    assert more is not None
    rest = await admin.get(more[1].replace("&amp;", "&"))
    assert rest.text.count("登录失败") == 3
    assert "192.0.2.0" in rest.text


async def test_one_s_own_sessions_are_listed_and_ended(house: House) -> None:
    async with house.browser(Role.CREW) as here, house.browser(Role.CREW) as there:
        page = (await here.get("/account")).text
        assert page.count("a test") == 2
        assert page.count("本机") == 1
        assert (await here.post("/account/sessions", data={"which": "others"})).headers["location"] == "/account"
        assert (await there.get("/")).status_code == 303
        assert (await here.get("/")).status_code == 200
        answer = await here.post("/account/sessions", data={"which": "all"})
        assert answer.headers["location"] == "/login"
        assert SimpleCookie(answer.headers["set-cookie"])[SESSION_COOKIE]["max-age"] == "0"
        assert (await here.get("/")).status_code == 303


async def test_another_s_session_is_not_ended_by_its_number(house: House) -> None:
    async with house.browser(Role.ENGINEER) as victim, house.browser(Role.CREW) as browser:
        (number,) = (one.id for one in house.ledger.read(sessions.listed, "a engineer", house.clock_ms))
        answer = await browser.post("/account/sessions", data={"which": str(number)})
        assert answer.status_code == 404
        assert (await victim.get("/")).status_code == 200


async def test_one_session_is_ended_by_its_number(house: House) -> None:
    async with house.browser(Role.CREW) as here:
        (number,) = (one.id for one in house.ledger.read(sessions.listed, "a crew", house.clock_ms))
        answer = await here.post("/account/sessions", data={"which": str(number)})
        assert answer.headers["location"] == "/login"


async def test_english_pages_about_accounts_are_english(house: House, admin: httpx2.AsyncClient) -> None:
    await admin.post("/users/a crew/role", data={"role": "engineer"})
    for path in ("/account", "/users", "/users/a crew", "/audit"):
        page = (await admin.get(path, headers={"Accept-Language": "en"})).text
        assert not re.search(r"[\u4e00-\u9fff]", page.replace("中文", "")), path


def test_every_act_has_its_words() -> None:
    assert set(ACTIONS) == set(Action)
    for action in Action:
        text = detail_text(Entry(0, "x", action, "x", "crew → admin" if action is Action.ROLE_SET else "2"))
        assert text.en

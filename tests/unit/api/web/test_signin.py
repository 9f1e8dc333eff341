"""Signing in and out with a browser, over the real app."""

from __future__ import annotations

from http.cookies import SimpleCookie

import httpx2
import pytest

from api.app import create_app
from api.guard.limits import Limits, Purpose
from api.guard.origin import SESSION_COOKIE
from api.signin.agents import device
from dutyroom.firstaccount import ensure_guest
from maintenance.ledger import audit, passwords, sessions, users
from maintenance.people import Role
from tests.unit.api.house import T0, House

PASSWORD = "correct horse battery"  # noqa: S105
OTHER = "another good one"
PHONE = "Mozilla/5.0 (Linux; Android 14; X) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Mobile Safari/537.36"


@pytest.fixture
def keyed(house: House) -> House:
    """A house where `a crew` has a password."""
    house.ledger.set_password("a crew", PASSWORD, author="test", now=T0)
    return house


async def _sign_in(
    browser: httpx2.AsyncClient, password: str = PASSWORD, name: str = "a crew", next: str = "/"
) -> httpx2.Response:
    return await browser.post("/login", data={"name": name, "password": password, "next": next})


def _cookie(answer: httpx2.Response) -> SimpleCookie:
    return SimpleCookie(answer.headers["set-cookie"])


def _actions(house: House, subject: str) -> list[str]:
    return [line.entry.action.value for line in house.ledger.read(audit.listed, subject=subject)]


async def test_the_right_password_opens_the_page_that_was_wanted(keyed: House) -> None:
    async with keyed.browser(None) as browser:
        sent = await browser.get("/equipment?area=bath")
        form = await browser.get(sent.headers["location"])
        assert 'value="/equipment?area=bath"' in form.text
        answer = await _sign_in(browser, next="/equipment?area=bath")
        assert (answer.status_code, answer.headers["location"]) == (303, "/equipment?area=bath")
        assert (await browser.get("/equipment?area=bath")).status_code == 200


async def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(keyed: House) -> None:
    async with keyed.browser(None) as browser:
        morsel = _cookie(await _sign_in(browser))[SESSION_COOKIE]
    assert morsel["httponly"]
    assert morsel["samesite"] == "lax"
    assert morsel["path"] == "/"
    assert int(morsel["max-age"]) == 30 * 24 * 3600
    assert not morsel["secure"]
    assert len(morsel.value) >= 43


async def test_over_https_the_cookie_is_secure(keyed: House) -> None:
    transport = httpx2.ASGITransport(keyed.app)
    async with httpx2.AsyncClient(transport=transport, base_url="https://dutyroom") as browser:
        assert _cookie(await _sign_in(browser))[SESSION_COOKIE]["secure"]


@pytest.mark.parametrize(("name", "password"), [("a crew", "wrong horse"), ("nobody", PASSWORD), ("", "")])
async def test_a_wrong_name_and_a_wrong_password_sound_the_same(keyed: House, name: str, password: str) -> None:
    async with keyed.browser(None) as browser:
        answer = await _sign_in(browser, password, name)
    assert answer.status_code == 401
    assert "用户名或密码不对" in answer.text
    assert "set-cookie" not in answer.headers
    if password:
        assert password not in answer.text


@pytest.mark.parametrize("next", ["//elsewhere.example", "https://elsewhere.example", "/\\elsewhere.example", ""])
async def test_signing_in_leads_only_here(keyed: House, next: str) -> None:
    async with keyed.browser(None) as browser:
        assert (await _sign_in(browser, next=next)).headers["location"] == "/"
        assert 'name="next" value="/"' in (await browser.get("/login", params={"next": next})).text


async def test_each_sign_in_gives_a_new_session_and_ends_the_browser_s_old_one(keyed: House) -> None:
    async with keyed.browser(None) as browser:
        first = _cookie(await _sign_in(browser))[SESSION_COOKIE].value
        second = _cookie(await _sign_in(browser))[SESSION_COOKIE].value
    assert first != second
    assert keyed.ledger.read(sessions.signed_in, first, keyed.clock_ms) is None
    assert keyed.ledger.read(sessions.signed_in, second, keyed.clock_ms) is not None


async def test_signing_out_ends_the_session_and_not_only_the_cookie(keyed: House) -> None:
    async with keyed.browser(None) as browser:
        secret = _cookie(await _sign_in(browser))[SESSION_COOKIE].value
        answer = await browser.post("/logout")
        assert (answer.status_code, answer.headers["location"]) == (303, "/login")
        assert SESSION_COOKIE not in browser.cookies
        browser.cookies.set(SESSION_COOKIE, secret)
        assert (await browser.get("/")).status_code == 303
        assert (await browser.post("/logout")).status_code == 303
    assert _actions(keyed, "a crew")[:2] == ["signed_out", "signed_in"]


async def test_guessing_is_slowed_down_by_account_and_the_right_password_waits_too(keyed: House) -> None:
    async with keyed.browser(None) as browser:
        for _ in range(5):
            assert (await _sign_in(browser, "wrong")).status_code == 401
        answer = await _sign_in(browser)
        assert answer.status_code == 429
        assert 0 < int(answer.headers["retry-after"]) <= 60
        assert "尝试次数过多" in answer.text
    # A refused try is not looked at, so it is not audited either.
    assert _actions(keyed, "a crew").count("sign_in_failed") == 5


async def test_guessing_over_many_accounts_is_slowed_down_by_address(keyed: House) -> None:
    keyed.app.state.office.limits = Limits({Purpose.SIGN_IN_ADDRESS: "3/hour", Purpose.SIGN_IN_ACCOUNT: "5/minute"})
    async with keyed.browser(None) as browser:
        statuses = [(await _sign_in(browser, "wrong", f"user {n}")).status_code for n in range(4)]
    assert statuses == [401, 401, 401, 429]


async def test_those_who_know_their_passwords_share_an_address(keyed: House) -> None:
    keyed.app.state.office.limits = Limits({Purpose.SIGN_IN_ADDRESS: "3/hour", Purpose.SIGN_IN_ACCOUNT: "5/minute"})
    async with keyed.browser(None) as browser:
        statuses = [(await _sign_in(browser)).status_code for _ in range(5)]
    assert statuses == [303] * 5


async def test_a_sign_in_is_audited_with_device_and_address_and_no_secret(keyed: House) -> None:
    async with keyed.browser(None) as browser:
        browser.headers["User-Agent"] = PHONE
        await _sign_in(browser, "hunter2 hunter2", "hunter2 hunter2")
        secret = _cookie(await _sign_in(browser))[SESSION_COOKIE].value
    lines = keyed.ledger.read(audit.listed)
    assert lines[0].entry.action is audit.Action.SIGNED_IN
    assert lines[0].entry.detail == "Chrome · Android · 127.0.0.1"
    assert lines[1].entry.subject == audit.UNKNOWN
    assert not any(word in str(lines) for word in (secret, PASSWORD, "hunter2"))


async def test_neither_password_nor_session_is_in_the_log(keyed: House, capfd: pytest.CaptureFixture[str]) -> None:
    async with keyed.browser(None) as browser:
        await _sign_in(browser, "wrong horse battery")
        secret = _cookie(await _sign_in(browser))[SESSION_COOKIE].value
    logged = "".join(capfd.readouterr())
    assert "sign-in failed" in logged
    assert not any(word in logged for word in (secret, PASSWORD, "wrong horse"))


async def test_a_hash_of_older_days_is_made_anew(keyed: House) -> None:
    weak = "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$A1JtPTMtD8wyHCYwNj0ma1Vr3SkKlQTgmBrJA0lqd7I"
    keyed.ledger.write(users.set_password, "a crew", weak, T0, author="test")
    assert passwords.outdated(weak)
    before = keyed.ledger.read(users.credentials, "a crew")
    async with keyed.browser(None) as browser:
        matches = passwords.matches(PASSWORD, weak)
        answer = await _sign_in(browser)
    after = keyed.ledger.read(users.credentials, "a crew")
    assert before is not None
    assert after is not None
    assert (answer.status_code == 303) is matches
    assert (after.password != before.password) is matches


async def _change(
    browser: httpx2.AsyncClient, current: str, password: str, again: str | None = None
) -> httpx2.Response:
    data = {"current": current, "password": password, "again": password if again is None else again}
    return await browser.post("/password", data=data)


async def test_a_new_password_ends_every_other_session(keyed: House) -> None:
    async with keyed.browser(None) as phone, keyed.browser(None) as desk:
        await _sign_in(phone)
        await _sign_in(desk)
        before = desk.cookies[SESSION_COOKIE]
        assert (await _change(desk, PASSWORD, OTHER)).status_code == 303
        assert desk.cookies[SESSION_COOKIE] != before
        assert (await desk.get("/")).status_code == 200
        assert (await phone.get("/")).headers["location"] == "/login?next=%2F"
        assert (await _sign_in(phone)).status_code == 401
        assert (await _sign_in(phone, OTHER)).status_code == 303


@pytest.mark.parametrize(
    ("current", "password", "again", "says"),
    [
        ("wrong", OTHER, OTHER, "当前密码不对"),
        (PASSWORD, OTHER, OTHER + "!", "两次输入的新密码不一致"),
        (PASSWORD, PASSWORD, PASSWORD, "新密码不能与当前密码相同"),
        (PASSWORD, "short", "short", "密码须为 10 到 200 个字符"),
        (PASSWORD, "x" * 201, "x" * 201, "密码须为 10 到 200 个字符"),
        (PASSWORD, "ten\x00letters", "ten\x00letters", "密码须为 10 到 200 个字符"),
    ],
)
async def test_a_new_password_that_does_not_do_says_why(
    keyed: House, current: str, password: str, again: str, says: str
) -> None:
    async with keyed.browser(None) as browser:
        await _sign_in(browser)
        answer = await _change(browser, current, password, again)
        assert answer.status_code == 422
        assert says in answer.text
        assert (await browser.get("/")).status_code == 200


async def test_the_first_sign_in_leads_to_a_password_of_one_s_own(keyed: House) -> None:
    once = passwords.hash_password("once only 123")
    keyed.ledger.write(users.set_password, "a crew", once, T0, author="test", must_change=True)
    async with keyed.browser(None) as browser:
        assert (await _sign_in(browser, "once only 123")).headers["location"] == "/password"
        assert (await browser.get("/")).headers["location"] == "/password?next=%2F"
        assert (await _change(browser, "once only 123", OTHER)).status_code == 303
        assert (await browser.get("/")).status_code == 200


async def test_a_token_chooses_no_password_without_knowing_the_old_one(keyed: House) -> None:
    async with keyed.client(Role.CREW) as client:
        assert (await _change(client, "wrong", OTHER)).status_code == 422


@pytest.mark.parametrize(
    ("agent", "shown"),
    [
        (PHONE, "Chrome · Android"),
        (PHONE + " MicroMessenger/8.0", "WeChat · Android"),
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/126 Safari/537.36 Edg/126", "Edge · Windows"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) Version/17.5 Mobile Safari/604.1", "Safari · iPhone"),
        ("curl/8.5", "? · ?"),
    ],
)
def test_a_browser_is_named_so_that_its_owner_knows_it(agent: str, shown: str) -> None:
    assert device(agent) == shown


class Guest:
    """What a demo's desk says of its viewer."""

    user = "demo"

    def __init__(self) -> None:
        self.key: str | None = "the key"

    def admits(self, key: str) -> bool:
        """Once."""
        right, self.key = key == self.key, None if key == self.key else self.key
        return right


async def test_a_demo_lets_its_viewer_in_once_by_its_key(house: House) -> None:
    ensure_guest(house.ledger, "demo")
    ensure_guest(house.ledger, "demo")
    house.app = create_app(house.deps(demo=Guest()))
    async with house.browser(None) as browser:
        assert "set-cookie" not in (await browser.get("/demo/enter?key=guess")).headers
        answer = await browser.get("/demo/enter", params={"key": "the key"})
        assert (answer.status_code, answer.headers["location"]) == (303, "/demo")
        assert (await browser.get("/api/v1/tickets")).status_code == 200
    async with house.browser(None) as browser:
        assert "set-cookie" not in (await browser.get("/demo/enter", params={"key": "the key"})).headers


async def test_a_real_site_lets_nobody_in_by_a_key(house: House) -> None:
    async with house.browser(None) as browser:
        answer = await browser.get("/demo/enter?key=")
    assert answer.status_code == 404
    assert "set-cookie" not in answer.headers

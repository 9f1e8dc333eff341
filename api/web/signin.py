"""Signing in and out, and a password of one's own."""

from __future__ import annotations

from typing import Annotated

from fastapi import Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from api.access import AnIdentity
from api.office import AnOffice
from api.problems import TooOften
from api.signin import cookies, gate
from api.web.preferences import local_path
from api.web.render import APublicPage, Page
from api.web.times import duration
from maintenance.ledger import passwords
from plant.catalogue import Text
from plant.errors import BadInput, NotFound

_LONGEST = 1_000
Typed = Annotated[str, Form(max_length=_LONGEST)]
Next = Annotated[str, Form(max_length=2_000)]

_WRONG = Text("用户名或密码不对", "The name or the password is wrong")
_CURRENT_WRONG = Text("当前密码不对", "The current password is wrong")
_NOT_THE_SAME = Text("两次输入的新密码不一致", "The two new passwords are not the same")
_AS_BEFORE = Text("新密码不能与当前密码相同", "The new password is the one you have now")
_UNFIT = Text(
    f"密码须为 {passwords.SHORTEST} 到 {passwords.LONGEST} 个字符，且不能是用户名",
    f"A password has {passwords.SHORTEST} to {passwords.LONGEST} characters and is not the user's name",
)


async def login(page: APublicPage, next: str = "/") -> HTMLResponse:
    """The form to sign in with."""
    return page.render("login.html", next=local_path(next), name="", wrong=None)


async def sign_in(
    request: Request, page: APublicPage, name: Typed = "", password: Typed = "", next: Next = "/"
) -> Response:
    """Begin a session and go where the person wanted to, or say what was wrong."""
    try:
        opened = await gate.sign_in(page.office, request, name.strip(), password)
    except TooOften as error:
        return _wait(page.render("login.html", 429, next=local_path(next), name=name, wrong=_later(page, error)), error)
    if opened is None:
        return page.render("login.html", 401, next=local_path(next), name=name, wrong=page.text(_WRONG))
    target = "/password" if opened.must_change else local_path(next)
    answer = RedirectResponse(target, 303)
    cookies.keep(answer, request, page.office, opened.secret)
    return answer


async def enter_demo(request: Request, office: AnOffice, key: str = "") -> Response:
    """Let the viewer of a demo in, by the key it printed; it does so once, and then the session counts."""
    demo = office.deps.demo
    if demo is None:
        raise NotFound("this is a real site: only `dutyroom demo` lets anybody in without a password")
    opened = await gate.enter(office, request, demo.user) if demo.admits(key) else None
    # Opened again in the same browser, the key is used up and the session is there.
    answer = RedirectResponse("/demo", 303)
    if opened is not None:
        cookies.keep(answer, request, office, opened.secret)
    return answer


async def sign_out(request: Request, office: AnOffice) -> Response:
    """End this browser's session."""
    await gate.sign_out(office, request)
    answer = RedirectResponse("/login", 303)
    cookies.drop(answer, request, office)
    return answer


async def password_form(page: APublicPage, identity: AnIdentity, next: str = "/") -> HTMLResponse:
    """The form for a new password."""
    return _form(page, identity.must_change, next)


async def set_password(
    request: Request,
    page: APublicPage,
    identity: AnIdentity,
    current: Typed = "",
    password: Typed = "",
    again: Typed = "",
    next: Next = "/",
) -> Response:
    """Store the new password; every other session of the person ends."""
    name = identity.actor.name
    must = identity.must_change
    try:
        if not await gate.knows_password(page.office, name, current):
            return _form(page, must, next, 422, page.text(_CURRENT_WRONG))
        wrong = _unfit(name, current, password, again)
        if wrong is not None:
            return _form(page, must, next, 422, page.text(wrong))
        opened = await gate.choose_password(page.office, request, name, password)
    except TooOften as error:
        return _wait(_form(page, must, next, 429, _later(page, error)), error)
    except BadInput:
        return _form(page, must, next, 422, page.text(_UNFIT))
    answer = RedirectResponse(local_path(next) if opened else "/login", 303)
    if opened is not None:
        cookies.keep(answer, request, page.office, opened.secret)
    return answer


def _unfit(name: str, current: str, password: str, again: str) -> Text | None:
    if password != again:
        return _NOT_THE_SAME
    if password == current:
        return _AS_BEFORE
    return _UNFIT if password.casefold() == name.casefold() else None


def _form(page: Page, must: bool, next: str, status: int = 200, wrong: str | None = None) -> HTMLResponse:
    return page.render("password.html", status, next=local_path(next), must=must, wrong=wrong)


def _later(page: Page, error: TooOften) -> str:
    wait = duration(error.wait_s * 1_000, page.language)
    return page.text(Text(f"尝试次数过多，请 {wait}后再试", f"Too many tries; try again in {wait}"))


def _wait(answer: HTMLResponse, error: TooOften) -> HTMLResponse:
    answer.headers["Retry-After"] = str(error.wait_s)
    return answer

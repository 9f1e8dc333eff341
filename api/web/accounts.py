"""Everybody's accounts, for administrators: add, role, disable, reset, revoke; and the audit of all that."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from fastapi import Form, Path, Query
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy import Connection

from api.web.account import SystemTimes
from api.web.accountwords import ACTIONS, author_text, detail_text, subject_text
from api.web.render import APage, Page
from maintenance.ledger import audit, passwords, secrets, sessions, users
from maintenance.ledger.audit import Line
from maintenance.ledger.rows import User
from maintenance.ledger.sessions import Session
from maintenance.people import PEOPLE, Role
from plant.errors import BadInput, Conflict

_SHOWN = 10
_PAGE = 100

Name = Annotated[str, Path(max_length=users.LONGEST_NAME)]


class Act(StrEnum):
    """What an administrator may do to an account by a button."""

    DISABLE = "disable"
    ENABLE = "enable"
    RESET = "reset"
    SIGN_OUT = "sign_out"
    TOKEN = "token"  # noqa: S105 - the name of an act
    REVOKE = "revoke"


@dataclass(frozen=True, slots=True)
class File:
    """All that is known of one account. `tokens` says when those that are good were made."""

    user: User
    sessions: list[Session]
    tokens: list[int]
    lines: list[Line]


@dataclass(frozen=True, slots=True)
class Secret:
    """What is shown once, on this page and never again: a password for one sign-in, or a token."""

    value: str
    password: bool


async def list_users(page: APage) -> HTMLResponse:
    """Every account, and the form for another."""
    return await _list(page)


async def add_user(page: APage, name: Annotated[str, Form(max_length=1_000)] = "", role: Role = Form()) -> Response:
    """Make an account with a password for one sign-in, and show that once."""
    password = secrets.new_password()
    hashed = await page.office.hashing(passwords.hash_password, password)
    user = User(name.strip(), role, page.office.clock(), disabled=False, has_password=True, must_change=True)
    try:
        await page.office.act(page.office.deps.ledger.write, users.add, user, password=hashed, author=_author(page))
    except (BadInput, Conflict) as error:
        return await _list(page, 409 if isinstance(error, Conflict) else 422, wrong=error, name=name)
    return await _show(page, user.name, Secret(password, password=True))


async def show_user(page: APage, name: Name) -> HTMLResponse:
    """One account."""
    return await _show(page, name)


async def set_role(page: APage, name: Name, role: Annotated[Role, Form()]) -> Response:
    """Give an account another role."""
    _not_oneself(page, name)
    await page.office.act(
        page.office.deps.ledger.write, users.set_role, name, role, page.office.clock(), author=_author(page)
    )
    return RedirectResponse(f"/users/{name}", 303)


async def act_on_user(page: APage, name: Name, act: Annotated[Act, Form()]) -> Response:
    """Do what the button said; what makes a secret answers with the page that shows it."""
    if act in (Act.RESET, Act.DISABLE):
        _not_oneself(page, name)
    match act:
        case Act.RESET:
            return await _show(page, name, Secret(await _reset(page, name), password=True))
        case Act.TOKEN:
            return await _show(page, name, Secret(await _token(page, name), password=False))
    await page.office.act(page.office.deps.ledger.write, _ACTS[act], name, page.office.clock(), author=_author(page))
    return RedirectResponse(f"/users/{name}", 303)


async def list_audit(
    page: APage,
    user: Annotated[str | None, Query(max_length=users.LONGEST_NAME)] = None,
    before: Annotated[int | None, Query(ge=1, le=2**62)] = None,
) -> HTMLResponse:
    """What was done to accounts and who signed in, newest first."""
    found = await page.office.read(audit.listed, subject=user, before=before, limit=_PAGE + 1)
    lines = found[:_PAGE]
    return page.render(
        "audit.html",
        user=user,
        lines=_told(lines),
        next=lines[-1].id if len(found) > _PAGE else None,
        when=SystemTimes(page),
    )


def _sign_out(connection: Connection, name: str, now: int, *, author: str) -> None:
    users.existing(connection, name)
    sessions.end_all(connection, name, now, author=author)


def _revoke(connection: Connection, name: str, now: int, *, author: str) -> None:
    users.revoke_tokens(connection, name, now, author=author)


_ACTS: Mapping[Act, Callable[..., None]] = {
    Act.DISABLE: users.disable,
    Act.ENABLE: users.enable,
    Act.SIGN_OUT: _sign_out,
    Act.REVOKE: _revoke,
}


async def _reset(page: Page, name: str) -> str:
    """A password for one sign-in, stored."""
    password = secrets.new_password()
    hashed = await page.office.hashing(passwords.hash_password, password)

    def reset(connection: Connection) -> None:
        users.set_password(connection, name, hashed, page.office.clock(), author=_author(page), must_change=True)

    await page.office.act(page.office.deps.ledger.write, reset)
    return password


async def _token(page: Page, name: str) -> str:
    """One more token, stored."""
    token = secrets.new_token()
    now, author = page.office.clock(), _author(page)
    await page.office.act(page.office.deps.ledger.write, users.add_token, name, token, now, author=author)
    return token


async def _list(
    page: Page, status: int = 200, *, wrong: BadInput | Conflict | None = None, name: str = ""
) -> HTMLResponse:
    return page.render(
        "users.html",
        status,
        users=await page.office.read(users.listed),
        roles=PEOPLE,
        wrong=wrong,
        taken=isinstance(wrong, Conflict),
        name=name,
        when=SystemTimes(page),
    )


async def _show(page: Page, name: str, secret: Secret | None = None) -> HTMLResponse:
    file = await page.office.read(_file, name, page.office.clock())
    return page.render(
        "user.html",
        file=file,
        lines=_told(file.lines),
        roles=PEOPLE,
        secret=secret,
        oneself=name == _author(page),
        when=SystemTimes(page),
    )


def _file(connection: Connection, name: str, now: int) -> File:
    return File(
        users.existing(connection, name),
        sessions.listed(connection, name, now),
        users.tokens_of(connection, name),
        audit.listed(connection, subject=name, limit=_SHOWN),
    )


def _told(lines: list[Line]) -> list[dict[str, object]]:
    """Lines with their words."""
    return [
        {
            "entry": line.entry,
            "action": ACTIONS[line.entry.action],
            "subject": subject_text(line.entry),
            "author": author_text(line.entry),
            "detail": detail_text(line.entry),
        }
        for line in lines
    ]


def _not_oneself(page: Page, name: str) -> None:
    if name == _author(page):
        raise Conflict("one's own role and account are changed by another administrator, lest nobody is left")


def _author(page: Page) -> str:
    if page.caller is None:
        raise AssertionError("these pages are only for administrators")
    return page.caller.name

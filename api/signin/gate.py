"""From a name and a password to a session, or to nothing: counted, audited, and equally slow for every wrong answer."""

from __future__ import annotations

from dataclasses import dataclass, replace

import structlog
from fastapi import Request
from sqlalchemy import Connection

from api.guard.allowance import address_of
from api.guard.limits import Purpose
from api.guard.origin import SESSION_COOKIE
from api.office import Office
from api.signin.agents import device
from maintenance.ledger import audit, passwords, secrets, sessions, users
from maintenance.ledger.audit import UNKNOWN, Action, Entry
from maintenance.ledger.users import Credentials

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Opened:
    """A session just begun; `secret` goes into the cookie and is kept nowhere else."""

    secret: str
    must_change: bool


async def sign_in(office: Office, request: Request, name: str, password: str) -> Opened | None:
    """A new session when the password is right; it ends the one the browser had. Raises TooOften before it looks."""
    address = address_of(request)
    office.limits.take(Purpose.SIGN_IN_ADDRESS, address)
    office.limits.take(Purpose.SIGN_IN_ACCOUNT, name)
    found = await office.read(users.credentials, name)
    if not await office.hashing(passwords.matches, password, None if found is None else found.password) or not found:
        known = UNKNOWN if found is None else name
        _log.warning("sign-in failed", user=known, address=address)
        entry = Entry(office.clock(), known, Action.SIGN_IN_FAILED, known, address)
        await office.act(office.deps.ledger.write, audit.write, entry)
        return None
    # Whoever gets in was no guesser: a whole site may sign in from one address.
    office.limits.give_back(Purpose.SIGN_IN_ADDRESS, address)
    office.limits.forget(Purpose.SIGN_IN_ACCOUNT, name)
    if passwords.outdated(found.password):
        stronger = await office.hashing(passwords.hash_password, password)
        await office.act(office.deps.ledger.write, users.rehash, name, found.password, stronger)
        found = replace(found, password=stronger)
    return await office.act(office.deps.ledger.write, _open, found, _Browser.of(request), office.clock())


async def enter(office: Office, request: Request, name: str) -> Opened | None:
    """A session for the viewer of a demo, who has shown its key; None when there is no such account."""
    browser, now = _Browser.of(request), office.clock()

    def begin(connection: Connection) -> Opened | None:
        user = users.existing(connection, name)
        return None if user.disabled else _begin(connection, name, browser, now)

    return await office.act(office.deps.ledger.write, begin)


async def sign_out(office: Office, request: Request) -> None:
    """End the session the browser holds, if it still does."""
    await office.act(office.deps.ledger.write, _close, request.cookies.get(SESSION_COOKIE), office.clock())


async def choose_password(office: Office, request: Request, name: str, password: str) -> Opened | None:
    """Store a new password of a user's own, end all their sessions and begin one for this browser.

    Raises BadInput when the password does not do.
    """
    hashed = await office.hashing(passwords.hash_password, password)
    browser, now = _Browser.of(request), office.clock()

    def change(connection: Connection) -> Opened | None:
        users.set_password(connection, name, hashed, now, author=name)
        found = users.credentials(connection, name)
        return None if found is None else _open(connection, found, browser, now)

    return await office.act(office.deps.ledger.write, change)


async def knows_password(office: Office, name: str, password: str) -> bool:
    """Whether somebody who has signed in also knows the password; counted as a try to sign in."""
    office.limits.take(Purpose.SIGN_IN_ACCOUNT, name)
    found = await office.read(users.credentials, name)
    known = await office.hashing(passwords.matches, password, None if found is None else found.password)
    if known:
        office.limits.forget(Purpose.SIGN_IN_ACCOUNT, name)
    return known


@dataclass(frozen=True, slots=True)
class _Browser:
    """What a session is opened for: the device in words, where it is, and the session it held before."""

    agent: str
    address: str
    before: str | None

    @classmethod
    def of(cls, request: Request) -> _Browser:
        agent = device(request.headers.get("user-agent", ""))
        return cls(agent, address_of(request), request.cookies.get(SESSION_COOKIE))


def _open(connection: Connection, found: Credentials, browser: _Browser, now: int) -> Opened | None:
    name = found.actor.name
    # Disabled, or given another password, while this one was being checked: it opens nothing any more.
    current = users.credentials(connection, name)
    if current is None or current.password != found.password:
        return None
    return _begin(connection, name, browser, now)


def _begin(connection: Connection, name: str, browser: _Browser, now: int) -> Opened:
    _close(connection, browser.before, now)
    secret = secrets.new_session()
    sessions.begin(connection, name, secret, now, agent=browser.agent)
    audit.write(connection, Entry(now, name, Action.SIGNED_IN, name, f"{browser.agent} · {browser.address}"))
    return Opened(secret, users.existing(connection, name).must_change)


def _close(connection: Connection, secret: str | None, now: int) -> None:
    held = None if secret is None else sessions.signed_in(connection, secret, now)
    if held is not None:
        sessions.end(connection, held.actor.name, held.session, now)
        audit.write(connection, Entry(now, held.actor.name, Action.SIGNED_OUT, held.actor.name))

"""Who is asking: a bearer token or a browser's session becomes an Actor, and a route asks for a role."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated

import structlog
from fastapi import Depends, Request
from fastapi.security import APIKeyCookie, HTTPAuthorizationCredentials, HTTPBearer

from api.guard.limits import Purpose
from api.guard.origin import SAFE, SESSION_COOKIE
from api.office import AnOffice, Office
from api.problems import MustChangePassword, NotSignedIn
from maintenance.ledger import sessions, users
from maintenance.people import Actor, Role
from plant.errors import DutyroomError, NotPermitted, Unavailable

_SEEN_EVERY_MS = 5 * 60_000
"""A session's last use is written this often at most: reading a page is no reason to write."""

_bearer = HTTPBearer(auto_error=False, description="a token of `dutyroom user add NAME --role ROLE`")
_cookie = APIKeyCookie(name=SESSION_COOKIE, auto_error=False, description="a browser's session, from /login")

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Shown:
    """What a request shows to be let in: a token, else the secret of a session."""

    token: str | None
    session: str | None


@dataclass(frozen=True, slots=True)
class Identity:
    """Who is asking; `session` is the number of the browser's session, None for a token."""

    actor: Actor
    session: int | None = None
    must_change: bool = False


def _shown(
    request: Request,
    bearer: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
    cookie: Annotated[str | None, Depends(_cookie)],
) -> Shown:
    if "authorization" in request.headers:
        # Whatever it holds: the check for requests from elsewhere relies on the cookie not counting beside it.
        return Shown(bearer.credentials if bearer is not None else "", None)
    return Shown(None, cookie)


Credentials = Annotated[Shown, Depends(_shown)]


async def identify(office: Office, shown: Shown) -> Identity:
    """Whom a request speaks for. Raises NotSignedIn, and Unavailable when the ledger cannot be asked."""
    try:
        if shown.token is not None:
            actor = await office.read(users.actor_of_token, shown.token)
            found = None if actor is None else Identity(actor)
        else:
            found = None if shown.session is None else await _of_session(office, shown.session)
    except DutyroomError as error:
        # The reason may name files of the server, and nobody knows yet who is asking.
        raise Unavailable("the ledger does not answer, so nobody can be signed in; try again") from error
    if found is not None:
        return found
    if shown.token is not None:
        raise NotSignedIn("this token is unknown, revoked or of a disabled user; ask for a new one")
    if shown.session is not None:
        raise NotSignedIn("this session has ended; sign in again")
    raise NotSignedIn("sign in at /login, or send `Authorization: Bearer TOKEN`; `dutyroom user add` makes a token")


async def _of_session(office: Office, secret: str) -> Identity | None:
    now = office.clock()
    found = await office.read(sessions.signed_in, secret, now)
    if found is None:
        return None
    if now - found.seen_at >= _SEEN_EVERY_MS:
        try:
            await office.act(office.deps.ledger.write, sessions.saw, found.session, now)
        except DutyroomError as error:
            _log.warning("the last use of a session could not be written", user=found.actor.name, error=str(error))
    return Identity(found.actor, found.session, found.must_change)


async def _identity(request: Request, office: AnOffice, shown: Credentials) -> Identity:
    identity = await identify(office, shown)
    if request.method not in SAFE:
        office.limits.take(Purpose.WRITE, identity.actor.name)
    return identity


AnIdentity = Annotated[Identity, Depends(_identity)]
"""Who is asking, also one who must choose a password first; for the few routes that lead to one."""


async def _caller(identity: AnIdentity) -> Actor:
    if identity.must_change:
        raise MustChangePassword(f"{identity.actor.name} signed in with a password that is good for that only once")
    return identity.actor


Caller = Annotated[Actor, Depends(_caller)]


def at_least(role: Role) -> Callable[[Actor], Awaitable[None]]:
    """A dependency that lets callers of this role or above pass."""

    async def check(caller: Caller) -> None:
        if not caller.at_least(role):
            raise NotPermitted(f"{caller.name} is {caller.role}; this takes {role} or above")

    return check
